"""Names and times of SOAP, WS-Addressing, WS-Security, SAML and XML-Signature.

Sources: W3C SOAP 1.2 part 1, WS-Addressing 1.0, XML-Signature; OASIS WSS 1.0, SAML 2.0.
"""

from __future__ import annotations

from datetime import UTC, datetime

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
WSA = "http://www.w3.org/2005/08/addressing"
WSA_ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
WSA_FAULT = "http://www.w3.org/2005/08/addressing/soap/fault"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def qname(namespace: str, local: str) -> str:
    """A name in Clark notation, as lxml writes it."""
    return f"{{{namespace}}}{local}"


def instant(text: str) -> datetime | None:
    """An xs:dateTime as UTC; without an offset it reads as UTC. None when it is not one."""
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
