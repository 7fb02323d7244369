"""INS-120 to 129: how a FHIR Patient carries the INS, under FR Core 2.1 and 2.2.

They read `view.fhir`, which only an opened resource has. They speak in place of general rules on the same fault: 124 of
032 and 035 (official name, list), 125 of 036 (birthplace), 126 of 032, 052 and 057 (sex, date cut short). A resource that
only points at its patient (`whole` is False) is not asked for traits, types or use.

VALI does not say the same thing everywhere: in fr-core-cs-v2-0445 (FR Core 2.1) VALI with an INS is *qualified*; in
fr-core-cs-identity-status (2.2) VALI is validated without INSi, and QUAL exists.

Source: Interop'Santé, FR Core 2.1.0 and 2.2.0 (fr-core-patient-ins, invariants fr-core-1 and fr-core-2).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity.dates import parse_date
from gateway.identity.model import INS_DEMO, INS_NIA, INS_NIR, INS_OIDS, INS_TEST, IdentityView, PatientIdentifier
from gateway.identity.reading import NSS_OIDS, all_ins, ins_of, is_missing, sex_of
from gateway.rules.masking import EMPTY, mask_matricule, mask_trait
from gateway.rules.model import Hit, RuleContext, rule
from gateway.rules.phrases import DAY_WITH_HYPHENS
from gateway.values import Where

FR_CORE = "https://hl7.fr/ig/fhir/core"
TYPES = f"{FR_CORE}/CodeSystem/fr-core-cs-v2-0203"
STATUS_2_1 = f"{FR_CORE}/CodeSystem/fr-core-cs-v2-0445"
STATUS_2_2 = f"{FR_CORE}/CodeSystem/fr-core-cs-identity-status"
OBSOLETE_STATUS = "fr-core-cs-fiabilite-identite"  # last part of the URL

_SLICES = {INS_NIR: "INS-NIR", INS_NIA: "INS-NIA", INS_TEST: "INS-NIR-TEST", INS_DEMO: "INS-NIR-DEMO"}
_USES = {
    INS_NIR: ("official", "old"),
    INS_NIA: ("temp",),
    INS_TEST: ("official",),
    INS_DEMO: ("official",),
}
_NAME = "name.where(use='official')"
_LIST = "fr-core-patient-birth-list-given-name"
_SHOWN = 40


def _slices(view: IdentityView) -> Iterator[PatientIdentifier]:
    """The identifiers under an INS OID of a whole Patient, the social-security number of FR Core 2.1 aside."""
    if view.fhir is None or not view.fhir.whole:
        return
    for identifier in view.identifiers:
        if identifier.oid in INS_OIDS and identifier.type_code != "NH":
            yield identifier


def _with_ins(view: IdentityView) -> bool:
    return view.fhir is not None and view.fhir.whole and bool(all_ins(view))


def _absent(view: IdentityView, field: str) -> bool:
    """Missing or empty, and not declared unknown (INS-033 says that)."""
    return is_missing(getattr(view, field)) and all(null.value != field for null in view.null_traits)


def _below(view: IdentityView, step: str) -> Where:
    return Where(view.where.kind, f"{view.where.path}.{step}", view.where.line)


@rule("INS-120")
def slice_type(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """type.coding holds the code of the slice that goes with the OID of system, in fr-core-cs-v2-0203."""
    for identifier in _slices(view):
        wanted = _SLICES[identifier.oid]
        if identifier.type_code != wanted or identifier.type_system != TYPES:
            told = f"{identifier.type_system.rpartition('/')[2][:_SHOWN] or EMPTY}|{identifier.type_code[:_SHOWN] or EMPTY}"
            yield Hit(identifier.where, told, f"fr-core-cs-v2-0203|{wanted}")


@rule("INS-121")
def slice_use(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """official (or old) for a NIR, temp for a NIA, official for test and demonstration."""
    for identifier in _slices(view):
        wanted = _USES[identifier.oid]
        if identifier.use not in wanted:
            received = f"{_SLICES[identifier.oid]} {identifier.use[:_SHOWN] or EMPTY}"
            yield Hit(identifier.where, received, " | ".join(wanted))


@rule("INS-122")
def validated_without_ins(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """VALI under FR Core 2.1, QUAL under 2.2: an active INS stands beside. A wrong use alone is INS-121."""
    if view.fhir is None or not view.fhir.whole or view.declared is None:
        return
    if any(i.use != "old" for i in all_ins(view)):
        return
    for told in view.declared.codes:
        if (told.system, told.code) in {(STATUS_2_1, "VALI"), (STATUS_2_2, "QUAL")}:
            yield Hit(told.where, f"{told.code} + INS {EMPTY}", " | ".join(_SLICES.values()))
            return


@rule("INS-123")
def status_system(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The code system of VALI is one of the two that exist. The obsolete one is INS-127."""
    for told in view.declared.codes if view.fhir is not None and view.declared is not None else ():
        known = told.system in (STATUS_2_1, STATUS_2_2) or told.system.rpartition("/")[2] == OBSOLETE_STATUS
        if told.code == "VALI" and not known:
            shown = told.system.rpartition("/")[2][:_SHOWN] or EMPTY
            yield Hit(told.where, f"{shown}|VALI", "fr-core-cs-v2-0445 | fr-core-cs-identity-status")


