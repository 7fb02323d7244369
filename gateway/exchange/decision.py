"""From findings to a decision: one table, by door and by family of fault.

| door       | trust, envelope, abuse | other blocking findings                                     |
|------------|------------------------|-------------------------------------------------------------|
| submission | reject                 | reject (`vigilance=refuse`) or report (`observe`)            |
| reception  | reject                 | delivered and flagged: quarantine, integration stopped       |
| others     | reject                 | reject (`vigilance=refuse`) or report (`observe`)            |

`strip_ins` on emission is a refusal; on reception the original is delivered and integrated without the INS, unless
another blocking finding asks for more.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.rules.model import Action, Family, Finding, Severity
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.sandbox.model import Policy, Vigilance
from gateway.values import Door

_NEVER_DELIVERED = frozenset({Family.TRUST, Family.ENVELOPE, Family.ABUSE})
_STOPS = frozenset({Action.REJECT, Action.QUARANTINE})


def decide(findings: Iterable[Finding], door: Door, policy: Policy) -> Decision:
    """The decision of one door under one policy. Findings come out sorted: what decided first."""
    ordered = tuple(sorted(findings, key=_weight, reverse=True))
    outcome, integration = _verdict(ordered, door, policy)
    return Decision(outcome, integration, ordered)


def _weight(finding: Finding) -> tuple[int, int, int]:
    return (finding.severity.rank, _ACTION_WEIGHT[finding.action], finding.family in _NEVER_DELIVERED)


_ACTION_WEIGHT = {Action.REJECT: 4, Action.QUARANTINE: 3, Action.STRIP_INS: 2, Action.ALERT: 1, Action.LOG: 0}


def _verdict(findings: tuple[Finding, ...], door: Door, policy: Policy) -> tuple[Outcome, Integration]:
    alerted = Outcome.ACCEPT_WITH_ALERTS if any(f.severity.rank for f in findings) else Outcome.ACCEPT
    if policy.vigilance is Vigilance.OBSERVE:
        return alerted, Integration.ALLOWED
    if door is Door.RECEPTION:
        return _on_reception(findings, alerted)
    if any(f.action in (*_STOPS, Action.STRIP_INS) and f.severity is Severity.BLOCKING for f in findings):
        return Outcome.REJECT, Integration.STOPPED
    return alerted, Integration.ALLOWED


def _on_reception(findings: tuple[Finding, ...], alerted: Outcome) -> tuple[Outcome, Integration]:
    if any(f.family in _NEVER_DELIVERED and f.action is Action.REJECT for f in findings):
        return Outcome.REJECT, Integration.STOPPED
    if any(f.action in _STOPS for f in findings):
        return Outcome.QUARANTINE, Integration.STOPPED
    if any(f.action is Action.STRIP_INS for f in findings):
        return Outcome.ACCEPT_WITH_ALERTS, Integration.WITHOUT_INS
    return alerted, Integration.ALLOWED
