"""INS-100 to 113 and 116: how a PID carries the patient, and what its Z segments add.

They read `view.hl7`, which only an opened message has. They speak in place of general rules on the same fault: 103 and 105
of 032 and 035 (names), 108 of 036 (birthplace), 112 of 057 (sex). INS-100 is about a status that is not told, INS-101
about an INS that the status told does not allow. INS-114 (the product itself) and INS-115 (the recipient's index) are
elsewhere.

Source: IHE PAM France 2.11.2 (PID, MRG, ZFD); HL7 France data types 1.8.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity.cog import is_well_formed
from gateway.identity.facts import Hl7Facts, MergedId, XadAddress
from gateway.identity.matricule import canonical
from gateway.identity.model import INS_OIDS, IdentityView
from gateway.identity.reading import all_ins, ins_key
from gateway.rules.masking import EMPTY, mask_matricule, mask_trait
from gateway.rules.model import Hit, RuleContext, Severity, rule
from gateway.values import Text, Where

# Table 0445 as France restricts it. QUAL and RECUP, statuses of the RNIV, are not codes of it.
STATUS_CODES = frozenset(
    {"VIDE", "PROV", "VALI", "DOUB", "DESA", "DPOT", "DOUA", "COLP", "COLV", "FILI", "CACH", "ANOM", "IDVER", "RECD"}
    | {"IDRA", "USUR", "HOMD", "HOMA", "INVA", "FICT", "DOUT"}
)
_STATUSES = frozenset({"PROV", "VALI"})
_NAME_TYPES = frozenset({"L", "D", "S", "U"})
_SEXES = frozenset({"F", "M", "U"})
_METHODS = frozenset({"SM", "CV", "INSI", "CB", "RFID"})
_ASKING = frozenset({"SM", "CV"})  # methods after which INSi is called: its date is expected
_NULL = '""'
_SHOWN = 20  # characters of a code
_TOLD = 20  # repetitions judged


def _codes(view: IdentityView) -> tuple[str, ...]:
    return tuple(c.code for c in view.declared.codes[:_TOLD]) if view.declared is not None else ()


@rule("INS-100")
def status_missing(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """PID-32 tells PROV or VALI. With an INS and another code, INS-101 speaks. Without an INS the status is only wished."""
    if view.hl7 is None:
        return
    codes = _codes(view)
    found = bool(all_ins(view))
    if _STATUSES & set(codes) or (found and codes):
        return
    told = view.declared.codes if view.declared is not None else ()
    yield Hit(
        told[0].where if told else _field(view, 32),
        ", ".join(code[:_SHOWN] for code in codes) or EMPTY,
        "PROV, VALI",
        severity=None if found else Severity.WARNING,
    )


@rule("INS-101")
def ins_without_validation(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """An INS travels with VALI only. A status that is not told at all is INS-100."""
    if view.hl7 is None or view.declared is None or not view.declared.codes:
        return
    codes = _codes(view)
    if "VALI" in codes:
        return
    for ins in all_ins(view)[:1]:
        told = ", ".join(code[:_SHOWN] for code in codes)
        yield Hit(view.declared.codes[0].where, told, f"VALI ({ins.where.path})", params={"s": told})


@rule("INS-102")
def status_code(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Every repetition of PID-32 is a code of the French table 0445."""
    if view.hl7 is None or view.declared is None:
        return
    for told in view.declared.codes[:_TOLD]:
        if told.code not in STATUS_CODES:
            yield Hit(told.where, told.code[:_SHOWN], "0445 : VIDE, PROV, VALI…", params={"c": told.code[:_SHOWN]})


