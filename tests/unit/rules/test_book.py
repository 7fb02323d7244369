"""The rule book joins hits with cards, obeys the workspace, and survives a rule that fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.rules import (
    Action,
    Hit,
    Override,
    RuleBook,
    RuleContext,
    Severity,
    load_catalogue,
    rule,
)
from gateway.values import Direction, Door, PlaceKind, Where

WHERE = Where(PlaceKind.XPATH, "/x", 3)
EMITTING = RuleContext(Direction.EMISSION, Door.SUBMISSION, date(2026, 1, 1))
RECEIVING = RuleContext(Direction.RECEPTION, Door.RECEPTION, date(2026, 1, 1))
BOOK = RuleBook(load_catalogue())


@rule("INS-004")
def always(subject: str, ctx: RuleContext) -> Iterator[Hit]:
    yield Hit(WHERE, received="12", expected="34")


@rule("INS-004")
def lowered(subject: str, ctx: RuleContext) -> Iterator[Hit]:
    yield Hit(WHERE, received="12", expected="34", severity=Severity.WARNING)


@rule("INS-004")
def broken(subject: str, ctx: RuleContext) -> Iterator[Hit]:
    yield Hit(WHERE, received="12", expected="34")
    raise ZeroDivisionError


def test_a_finding_carries_the_words_of_its_card_filled_with_what_was_seen():
    (finding,) = BOOK.judge((always,), "", EMITTING, "cda:A")
    assert (finding.rule, finding.severity, finding.action) == ("INS-004", Severity.BLOCKING, Action.REJECT)
    assert "34" in finding.message.fr
    assert "12" in finding.message.en
    assert finding.container == "cda:A"
    assert finding.to_json()["where"] == {"kind": "xpath", "path": "/x", "line": 3}


def test_the_action_depends_on_who_judges():
    (finding,) = BOOK.judge((always,), "", RECEIVING, "cda:A")
    assert finding.action is Action.QUARANTINE


def test_a_hit_that_lowers_its_severity_lowers_its_action_too():
    (finding,) = BOOK.judge((lowered,), "", RECEIVING, "cda:A")
    assert (finding.severity, finding.action) == (Severity.WARNING, Action.ALERT)


def test_a_workspace_may_lower_or_silence_a_rule():
    lowering = BOOK.with_overrides({"INS-004": Override(Severity.INFO, "recette")})
    silencing = BOOK.with_overrides({"INS-004": Override(None, "recette")})
    assert [f.action for f in lowering.judge((always,), "", EMITTING, "x")] == [Action.LOG]
    assert silencing.judge((always,), "", EMITTING, "x") == []


def test_a_rule_that_fails_is_a_finding_and_the_others_still_run():
    found = [f.rule for f in BOOK.judge((broken, always), "", EMITTING, "x")]
    assert found == ["INS-004", "INS-205", "INS-004"]
