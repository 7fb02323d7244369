"""INS-064 and 150 to 156: the containers of one message tell one patient.

Each finding lists the value of every container side by side, masked so that the differing positions show. A fault has
one finding: INS-150 leaves to INS-131, 134, 136, 144 and 157 the pairs that are theirs, and a datamatrix to INS-158.
Source: one event, one patient (inference); HL7 volet (PID-3 equals the CDA's identifiers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.identity.dates import PartialDate, parse_date
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.reading import BIRTH_DATE, BIRTH_PLACE, FAMILY, GIVEN, GIVEN_LIST, SEX, ins_key, ins_of, sex_of
from gateway.identity.traits import canon, lists_agree
from gateway.rules.masking import mask_matricule, mask_shape, mask_trait
from gateway.rules.model import ComparedValue, Hit, RuleContext, rule
from gateway.values import Located, Where

Views = tuple[IdentityView, ...]

SHOWN_ARC = 12  # characters of the last arc of an OID
LISTED = 20  # containers shown side by side in one finding
_BOUND = 500  # characters of a name that are compared
_HAVE_OWN_RULE = frozenset({ContainerKind.MAIL, ContainerKind.VIHF, ContainerKind.DATAMATRIX})


@dataclass(frozen=True, slots=True)
class Told:
    """One container's value: as written, where, and as compared."""

    view: IdentityView
    written: str
    where: Where
    compared: str
    shown_after: str = ""  # in clear, after the masked value: the end of an OID


def side_by_side(told: Sequence[Told], mask: Callable[[str, Sequence[str]], str]) -> tuple[ComparedValue, ...]:
    """Every container's value, each masked against all the others."""
    shown = told[:LISTED]
    values = tuple(dict.fromkeys(t.written for t in shown))
    return tuple(
        ComparedValue(
            t.view.label, str(t.where), mask(t.written, [v for v in values if v != t.written]) + t.shown_after
        )
        for t in shown
    )


def disagreement(first: Told, other: Told, told: Sequence[Told], mask: Callable[[str, Sequence[str]], str]) -> Hit:
    """A hit placed at the container that differs from the first one, showing both and, beside them, the others."""
    if len(told) > LISTED:
        told = [first, other, *(t for t in told if t is not first and t is not other)]
    values = side_by_side(told, mask)
    shown = {value.container: value.value for value in values}
    a, b = first.view.label, other.view.label
    return Hit(
        where=other.where,
        received=shown[b],
        expected=shown[a],
        values=values,
        params={"a": a, "b": b},
        container=b,
    )


# ---------------------------------------------------------------------------------------------------------- matricule


