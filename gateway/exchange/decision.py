"""From findings to a decision: one table, by door and by family of fault.

| door       | trust, envelope, abuse | other blocking findings                                     |
|------------|------------------------|-------------------------------------------------------------|
| submission | reject                 | reject (`vigilance=refuse`) or report (`observe`)            |
| reception  | reject                 | delivered and flagged: quarantine, integration stopped       |
| others     | reject                 | reject (`vigilance=refuse`) or report (`observe`)            |

`strip_ins` on emission is a refusal; on reception the original is delivered and integrated without the INS, unless
another blocking finding asks for more. Under the policy `partial` a submission refused only because some of its recipients may
not receive it (`GW-RIGHTS-*`) is accepted for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.partners.rights import recipient_place
from gateway.rules.model import Action, Family, Finding, Severity
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.sandbox.model import Policy, Vigilance
from gateway.values import Door

_NEVER_DELIVERED = frozenset({Family.TRUST, Family.ENVELOPE, Family.ABUSE})
_STOPS = frozenset({Action.REJECT, Action.QUARANTINE})


def decide(findings: Iterable[Finding], door: Door, policy: Policy, recipients: Sequence[str] = ()) -> Decision:
    """The decision of one door under one policy. Findings come out sorted: what decided first."""
    ordered = tuple(sorted(findings, key=_weight, reverse=True))
    outcome, integration = _verdict(ordered, door, policy)
    if outcome is Outcome.REJECT and policy.partial and door is Door.SUBMISSION:
        excluded = _excluded([f for f in ordered if _refuses(f)], recipients)
        if excluded:
            return Decision(Outcome.ACCEPT_WITH_ALERTS, Integration.ALLOWED, ordered, excluded)
    return Decision(outcome, integration, ordered)


def _excluded(refusals: Sequence[Finding], recipients: Sequence[str]) -> tuple[str, ...]:
    """The recipients that may not receive, when nothing else is held against the mail and somebody is left."""
    if any(f.family is not Family.RIGHTS for f in refusals):
        return ()
    barred = {f.where.path for f in refusals}
    excluded = tuple(a for a in recipients if recipient_place(a).path in barred)
    named = {recipient_place(a).path for a in excluded}
    return excluded if named == barred and len(excluded) < len(recipients) else ()


def _weight(finding: Finding) -> tuple[int, int, int]:
    return (finding.severity.rank, _ACTION_WEIGHT[finding.action], finding.family in _NEVER_DELIVERED)


_ACTION_WEIGHT = {Action.REJECT: 4, Action.QUARANTINE: 3, Action.STRIP_INS: 2, Action.ALERT: 1, Action.LOG: 0}


def _verdict(findings: tuple[Finding, ...], door: Door, policy: Policy) -> tuple[Outcome, Integration]:
    alerted = Outcome.ACCEPT_WITH_ALERTS if any(f.severity.rank for f in findings) else Outcome.ACCEPT
    if policy.vigilance is Vigilance.OBSERVE:
        return alerted, Integration.ALLOWED
    if door is Door.RECEPTION:
        return _on_reception(findings, alerted)
    if any(_refuses(f) for f in findings):
        return Outcome.REJECT, Integration.STOPPED
    return alerted, Integration.ALLOWED


def _refuses(finding: Finding) -> bool:
    """Where the door may refuse, this finding does."""
    return finding.severity is Severity.BLOCKING and finding.action in (*_STOPS, Action.STRIP_INS)


def _on_reception(findings: tuple[Finding, ...], alerted: Outcome) -> tuple[Outcome, Integration]:
    if any(f.family in _NEVER_DELIVERED and f.action is Action.REJECT for f in findings):
        return Outcome.REJECT, Integration.STOPPED
    if any(f.action in _STOPS for f in findings):
        return Outcome.QUARANTINE, Integration.STOPPED
    if any(f.action is Action.STRIP_INS for f in findings):
        return Outcome.ACCEPT_WITH_ALERTS, Integration.WITHOUT_INS
    return alerted, Integration.ALLOWED
