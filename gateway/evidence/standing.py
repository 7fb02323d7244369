"""How the product keeps a rule: judged on messages at run time, proved by tests of the product, or not judged yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.evidence.implemented import implemented_rules
from gateway.evidence.proofs import PROVED_BY
from gateway.values import Text


class Kept(StrEnum):
    """What stands behind a card of the catalogue."""

    RUN_TIME = "run_time"  # a message, a call or a session can break it here
    INVARIANT = "invariant"  # it judges the product itself, and tests of the product prove it
    NOT_YET = "not_yet"

    @property
    def text(self) -> Text:
        """In words."""
        return _SAID[self.value]


_SAID = {
    "run_time": Text("jugée à l'exécution", "judged at run time"),
    "invariant": Text("invariant", "invariant"),
    "not_yet": Text("pas encore jugée", "not judged yet"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How one rule is kept. `proofs` are the node ids of the tests that prove an invariant; () otherwise."""

    kept: Kept
    proofs: tuple[str, ...] = ()

    @property
    def text(self) -> Text:
        """In words, for a reader of the card."""
        if not self.proofs:
            return self.kept.text
        tests = ", ".join(self.proofs)
        return Text(f"{self.kept.text.fr}, prouvé par {tests}", f"{self.kept.text.en}, proved by {tests}")


def standing(rule_id: str) -> Standing:
    """How a rule of the catalogue is kept. What a message can break is judged, whatever else proves it."""
    if rule_id in implemented_rules():
        return Standing(Kept.RUN_TIME)
    if rule_id in PROVED_BY:
        return Standing(Kept.INVARIANT, PROVED_BY[rule_id])
    return Standing(Kept.NOT_YET)
