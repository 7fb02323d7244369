"""The road: open, check, decide, commit. Only then does the door answer."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.exchange.model import Decision, Submission
from gateway.ports import Recorded


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a door must answer: the exchange is durable, the decision is taken."""

    exchange_id: str
    decision: Decision
    recorded: Recorded
    submission: Submission
