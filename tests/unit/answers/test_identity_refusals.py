"""INS-203: a negative answer for an identity cause names its rule, and the code its protocol has for it, in every protocol."""

from __future__ import annotations

from datetime import date

import pytest
from lxml import etree

from gateway.answers import insi, registry, smtp, soap
from gateway.messaging.failures import failure_of
from gateway.rules import Action, Finding, Hit, RuleBook, RuleCard, RuleContext, Scope, Severity, load_catalogue
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.values import Direction, Door, Lang, PlaceKind, Where

CARDS = tuple(card for card in load_catalogue() if card.id.startswith("INS-"))
BOOK = RuleBook(load_catalogue())
PLACE = Where(PlaceKind.XPATH, "/ClinicalDocument/recordTarget", 18)
NEGATIVE = {str(code) for code in range(902, 907)}  # ERR-5, table 0533 as the French volet uses it
_REGISTRY_ERRORS = ("XDS", "Invalid", "DMP")


def found(card: RuleCard, direction: Direction = Direction.EMISSION) -> Finding:
    """A finding of this rule, graver than its card when the workspace made it so."""
    hit = Hit(PLACE, "2390···", "2391···", severity=Severity.BLOCKING)
    finding = BOOK.found(card.id, hit, RuleContext(direction, Door.SUBMISSION, date(2026, 1, 5)), "cda:DOC0001.XML")
    assert finding is not None
    return finding


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
@pytest.mark.parametrize("lang", [Lang.FR, Lang.EN])
def test_an_smtp_refusal_names_the_rule_and_the_status_of_a_policy(card: RuleCard, lang: Lang) -> None:
    decision = Decision(Outcome.REJECT, Integration.STOPPED, (found(card),))
    reply = smtp.reply_for(decision, "0123", lang).wire()
    assert reply.startswith(("554-5.7.1 ", "554 5.7.1 "))
    assert card.id in reply
    assert failure_of(reply).rules[:1] == (card.id,), "the report that the sender's operator makes of it names it too"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_fault_of_the_dmp_names_the_rule_and_a_subcode(card: RuleCard) -> None:
    reply = soap.fault_for([found(card)], "urn:uuid:a", "urn:uuid:b", "0123")
    told = etree.fromstring(reply.body)
    assert reply.subcode in ("DMPInvalidIdentity", "DMPInvalidVIHF")
    assert reply.subcode in "".join(told.itertext())
    assert told.xpath("//*[local-name()='finding']/@rule") == [card.id]
    assert all(card.id in text for text in told.xpath("//*[local-name()='Reason']/*/text()"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_registry_error_names_the_rule_and_an_error_code(card: RuleCard) -> None:
    told = etree.fromstring(registry.response_for([found(card)], refused=True))
    (error,) = told.xpath("//*[local-name()='RegistryError']")
    assert error.get("codeContext").startswith(card.id)
    assert error.get("errorCode").startswith(_REGISTRY_ERRORS)


@pytest.mark.parametrize("card", [c for c in CARDS if "INSi" in c.applies_to], ids=lambda card: card.id)
def test_a_fault_of_insi_names_the_rule_and_a_code(card: RuleCard) -> None:
    reply = insi.fault_for([found(card)], None, "urn:uuid:a", "urn:uuid:b", "0123")
    told = etree.fromstring(reply.body)
    assert told.xpath("//*[local-name()='finding']/@rule") == [card.id]
    (code,) = told.xpath("//*[local-name()='Erreur']/@code")
    assert code == reply.subcode != ""


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_finding_keeps_the_hl7_error_of_its_card(card: RuleCard) -> None:
    assert found(card, Direction.RECEPTION).to_json()["hl7_error"] == card.hl7_error
    assert card.hl7_error in {"", *NEGATIVE}


def test_what_a_hl7_receiver_refuses_for_its_identity_has_an_application_error() -> None:
    """A match with the recipient's index takes the error of the decision table: `test_matching` holds it."""
    refusing = (Action.REJECT, Action.QUARANTINE)
    told_by_the_card = (Scope.VIEW, Scope.CROSS, Scope.MESSAGE)
    lacking = [
        card.id
        for card in CARDS
        if card.scope in told_by_the_card
        and "HL7v2" in card.applies_to
        and card.reception_action in refusing
        and card.reception is Severity.BLOCKING
        and not card.hl7_error
    ]
    assert lacking == []
