"""INS-032 to 036: an INS is a matricule, an OID and five traits, all told.

A CDA has its own rule for each missing element (086 to 088, 091, 092), which speaks in place of these; so have a PID
(103, 105, 108) and a FHIR Patient (124 to 126). Metadata and references carry fewer traits by design: what they lack
against the CDA is INS-132. Source: HL7 acknowledgement 905; Structuration minimale.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity.model import ContainerKind, IdentityView
from gateway.identity.reading import (
    BIRTH_DATE,
    BIRTH_PLACE,
    FAMILY,
    GIVEN_LIST,
    SEX,
    TRAITS,
    TraitName,
    all_ins,
    is_missing,
    names,
)
from gateway.identity.traits import is_filler
from gateway.rules.masking import EMPTY
from gateway.rules.model import Hit, RuleContext, Severity, rule

_WHOLE_IDENTITY = frozenset({ContainerKind.HL7, ContainerKind.FHIR, ContainerKind.DATAMATRIX})
_OWN_PLACE_RULE = frozenset({ContainerKind.HL7, ContainerKind.FHIR})


def _lacks(view: IdentityView, trait: TraitName) -> bool:
    """Missing, and not declared unknown (INS-033 says that)."""
    if not is_missing(getattr(view, trait.field)):
        return False
    return all(null.value != trait.field for null in view.null_traits)


@rule("INS-032")
def incomplete(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A trait is missing and no narrower rule says it: the sex in a CDA, most traits elsewhere."""
    if view.kind is ContainerKind.CDA:
        wanted: tuple[TraitName, ...] = (SEX,)
    elif view.kind in _WHOLE_IDENTITY:
        wanted = _wanted(view)
    else:
        return
    if all_ins(view):
        for trait in wanted:
            if _lacks(view, trait):
                yield Hit(view.where, EMPTY, "5 traits", params=trait.params)


def _wanted(view: IdentityView) -> tuple[TraitName, ...]:
    """The traits whose absence no rule of this container tells."""
    if view.hl7 is not None:
        return (FAMILY, SEX, BIRTH_DATE) if view.hl7.birth_names else (SEX, BIRTH_DATE)  # else INS-103
    if view.fhir is not None:
        return (FAMILY,) if view.fhir.whole and view.fhir.official_names else ()  # else INS-124
    if is_missing(view.birth_given):  # else INS-035
        return (FAMILY, SEX, BIRTH_DATE, GIVEN_LIST)
    return (FAMILY, SEX, BIRTH_DATE)


def _own_rules(view: IdentityView) -> bool:
    """Read from a message: the rules of its standard tell a missing list (105, 124) and birthplace (108, 125)."""
    return view.hl7 is not None or view.fhir is not None


@rule("INS-033")
def null_flavor(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS no trait may be declared unknown."""
    if not view.null_traits or view.kind not in (ContainerKind.CDA, ContainerKind.FHIR) or not all_ins(view):
        return
    for null in view.null_traits:
        name = TRAITS.get(null.value)
        params = name.params if name else {"trait": null.value, "trait_en": null.value}
        yield Hit(null.where, "nullFlavor", "INSi", params=params)


@rule("INS-034")
def filler(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """INCONNU, XXX, a lone hyphen, only spaces: typed to fill the field. A warning without an INS."""
    for name, trait in names(view):
        if is_filler(trait.value):
            severity = None if all_ins(view) else Severity.WARNING
            yield Hit(trait.where, trait.value.strip() or "' '", "INSi", params=name.params, severity=severity)


@rule("INS-035")
def given_list_missing(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A first given name without the list of given names of the birth certificate."""
    told = view.kind in _WHOLE_IDENTITY and not is_missing(view.birth_given) and not _own_rules(view)
    if told and _lacks(view, GIVEN_LIST) and all_ins(view):
        yield Hit(view.where, EMPTY, "PRENOM1 PRENOM2 ...")


@rule("INS-036")
def place_missing(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The birthplace is one of the five traits. The datamatrix alone may leave it out."""
    if view.kind in _OWN_PLACE_RULE and not _own_rules(view) and _lacks(view, BIRTH_PLACE) and all_ins(view):
        yield Hit(view.where, EMPTY, "COG")


RULES = (incomplete, null_flavor, filler, given_list_missing, place_missing)
