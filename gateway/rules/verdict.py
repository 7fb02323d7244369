"""What a door makes of findings: an outcome, and whether documents may enter the patient record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.rules.model import Finding


class Outcome(StrEnum):
    """What the door decides."""

    ACCEPT = "accept"
    ACCEPT_WITH_ALERTS = "accept_with_alerts"
    QUARANTINE = "quarantine"
    REJECT = "reject"


class Integration(StrEnum):
    """Whether the documents may enter the recipient's patient record by themselves."""

    ALLOWED = "allowed"
    WITHOUT_INS = "without_ins"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Decision:
    """Findings and what the policy of the door makes of them. `findings` are sorted, worst first.

    `excluded` are recipients that an accepted mail does not go to (policy `partial`); they are owed a failure report.
    """

    outcome: Outcome
    integration: Integration
    findings: tuple[Finding, ...]
    excluded: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """The sender must be told no."""
        return self.outcome is Outcome.REJECT

    @property
    def deciding(self) -> Finding | None:
        """The finding that decided, if any."""
        return self.findings[0] if self.findings else None
