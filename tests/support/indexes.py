"""What tests of patient indexes share: a live gateway's records found by IPP, and the end of an integration waited for."""

from __future__ import annotations

import time
from typing import Any

from adapters.testing.running import RunningGateway
from tests.support.live import LETTER, send_sample

TILLEULS = "ehpad-les-tilleuls"
HOSPITAL = "ch-brumeval"
_PATIENCE_S = 20.0


def record_of(gateway: RunningGateway, structure: str, ipp: str) -> dict[str, Any]:
    """One record, by its IPP."""
    (brief,) = gateway.post(f"/patients/{structure}/search", {"ipp": ipp})
    found: dict[str, Any] = gateway.get(f"/patients/{structure}/{brief['id']}")
    return found


def act(gateway: RunningGateway, record: dict[str, Any], verb: str, **body: Any) -> dict[str, Any]:
    """Do something to a record; the record after it."""
    done: dict[str, Any] = gateway.post(f"/patients/{record['structure']}/{record['id']}/{verb}", body)
    return done


def integrated(gateway: RunningGateway, exchange_id: str, structure: str = TILLEULS) -> dict[str, Any]:
    """The exchange once its documents met that structure's index."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        found: dict[str, Any] = gateway.get(f"/exchanges/{exchange_id}")
        if structure in found["summary"].get("integrations", {}):
            return found
        time.sleep(0.05)
    raise AssertionError(f"exchange {exchange_id} never met the index of {structure}")


def letter_received(gateway: RunningGateway, sample: str = LETTER) -> dict[str, Any]:
    """A letter sent by the hospital, and its reception once it met the nursing home's index."""
    since = max((x["seq"] for x in gateway.get("/exchanges")["exchanges"]), default=0)
    assert send_sample(gateway, sample).code == 250
    return integrated(gateway, gateway.wait_for(door="smtp-reception", since=since)["id"])


def waiting(gateway: RunningGateway, structure: str = TILLEULS) -> list[dict[str, Any]]:
    """The open entries of one structure's queue."""
    found: list[dict[str, Any]] = gateway.get("/quarantine", structure=structure)["entries"]
    return found
