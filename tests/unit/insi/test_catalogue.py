"""Every INSi card is used, and each refusal has its native answer."""

from __future__ import annotations

import re

from lxml import etree

from gateway.answers.insi import CODES, code_of, fault_for, problem_for
from gateway.insi.model import Operation
from gateway.rules import Hit, load_catalogue
from gateway.values import PlaceKind, Where
from tests.support.insi_cases import BOOK, CTX
from tests.support.reference import ROOT

CARDS = [card for card in load_catalogue() if card.id.startswith("INSI-")]
WHERE = Where(PlaceKind.XPATH, "/Envelope/Body")


def named() -> set[str]:
    """Every INSI rule id that the code names."""
    files = [*(ROOT / "gateway" / "insi").glob("*.py"), *(ROOT / "gateway" / "exchange").glob("insi*.py")]
    files += (ROOT / "adapters" / "insi").glob("*.py")
    return set(re.findall(r'"(INSI-\d\d)"', "".join(f.read_text(encoding="utf-8") for f in files)))


def test_each_card_is_used_and_each_rule_named_has_its_card() -> None:
    assert {card.id for card in CARDS} == named()


def test_codes_are_of_rules_that_exist() -> None:
    assert set(CODES) <= set(load_catalogue().cards)


def test_each_refusal_is_a_fault_and_a_problem_that_teach() -> None:
    for rule in (*(c.id for c in CARDS), "INS-185", "INS-186", "INS-187", "ABU-01"):
        finding = BOOK.found(rule, Hit(WHERE, "a<b", 'c"d'), CTX, "soap")
        assert finding is not None
        reply = fault_for((finding,), Operation.TRAITS, "uuid:2", 'uuid:"1', "e")
        root = etree.fromstring(reply.body)
        (erreur,) = root.iter("{urn:siram}Erreur")
        assert erreur.get("code") == reply.subcode
        assert erreur.get("severite") == "fatale"
        (told,) = root.iter("{urn:passerelle:insi}finding")
        assert (told.get("rule"), told.get("received")) == (rule, "a<b")
        assert {t.get("{http://www.w3.org/XML/1998/namespace}lang") for t in root.iter("{*}Text")} == {"fr", "en"}
        problem = problem_for((finding,), "e")
        assert problem.status in (403, 404, 408, 413, 415, 422, 503)


def test_the_card_search_has_a_technical_code_of_its_own() -> None:
    finding = BOOK.found("INS-194", Hit(WHERE, "x", "y"), CTX, "soap")
    assert finding is not None
    codes = {op: fault_for((finding,), op, "", "", "").subcode for op in Operation}
    assert codes == {Operation.CARD: "insi_101", Operation.TRAITS: "insi_102", Operation.VERIFY: "insi_102"}
    assert code_of(finding).soap == "Receiver"
