"""The cards of identity vigilance are complete, bilingual, and give nobody away."""

from __future__ import annotations

import re

from gateway.identity.ins_change import CHANGE_RULES
from gateway.identity.record_rules import RECORD_RULES
from gateway.identity.rules import CROSS_RULES, VIEW_RULES
from gateway.identity.used_names import USED_NAME_RULES
from gateway.rules import Family, RuleCard, Scope, load_catalogue

CARDS: list[RuleCard] = [card for card in load_catalogue() if card.id.startswith("INS-")]
MATRICULE = re.compile(r"[1-8][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6,8}")


def test_the_whole_published_catalogue_has_its_cards() -> None:
    assert len(CARDS) >= 166


def test_every_card_has_two_languages_a_cure_a_source_and_examples() -> None:
    for card in CARDS:
        for text in (card.title, card.message, card.cure):
            assert text.fr
            assert text.en
        assert card.cure.fr.endswith(".")
        assert card.cure.en.endswith(".")
        assert card.source
        assert card.passing
        assert card.breaking
        assert card.confidence in {"D", "S", "I", "C"}


def test_no_text_holds_a_matricule() -> None:
    for card in CARDS:
        assert not MATRICULE.search(
            " ".join((card.message.fr, card.message.en, card.cure.fr, card.cure.en, card.title.fr))
        )


def test_header_rules_are_mail_rules_on_messages_and_none_is_abuse() -> None:
    by_id = {card.id: card for card in CARDS}
    for number in (140, 141, 142, 143, 147, 148):
        assert by_id[f"INS-{number}"].family is Family.MAIL
        assert by_id[f"INS-{number}"].scope is Scope.MESSAGE
    assert Family.ABUSE not in {card.family for card in CARDS}


def test_the_scope_of_a_card_is_what_its_function_looks_at() -> None:
    by_id = {card.id: card for card in CARDS}
    assert {by_id[rule.id].scope for rule in VIEW_RULES} == {Scope.VIEW}
    assert {by_id[rule.id].scope for rule in CROSS_RULES} == {Scope.CROSS}
    assert {by_id[rule.id].scope for rule in (*RECORD_RULES, *USED_NAME_RULES)} == {Scope.BASE}
    assert {by_id[rule.id].scope for rule in CHANGE_RULES} == {Scope.MATCHING}
