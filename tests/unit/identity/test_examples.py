"""Every identity rule accepts its passing example and refuses its breaking one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.identity.ins_change import CHANGE_RULES
from gateway.identity.record_rules import RECORD_RULES
from gateway.identity.rules import CROSS_RULES, VIEW_RULES
from gateway.identity.used_names import USED_NAME_RULES
from gateway.rules import Rule, RuleBook, Severity, load_catalogue
from gateway.values import Direction
from tests.support.identity_examples import CONTEXTS, EXAMPLES, RECORDS
from tests.support.identity_views import COLETTE, ODETTE, cda, context, fhir, hl7, judged, lot, mail, metadata, vihf

ALL: tuple[Rule[Any], ...] = (*VIEW_RULES, *CROSS_RULES, *RECORD_RULES, *CHANGE_RULES, *USED_NAME_RULES)
RULES = {rule.id: rule for rule in ALL}
BOOK = RuleBook(load_catalogue())


def test_every_rule_has_one_function_a_card_and_examples() -> None:
    assert len(RULES) == len(ALL)
    assert set(RULES) == set(EXAMPLES)
    assert all(rule_id in BOOK.catalogue for rule_id in RULES)


@pytest.mark.parametrize("rule_id", sorted(EXAMPLES))
def test_a_rule_accepts_its_passing_example_and_refuses_its_breaking_one(rule_id: str) -> None:
    passing, breaking = EXAMPLES[rule_id]
    ctx = CONTEXTS.get(rule_id, context())
    assert BOOK.judge([RULES[rule_id]], passing, ctx, "passing") == []
    findings = BOOK.judge([RULES[rule_id]], breaking, ctx, "breaking")
    assert {finding.rule for finding in findings} == {rule_id}
    for finding in findings:
        assert finding.received
        assert finding.expected
        assert finding.where.path
        assert "{" not in finding.message.fr + finding.message.en + finding.cure.fr + finding.cure.en


@pytest.mark.parametrize("rule_id", sorted(EXAMPLES))
def test_a_finding_has_the_severity_of_its_card(rule_id: str) -> None:
    for direction in Direction:
        ctx = replace(CONTEXTS.get(rule_id, context()), direction=direction)
        card = BOOK.catalogue[rule_id]
        for finding in BOOK.judge([RULES[rule_id]], EXAMPLES[rule_id][1], ctx, "x"):
            assert finding.severity is card.severity(direction)
            assert finding.action is card.action(direction)


def test_a_sound_patient_gives_no_finding_in_any_container() -> None:
    assert judged(mail(), lot(), metadata(), cda(), vihf(), hl7(), fhir()) == []


@pytest.mark.parametrize("rule_id", sorted(RECORDS))
def test_a_breaking_record_gives_nobody_away(rule_id: str) -> None:
    ctx = CONTEXTS.get(rule_id, context())
    for finding in BOOK.judge([RULES[rule_id]], RECORDS[rule_id][1], ctx, "x"):
        told = str(finding.to_json())
        assert not any(secret in told for secret in (ODETTE, COLETTE, "BRUNEL", "Brunel"))


@pytest.mark.parametrize("rule_id", sorted(set(EXAMPLES) - set(RECORDS)))
def test_a_breaking_example_gives_away_no_whole_matricule(rule_id: str) -> None:
    breaking = EXAMPLES[rule_id][1]
    views = breaking if isinstance(breaking, tuple) else (breaking,)
    secrets = {identifier.value for view in views for identifier in view.identifiers if len(identifier.value) >= 13}
    secrets |= {view.mailbox.value.partition("@")[0] for view in views if view.mailbox}
    for finding in judged(*views, ctx=CONTEXTS.get(rule_id)):
        text = str(finding.to_json())
        assert not any(secret in text for secret in secrets), finding.rule


def test_severities_of_a_lowered_hit_win_over_the_card() -> None:
    from tests.support.identity_views import ins, with_key

    unexplained = cda(identifiers=(ins(with_key("2364548907041")),))
    assert {f.severity for f in judged(unexplained) if f.rule == "INS-008"} == {Severity.INFO}
