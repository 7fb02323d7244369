"""Each card of this room is raised by a rule or by the opening, and says everything a reader needs."""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from gateway.documents.rules import DOCUMENT_RULES, METADATA_CDA_RULES, METADATA_RULES, PACKAGE_RULES
from gateway.exchange.opening import open_message
from gateway.messaging.header_rules import MAIL_RULES
from gateway.rules import Action, Family, RuleCard, Severity, load_catalogue
from gateway.tables import fixtures_dir, read_yaml
from tests.support.handmade import mail_bytes

FILES = ("package", "document", "mail", "abuse")
RULE_IDS = {
    r.id for rules in (DOCUMENT_RULES, METADATA_RULES, METADATA_CDA_RULES, PACKAGE_RULES, MAIL_RULES) for r in rules
}
OPENING = ("documents", "messaging", "exchange")


def cards() -> list[RuleCard]:
    catalogue = load_catalogue()
    return [catalogue[entry["id"]] for name in FILES for entry in read_yaml(f"rules/{name}.yaml")["rules"]]


def raised_while_opening() -> set[str]:
    """Ids that stand in the code of the opening modules."""
    root = fixtures_dir().parent / "gateway"
    sources = [p for room in OPENING for p in (root / room).glob("*.py") if re.match(r"open|xml", p.name)]
    return {
        found
        for p in sources
        for found in re.findall(r'"((?:ABU|CDA|DOC|ECO|XDM)-\d{2})"', Path(p).read_text(encoding="utf-8"))
    }


def test_every_card_is_raised_somewhere() -> None:
    assert {c.id for c in cards()} - RULE_IDS - raised_while_opening() == set()


def test_everything_raised_has_a_card() -> None:
    catalogue = load_catalogue()
    assert {i for i in RULE_IDS | raised_while_opening() if i not in catalogue} == set()


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.id)
def test_a_card_teaches(card: RuleCard) -> None:
    for text in (card.title, card.message, card.cure):
        assert text.fr
        assert text.en
    assert card.cure.fr.rstrip().endswith(".")
    assert card.source
    assert card.passing
    assert card.breaking
    assert card.applies_to


def test_abuse_is_refused_both_ways() -> None:
    for card in cards():
        if card.family is Family.ABUSE:
            assert (card.emission, card.reception, card.reception_action) == (
                Severity.BLOCKING,
                Severity.BLOCKING,
                Action.REJECT,
            )


def test_a_message_is_opened_in_another_process() -> None:
    raw = mail_bytes()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(open_message, raw, "mail").result() == open_message(raw, "mail")
