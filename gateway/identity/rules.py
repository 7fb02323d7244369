"""Every identity rule, in two tuples: those that judge one container, and those that compare the containers of a message.

A rule ignores the kinds of container that are not its own, so a new protocol adds views and, where the standard asks
for it, rules; nothing here changes for it. Rules that need the sender's or the recipient's patient index are elsewhere.
"""

from __future__ import annotations

from gateway.identity import (
    rules_address,
    rules_birth,
    rules_cda,
    rules_coherence,
    rules_completeness,
    rules_cross,
    rules_lexical,
    rules_matricule,
    rules_oid,
    rules_package,
)
from gateway.identity.model import IdentityView
from gateway.rules.model import Rule

VIEW_RULES: tuple[Rule[IdentityView], ...] = (
    *rules_matricule.RULES,
    *rules_oid.RULES,
    *rules_completeness.RULES,
    *rules_lexical.RULES,
    *rules_birth.RULES,
    *rules_coherence.RULES,
    *rules_cda.RULES,
    *rules_address.RULES,
)

CROSS_RULES: tuple[Rule[tuple[IdentityView, ...]], ...] = (*rules_cross.RULES, *rules_package.RULES)


def view_rules(communes: frozenset[str] = frozenset()) -> tuple[Rule[IdentityView], ...]:
    """The view rules with an operator's COG file: `communes` holds every code of it, past ones included."""
    if not communes:
        return VIEW_RULES
    known = rules_birth.place_known(communes)
    return tuple(known if rule.id == known.id else rule for rule in VIEW_RULES)