@rule("INS-124")
def official_name(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS: one official name, with one given and the list of birth given names. Each lack is told."""
    facts = view.fhir
    if facts is None or not _with_ins(view):
        return
    where = facts.official_where or _below(view, _NAME)
    if facts.official_names != 1:
        if _absent(view, "birth_family") or facts.official_names > 1:
            yield Hit(where, f"{facts.official_names} official", "1 official")
        return
    if facts.official_given != 1 and (facts.official_given > 1 or _absent(view, "birth_given")):
        yield Hit(where, f"{facts.official_given} given", "1 given")
    if not facts.has_given_list and _absent(view, "given_list"):
        yield Hit(where, f"{_LIST} {EMPTY}", _LIST)


@rule("INS-125")
def birth_place(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS: patient-birthPlace with fr-core-address-insee-code."""
    if _with_ins(view) and _absent(view, "birth_place"):
        where = (
            view.birth_place.where if view.birth_place is not None else _below(view, "extension(patient-birthPlace)")
        )
        yield Hit(where, EMPTY, "patient-birthPlace + fr-core-address-insee-code")


@rule("INS-126")
def sex_and_date(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS: gender male or female, birthDate to the day. A malformed date is INS-052."""
    if not _with_ins(view):
        return
    if not sex_of(view) and (view.sex is not None or _absent(view, "sex")):
        where = view.sex.where if view.sex is not None else _below(view, "gender")
        yield Hit(where, (view.sex.value if view.sex is not None else "")[:_SHOWN] or EMPTY, "male | female")
    born = view.birth_date
    if born is None or not born.value:
        if _absent(view, "birth_date"):
            yield Hit(born.where if born is not None else _below(view, "birthDate"), EMPTY, DAY_WITH_HYPHENS)
        return
    parsed = parse_date(born.value, view.kind)
    if parsed is not None and not parsed.is_full:
        yield Hit(born.where, mask_trait(born.value), DAY_WITH_HYPHENS)


@rule("INS-127")
def obsolete_codes(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Codes of systems that FR Core has left."""
    for told in view.fhir.obsolete if view.fhir is not None else ():
        yield Hit(
            told.where, f"{told.system.rpartition('/')[2][:_SHOWN]}|{told.code[:_SHOWN]}", "fr-core-cs-identity-status"
        )


@rule("INS-128")
def social_security(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Type NH, or OID .13 and .14: the social-security number, perhaps a parent's. Declared as the INS it is INS-029."""
    if view.fhir is None:
        return
    announced = view.ins_expected and not all_ins(view)
    for identifier in view.identifiers:
        if identifier.oid in NSS_OIDS and (announced or identifier.type_code.startswith("INS")):
            continue
        if identifier.oid in NSS_OIDS or (identifier.type_code == "NH" and identifier.oid in INS_OIDS):
            yield Hit(identifier.where, f"{mask_matricule(identifier.value[:100])} NH", "INS-NIR")


@rule("INS-129")
def historical_ins(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The INS that matching would use is an old one: use = old, or a period that has ended."""
    if view.fhir is None:
        return
    ins = ins_of(view)
    if ins is None:
        return
    if ins.use == "old":
        yield Hit(ins.where, "use = old", "use = official")
        return
    ends = parse_date(ins.ends, view.kind) if ins.ends else None
    if ends is not None and ends.is_calendar and (ends.year, ends.month, ends.day) < _day(ctx):
        yield Hit(ins.where, f"period.end = {ins.ends[:10]}", f"> {ctx.today.isoformat()}")


def _day(ctx: RuleContext) -> tuple[int, int, int]:
    return ctx.today.year, ctx.today.month, ctx.today.day


RULES = (
    slice_type,
    slice_use,
    validated_without_ins,
    status_system,
    official_name,
    birth_place,
    sex_and_date,
    obsolete_codes,
    social_security,
    historical_ins,
)
