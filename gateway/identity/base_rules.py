"""INS-072 to 074: an outgoing INS against the sender's own patient index. INS-077, 161, 170 to 182: a received identity
against the recipient's.

Emission: the subject is what the message carries and the record the sender's index holds of that patient; a patient the
index does not hold gives no finding. One finding a fault: fictive before doubtful before not qualified.

Receipt: the decision table (`matching`) has decided; each rule it names becomes a finding that shows the received identity
and the local record side by side. INS-181 and 182 look at more than the table does.

INS-083 and 185 are told by the state machine (`status`), INS-192 by the record itself, to whoever tries; INS-191, 193 and 195
are in `record_rules`, INS-114 and 115 in `ins_change`, INS-050 in `used_names`.
Source: RNIV EXI SI 08, 09, 22; Guide INS EXI ID 24, 26, 29; HL7 volets, acknowledgements 902 to 906.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.identity.comparison import Likeness
from gateway.identity.local import Ins, LocalIdentity, Traits
from gateway.identity.matching import Match, Outcome
from gateway.identity.matricule import canonical
from gateway.identity.model import IdentityView
from gateway.identity.reading import TRAITS, all_ins
from gateway.identity.status import Attribute, Status
from gateway.rules.masking import EMPTY, mask_matricule, mask_trait
from gateway.rules.model import ComparedValue, Hit, Rule, RuleContext, rule
from gateway.values import PlaceKind, Text, Where

_SHOWN_CARRIERS = 20
_KEPT = 200  # carriers of one message


@dataclass(frozen=True, slots=True)
class Carrier:
    """A container that carries an INS, in canonical form, with its place; and the local numbers beside it (value, OID)."""

    label: str
    ins: Ins
    where: Where
    numbers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What leaves, and what the sender's index says of that patient. `structure` names the index."""

    carriers: tuple[Carrier, ...]
    record: LocalIdentity
    structure: str


def carriers_in(views: Iterable[IdentityView]) -> tuple[Carrier, ...]:
    """Every container of a message that carries an INS, once for each INS."""
    return tuple(
        Carrier(
            view.label,
            Ins(canonical(ins.value), ins.oid),
            ins.where,
            tuple((i.value, i.oid) for i in view.identifiers if not i.is_ins and i.value),
        )
        for view in views
        for ins in all_ins(view)
    )[:_KEPT]


@dataclass(frozen=True, slots=True)
class Matched:
    """What was received, and what the recipient's index makes of it.

    `container` and `where` are those of the received INS. `document_date` is AAAA-MM-JJ. `merges`: the message asks to
    merge two records.
    """

    traits: Traits
    ins: Ins | None
    container: str
    where: Where
    match: Match
    structure: str
    document_date: str = ""
    merges: bool = False


# ------------------------------------------------------------------------------------------------------------- emission


def _carried(sent: Sent) -> Iterator[Hit]:
    """Where the INS stands, each container shown, beside what the index says."""
    record = sent.record
    marks = sorted(a.value for a in record.reliability.attributes)
    status = " + ".join((record.reliability.status.value, *marks))
    shown = [
        ComparedValue(c.label, str(c.where), mask_matricule(c.ins.matricule)) for c in sent.carriers[:_SHOWN_CARRIERS]
    ]
    if shown:
        index = ComparedValue(f"index:{sent.structure}", f"IPP {record.ipp}", status)
        first = sent.carriers[0]
        yield Hit(first.where, shown[0].value, f"{EMPTY} ({status})", (*shown, index), container=first.label)


def _is(sent: Sent, attribute: Attribute) -> bool:
    return attribute in sent.record.reliability.attributes


@rule("INS-072")
def sent_unqualified(sent: Sent, ctx: RuleContext) -> Iterator[Hit]:
    """Only a qualified identity sends its INS."""
    if sent.record.reliability.status is not Status.QUAL and not sent.record.reliability.set_aside:
        yield from _carried(sent)


@rule("INS-073")
def sent_fictive(sent: Sent, ctx: RuleContext) -> Iterator[Hit]:
    """A fictive identity sends none."""
    if _is(sent, Attribute.FICTIVE):
        yield from _carried(sent)


@rule("INS-074")
def sent_doubtful(sent: Sent, ctx: RuleContext) -> Iterator[Hit]:
    """A doubtful identity sends none."""
    if _is(sent, Attribute.DOUTEUSE):
        yield from _carried(sent)


