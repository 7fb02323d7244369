"""The rule book joins hits with cards, obeys the workspace, and survives a rule that fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

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
def twice(subject: str, ctx: RuleContext) -> Iterator[Hit]:
    yield Hit(WHERE, received="12", expected="34")
    yield Hit(WHERE, received="13", expected="34")


@rule("INS-004")
def never(subject: str, ctx: RuleContext) -> Iterator[Hit]:
    yield from ()


@rule("INS-059")
def unknown_place(subject: str, ctx: RuleContext) -> Iterator[Hit]:
    yield Hit(WHERE, received="48000", expected="COG")


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


AT = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(("severity", "heard"), [(None, []), (Severity.INFO, ["INS-004"])])
def test_a_rule_bypassed_in_somebodys_name_is_told_with_who_when_and_why(severity, heard):
    book = BOOK.with_overrides({"INS-004": Override(severity, "recette du lot 3", "aubry-paul", AT)})
    *others, told = book.judge((always,), "", EMITTING, "cda:A")
    assert ([f.rule for f in others], told.rule) == (heard, "INS-204")
    assert (told.severity, told.where, told.container) == (Severity.WARNING, WHERE, "cda:A")
    assert "INS-004" in told.message.fr
    assert told.received_in("fr").startswith("INS-004 : ")
    assert told.expected_in("en") == "INS-004: blocking"
    (value,) = told.values
    assert (value.path, value.value) == ("aubry-paul 2026-01-02 09:30 UTC", "recette du lot 3")


def test_a_derogation_is_told_only_where_the_rule_is_broken_and_once_a_subject():
    book = BOOK.with_overrides({"INS-004": Override(None, "recette", "x", AT)})
    assert book.judge((twice,), "", EMITTING, "x") != []
    assert [f.rule for f in book.judge((twice,), "", EMITTING, "x")] == ["INS-204"]
    assert book.judge((never,), "", EMITTING, "x") == []


def test_raising_a_rule_and_a_profile_are_no_derogation():
    raised = BOOK.with_overrides({"INS-059": Override(Severity.BLOCKING, "plus strict", "x", AT)})
    assert [f.rule for f in raised.judge((unknown_place,), "", EMITTING, "x")] == ["INS-059"]
    profile = BOOK.with_overrides({"INS-004": Override(Severity.INFO, "official-samples: …")})
    assert [f.rule for f in profile.judge((always,), "", EMITTING, "x")] == ["INS-004"]


def test_nothing_bypasses_the_rule_that_tells_of_bypasses():
    overrides = {"INS-004": Override(None, "recette", "x", AT), "INS-204": Override(None, "discret", "x", AT)}
    assert [f.rule for f in BOOK.with_overrides(overrides).judge((always,), "", EMITTING, "x")] == ["INS-204"]


def test_a_reason_that_quotes_a_matricule_is_masked():
    book = BOOK.with_overrides({"INS-004": Override(None, "pour 239034890101755", "x", AT)})
    (told,) = book.judge((always,), "", EMITTING, "x")
    assert "239034890101755" not in str(told.to_json())


def test_a_rule_that_fails_is_a_finding_and_the_others_still_run():
    found = [f.rule for f in BOOK.judge((broken, always), "", EMITTING, "x")]
    assert found == ["INS-004", "INS-205", "INS-004"]
