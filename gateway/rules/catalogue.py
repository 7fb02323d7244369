"""The rule catalogue: every card, by id, read once from `fixtures/rules/*.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from gateway.rules.model import Action, Family, RuleCard, Scope, Severity
from gateway.tables import names_in, read_yaml
from gateway.values import Text


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rule cards, in the order of the files."""

    cards: Mapping[str, RuleCard]

    def __getitem__(self, rule_id: str) -> RuleCard:
        return self.cards[rule_id]

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self.cards

    def __iter__(self) -> Iterator[RuleCard]:
        return iter(self.cards.values())

    def __len__(self) -> int:
        return len(self.cards)


@cache
def load_catalogue() -> Catalogue:
    """Read every file of the catalogue. Raises ValueError naming the file and the card when a card is not well made."""
    cards: dict[str, RuleCard] = {}
    for name in names_in("rules", ".yaml"):
        document = read_yaml(name)
        defaults = document.get("defaults", {})
        for entry in document["rules"]:
            try:
                card = _card({**defaults, **entry})
            except (KeyError, ValueError) as error:
                raise ValueError(f"{name}: rule {entry.get('id', '?')}: {error!r}") from error
            if card.id in cards:
                raise ValueError(f"{name}: rule {card.id} is already in the catalogue")
            cards[card.id] = card
    return Catalogue(cards)


def _card(entry: Mapping[str, Any]) -> RuleCard:
    emission = Severity(entry["severity"])
    reception = Severity(entry.get("severity_reception", entry["severity"]))
    return RuleCard(
        id=entry["id"],
        family=Family(entry["family"]),
        scope=Scope(entry["scope"]),
        title=_text(entry, "title"),
        message=_text(entry, "error"),
        cure=_text(entry, "cure"),
        emission=emission,
        reception=reception,
        reception_action=Action(entry["reception_action"]),
        source=str(entry["source"]),
        confidence=str(entry.get("confidence", "D")),
        requirement=str(entry.get("requirement", "")),
        applies_to=tuple(entry.get("applies_to", ())),
        hl7_error=str(entry.get("hl7_app_error") or ""),
        violated_when=_words(entry, "violated_when"),
        exceptions=_words(entry, "exceptions"),
        passing=_words(entry, "passing"),
        breaking=_words(entry, "breaking"),
    )


def _text(entry: Mapping[str, Any], key: str) -> Text:
    return Text(str(entry[f"{key}_fr"]), str(entry[f"{key}_en"]))


def _words(entry: Mapping[str, Any], key: str) -> Text:
    """What may be a formula or a value (`key` alone), or words in two languages (`key` with `key_fr` or `key_en`)."""
    plain = entry.get(key, "")
    return Text(str(entry.get(f"{key}_fr", plain)), str(entry.get(f"{key}_en", plain)))
