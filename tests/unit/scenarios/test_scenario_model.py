"""Scenarios as data: what is read, and every mistake told with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from adapters.player.player import VERBS as PLAYED
from gateway.scenarios.model import VERBS, ScenarioError, parse_scenario
from gateway.tables import names_in, read_yaml

GOOD: dict[str, Any] = {
    "title_fr": "Titre",
    "title_en": "Title",
    "summary_fr": "Résumé",
    "summary_en": "Summary",
    "acts": [
        {
            "title_fr": "Acte",
            "title_en": "Act",
            "steps": [
                {
                    "id": "lire",
                    "do": "read",
                    "title_fr": "Lire",
                    "title_en": "Read",
                    "with": {"mailbox": "a@b", "message": "m"},
                    "expect": {"identical": True},
                }
            ],
        }
    ],
}


def test_a_good_document_is_read_whole() -> None:
    scenario = parse_scenario("bon", GOOD)
    (act,) = scenario.acts
    (step,) = act.steps
    assert (scenario.name, scenario.title.fr, scenario.summary.en) == ("bon", "Titre", "Summary")
    assert (step.id, step.do, step.args["mailbox"], step.expect["identical"]) == ("lire", "read", "a@b", True)


@pytest.mark.parametrize("name", names_in("scenarios", ".yaml"))
def test_shipped_scenarios_are_good_and_name_things_once(name: str) -> None:
    scenario = parse_scenario(name, read_yaml(name))
    ids = [step.id for act in scenario.acts for step in act.steps]
    assert len(ids) == len(set(ids)) > 0


def test_every_verb_of_the_model_is_one_the_player_plays() -> None:
    assert set(VERBS) == set(PLAYED)


def broken(path: str, value: Any) -> dict[str, Any]:
    """The good document with one thing changed; a value of ... removes it."""
    document = copy.deepcopy(GOOD)
    *places, last = path.split(".")
    at: Any = document
    for place in places:
        at = at[int(place)] if place.isdecimal() else at[place]
    if value is ...:
        del at[last]
    else:
        at[int(last) if last.isdecimal() else last] = value
    return document


STEP = "acts.0.steps.0"


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("title_fr", ..., "x: `title_fr`"),
        ("acts", {}, "a list `acts`"),
        ("acts.0", "phrase", "x: act 1: a mapping is expected"),
        ("acts.0.steps", [], "x: act 1: no step"),
        ("acts.0.title_en", "", "x: act 1: `title_fr` and `title_en`"),
        ("acts.0.steps.0", None, "x: act 1, step 1: a mapping is expected"),
        (f"{STEP}.id", "", "an `id` of its own"),
        (f"{STEP}.do", "fly", "`do` is 'fly'; known: submit"),
        (f"{STEP}.with", {"mailbox": "a"}, "read needs `message`"),
        (f"{STEP}.with", {"mailbox": "a", "message": "m", "wings": 1}, "read does not know `wings`"),
        (f"{STEP}.expect", {"code": 250}, "read cannot verify `code`"),
        (f"{STEP}.expect", {}, "nothing is expected"),
    ],
)
def test_each_mistake_is_told_with_its_place(path: str, value: Any, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_scenario("x", broken(path, value))
    assert any(told in mistake for mistake in error.value.mistakes), error.value.mistakes
    assert str(error.value).count("\n") == len(error.value.mistakes) - 1


def test_mistakes_are_told_together() -> None:
    document = broken(f"{STEP}.do", "fly")
    document["acts"].append({"title_fr": "B", "title_en": "B", "steps": []})
    del document["summary_fr"]
    with pytest.raises(ScenarioError) as error:
        parse_scenario("x", document)
    assert len(error.value.mistakes) == 3


@pytest.mark.parametrize("document", [None, [], "text", 3, {"acts": None}, {"acts": [[]]}])
def test_what_is_no_scenario_is_an_error_and_never_a_crash(document: Any) -> None:
    with pytest.raises(ScenarioError):
        parse_scenario("x", document)


@pytest.mark.parametrize("value", [3, "text", ["a"], {1: 2}])
@pytest.mark.parametrize("field", ["with", "expect"])
def test_arguments_and_expectations_of_another_shape_are_mistakes(field: str, value: Any) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_scenario("x", broken(f"{STEP}.{field}", value))
    assert all("act 1, step 1" in mistake for mistake in error.value.mistakes)


@pytest.mark.parametrize("value", [3, ["a"], {1: 2}])
def test_a_title_or_an_id_of_another_type_is_read_as_text(value: Any) -> None:
    step = parse_scenario("x", broken(f"{STEP}.id", value)).acts[0].steps[0]
    assert step.id == str(value)
    assert parse_scenario("x", broken(f"{STEP}.title_fr", value)).acts[0].steps[0].title.fr == str(value)