@rule("INS-150")
def matricule(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """One (OID, matricule) in every container. A CDA is compared with its own metadata entry where there is one."""
    holders = [(view, ins) for view in views if view.kind not in _HAVE_OWN_RULE and (ins := ins_of(view)) is not None]
    if len({ins_key(ins) for _, ins in holders}) < 2:
        return
    pair = _differing(holders)
    if pair is None:
        return
    told = [ins_told(view, ins) for view, ins in holders]
    told.sort(key=lambda t: (t.view is not pair[0], t.view is not pair[1]))
    yield disagreement(told[0], told[1], told, mask_matricule)


def ins_told(view: IdentityView, ins: PatientIdentifier) -> Told:
    """An INS to compare by OID and matricule, shown as `2790······[12]3·89 (.10)`."""
    oid, number = ins_key(ins)
    return Told(view, ins.value, ins.where, f"{number} {oid}", f" (.{oid.rpartition('.')[2][:SHOWN_ARC]})")


Holder = tuple[IdentityView, PatientIdentifier]


def _differing(holders: Sequence[Holder]) -> tuple[IdentityView, IdentityView] | None:
    """The first pair of containers, reference first, that must agree and does not."""
    entries: dict[str, Holder] = {}
    loose: list[Holder] = []
    documents: list[Holder] = []
    others: list[Holder] = []
    for holder in holders:
        kind = holder[0].kind
        if kind is ContainerKind.XDM:
            entries[file_of(holder[0])] = holder
            loose.append(holder)
        else:
            (documents if kind is ContainerKind.CDA else others).append(holder)
    for document in documents:
        entry = entries.get(file_of(document[0]))
        for reference in (entry,) if entry is not None else loose or documents[:1]:
            if ins_key(reference[1]) != ins_key(document[1]):
                return reference[0], document[0]
    for other in others:
        for reference in holders:
            if ins_key(reference[1]) != ins_key(other[1]) and not _pid_and_cda(reference[0], other[0]):
                return reference[0], other[0]
    return None


def _pid_and_cda(one: IdentityView, other: IdentityView) -> bool:
    """A PID and the document of the same message: INS-157 compares their identifiers."""
    return {one.kind, other.kind} == {ContainerKind.HL7, ContainerKind.CDA}


def file_of(view: IdentityView) -> str:
    """The file a label names, without case: `metadata:DOC0001.XML` and `cda:DOC0001.XML` go together."""
    return view.label.partition(":")[2].casefold()


# -------------------------------------------------------------------------------------------------------------- traits


def _traits(views: Views, field: str, compared: Callable[[IdentityView, Located], str]) -> list[Told]:
    """One trait of every container that tells it, in the order of the message."""
    told: list[Told] = []
    for view in views:
        trait: Located | None = getattr(view, field)
        if trait is not None and trait.value and view.kind is not ContainerKind.DATAMATRIX:
            value = compared(view, trait)
            if value:
                told.append(Told(view, trait.value, trait.where, value))
    return told


def _spelling(view: IdentityView, trait: Located) -> str:
    return canon(trait.value[:_BOUND])


def _to_compare(views: Views, field: str) -> tuple[Views, ...]:
    """The groups of containers that must agree on a trait; none when it is written alike everywhere.

    In a package of several patients (INS-131, INS-136) each document is compared with its own entry only: that the
    patients differ from one another is said already.
    """
    if _all_equal(views, field):
        return ()
    documents = {ins_key(ins) for view in views if view.kind is ContainerKind.CDA and (ins := ins_of(view)) is not None}
    if len(documents) < 2 or not any(view.kind is ContainerKind.XDM for view in views):
        return (views,)
    groups: dict[str, list[IdentityView]] = {}
    for view in views:
        groups.setdefault(file_of(view), []).append(view)
    return tuple(tuple(group) for group in groups.values())


def _all_equal(views: Views, field: str) -> bool:
    """Written alike wherever it is told: the common case, decided without comparing canonical forms."""
    seen: str | None = None
    for view in views:
        trait: Located | None = getattr(view, field)
        if trait is not None and trait.value:
            if seen is not None and trait.value != seen:
                return False
            seen = trait.value
    return True


@rule("INS-151")
def birth_name(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """The birth name, by its canonical form."""
    for group in _to_compare(views, FAMILY.field):
        yield from _different(_traits(group, FAMILY.field, _spelling), mask_trait)


def _different(told: Sequence[Told], mask: Callable[[str, Sequence[str]], str]) -> Iterator[Hit]:
    other = next((t for t in told[1:] if t.compared != told[0].compared), None)
    if other is not None:
        yield disagreement(told[0], other, told, mask)


@rule("INS-152")
def spelling(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """Written differently and canonically equal: case, accent, hyphen, space."""
    for name in (FAMILY, GIVEN, GIVEN_LIST):
        for group in _to_compare(views, name.field):
            told = _traits(group, name.field, _spelling)
            if len({t.compared for t in told}) == 1:
                other = next((t for t in told[1:] if t.written != told[0].written), None)
                if other is not None:
                    yield disagreement(told[0], other, told, _shape)


def _shape(value: str, others: Sequence[str]) -> str:
    return mask_shape(value)


@rule("INS-153")
def given_names(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """First given names equal, lists the head of one another. Twins differ here."""
    different: set[str] = set()
    for group in _to_compare(views, GIVEN.field):
        for hit in _different(_traits(group, GIVEN.field, _spelling), mask_trait):
            different.update(view.label for view in group)
            yield hit
    for group in _to_compare(views, GIVEN_LIST.field):
        told = _traits(group, GIVEN_LIST.field, _spelling)
        longest = max(told, key=lambda t: len(t.compared), default=None)
        for t in told:
            if t.view.label not in different and longest is not None and not lists_agree(t.compared, longest.compared):
                first, second = (t, longest) if told.index(t) < told.index(longest) else (longest, t)
                yield disagreement(first, second, told, mask_trait)
                break


@rule("INS-154")
def sex(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """M against F; undetermined counts as not told."""
    for group in _to_compare(views, SEX.field):
        yield from _different(_traits(group, SEX.field, lambda view, trait: sex_of(view)), _in_clear)


def _in_clear(value: str, others: Sequence[str]) -> str:
    return value[:LISTED]


def _dates(views: Views) -> list[tuple[Told, PartialDate]]:
    told: list[tuple[Told, PartialDate]] = []
    for t in _traits(views, BIRTH_DATE.field, lambda view, trait: trait.value):
        parsed = parse_date(t.written, t.view.kind)
        if parsed is not None:
            told.append((t, parsed))
    return told


@rule("INS-155")
def birth_date(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """Birth dates equal at the precision they share."""
    for group in _to_compare(views, BIRTH_DATE.field):
        told = _dates(group)
        precise = max(told, key=lambda pair: pair[1].is_full, default=None)
        for t, parsed in told:
            if precise is not None and not parsed.agrees_with(precise[1]):
                first, second = (t, precise[0]) if told[0][0] is t else (precise[0], t)
                yield disagreement(first, second, [t for t, _ in told], mask_trait)
                break


@rule("INS-064")
def century(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """The same two digits a hundred years apart: a two-digit year was completed wrongly. It explains an INS-155."""
    for group in _to_compare(views, BIRTH_DATE.field):
        told = _dates(group)
        for t, parsed in told[1:]:
            first, born = told[0]
            if abs(parsed.year - born.year) == 100:
                hit = disagreement(first, t, [t for t, _ in told], mask_trait)
                years = {"a": str(born.year), "b": str(parsed.year)}
                yield Hit(hit.where, years["b"], years["a"], hit.values, years, container=hit.container)
                break


@rule("INS-156")
def birth_place(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """The COG code, case aside."""
    for group in _to_compare(views, BIRTH_PLACE.field):
        told = _traits(group, BIRTH_PLACE.field, lambda view, trait: trait.value[:LISTED].upper())
        yield from _different(told, _in_clear)


RULES = (century, matricule, birth_name, spelling, given_names, sex, birth_date, birth_place)
