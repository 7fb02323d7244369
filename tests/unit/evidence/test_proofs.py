"""An invariant rule points at tests that exist, and says so wherever its card is shown."""

from __future__ import annotations

import ast

import pytest

from gateway.evidence.implemented import NOT_JUDGED, implemented_rules
from gateway.evidence.proofs import PROVED_BY
from gateway.evidence.rules_page import rules_json, rules_markdown
from gateway.evidence.standing import Kept, standing
from gateway.rules import load_catalogue
from tests.support.command import passerelle
from tests.support.reference import ROOT

NODES = tuple((rule, node) for rule, nodes in PROVED_BY.items() for node in nodes)


@pytest.mark.parametrize(("rule", "node"), NODES, ids=[f"{rule} {node}" for rule, node in NODES])
def test_the_test_that_proves_an_invariant_exists(rule: str, node: str) -> None:
    name, _, function = node.partition("::")
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    tests = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert any(test.startswith("test_") for test in tests)
    assert not function or function in tests, f"{rule} is proved by a test that is not there"


def test_what_is_proved_is_not_also_judged_and_has_a_card() -> None:
    assert set(PROVED_BY) <= NOT_JUDGED
    assert all(PROVED_BY.values())


def test_every_card_has_one_standing() -> None:
    kept = {card.id: standing(card.id) for card in load_catalogue()}
    assert {rule for rule, state in kept.items() if state.kept is Kept.RUN_TIME} == implemented_rules()
    assert {rule for rule, state in kept.items() if state.kept is Kept.INVARIANT} == set(PROVED_BY)
    assert all(bool(state.proofs) is (state.kept is Kept.INVARIANT) for state in kept.values())


def test_the_proof_is_told_on_the_page_by_the_command_and_to_programs() -> None:
    card = load_catalogue()["INS-201"]
    assert "**invariant**, proved by [`test_masking.py`](../tests/wire/test_masking.py)" in rules_markdown([card])
    (told,) = rules_json([card])["rules"]
    assert told["state"] == "invariant"
    assert told["proved_by"] == list(PROVED_BY["INS-201"])
    shown = passerelle("rules", "INS-201", env={"COLUMNS": "200"}).out
    assert "invariant, prouvé par tests/wire/test_masking.py" in shown
    assert "proved by tests/" in passerelle("rules", "INS-201", "--lang", "en", env={"COLUMNS": "200"}).out
