"""Who may receive what, class by class."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.partners.rights import RULES, Addressee, RoutedDocument, Routing, rights_table
from gateway.rules import RuleBook, RuleContext, load_catalogue
from gateway.values import Direction, Door, PlaceKind, Where

CTX = RuleContext(Direction.EMISSION, Door.SUBMISSION, date(2026, 1, 1))
BOOK = RuleBook(load_catalogue())
HERE = Where(PlaceKind.XPATH, "/ClinicalDocument")


def routing(
    routing_class: str, nature: str = "sante", *, ins: bool = False, consent: bool = False, personal: bool = False
) -> Routing:
    to = Addressee("x@y.mssante.fr", routing_class, "Y", personal, Where(PlaceKind.SMTP, "RCPT TO:<x@y.mssante.fr>"))
    return Routing((to,), (RoutedDocument("cda:A", nature, "11490-0", ins, HERE),), consent)


def refused(subject: Routing) -> set[str]:
    return {f.rule for f in BOOK.judge(RULES, subject, CTX, "mail")}


@pytest.mark.parametrize("routing_class", ["SAN", "MS", "MDPH", "CD-EMS", "USAGER"])
def test_care_and_assessment_receive_health_documents_with_their_ins(routing_class: str):
    assert refused(routing(routing_class, ins=True)) == set()


@pytest.mark.parametrize("routing_class", ["SOC-SIAO", "CD-ADM"])
def test_housing_and_administration_never_receive_health_documents(routing_class: str):
    assert refused(routing(routing_class)) == {"GW-RIGHTS-01"}
    assert refused(routing(routing_class, consent=True)) == {"GW-RIGHTS-01"}
    assert refused(routing(routing_class, "social")) == set()


def test_a_shelter_receives_them_with_consent_only():
    assert refused(routing("SOC-L312")) == {"GW-RIGHTS-03"}
    assert refused(routing("SOC-L312", consent=True)) == set()


@pytest.mark.parametrize("routing_class", ["SOC-SIAO", "CD-ADM", "SOC-L312"])
def test_the_ins_stays_within_its_circle(routing_class: str):
    assert refused(routing(routing_class, "social", ins=True)) == {"GW-RIGHTS-04"}


def test_partners_are_written_to_at_their_organisational_mailbox():
    assert refused(routing("MDPH", personal=True)) == {"GW-RIGHTS-07"}
    assert refused(routing("SAN", personal=True)) == set()


def test_a_recipient_nobody_knows_is_not_judged_here():
    assert refused(routing("?", ins=True)) == set()


def test_the_refusal_names_the_recipient_the_document_and_what_he_may_receive():
    (finding,) = BOOK.judge(RULES, routing("SOC-SIAO"), CTX, "mail")
    assert "x@y.mssante.fr" in finding.message.fr
    assert "cda:A" in finding.message.fr
    assert finding.expected == "social"
    assert finding.where.path == "RCPT TO:<x@y.mssante.fr>"


def test_every_class_of_the_table_says_something_of_every_nature():
    for right in rights_table().values():
        assert set(right.natures.values()) | {right.ins} <= {"yes", "no", "consent"}
