"""A47: a partner's identity base changes or withdraws an INS. What the message asks, what a local record becomes of it.

    view (PID-3, MRG-1) ─▶ InsChange ─▶ the record found by its local number ─▶ INS-115? ─▶ `applied` ─▶ INS-114?

A withdrawal always takes the INS away (it stays in the history) and the status falls as if INSi had invalidated it. A new INS
that came with a message is only kept aside (`ins_received`): making it the record's own takes an answer of INSi (INS-170).
Source: IHE PAM France 2.11.2, 4.4.3; matching on receipt, ADT feeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.identity.local import Ins, LocalIdentity
from gateway.identity.matricule import canonical
from gateway.identity.model import INS_OIDS, IdentityView
from gateway.identity.reading import all_ins
from gateway.identity.status import Event, Refused
from gateway.rules.masking import EMPTY, mask_matricule
from gateway.rules.model import ComparedValue, Hit, Rule, RuleContext, rule
from gateway.values import Text, Where

_NULL = '""'


@dataclass(frozen=True, slots=True)
class InsChange:
    """What an A47 asks. `former` are the INS of MRG-1; `fresh` that of PID-3, None when the INS is withdrawn.

    `numbers` are the local numbers (value, OID) of PID-3, by which the record is found; `where` is MRG-1.
    """

    former: tuple[Ins, ...]
    fresh: Ins | None
    numbers: tuple[tuple[str, str], ...]
    container: str
    where: Where

    @property
    def withdraws(self) -> bool:
        """A deletion: PID-3 gives no INS in place of the former one."""
        return self.fresh is None


@dataclass(frozen=True, slots=True)
class Changing:
    """An A47 beside the record it is about, as it is at that moment. `structure` names the index."""

    change: InsChange
    record: LocalIdentity
    structure: str


def change_told(view: IdentityView) -> InsChange | None:
    """What a PID and its MRG ask; None when the message is no A47, or names no INS in MRG-1 (INS-113 says so)."""
    facts = view.hl7
    if facts is None or facts.event != "A47":
        return None
    former = tuple(
        Ins(canonical(m.value)[:64], m.oid[:64])
        for m in facts.merged
        if m.value not in ("", _NULL) and (m.oid in INS_OIDS or m.type_code == "INS")
    )
    if not former:
        return None
    told = all_ins(view)
    fresh = Ins(canonical(told[0].value)[:64], told[0].oid) if told else None
    numbers = tuple((i.value, i.oid) for i in view.identifiers if not i.is_ins and i.value and i.oid)
    return InsChange(former, fresh, numbers, view.label, facts.merged[0].where)


def applied(change: InsChange, record: LocalIdentity) -> LocalIdentity:
    """The record after a change that INS-115 let pass; the same record when it was applied before."""
    if record.ins is not None and record.ins in change.former:
        fallen = record.after(Event.INSI_INVALIDATED)
        if isinstance(fallen, Refused):
            fallen = replace(record, ins=None, ins_history=(*record.ins_history, record.ins))
        record = fallen
    received = None if change.fresh == record.ins else change.fresh
    return record if received == record.ins_received else replace(record, ins_received=received)


# --------------------------------------------------------------------------------------------------------------- rules


@rule("INS-114")
def deletion_applied(changing: Changing, ctx: RuleContext) -> Iterator[Hit]:
    """After a withdrawal, the record holds neither the INS that was withdrawn nor one that came with a message."""
    change, record = changing.change, changing.record
    if not change.withdraws:
        return
    own = (record.ins,) if record.ins is not None and record.ins in change.former else ()
    left = tuple(ins for ins in (*own, record.ins_received) if ins is not None)
    if left:
        shown = ", ".join(mask_matricule(ins.matricule) for ins in left)
        yield _hit(changing, shown, Text("aucune INS", "no INS"))


@rule("INS-115")
def former_ins_known(changing: Changing, ctx: RuleContext) -> Iterator[Hit]:
    """The INS to replace or withdraw is the record's own, or was already replaced or withdrawn."""
    change, record = changing.change, changing.record
    if record.ins is None:
        known = change.withdraws or any(i in change.former for i in (*record.ins_history, record.ins_received))
    else:
        known = record.ins in change.former or record.ins == change.fresh
    if not known:
        named = change.former[0].matricule
        held = record.ins.matricule if record.ins is not None else ""
        expected = mask_matricule(held, [named]) if held else EMPTY
        yield _hit(changing, mask_matricule(named, [held] if held else []), expected)


def _hit(changing: Changing, received: str, expected: str | Text) -> Hit:
    change, record = changing.change, changing.record
    named = ", ".join(mask_matricule(ins.matricule) for ins in change.former)
    held = mask_matricule(record.ins.matricule) if record.ins is not None else EMPTY
    values = (
        ComparedValue(change.container, str(change.where), named),
        ComparedValue(
            f"index:{changing.structure}", f"IPP {record.ipp}", f"{held} ({record.reliability.status.value})"
        ),
    )
    return Hit(change.where, received, expected, values, container=change.container)


CHANGE_RULES: tuple[Rule[Changing], ...] = (deletion_applied, former_ins_known)
