"""An SMTP refusal is read by a person in a log: it must hold the rule, the place, the values, the cure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.answers.smtp import SmtpReply, reply_for, unavailable
from gateway.rules import Action, ComparedValue, Family, Finding, Severity
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.values import Lang, PlaceKind, Text, Where

FINDING = Finding(
    rule="INS-150",
    family=Family.IDENTITY,
    severity=Severity.BLOCKING,
    action=Action.REJECT,
    container="cda:DOC0001.XML",
    where=Where(PlaceKind.XPATH, "/ClinicalDocument/recordTarget", 18),
    received="2360········[2]7[8]",
    expected="2360········[1]7[9]",
    values=(
        ComparedValue("metadata:DOC0001.XML", "/x", "2360········[1]7[9]"),
        ComparedValue("cda:DOC0001.XML", "/y", "2360········[2]7[8]"),
    ),
    title=Text("Matricule différent", "Matricule differs"),
    message=Text("Matricule différent entre les conteneurs.", "Matricule differs between containers."),
    cure=Text("Vérifiez le patient.", "Check the patient."),
    source="test",
)


def refused(*findings: Finding) -> Decision:
    return Decision(Outcome.REJECT, Integration.STOPPED, findings)


def test_a_refusal_names_rule_place_values_side_by_side_and_cure():
    text = reply_for(refused(FINDING), "0123", Lang.EN).wire()
    for expected in (
        "554",
        "5.7.1",
        "INS-150",
        "/ClinicalDocument/recordTarget (l. 18)",
        "[1]7[9]",
        "[2]7[8]",
        "Check",
    ):
        assert expected in text


def test_every_line_of_a_reply_is_ascii_and_short_enough_for_smtp():
    lines = reply_for(refused(*[FINDING] * 5), "0123", Lang.FR).wire().split("\r\n")
    assert len(lines) > 1
    assert all(line.isascii() and len(line) <= 510 for line in lines)
    assert all(line.startswith("554-5.7.1 ") for line in lines[:-1])
    assert lines[-1].startswith("554 5.7.1 ")


def test_an_acceptance_says_which_exchange_it_is_and_which_rules_warned():
    warned = Decision(Outcome.QUARANTINE, Integration.STOPPED, (FINDING,))
    assert reply_for(warned, "0123", Lang.FR).wire() == "250 2.0.0 Accepte 0123 ; alertes : INS-150"


def test_a_reply_never_carries_a_line_break_of_its_text():
    assert SmtpReply(550, "5.7.1", "a\r\nRCPT TO:<x>").wire() == "550 5.7.1 a??RCPT TO:<x>"


def test_nothing_durable_means_try_again():
    assert unavailable().code == 421


def test_common_signs_are_written_out_and_never_become_question_marks() -> None:
    shown = SmtpReply(554, "5.7.1", "« Où » ≤ 5 ≥ 4 ≠ 3 – — … œuvre Cœur Æ 10 € 2 × 3 → l’été · “x” ± 1 1 000").wire()
    assert shown == '554 5.7.1 "Ou" <= 5 >= 4 != 3 - - ... oeuvre Coeur AE 10 EUR 2 x 3 -> l\'ete . "x" +/- 1 1 000'


def test_what_is_empty_is_a_word_of_the_language() -> None:
    empty = replace(FINDING, values=(), received="∅", expected="5")
    assert "recu vide, attendu 5" in reply_for(refused(empty), "0123", Lang.FR).wire()
    assert "received empty, expected 5" in reply_for(refused(empty), "0123", Lang.EN).wire()


@pytest.mark.parametrize(
    "written",
    ["２３９０３４８９０１０１７５５", "②③⑨⓪③④⑧⑨⓪①⓪①⑦⑤⑤", "239034890\u03011017\u030255", "2390348901017\u24fe5"],
)
def test_signs_that_become_digits_on_the_wire_are_masked_like_digits(written: str) -> None:
    told = SmtpReply(554, "5.6.0", f"Chemin refuse : ../{written}.xml").wire()
    assert "239034890101" not in told.replace("\r\n", "")
    assert "2390...." in told
