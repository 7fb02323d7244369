"""A finding as others read it: its published JSON, its one line, its words in each language; and what the book makes of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from gateway.rules import Action, Finding, Hit, Override, Rule, RuleBook, RuleContext, Severity, load_catalogue, rule
from gateway.rules.model import ComparedValue, Family
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.values import Direction, Door, PlaceKind, Text, Where

PLACE = Where(PlaceKind.XPATH, "/x", 3)
FINDING = Finding(
    rule="INS-004",
    family=Family.IDENTITY,
    severity=Severity.BLOCKING,
    action=Action.REJECT,
    container="cda:A",
    where=PLACE,
    received=Text("reçu", "received"),
    expected=Text("attendu", "expected"),
    values=(ComparedValue("cda:A", "/x", "1"),),
    title=Text("titre", "title"),
    message=Text("message", "the message"),
    cure=Text("remède", "cure"),
    source="INSEE",
    requirement="ECO.1",
    hl7_error="904",
)
BOOK = RuleBook(load_catalogue())
EMITTING = RuleContext(Direction.EMISSION, Door.SUBMISSION, date(2026, 1, 1))
RECEIVING = RuleContext(Direction.RECEPTION, Door.RECEPTION, date(2026, 1, 1))
MATRICULE, MASKED = "239034890101755", "2390·········55"


def test_the_published_json_holds_everything_a_reader_needs() -> None:
    assert FINDING.to_json() == {
        "rule": "INS-004",
        "family": "identity",
        "severity": "blocking",
        "action": "reject",
        "container": "cda:A",
        "where": {"kind": "xpath", "path": "/x", "line": 3},
        "received": {"fr": "reçu", "en": "received"},
        "expected": {"fr": "attendu", "en": "expected"},
        "values": [{"container": "cda:A", "path": "/x", "value": "1"}],
        "title": {"fr": "titre", "en": "title"},
        "message": {"fr": "message", "en": "the message"},
        "cure": {"fr": "remède", "en": "cure"},
        "source": "INSEE",
        "requirement": "ECO.1",
        "hl7_error": "904",
    }


def test_words_and_the_line_are_told_in_the_language_asked_for() -> None:
    assert (FINDING.received_in("fr"), FINDING.received_in("en")) == ("reçu", "received")
    assert (FINDING.expected_in("fr"), FINDING.expected_in("en")) == ("attendu", "expected")
    assert FINDING.line() == "INS-004 message [/x (l. 3)]"
    assert FINDING.line("en") == "INS-004 the message [/x (l. 3)]"


def test_a_named_function_is_a_rule() -> None:
    def check(subject: str, ctx: RuleContext) -> Iterator[Hit]:
        yield Hit(PLACE, subject, "")

    assert rule("INS-004")(check) == Rule("INS-004", check)


def test_the_book_carries_the_card_over() -> None:
    finding = BOOK.found(
        "INS-032", Hit(PLACE, "1", "2", params={"trait": "sexe", "trait_en": "sex"}), EMITTING, "cda:A"
    )
    card = BOOK.catalogue["INS-032"]
    assert finding is not None
    assert (finding.rule, finding.family, finding.title) == (card.id, card.family, card.title)
    assert (finding.source, finding.requirement, finding.hl7_error) == (card.source, card.requirement, card.hl7_error)
    assert (finding.where, finding.container, finding.values) == (PLACE, "cda:A", ())
    assert "sexe" in finding.message.fr


def test_a_hit_names_its_own_container_when_it_has_one() -> None:
    finding = BOOK.found("INS-004", Hit(PLACE, "1", "2", container="cda:B"), EMITTING, "message")
    assert finding is not None
    assert finding.container == "cda:B"


def test_whatever_a_hit_quotes_bears_no_matricule() -> None:
    hit = Hit(
        where=replace(PLACE, path=f"/{MATRICULE}"),
        received=f"r {MATRICULE}",
        expected=Text(f"f {MATRICULE}", f"e {MATRICULE}"),
        values=(ComparedValue(f"c {MATRICULE}", f"p {MATRICULE}", f"v {MATRICULE}"),),
        params={"computed": MATRICULE},
        container=f"mail {MATRICULE}",
    )
    finding = BOOK.found("INS-004", hit, EMITTING, "x")
    assert finding is not None
    assert finding.where == replace(PLACE, path=f"/{MASKED}")
    assert (finding.container, finding.received) == (f"mail {MASKED}", f"r {MASKED}")
    assert finding.expected == Text(f"f {MASKED}", f"e {MASKED}")
    assert finding.values == (ComparedValue(f"c {MASKED}", f"p {MASKED}", f"v {MASKED}"),)
    assert MATRICULE not in str(finding.to_json())


def test_the_braces_of_message_and_cure_are_filled_by_what_the_hit_says_before_what_it_received() -> None:
    card = replace(
        BOOK.catalogue["INS-004"], message=Text("{found} {expected} {n}", "m"), cure=Text("{found} {expected} {n}", "c")
    )
    book = RuleBook(replace(BOOK.catalogue, cards={"INS-004": card}))
    for params, words in (
        ({"n": "3"}, "1 2 3"),
        ({"n": "3", "found": "9"}, "9 2 3"),
        ({"n": MATRICULE}, f"1 2 {MASKED}"),
    ):
        finding = book.found("INS-004", Hit(PLACE, "1", "2", params=params), EMITTING, "x")
        assert finding is not None
        assert (finding.message.fr, finding.cure.fr) == (words, words)


@pytest.mark.parametrize(
    ("severity", "ctx", "action"),
    [
        (None, EMITTING, Action.REJECT),
        (None, RECEIVING, Action.QUARANTINE),
        (Severity.WARNING, EMITTING, Action.ALERT),
        (Severity.INFO, RECEIVING, Action.LOG),
        (Severity.BLOCKING, RECEIVING, Action.QUARANTINE),
    ],
)
def test_a_severity_changed_by_a_hit_or_a_workspace_changes_what_is_asked_for(
    severity: Severity | None, ctx: RuleContext, action: Action
) -> None:
    told = BOOK.found("INS-004", Hit(PLACE, "1", "2", severity=severity), ctx, "x")
    assert told is not None
    assert (told.severity, told.action) == (severity or Severity.BLOCKING, action)
    if severity is not None:
        lowering = BOOK.with_overrides({"INS-004": Override(severity, "recette"), "INS-999": Override(None, "x")})
        again = lowering.found("INS-004", Hit(PLACE, "1", "2"), ctx, "x")
        assert again is not None
        assert (again.severity, again.action) == (severity, action)


@pytest.mark.parametrize(("ctx", "action"), [(EMITTING, Action.REJECT), (RECEIVING, Action.QUARANTINE)])
def test_a_warning_raised_to_blocking_is_refused_to_the_sender_and_set_aside_by_the_recipient(
    ctx: RuleContext, action: Action
) -> None:
    raised = BOOK.found("INS-048", Hit(PLACE, "1", "2", severity=Severity.BLOCKING), ctx, "x")
    assert raised is not None
    assert (raised.severity, raised.action) == (Severity.BLOCKING, action)


def test_a_hit_of_the_severity_of_its_card_keeps_the_action_of_its_card() -> None:
    told = BOOK.found("INS-101", Hit(PLACE, "1", "2", severity=Severity.BLOCKING), RECEIVING, "x")
    assert told is not None
    assert told.action is BOOK.catalogue["INS-101"].reception_action is Action.STRIP_INS


def test_a_rule_that_fails_says_which_one_failed_where_and_how() -> None:
    @rule("INS-004")
    def broken(subject: str, ctx: RuleContext) -> Iterator[Hit]:
        raise ZeroDivisionError
        yield

    (finding,) = BOOK.judge((broken,), "", EMITTING, "cda:A")
    assert (finding.rule, finding.received, finding.expected) == ("INS-205", "ZeroDivisionError", "INS-004")
    assert (finding.where, finding.container) == (Where(PlaceKind.FILE, "cda:A"), "cda:A")
    silent = BOOK.with_overrides({"INS-205": Override(None, "recette")})
    assert silent.judge((broken,), "", EMITTING, "cda:A") == []


def test_a_decision_is_a_refusal_only_when_it_rejects_and_the_first_finding_decided() -> None:
    for outcome in Outcome:
        assert Decision(outcome, Integration.STOPPED, (FINDING,)).refused is (outcome is Outcome.REJECT)
    other = replace(FINDING, rule="INS-005")
    assert Decision(Outcome.REJECT, Integration.STOPPED, (FINDING, other)).deciding is FINDING
    assert Decision(Outcome.ACCEPT, Integration.ALLOWED, ()).deciding is None