@rule("INS-103")
def birth_name(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Exactly one name of type L. A type letter one place aside counts: INS-106 tells it."""
    facts = view.hl7
    if facts is None or len(facts.birth_names) == 1:
        return
    types = [n.type_code[:_SHOWN] or EMPTY for n in facts.names[:_TOLD]]
    where = facts.names[0].where if facts.names else _field(view, 5)
    yield Hit(where, f"{len(facts.birth_names)} x L ({', '.join(types) or EMPTY})", "1 x L")


@rule("INS-104")
def name_type(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """XPN-7 is L, D, S or U. A name without a type is INS-103 or INS-106."""
    for name in view.hl7.names[:_TOLD] if view.hl7 is not None else ():
        if name.type_code and name.type_code not in _NAME_TYPES:
            yield Hit(name.where, name.type_code[:_SHOWN], "L, D, S, U", params={"t": name.type_code[:_SHOWN]})


@rule("INS-105")
def given_list(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS, XPN-3 of the birth name holds the list of given names."""
    names = view.hl7.birth_names if view.hl7 is not None else ()
    if names and not names[0].given_list and all_ins(view):
        where = names[0].where
        yield Hit(Where(where.kind, f"{where.path}.3", where.line), EMPTY, "PRENOM1 PRENOM2 ...")


@rule("INS-106")
def shifted_name(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A given-name list without a first given name, or the type letter beside XPN-7."""
    for name in view.hl7.names[:_TOLD] if view.hl7 is not None else ():
        if name.given_list and not name.given:
            yield Hit(name.where, f"XPN-2 {EMPTY} + XPN-3 {mask_trait(name.given_list)}", "XPN-2, XPN-3")
        elif name.misplaced_type and not name.type_code:
            place = "XPN-6" if name.degree == name.misplaced_type else "XPN-8"
            yield Hit(name.where, f"{place} {name.misplaced_type}", f"XPN-7 {name.misplaced_type}")


@rule("INS-107")
def corrected_date(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A birth date corrected by rule (ZFD-4 = Y) and an INS do not travel together."""
    told = view.hl7.corrected_date if view.hl7 is not None else None
    if told is not None and told.value.strip().upper() == "Y" and all_ins(view):
        yield Hit(told.where, "ZFD-4 Y + INS", "ZFD-4 N")


@rule("INS-108")
def birth_place(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS, a repetition of PID-11 of type BDL has its COG in XAD-9."""
    facts = view.hl7
    if facts is None or not all_ins(view):
        return
    if any(a.type_code == "BDL" and a.component(9) not in ("", _NULL) for a in facts.addresses):
        return
    where, received = _field(view, 11), EMPTY
    for address in facts.addresses[:_TOLD]:
        if address.type_code in ("BDL", "BR"):
            where, received = address.where, _misplaced(address)
            break
    yield Hit(where, received, "^^^^^^BDL^^COG")


def _misplaced(address: XadAddress) -> str:
    """Where the COG of a birthplace stands instead of XAD-9."""
    if address.type_code == "BR" and address.component(9):
        return "XAD-7 BR"
    at = next((n for n, value in address.components if n != 9 and is_well_formed(value)), 0)
    return f"XAD-{at}" if at else f"XAD-9 {EMPTY}"


@rule("INS-109")
def cog_at_home(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A COG in the home address, and no birthplace: it was put in the wrong repetition."""
    facts = view.hl7
    if facts is None or any(a.type_code == "BDL" for a in facts.addresses):
        return
    for address in facts.addresses[:_TOLD]:
        if address.type_code == "H" and address.component(9):
            yield Hit(address.where, f"H + XAD-9 {address.component(9)[:_SHOWN]}", "BDL + XAD-9")


@rule("INS-110")
def validity_dates(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The INS has no dates of validity in a CX."""
    if view.hl7 is None:
        return
    for ins in all_ins(view):
        if ins.starts or ins.ends:
            told = ", ".join(n for n, value in (("CX-7", ins.starts), ("CX-8", ins.ends)) if value)
            yield Hit(ins.where, told, EMPTY)


@rule("INS-111")
def social_security(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """PID-19 is not used in France."""
    told = view.hl7.social_security if view.hl7 is not None else None
    if told is not None:
        yield Hit(told.where, mask_matricule(told.value[:100]) if told.value else _NULL, EMPTY)


@rule("INS-112")
def sex(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """F, M or U. With an INS the sex is a strict trait and the fault is as grave as INS-057, which then keeps silent."""
    if view.hl7 is None or view.sex is None or view.sex.value in ("", *_SEXES):
        return
    value = view.sex.value[:_SHOWN]
    raised = Severity.BLOCKING if all_ins(view) else None
    yield Hit(view.sex.where, value, "F, M, U", params={"v": value}, severity=raised)


@rule("INS-113")
def change_of_ins(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """An A47 names the INS it replaces or withdraws in MRG-1, and in PID-3 the new one, or `""` for a deletion."""
    facts = view.hl7
    if facts is None or facts.event != "A47":
        return
    deleted = any(i.value == _NULL and i.type_code == "INS" for i in view.identifiers)
    told = all_ins(view)
    former = [m for m in facts.merged if _is_ins(m)]
    if not _named(facts) or (deleted and not former):
        yield Hit(_merge_place(view), EMPTY, "MRG-1 : INS")
    elif former and not deleted and not (told and any(ins_key(i) != _key(m) for i in told for m in former)):
        same = f"PID-3 {mask_matricule(told[0].value)}" if told else f"PID-3 {EMPTY}"
        yield Hit(_field(view, 3), same, f"PID-3 : INS, {_NULL}")


def _named(facts: Hl7Facts) -> bool:
    return any(m.value not in ("", _NULL) for m in facts.merged)


def _is_ins(merged: MergedId) -> bool:
    return merged.value not in ("", _NULL) and (merged.type_code == "INS" or merged.oid in INS_OIDS)


def _key(merged: MergedId) -> tuple[str, str]:
    return merged.oid, canonical(merged.value)


def _merge_place(view: IdentityView) -> Where:
    facts = view.hl7
    if facts is not None and facts.merged:
        return facts.merged[0].where
    return Where(view.where.kind, "MRG-1", view.where.line)


@rule("INS-116")
def method(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """ZFD-5 is a code of its table; with an INS obtained by SM or CV, ZFD-6 tells when INSi was called."""
    declared = view.declared if view.hl7 is not None else None
    if declared is None or declared.method is None or not declared.method.value:
        return
    code = declared.method.value.strip()
    if code not in _METHODS:
        yield Hit(declared.method.where, code[:_SHOWN], "SM, CV, INSI, CB, RFID")
    elif code in _ASKING and declared.asked_on is None and all_ins(view):
        yield Hit(declared.method.where, f"{code} + ZFD-6 {EMPTY}", Text("ZFD-6 : AAAAMMJJ", "ZFD-6: YYYYMMDD"))


def _field(view: IdentityView, number: int) -> Where:
    """The place of a field of the PID that holds nothing."""
    return Where(view.where.kind, f"{view.where.path}-{number}", view.where.line)


RULES = (
    status_missing,
    ins_without_validation,
    status_code,
    birth_name,
    name_type,
    given_list,
    shifted_name,
    corrected_date,
    birth_place,
    cog_at_home,
    validity_dates,
    social_security,
    sex,
    change_of_ins,
    method,
)
