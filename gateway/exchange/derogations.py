"""A workspace's changes to the rules: made in somebody's name, for a reason, and journalled. Pure.

A rule that is silenced or lowered this way is a derogation: a message that breaks it is told so (INS-204). Whoever reads a
journal or an exchange months later must find who accepted what, when and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from gateway.exchange.identities import NotAllowed
from gateway.exchange.model import Event
from gateway.rules import Catalogue, Override, Severity
from gateway.rules.book import BYPASSED
from gateway.sandbox.model import Policy
from gateway.values import Text

CHANGED = "rule-override"  # kind of the journal's events
_WORDS = 200  # characters kept of a name or a reason


def overridden(
    policy: Policy,
    catalogue: Catalogue,
    workspace: str,
    rule_id: str,
    severity: Severity | None,
    reason: str,
    by: str,
    at: datetime,
) -> tuple[Policy, Event]:
    """The policy with one rule silenced (`severity` None), lowered or raised, and what the journal says of it.

    Raises NotAllowed: a rule nobody knows, INS-204 itself, no name or no reason.
    """
    _asked(catalogue, rule_id, reason, by)
    change = Override(severity, reason.strip()[:_WORDS], by.strip()[:_WORDS], at)
    changed = replace(policy, overrides=MappingProxyType({**policy.overrides, rule_id: change}))
    return changed, _event(policy, catalogue, workspace, rule_id, _word(severity), change.reason, change.by, at)


def restored(
    policy: Policy, catalogue: Catalogue, workspace: str, rule_id: str, reason: str, by: str, at: datetime
) -> tuple[Policy, Event] | None:
    """The policy with one rule as its card says again; None when it was not changed. Raises NotAllowed."""
    _asked(catalogue, rule_id, reason, by)
    if rule_id not in policy.overrides:
        return None
    left: Mapping[str, Override] = {name: o for name, o in policy.overrides.items() if name != rule_id}
    changed = replace(policy, overrides=MappingProxyType(left))
    told = _event(policy, catalogue, workspace, rule_id, "card", reason.strip()[:_WORDS], by.strip()[:_WORDS], at)
    return changed, told


def _asked(catalogue: Catalogue, rule_id: str, reason: str, by: str) -> None:
    if rule_id not in catalogue:
        raise NotAllowed(BYPASSED, Text(f"Règle inconnue : {rule_id[:40]}.", f"No such rule: {rule_id[:40]}."))
    if rule_id == BYPASSED:
        raise NotAllowed(BYPASSED, _NOT_ITSELF)
    if not reason.strip() or not by.strip():
        raise NotAllowed(BYPASSED, _NOBODY)


def _event(
    policy: Policy, catalogue: Catalogue, workspace: str, rule_id: str, now: str, reason: str, by: str, at: datetime
) -> Event:
    held, card = policy.overrides.get(rule_id), catalogue[rule_id]
    before = _word(held.severity) if held is not None else "card"
    usual = {"emission": card.emission.value, "reception": card.reception.value}
    data = {"rule": rule_id, "before": before, "now": now, "card": usual, "by": by, "reason": reason}
    return Event(CHANGED, at, workspace, "", data)


def _word(severity: Severity | None) -> str:
    return severity.value if severity is not None else "silenced"


_NOT_ITSELF = Text(
    "INS-204 dit qu'une règle a été ignorée : elle ne peut pas l'être elle-même.",
    "INS-204 says that a rule was bypassed: it cannot be bypassed itself.",
)
_NOBODY = Text(
    "Une dérogation a un nom et un motif : dites qui la demande et pourquoi.",
    "A derogation has a name and a reason: say who asks for it and why.",
)
