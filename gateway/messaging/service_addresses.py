"""Addresses of the citizen space that belong to no citizen: a robot writes from them, or answers at them."""

from __future__ import annotations

NO_REPLY = "ne-pas-repondre"
ANSWERS_ALL = "reponse.automatique-test"  # announced in the whitelist entry of patient.mssante.fr

_SERVICES = frozenset({NO_REPLY, ANSWERS_ALL})


def is_service(address: str) -> bool:
    """Whether an address (`local@patient…`) is a robot's."""
    return address.rpartition("@")[0].lower() in _SERVICES
