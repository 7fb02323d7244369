"""INS-050: a sender whose used names are always the birth names fills them in by itself, where it should ask the patient.

A used name equal to the birth name is right for many people, so one message proves nothing. What shows a software that copies
is that every patient it sends is in that case: the rule speaks from five different patients on, all alike, among the last
messages of one sender, and only on a message that copies. Source: RNIV EXI PP 17 and 18; Guide INS EXI ID 08.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from gateway.identity.model import IdentityView
from gateway.identity.reading import by_person, is_missing
from gateway.identity.traits import canon
from gateway.rules.masking import mask_trait
from gateway.rules.model import Hit, Rule, RuleContext, rule
from gateway.values import Located, Text, Where

PATIENTS = 5  # from how many different patients on the statistic speaks
MESSAGES = 100  # the last ones of a sender


@dataclass(frozen=True, slots=True)
class UsedName:
    """What a message tells of one patient's used name. `copied`: in every container that tells it, it is the birth name.

    `patient` is one byte of a digest of the birth traits: enough to tell five patients apart, too little to know any.
    """

    patient: int
    copied: bool
    container: str
    where: Where
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Emitter:
    """A sender, by its messages: what `now` is sent, and what the last ones told, this one included (patient, copied)."""

    now: UsedName
    told: tuple[tuple[int, bool], ...]


def used_names(views: Iterable[IdentityView]) -> tuple[UsedName, ...]:
    """For each patient of a message whose used name is told, whether it is a copy."""
    found = []
    for person in by_person(tuple(views)):
        telling = [v for v in person if not is_missing(v.used_family) and not is_missing(v.birth_family)]
        if not telling:
            continue
        first = telling[0]
        used = first.used_family
        if used is not None:
            copied = all(map(_copied, telling))
            found.append(UsedName(_byte(first), copied, first.label, used.where, mask_trait(used.value)))
    return tuple(found)


def _copied(view: IdentityView) -> bool:
    if not _same(view.used_family, view.birth_family):
        return False
    return is_missing(view.used_given) or _same(view.used_given, view.birth_given)


def _same(used: Located | None, birth: Located | None) -> bool:
    return used is not None and birth is not None and canon(used.value) == canon(birth.value)


def _byte(view: IdentityView) -> int:
    traits = (view.birth_family, view.birth_given, view.birth_date)
    told = "\0".join(canon(trait.value) if trait is not None else "" for trait in traits)
    return sha256(told.encode()).digest()[0]


@rule("INS-050")
def autofilled(emitter: Emitter, ctx: RuleContext) -> Iterator[Hit]:
    """Every patient this sender told a used name of has the birth name there."""
    patients = {patient for patient, _ in emitter.told}
    if not emitter.now.copied or len(patients) < PATIENTS or not all(copied for _, copied in emitter.told):
        return
    count = len(patients)
    received = Text(
        f"{emitter.now.shown}, comme chez {count} patients sur {count}",
        f"{emitter.now.shown}, as for {count} patients of {count}",
    )
    expected = Text("le nom donné par l'usager, ou rien", "the name the patient gave, or nothing")
    yield Hit(emitter.now.where, received, expected, container=emitter.now.container)


USED_NAME_RULES: tuple[Rule[Emitter], ...] = (autofilled,)