BASE_RULES: tuple[Rule[Sent], ...] = (sent_unqualified, sent_fictive, sent_doubtful)


# --------------------------------------------------------------------------------------------------------------- receipt


def beside(matched: Matched, record: LocalIdentity) -> tuple[ComparedValue, ...]:
    """The received identity and one local record, trait by trait, each masked against the other."""
    index, ipp = f"index:{matched.structure}", f"IPP {record.ipp}"
    received = matched.ins.matricule if matched.ins is not None else ""
    held = record.ins.matricule if record.ins is not None else ""
    place = str(matched.where)
    values = [
        ComparedValue(matched.container, place, _number(matched.ins, held)),
        ComparedValue(index, ipp, _number(record.ins, received)),
    ]
    for name, trait in TRAITS.items():
        theirs, ours = getattr(matched.traits, name), getattr(record.traits, name)
        if theirs == ours:
            continue
        values.append(ComparedValue(matched.container, f"{place} · {trait.fr}", mask_trait(theirs, [ours])))
        values.append(ComparedValue(index, f"{ipp} · {trait.fr}", mask_trait(ours, [theirs])))
    return tuple(values)


def _number(ins: Ins | None, other: str) -> str:
    if ins is None:
        return EMPTY
    return f"{mask_matricule(ins.matricule, [other] if other else [])} (.{ins.oid.rpartition('.')[2][:12]})"


def _hit(matched: Matched) -> Hit:
    records = matched.match.candidates[:_SHOWN_CARRIERS]
    compared = matched.match.comparison
    ipps = ", ".join(record.ipp for record in records)
    values: tuple[ComparedValue, ...]
    if len(records) == 1:
        values = beside(matched, records[0])
    else:
        received = ComparedValue(matched.container, str(matched.where), _number(matched.ins, ""))
        status = [(r, r.reliability.status.value) for r in records]
        values = (received, *(ComparedValue(f"index:{matched.structure}", f"IPP {r.ipp}", s) for r, s in status))
    told = [] if compared is None else [n for n, how in compared.traits.items() if how is not Likeness.EXACT]
    differing = ", ".join(TRAITS[n].fr for n in told)
    number = mask_matricule(matched.ins.matricule) if matched.ins is not None else EMPTY
    return Hit(
        where=matched.where,
        received=f"{number} ({differing})" if differing else number,
        expected=f"{matched.structure} · IPP {ipps}" if records else f"{matched.structure} · {EMPTY}",
        values=values,
        container=matched.container,
    )


def _by_the_table(rule_id: str) -> Rule[Matched]:
    """A rule that says what a line of the decision table decided."""

    def check(matched: Matched, ctx: RuleContext) -> Iterator[Hit]:
        if rule_id in matched.match.rules:
            yield _hit(matched)

    return Rule(rule_id, check)


BY_THE_TABLE = (
    "INS-077",
    "INS-161",
    "INS-170",
    "INS-171",
    "INS-172",
    "INS-173",
    "INS-174",
    "INS-175",
    "INS-176",
    "INS-177",
    "INS-178",
    "INS-179",
    "INS-180",
)


@rule("INS-181")
def no_merge(matched: Matched, ctx: RuleContext) -> Iterator[Hit]:
    """A message that asks to merge two records goes to a human."""
    if matched.merges:
        yield Hit(
            Where(PlaceKind.HL7, "MSH-9"),
            "ADT^A40",
            Text("décision humaine", "human decision"),
            container=matched.container,
        )


@rule("INS-182")
def known_death(matched: Matched, ctx: RuleContext) -> Iterator[Hit]:
    """The document is dated after the day on which the recipient knows the patient died."""
    if matched.match.outcome is Outcome.QUARANTINE and len(matched.match.candidates) != 1:
        return
    record = matched.match.record
    if record is not None and record.deceased_on and matched.document_date[:10] > record.deceased_on:
        yield Hit(
            where=matched.where,
            received=matched.document_date[:10],
            expected=f"≤ {mask_trait(record.deceased_on)}",
            container=matched.container,
        )


MATCHING_RULES: tuple[Rule[Matched], ...] = (*map(_by_the_table, BY_THE_TABLE), no_merge, known_death)
