"""One identity out of all the containers of a message, for the matching on receipt."""

from __future__ import annotations

import json

import pytest

from gateway.exchange.received import said_by, told_by, told_of, told_record
from gateway.identity.local import Ins
from gateway.identity.model import INS_NIA, INS_NIR, INS_TEST
from gateway.rules import Finding, RuleBook, load_catalogue
from gateway.rules.verdict import Integration
from gateway.values import Direction
from tests.support.fhir_resources import fhir_view
from tests.support.hl7_messages import changed
from tests.support.identity_views import COLETTE, ODETTE, cda, context, ins, judged, lot, mail, metadata

TRAITS = ("BRUNEL", "ODETTE", "ODETTE JEANNE", "F", "1936-02-14", "48907")


@pytest.mark.parametrize(
    "views", [(cda(),), (lot(), metadata(), cda()), (cda(), metadata()), (fhir_view(),), (changed(),)]
)
def test_every_kind_of_container_tells_the_same_person(views) -> None:
    said = said_by(views)
    assert said is not None
    told = said.traits
    assert (told.birth_family, told.birth_given, told.given_list, told.sex, told.birth_date, told.birth_place) == TRAITS
    assert said.ins == Ins(ODETTE, INS_TEST)
    assert told_by(said, (), Integration.ALLOWED, "strict").received.complete


def test_a_citizens_address_alone_names_no_patient() -> None:
    assert said_by((mail(),)) is None
    assert said_by(()) is None


def test_of_a_nir_and_a_nia_the_nir_is_kept() -> None:
    said = said_by((cda(identifiers=(ins(COLETTE, INS_NIA), ins(ODETTE, INS_NIR))),))
    assert said is not None
    assert said.ins == Ins(ODETTE, INS_NIR)


def received(*views, integration: Integration = Integration.ALLOWED, findings: list[Finding] | None = None):
    said = said_by(views)
    assert said is not None
    return told_by(said, findings or (), integration, "strict").received


def test_what_is_missing_makes_an_ins_incomplete() -> None:
    assert not received(cda(sex=None)).complete
    assert not received(cda(birth_place=None)).complete
    assert not received(cda(identifiers=(ins(ODETTE[:13]),))).complete
    assert not received(cda(birth_date="1936")).complete


def test_a_wrong_key_a_status_that_forbids_it_and_a_door_that_strips_it_are_told_apart() -> None:
    assert not received(cda(identifiers=(ins(ODETTE[:13] + "80"),))).key_valid
    assert not received(changed(status="PROV")).trusted
    assert not received(cda(), integration=Integration.WITHOUT_INS).trusted
    assert received(cda()).trusted


def test_a_message_that_contradicts_itself_is_not_read_as_a_patient() -> None:
    views = (metadata(identifiers=(ins(COLETTE, type_code="NH"),)), cda())
    book = RuleBook(load_catalogue())
    findings = judged(*views, ctx=context(Direction.RECEPTION), book=book)
    assert received(*views, integration=Integration.STOPPED, findings=findings).contradicted
    assert not received(cda()).contradicted


def test_a_message_about_several_persons_joins_nobody_by_itself() -> None:
    assert received(cda(person="a"), cda(person="b")).contradicted


def test_it_travels_as_json_and_comes_back_as_it_was() -> None:
    said = said_by((cda(), metadata()))
    assert said is not None
    told = told_by(said, (), Integration.ALLOWED, "strict")
    assert told_of(json.loads(json.dumps(told_record(told)))) == told
