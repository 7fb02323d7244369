"""INS-191, 193 and 195: is a record of the index still what INSi answered, and is that answer recent enough?

Asked when something relies on the record: its INS is sent, or a message tells its patient otherwise. Nothing this gateway does
breaks the first two (`LocalIdentity` keeps answers and history whole); they speak of an index that was filled or changed
by other hands. Source: Guide INS EXI REC 07 and 08; the period of INS-195 is a setting of the workspace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from gateway.identity.local import LocalIdentity
from gateway.identity.reading import TRAITS
from gateway.identity.traits import canon
from gateway.rules.masking import mask_matricule, mask_shape, mask_trait
from gateway.rules.model import ComparedValue, Hit, Rule, RuleContext, rule
from gateway.values import Text, Where


@dataclass(frozen=True, slots=True)
class ReliedOn:
    """A record, and the container and place that rely on it. `structure` names the index."""

    record: LocalIdentity
    structure: str
    container: str
    where: Where


@rule("INS-191")
def answer_kept_identical(relied: ReliedOn, ctx: RuleContext) -> Iterator[Hit]:
    """The traits of a record whose INS comes from INSi are those of the answer, letter for letter."""
    record, trace = relied.record, relied.record.verified_by
    if not record.altered or trace is None or trace.traits is None:
        return
    held = f"index:{relied.structure}"
    values = []
    for name in record.altered:
        ours, theirs = getattr(record.traits, name), getattr(trace.traits, name)
        values.append(ComparedValue(held, f"IPP {record.ipp} · {TRAITS[name].fr}", _shown(ours, theirs)))
        values.append(ComparedValue("INSi", f"{trace.at:%Y-%m-%d} · {TRAITS[name].fr}", _shown(theirs, ours)))
    yield Hit(relied.where, values[0].value, values[1].value, tuple(values), container=relied.container)


def _shown(value: str, other: str) -> str:
    """Two spellings of one name by their shape; two values by where they differ."""
    return mask_shape(value) if canon(value) == canon(other) else mask_trait(value, [other])


@rule("INS-193")
def history_kept_whole(relied: ReliedOn, ctx: RuleContext) -> Iterator[Hit]:
    """Every former INS of the answer (INSHISTO) is in the record's history."""
    lost = relied.record.history_lost
    trace = relied.record.verified_by
    if not lost or trace is None:
        return
    told, kept = len(trace.history), len(trace.history) - len(lost)
    values = tuple(ComparedValue("INSi", f"{trace.at:%Y-%m-%d}", mask_matricule(ins.matricule)) for ins in lost)
    yield Hit(relied.where, f"{kept} INSHISTO", f"{told} INSHISTO", values, container=relied.container)


@rule("INS-195")
def verification_recent(relied: ReliedOn, ctx: RuleContext) -> Iterator[Hit]:
    """The last answer of INSi about the INS is not older than the workspace's period; 0 days asks nothing."""
    trace, days = relied.record.verified_by, ctx.verification_days
    if trace is None or days <= 0:
        return
    oldest = ctx.today - timedelta(days=days)
    if trace.at.date() < oldest:
        index = ComparedValue(f"index:{relied.structure}", f"IPP {relied.record.ipp}", f"{trace.at:%Y-%m-%d}")
        expected = Text(f"≥ {oldest:%Y-%m-%d} ({days} jours)", f"≥ {oldest:%Y-%m-%d} ({days} days)")
        yield Hit(relied.where, index.value, expected, (index,), container=relied.container)


RECORD_RULES: tuple[Rule[ReliedOn], ...] = (answer_kept_identical, history_kept_whole, verification_recent)
