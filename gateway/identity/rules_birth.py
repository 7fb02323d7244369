"""INS-052 to 059: birth date, sex and birthplace by themselves.

In a CDA with an INS the header's own rules (INS-091, 092) tell a malformed date or place; in a PID INS-112 tells a sex
outside its table, in a FHIR Patient INS-126 an undetermined sex and a date cut short. Source: Structuration minimale;
SEL-MP-043; RNIV EXI PP 19; J143; COG.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity.cog import Place, judge_place
from gateway.identity.dates import PartialDate, parse_date
from gateway.identity.model import ContainerKind, IdentityView
from gateway.identity.reading import all_ins, sex_of
from gateway.rules.masking import mask_trait
from gateway.rules.model import Hit, Rule, RuleContext, rule
from gateway.rules.phrases import DAY, DAY_FIRST, DAY_WITH_HYPHENS
from gateway.values import Located

_FORMATS = {
    ContainerKind.FHIR: DAY_WITH_HYPHENS,
    ContainerKind.INSI: DAY_WITH_HYPHENS,
    ContainerKind.DATAMATRIX: DAY_FIRST,
}
_MAY_BE_PARTIAL = frozenset({ContainerKind.CDA, ContainerKind.XDM})
_OLDEST = 130  # years


def _date(view: IdentityView) -> tuple[Located, PartialDate] | None:
    """The birth date told to the day, where it can be read."""
    written = view.birth_date
    if written is None or not written.value:
        return None
    parsed = parse_date(written.value, view.kind)
    return (written, parsed) if parsed is not None and parsed.is_full else None


@rule("INS-052")
def date_format(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The container's format, to the day. Without an INS a CDA (and the metadata that copy it) may tell less."""
    written = view.birth_date
    if written is None or not written.value:
        return
    parsed = parse_date(written.value, view.kind)
    if parsed is not None and parsed.is_full:
        return
    if view.kind is ContainerKind.CDA and all_ins(view):
        return
    if parsed is not None and view.fhir is not None and (all_ins(view) or not view.fhir.whole):
        return
    if parsed is not None and view.kind in _MAY_BE_PARTIAL and not all_ins(view):
        return
    yield Hit(written.where, mask_trait(written.value), _FORMATS.get(view.kind, DAY))


@rule("INS-053")
def born_tomorrow(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Not later than today, with a day of tolerance for time zones."""
    told = _date(view)
    if told is not None and told[1].is_after(ctx.today):
        yield Hit(told[0].where, str(told[1].year), f"<= {ctx.today.isoformat()}")


@rule("INS-054")
def too_old(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Nobody is older than 130 years."""
    told = _date(view)
    if told is not None:
        age = told[1].age_on(ctx.today)
        if age > _OLDEST:
            yield Hit(told[0].where, str(told[1].year), f"<= {_OLDEST}", params={"age": str(age)})


@rule("INS-055")
def no_calendar_date(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A lunar or uncertain date: day 31 to 35, month above 12, day 00."""
    told = _date(view)
    if told is not None and not told[1].is_calendar:
        yield Hit(told[0].where, mask_trait(told[0].value), "INSi")


@rule("INS-056")
def completed_date(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """31 December or 1 January: perhaps completed by rule, and then uncertain."""
    told = _date(view)
    if told is not None and told[1].is_completed:
        yield Hit(told[0].where, f"{told[1].day:02d}/{told[1].month:02d}", "RNIV EXI PP 19")


@rule("INS-057")
def sex_told(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS the sex is M or F. A code outside J143 in a CDA is INS-090."""
    if view.sex is None or not view.sex.value or sex_of(view):
        return
    if view.kind is ContainerKind.CDA and view.sex.value != "UN":
        return
    if view.fhir is not None or (view.hl7 is not None and view.sex.value != "U"):
        return
    if all_ins(view):
        yield Hit(view.sex.where, view.sex.value[:20], "M, F", params={"v": view.sex.value[:20]})


@rule("INS-058")
def place_format(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Two digits or 2A, 2B, then three digits."""
    place = view.birth_place
    if place is None or not place.value or (view.kind is ContainerKind.CDA and all_ins(view)):
        return
    if judge_place(place.value) is Place.MALFORMED:
        yield Hit(place.where, mask_trait(place.value), "([0-9]{2}|2[AB])[0-9]{3}")


def place_known(communes: frozenset[str] = frozenset()) -> Rule[IdentityView]:
    """INS-059 against an operator's list of communes; without one a commune of a real department is not judged."""

    @rule("INS-059")
    def known(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
        place = view.birth_place
        if place is not None and place.value and judge_place(place.value, communes) is Place.UNKNOWN:
            yield Hit(place.where, place.value, "COG")

    return known


RULES = (
    date_format,
    born_tomorrow,
    too_old,
    no_calendar_date,
    completed_date,
    sex_told,
    place_format,
    place_known(),
)
