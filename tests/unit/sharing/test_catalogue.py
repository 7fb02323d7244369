"""Every sharing rule has its card, every card its rule or its issue, and each its native answer."""

from __future__ import annotations

import re

from gateway.answers.registry import DEFAULT, error_code
from gateway.answers.soap import subcode_of
from gateway.rules import Hit, RuleBook, RuleContext, load_catalogue
from gateway.sharing.rules_access import (
    CLAIM_RULES,
    PEER_RULES,
    RESOURCE_RULES,
    RIGHTS_RULES,
    SEAL_RULES,
    TARGET_RULES,
)
from gateway.sharing.rules_lot import AUTHOR_RULES, LOT_RULES, REGISTRY_RULES
from gateway.values import Direction, Door, PlaceKind, Where
from tests.support import dmp_world as dmp
from tests.support.reference import ROOT

FAULTS = (*PEER_RULES, *SEAL_RULES, *CLAIM_RULES, *RESOURCE_RULES, *TARGET_RULES, *RIGHTS_RULES, *AUTHOR_RULES)
RESPONSES = (*LOT_RULES, *REGISTRY_RULES)
CTX = RuleContext(Direction.EMISSION, Door.DMP, dmp.now().date())


def issue_ids() -> set[str]:
    """Every DMP rule id that the code names: in rules, and in issues raised while receiving and opening."""
    folders = (ROOT / "gateway" / "sharing", ROOT / "gateway" / "exchange", ROOT / "adapters" / "soap")
    text = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.py"))
    return set(re.findall(r'"(DMP-\d\d)"', text))


def test_each_rule_has_one_card_and_each_card_is_used() -> None:
    cards = {card.id for card in load_catalogue() if card.id.startswith("DMP-")}
    ids = [rule.id for rule in (*FAULTS, *RESPONSES)]
    assert len(ids) == len(set(ids))
    assert set(ids) <= cards
    assert cards == issue_ids()


def test_each_card_teaches_in_both_languages() -> None:
    for card in load_catalogue():
        if not card.id.startswith("DMP-"):
            continue
        for text in (card.title, card.message, card.cure):
            assert text.fr
            assert text.en
            assert text.fr != text.en or card.id == "DMP-84"
        assert card.source
        assert card.passing
        assert card.breaking


def test_each_refusal_has_a_native_answer_of_its_own() -> None:
    book, hit = RuleBook(load_catalogue()), Hit(Where(PlaceKind.XPATH, "/x"), "a", "b")
    for rule in FAULTS:
        finding = book.found(rule.id, hit, CTX, "vihf")
        assert finding is not None
        assert subcode_of(finding).startswith("DMP")
        assert subcode_of(finding) != "DMPInvalidRequest"
    for rule in RESPONSES:
        finding = book.found(rule.id, hit, CTX, "metadata")
        assert finding is not None
        assert error_code(finding)
    for rule_id in ("INS-004", "INS-150", "DOC-META-02", "MET-12"):
        finding = book.found(rule_id, hit, CTX, "metadata:Document01")
        assert finding is not None
        assert error_code(finding) == DEFAULT
