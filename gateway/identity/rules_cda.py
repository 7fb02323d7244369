"""INS-084 to 093: how a CDA header carries the patient.

Source: CI-SIS Structuration minimale 1.16.8 and its schematron (1.2.250.1.213.1.1.1.1); value set J143.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity.cog import is_well_formed
from gateway.identity.dates import parse_date
from gateway.identity.matricule import canonical
from gateway.identity.model import ContainerKind, IdentityView
from gateway.identity.reading import all_ins, ins_of, is_missing
from gateway.identity.rules_address import local_part
from gateway.rules.masking import EMPTY, mask_address, mask_matricule, mask_trait
from gateway.rules.model import Hit, RuleContext, rule
from gateway.rules.phrases import DAY

_QUALIFIERS = frozenset({"BR", "CL"})
_GENDERS = ("F", "M", "UN")


def _with_ins(view: IdentityView) -> bool:
    return view.kind is ContainerKind.CDA and bool(all_ins(view))


def _absent(view: IdentityView, field: str) -> bool:
    """Missing or empty, and not declared unknown (INS-033 says that)."""
    return is_missing(getattr(view, field)) and all(null.value != field for null in view.null_traits)


@rule("INS-084")
def single_patient(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """One recordTarget, one patient, one name."""
    if view.kind is ContainerKind.CDA and view.subject_count != 1:
        yield Hit(view.where, str(view.subject_count), "1")


@rule("INS-085")
def ins_first(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The INS comes before the IPP."""
    if view.kind is ContainerKind.CDA and view.identifiers and not view.identifiers[0].is_ins:
        ins = ins_of(view)
        if ins is not None:
            yield Hit(ins.where, view.identifiers[0].oid or EMPTY, ins.oid)


@rule("INS-086")
def birth_name_qualified(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """family[@qualifier='BR']."""
    if _absent(view, "birth_family") and _with_ins(view):
        yield Hit(view.where / "patient/name", EMPTY, "family[@qualifier='BR']")


@rule("INS-087")
def first_given_qualified(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """given[@qualifier='BR']."""
    if _absent(view, "birth_given") and _with_ins(view):
        yield Hit(view.where / "patient/name", EMPTY, "given[@qualifier='BR']")


@rule("INS-088")
def given_list_told(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A given without qualifier: the list."""
    if _absent(view, "given_list") and _with_ins(view):
        yield Hit(view.where / "patient/name", EMPTY, "given[not(@qualifier)]")


@rule("INS-089")
def qualifiers(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """BR and CL only; each other code is told once, where it first stands."""
    told: set[str] = set()
    for written in view.name_qualifiers:
        for code in written.value.split():
            if code not in _QUALIFIERS and code not in told:
                told.add(code)
                yield Hit(written.where, code[:20], "BR, CL", params={"q": code[:20]})


@rule("INS-090")
def gender_code(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """F, M or UN (J143)."""
    if view.kind is ContainerKind.CDA and view.sex is not None and view.sex.value not in ("", *_GENDERS):
        yield Hit(view.sex.where, view.sex.value[:20], "F, M, UN")


@rule("INS-091")
def birth_time(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS, birthTime is told to the day."""
    if not _with_ins(view):
        return
    told = view.birth_date
    if told is None or not told.value:
        if _absent(view, "birth_date"):
            yield Hit(told.where if told else view.where / "patient/birthTime", EMPTY, DAY)
        return
    parsed = parse_date(told.value, view.kind)
    if parsed is None or not parsed.is_full:
        yield Hit(told.where, mask_trait(told.value), DAY)


@rule("INS-092")
def county(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS, birthplace/place/addr/county holds a COG code."""
    if not _with_ins(view):
        return
    told = view.birth_place
    if told is None or not told.value:
        if _absent(view, "birth_place"):
            yield Hit(told.where if told else view.where / "patient/birthplace/place/addr/county", EMPTY, "COG")
    elif not is_well_formed(told.value):
        yield Hit(told.where, mask_trait(told.value), "COG")


@rule("INS-093")
def patient_mailbox(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The mailbox written in the header is the one of the same patient. Case does not matter in an address."""
    if view.kind is not ContainerKind.CDA or view.mailbox is None:
        return
    found = all_ins(view)
    local = local_part(view.mailbox.value)
    if found and all(canonical(ins.value) != local for ins in found):
        expected = found[0].value
        yield Hit(view.mailbox.where, mask_address(view.mailbox.value, (expected,)), mask_matricule(expected, (local,)))


RULES = (
    single_patient,
    ins_first,
    birth_name_qualified,
    first_given_qualified,
    given_list_told,
    qualifiers,
    gender_code,
    birth_time,
    county,
    patient_mailbox,
)
