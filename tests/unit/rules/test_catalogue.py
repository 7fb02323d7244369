"""Every rule has an identity card that teaches, in both languages; every rule function has its card."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import gateway
from gateway.rules import Rule, RuleCard, Scope, load_catalogue
from gateway.rules.words import CONFIDENCE

CARDS = tuple(load_catalogue())
SHOWN = ("title", "message", "cure", "violated_when", "exceptions", "passing", "breaking")
_ADDRESS = re.compile(r"\S+@\S+|\S+\.(?:pdf|xml|zip)\b", re.IGNORECASE)
_ENGLISH = re.compile(r"\b(?:the|is|are|and|not|of|with|without|from|than)\b")
_FRENCH = re.compile(
    r"\b(?:le|la|les|un|une|des|du|de|au|aux|est|et|ou|sans|avec|dans|pour|sur|pas|deux|aucune?|seule?|même|mêmes)\b"
    r"|\b[dl]'(?=[a-zéê])|[àâçéèêîôùû]"
)
# examples that are values of the field, in its own words, whoever reads them
VALUES = {"CDA-06", "DMP-27", "DOC-META-01", "ECO-01", "ECO-04", "ECO-10", "INS-146", "MET-12"}


def implemented() -> set[str]:
    """The ids of every rule function of the core."""
    found: set[str] = set()
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Rule):
                found.add(value.id)
    return found


IMPLEMENTED = implemented()


def test_every_rule_function_has_its_card():
    assert {card.id for card in CARDS} >= IMPLEMENTED


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_card_says_what_is_wrong_how_to_mend_and_from_which_source(card: RuleCard):
    for text in (card.title, card.message, card.cure):
        assert text.fr.strip()
        assert text.en.strip()
        assert text.fr != text.en or len(text.fr.split()) <= 4
    assert card.source.strip()
    assert card.confidence in CONFIDENCE
    assert "TODO" not in str(card)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_every_text_a_card_shows_is_in_both_languages(card: RuleCard):
    for name in SHOWN:
        text = getattr(card, name)
        assert bool(text.fr.strip()) is bool(text.en.strip()), name
        if name in ("violated_when", "exceptions") and text:
            assert text.fr != text.en, name
        if text.fr != text.en:
            assert not _ENGLISH.search(_ADDRESS.sub("", text.fr)), (name, text.fr)


@pytest.mark.parametrize("card", [c for c in CARDS if c.id not in VALUES], ids=lambda card: card.id)
def test_no_french_word_is_left_in_what_an_english_reader_sees(card: RuleCard):
    """Nor in an example given once for both languages: that one is a value, not words."""
    for name in SHOWN:
        told = re.sub(r"IGC-Santé|MSSanté|Annuaire Santé|Pro Santé|département", "", getattr(card, name).en)
        assert not _FRENCH.search(_ADDRESS.sub("", told)), (name, told)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_card_fills_the_same_blanks_in_both_languages(card: RuleCard):
    french, english = (set(re.findall(r"{(\w+)}", text)) for text in (card.message.fr, card.message.en))
    assert {blank.removesuffix("_en") for blank in english} == french
    assert all(blank == "trait_en" for blank in english - french), "only a trait is told by a second parameter"


@pytest.mark.parametrize("card", [c for c in CARDS if c.id in IMPLEMENTED], ids=lambda card: card.id)
def test_an_implemented_rule_shows_a_passing_and_a_breaking_example(card: RuleCard):
    assert card.passing
    assert card.breaking
    assert card.scope is not Scope.INVARIANT


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_no_card_holds_a_whole_matricule_in_its_texts(card: RuleCard):
    for text in (card.title, card.message, card.cure):
        assert not re.search(r"\b[12]\d{14}\b", text.fr + text.en)
