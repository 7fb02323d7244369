"""The order in which given names are tried."""

from __future__ import annotations

import pytest

from gateway.insi.model import Code, LocalIdentity, Traits
from gateway.insi.plan import SearchPlan

NONE, FOUND, SEVERAL = Code.NONE, Code.FOUND, Code.SEVERAL


def person(*given: str, place: str = "") -> LocalIdentity:
    return LocalIdentity("HOUILLES", given, "M", "1993-01-27", place)


def play(plan: SearchPlan, answers: dict[tuple[str, str], Code]) -> list[tuple[str, str]]:
    """What is asked, (given, place) each; everything not in `answers` is CR 01."""
    asked = []
    while (traits := plan.next()) is not None:
        key = (" ".join(traits.given), traits.birth_place)
        asked.append(key)
        assert len(asked) < 20
        plan.told(answers.get(key, NONE))
    return asked


def test_each_given_name_then_all_together() -> None:
    plan = SearchPlan(person("PIERRE", "PAUL", "JACQUES", place="63220"))
    assert play(plan, {}) == [("PIERRE", ""), ("PAUL", ""), ("JACQUES", ""), ("PIERRE PAUL JACQUES", "")]
    assert plan.outcome is NONE


def test_one_given_name_is_asked_once() -> None:
    plan = SearchPlan(person("PIERRE"))
    assert play(plan, {}) == [("PIERRE", "")]
    assert plan.outcome is NONE


def test_the_first_answer_ends_the_search() -> None:
    plan = SearchPlan(person("PIERRE", "PAUL"))
    assert play(plan, {("PAUL", ""): FOUND}) == [("PIERRE", ""), ("PAUL", "")]
    assert plan.outcome is FOUND
    assert plan.next() is None


def test_several_are_narrowed_by_the_birthplace_when_there_is_one_given_name() -> None:
    plan = SearchPlan(person("LEONARDO", place="63220"))
    answers = {("LEONARDO", ""): SEVERAL, ("LEONARDO", "63220"): FOUND}
    assert play(plan, answers) == [("LEONARDO", ""), ("LEONARDO", "63220")]
    assert plan.outcome is FOUND


def test_several_are_narrowed_by_the_other_given_names_first() -> None:
    plan = SearchPlan(person("PIERRE", "PAUL", place="63220"))
    answers = {("PIERRE", ""): SEVERAL, ("PIERRE PAUL", ""): FOUND}
    assert play(plan, answers) == [("PIERRE", ""), ("PIERRE PAUL", "")]
    assert plan.outcome is FOUND


def test_several_are_narrowed_by_names_then_place_then_the_name_that_was_ambiguous_with_the_place() -> None:
    plan = SearchPlan(person("PIERRE", "PAUL", place="63220"))
    asked = play(plan, {("PIERRE", ""): SEVERAL})
    assert asked == [("PIERRE", ""), ("PIERRE PAUL", ""), ("PIERRE PAUL", "63220"), ("PIERRE", "63220")]
    assert plan.outcome is SEVERAL


def test_without_a_place_several_stay_several_and_nobody_chooses() -> None:
    plan = SearchPlan(person("LEONARDO"))
    assert play(plan, {("LEONARDO", ""): SEVERAL}) == [("LEONARDO", "")]
    assert plan.outcome is SEVERAL


def test_an_ambiguous_second_name_is_narrowed_too() -> None:
    plan = SearchPlan(person("PIERRE", "PAUL", place="63220"))
    answers = {("PAUL", ""): SEVERAL, ("PAUL", "63220"): FOUND}
    assert play(plan, answers)[-1] == ("PAUL", "63220")
    assert plan.outcome is FOUND


@pytest.mark.parametrize("given", [("PIERRE", "PIERRE"), ("JEAN-PAUL", "PAUL")])
def test_nothing_is_asked_twice(given: tuple[str, ...]) -> None:
    plan = SearchPlan(person(*given, place="63220"))
    asked = play(plan, dict.fromkeys([(g, "") for g in given], SEVERAL))
    assert len(asked) == len(set(asked))


def test_what_is_asked_holds_the_traits_and_no_list() -> None:
    assert SearchPlan(person("PIERRE")).next() == Traits("HOUILLES", ("PIERRE",), "M", "1993-01-27")
