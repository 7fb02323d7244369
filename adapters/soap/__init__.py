"""The SOAP wire of the DMP: HTTPS routes that receive, hand to the road, and send what it answers."""

from adapters.soap.routes import BASE, dmp_routes
from adapters.soap.trust import trust_of

__all__ = ["BASE", "dmp_routes", "trust_of"]
