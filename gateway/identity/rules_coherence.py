"""INS-060 to 070: what the matricule says of its bearer, against the traits.

Corrections, mergers of communes and former territories make honest differences: each has its rule, which speaks in place
of the plain one. Source: CNAM nir-validation; INSEE; measured on the published test identities (20 of 95 differ in sex).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity import matricule as m
from gateway.identity.cog import is_well_formed
from gateway.identity.dates import PartialDate, parse_date
from gateway.identity.model import INS_NIA, IdentityView, PatientIdentifier
from gateway.identity.reading import ins_of, sex_of
from gateway.rules.model import Hit, RuleContext, Severity, rule
from gateway.values import Located

_UNKNOWN_PLACE = "99999"
_SEINE = frozenset({"75", "78"})  # departments of 1968 were cut out of them
_NEW_SEINE = frozenset({"91", "92", "93", "94", "95"})
# Departments of the matricule before independence, and the country that the COG gives today.
_TERRITORIES = {"91": "99352", "92": "99352", "93": "99352", "94": "99352", "95": "99350", "96": "99351"}
_OVERSEAS = frozenset({"97", "98"})
_CORSICA = frozenset({"2A", "2B"})


def _whole(view: IdentityView) -> tuple[PatientIdentifier, str] | None:
    ins = ins_of(view)
    if ins is None:
        return None
    matricule = m.canonical(ins.value)
    return (ins, matricule) if m.is_whole(matricule) else None


def _dated(view: IdentityView) -> tuple[PatientIdentifier, str, PartialDate] | None:
    """The matricule and a calendar birth date; a NIA says nothing of the birth."""
    told = _whole(view)
    if told is None or told[0].oid == INS_NIA or view.birth_date is None:
        return None
    parsed = parse_date(view.birth_date.value, view.kind)
    return (*told, parsed) if parsed is not None and parsed.is_calendar else None


@rule("INS-060")
def sex_digit(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """First digit 1 with F, or 2 with M: never blocking, a change of civil status may precede the new matricule."""
    told = _whole(view)
    if told is not None and (told[1][0], sex_of(view)) in {("1", "F"), ("2", "M")}:
        where = view.sex.where if view.sex else told[0].where
        yield Hit(where, f"{told[1][0]}… + {sex_of(view)}", "1 + M, 2 + F")


@rule("INS-061")
def year_digits(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Digits 2-3 are the year of birth. A completed date lowers it to a warning."""
    told = _dated(view)
    if told is not None and int(told[1][1:3]) != told[2].year % 100:
        yield _birth_hit(view, told, told[1][1:3], f"{told[2].year % 100:02d}")


@rule("INS-062")
def month_digits(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Digits 4-5 are the month of birth, unless they say that it was unknown. A completed date: warning."""
    told = _dated(view)
    if told is not None and m.month_kind(told[1]) is m.Month.CALENDAR and int(told[1][3:5]) != told[2].month:
        yield _birth_hit(view, told, told[1][3:5], f"{told[2].month:02d}")


def _birth_hit(
    view: IdentityView, told: tuple[PatientIdentifier, str, PartialDate], received: str, expected: str
) -> Hit:
    where = view.birth_date.where if view.birth_date else told[0].where
    return Hit(where, received, expected, severity=Severity.WARNING if told[2].is_completed else None)


@rule("INS-063")
def month_unknown(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """20 to 42 and 50 to 99: the month was unknown when the matricule was given."""
    told = _whole(view)
    if told is not None and m.month_kind(told[1]) is m.Month.UNKNOWN:
        yield Hit(told[0].where, told[1][3:5], "01-12")


def _placed(view: IdentityView) -> tuple[str, Located] | None:
    """The matricule's place and the COG code, when both can be compared and differ. A NIA has no place."""
    told = _whole(view)
    place = view.birth_place
    if told is None or place is None or told[0].oid == INS_NIA or not is_well_formed(place.value):
        return None
    return (m.place_of(told[1]), place)


def _corsica(numbered: str, cog: str) -> bool:
    return (numbered[:2] == "20" and cog[:2] in _CORSICA) or (cog[:2] == "20" and numbered[:2] in _CORSICA)


def _former(numbered: str, cog: str) -> bool:
    split = (numbered[:2] in _SEINE and cog[:2] in _NEW_SEINE) or (numbered[:2] in _NEW_SEINE and cog[:2] in _SEINE)
    return split or _TERRITORIES.get(numbered[:2]) == cog


@rule("INS-065")
def place_digits(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Digits 6-10 are the place of birth, but for Corsica, former territories and births abroad told by their rules."""
    told = _placed(view)
    if told is None:
        return
    numbered, cog = told[0], told[1].value
    if numbered == cog or _UNKNOWN_PLACE in (cog, numbered) or _corsica(numbered, cog) or _former(numbered, cog):
        return
    if (numbered[:2] == "99") is (cog[:2] == "99"):
        yield Hit(told[1].where, cog, numbered)


@rule("INS-066")
def corsica(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """20 on one side, 2A or 2B on the other."""
    told = _placed(view)
    if told is not None and _corsica(told[0], told[1].value):
        yield Hit(told[1].where, told[1].value, told[0])


@rule("INS-067")
def former_territory(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Seine and Seine-et-Oise before 1968; Algeria, Morocco and Tunisia before independence."""
    told = _placed(view)
    if told is not None and _former(told[0], told[1].value):
        yield Hit(told[1].where, told[1].value, told[0])


@rule("INS-068")
def overseas(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """97 and 98: three digits of department, two of commune. A trace, when a COG code stands beside."""
    told = _placed(view)
    if told is not None and told[0][:2] in _OVERSEAS:
        yield Hit(told[1].where, told[1].value, told[0])


@rule("INS-069")
def abroad(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """99 on one side only: born abroad for one, in France for the other."""
    told = _placed(view)
    if told is None or _UNKNOWN_PLACE in (told[0], told[1].value) or _former(told[0], told[1].value):
        return
    if (told[0][:2] == "99") is not (told[1].value[:2] == "99"):
        yield Hit(told[1].where, told[1].value, told[0])


@rule("INS-070")
def document_before_birth(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A document is not older than its patient. A birth still to come is INS-053."""
    if view.document_date is None or view.birth_date is None:
        return
    written = parse_date(view.document_date.value, view.kind)
    born = parse_date(view.birth_date.value, view.kind)
    if written is not None and born is not None and written.is_before(born) and not born.is_after(ctx.today):
        yield Hit(view.document_date.where, str(written.year), f">= {born.year}")


RULES = (
    sex_digit,
    year_digits,
    month_digits,
    month_unknown,
    place_digits,
    corsica,
    former_territory,
    overseas,
    abroad,
    document_before_birth,
)
