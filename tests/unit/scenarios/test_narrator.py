"""The story on a terminal: nothing wider than the page, the cure of each refusal, failures in words."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from adapters.cli.check import Asked, judge_octets
from adapters.player.narrator import Narrator, shortened
from adapters.player.result import Checks, Seen, StepResult
from gateway.samples import sample_named
from gateway.scenarios.model import Scenario, parse_scenario
from gateway.tables import read_yaml
from gateway.values import Lang

TWIN = "identite-jumelle-metadonnees-d-une-autre"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return parse_scenario("val-de-brume", read_yaml("scenarios/val-de-brume.yaml"))


def told(scenario: Scenario, lang: Lang, width: int, *, held: bool) -> str:
    """The whole story, each step with the findings of the twin."""
    out = io.StringIO()
    narrator = Narrator(Console(file=out, width=width, highlight=False), lang)
    found = judge_octets(sample_named(TWIN).build(), "mail", Asked("strict", "emission", lang))
    narrator.opening(scenario, "127.0.0.1 — http 8080")
    results = []
    for number, act in enumerate(scenario.acts, 1):
        narrator.act(number, act)
        for step in act.steps:
            checks = Checks()
            checks.equal("code", 250, 250 if held else 554)
            seen = Seen("554 5.7.1 " + "un mot\r\n" * 60, checks, {}, tuple(f.to_json() for f in found))
            results.append(StepResult(number, step.id, {"fr": step.title.fr, "en": step.title.en}, seen, 0.1))
            narrator.step(step)
            narrator.result(results[-1])
    narrator.verdict(results, 1.5)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("lang", list(Lang))
def test_no_line_is_wider_than_the_page(scenario: Scenario, lang: Lang, width: int) -> None:
    story = told(scenario, lang, width, held=True)
    assert max(len(line) for line in story.splitlines()) <= min(width, 110)
    cure = {Lang.FR: "Vérifiez à quel", Lang.EN: "Check which"}[lang]
    assert cure in story
    assert "[COL]" in story
    assert {Lang.FR: "Tout a tenu. 14/14", Lang.EN: "Everything held. 14/14"}[lang] in story


def test_an_expectation_that_failed_is_told(scenario: Scenario) -> None:
    story = told(scenario, Lang.EN, 100, held=False)
    assert "code: 250 expected, 554 seen" in story
    assert "Some expectations did not hold. 0/14" in story


def test_a_long_answer_is_cut_at_a_word() -> None:
    assert shortened("court\r\n  mot", 50) == "court mot"
    cut = shortened("mot " * 100, 50)
    assert len(cut) <= 52
    assert cut.endswith("mot …")


def test_checks_say_what_was_expected_and_what_was_seen() -> None:
    checks = Checks()
    checks.truth("lu", holds=True)
    checks.truth("signé", holds=False)
    checks.equal("code", 250, 550)
    checks.one_of("outcome", ("a", "b"), "c")
    checks.contains("rules", "INS-004", [])
    assert checks.passed == 1
    assert checks.failures == [
        "signé: no",
        "code: 250 expected, 550 seen",
        "outcome: a | b expected, c seen",
        "rules: INS-004 expected, — seen",
    ]
