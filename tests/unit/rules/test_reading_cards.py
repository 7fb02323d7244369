"""A card is read as it is written in the catalogue; one that is not well made is refused by the name of its file."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.rules import Action, Family, RuleCard, Scope, Severity, catalogue
from gateway.rules.catalogue import Catalogue, load_catalogue
from gateway.values import Direction, Text

LEAST = {
    "id": "X-1",
    "family": "mail",
    "scope": "message",
    "title_fr": "titre",
    "title_en": "title",
    "error_fr": "erreur",
    "error_en": "error",
    "cure_fr": "remède",
    "cure_en": "cure",
    "severity": "warning",
    "reception_action": "alert",
    "source": "Norme, 3.1",
}
WHOLE = {
    **LEAST,
    "severity_reception": "blocking",
    "reception_action": "quarantine",
    "confidence": "S",
    "requirement": "ECO.2.4.2",
    "applies_to": ["CDA", "mail"],
    "hl7_app_error": 904,
    "violated_when": "a != b",
    "exceptions_fr": "sauf",
    "exceptions_en": "except",
    "passing": "a",
    "breaking_fr": "faux",
    "breaking_en": "wrong",
}


def read(monkeypatch: pytest.MonkeyPatch, *entries: dict[str, Any], **defaults: Any) -> Catalogue:
    documents = {"rules/x.yaml": {"defaults": defaults, "rules": list(entries)}, "rules/y.yaml": {"rules": []}}
    monkeypatch.setattr(catalogue, "names_in", lambda folder, ending: [n for n in documents if n.startswith(folder)])
    monkeypatch.setattr(catalogue, "read_yaml", documents.__getitem__)
    return load_catalogue.__wrapped__()


def test_a_whole_card_keeps_everything_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(read(monkeypatch, WHOLE)) == [
        RuleCard(
            id="X-1",
            family=Family.MAIL,
            scope=Scope.MESSAGE,
            title=Text("titre", "title"),
            message=Text("erreur", "error"),
            cure=Text("remède", "cure"),
            emission=Severity.WARNING,
            reception=Severity.BLOCKING,
            reception_action=Action.QUARANTINE,
            source="Norme, 3.1",
            confidence="S",
            requirement="ECO.2.4.2",
            applies_to=("CDA", "mail"),
            hl7_error="904",
            violated_when=Text("a != b", "a != b"),
            exceptions=Text("sauf", "except"),
            passing=Text("a", "a"),
            breaking=Text("faux", "wrong"),
        )
    ]


def test_what_a_card_leaves_out_takes_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    (card,) = read(monkeypatch, LEAST)
    assert (card.emission, card.reception) == (Severity.WARNING, Severity.WARNING)
    assert (card.confidence, card.requirement, card.applies_to, card.hl7_error) == ("D", "", (), "")
    assert [bool(words) for words in (card.violated_when, card.exceptions, card.passing, card.breaking)] == [False] * 4


def test_the_defaults_of_a_file_hold_for_its_cards_unless_they_say_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {key: value for key, value in LEAST.items() if key != "family"}
    first, second = read(monkeypatch, bare, {**LEAST, "id": "X-2"}, family="rights")
    assert (first.family, second.family) == (Family.RIGHTS, Family.MAIL)


@pytest.mark.parametrize("changes", [{"severity": "grave"}, {"scope": "moon"}, {"reception_action": "shout"}])
def test_a_card_with_a_word_nobody_knows_is_refused_by_file_and_id(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"rules/x\.yaml: rule X-1: ValueError"):
        read(monkeypatch, {**LEAST, **changes})


@pytest.mark.parametrize("key", sorted(LEAST))
def test_a_card_without_what_every_card_has_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    with pytest.raises(ValueError, match=rf"rules/x\.yaml: rule ({LEAST['id']}|\?): KeyError"):
        read(monkeypatch, {name: value for name, value in LEAST.items() if name != key})


def test_two_cards_of_one_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"rules/x\.yaml: rule X-1 is already in the catalogue"):
        read(monkeypatch, LEAST, LEAST)


def test_a_catalogue_is_counted_searched_and_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = read(monkeypatch, LEAST, {**LEAST, "id": "X-2"})
    assert len(cards) == 2
    assert "X-2" in cards
    assert "X-3" not in cards
    assert cards["X-2"].id == "X-2"
    assert [card.id for card in cards] == ["X-1", "X-2"]


@pytest.mark.parametrize(
    ("severity", "action"),
    [("blocking", Action.REJECT), ("warning", Action.ALERT), ("info", Action.LOG)],
)
def test_a_sender_is_asked_for_what_goes_with_the_severity(
    monkeypatch: pytest.MonkeyPatch, severity: str, action: Action
) -> None:
    (card,) = read(monkeypatch, {**WHOLE, "severity": severity})
    assert card.action(Direction.EMISSION) is action
    assert card.action(Direction.RECEPTION) is Action.QUARANTINE
    assert card.severity(Direction.EMISSION) is Severity(severity)
    assert card.severity(Direction.RECEPTION) is Severity.BLOCKING


def test_the_worst_severity_ranks_highest() -> None:
    assert sorted(Severity, key=lambda s: s.rank) == [Severity.INFO, Severity.WARNING, Severity.BLOCKING]
