"""Every identity rule, in two tuples: those that judge one container, and those that compare the containers of a message.

A rule ignores the kinds of container that are not its own, so a new protocol adds views and, where the standard asks
for it, rules. `RULES_FOR` leaves out what a kind would ignore anyway: it saves time and changes no finding. Rules that
need the sender's or the recipient's patient index are elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.identity import (
    rules_address,
    rules_birth,
    rules_cda,
    rules_coherence,
    rules_completeness,
    rules_cross,
    rules_datamatrix,
    rules_fhir,
    rules_hl7,
    rules_lexical,
    rules_matricule,
    rules_oid,
    rules_package,
    rules_pid_cda,
    rules_status,
)
from gateway.identity.model import ContainerKind, IdentityView
from gateway.rules.model import Rule

_Rules = tuple[Rule[IdentityView], ...]

_GENERAL: _Rules = (
    *rules_matricule.RULES,
    *rules_oid.RULES,
    *rules_completeness.RULES,
    *rules_lexical.RULES,
    *rules_birth.RULES,
    *rules_coherence.RULES,
)
_OWN: Mapping[ContainerKind, _Rules] = {
    ContainerKind.CDA: rules_cda.RULES,
    ContainerKind.XDM: rules_address.RULES,
    ContainerKind.MAIL: rules_address.RULES,
    ContainerKind.HL7: (*rules_hl7.RULES, *rules_status.RULES),
    ContainerKind.FHIR: (*rules_fhir.RULES, *rules_status.RULES),
}

RULES_FOR: Mapping[ContainerKind, _Rules] = {kind: (*_GENERAL, *_OWN.get(kind, ())) for kind in ContainerKind}

VIEW_RULES: _Rules = (
    *_GENERAL,
    *rules_cda.RULES,
    *rules_address.RULES,
    *rules_hl7.RULES,
    *rules_fhir.RULES,
    *rules_status.RULES,
)

CROSS_RULES: tuple[Rule[tuple[IdentityView, ...]], ...] = (
    *rules_cross.RULES,
    *rules_package.RULES,
    *rules_pid_cda.RULES,
    *rules_datamatrix.RULES,
)


def view_rules(communes: frozenset[str] = frozenset()) -> _Rules:
    """The view rules with an operator's COG file: `communes` holds every code of it, past ones included."""
    if not communes:
        return VIEW_RULES
    known = rules_birth.place_known(communes)
    return tuple(known if rule.id == known.id else rule for rule in VIEW_RULES)
