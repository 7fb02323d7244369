"""What a message declares of the reliability of an identity: which silences are faults, and which are not."""

from __future__ import annotations

import pytest

from gateway.identity.proofs import proof_kinds
from gateway.identity.rules_status import RULES
from gateway.rules import RuleBook, load_catalogue
from tests.support.fhir_resources import fhir_view, status
from tests.support.hl7_messages import IPP, Pid, adt, changed, view_of
from tests.support.identity_views import cda, context, ids, metadata

BOOK = RuleBook(load_catalogue())
METHOD = {"url": "validationMode", "valueCoding": {"code": "PC"}}


def told(view: object) -> set[str]:
    return ids(BOOK.judge(RULES, view, context(), "x"))  # type: ignore[arg-type]


def test_a_status_alone_says_nothing_of_proofs_nor_of_insi():
    assert told(changed()) == told(fhir_view()) == told(fhir_view(version="2.2")) == set()


def test_containers_that_declare_no_status_are_not_judged():
    assert told(cda()) == told(metadata()) == set()


def test_the_appli_carte_vitale_is_a_proof_and_an_answer_at_once():
    assert told(view_of(adt(None, "ZFD|||Y|N|||AV"))) == set()
    assert told(view_of(adt(None, "ZFD|||Y|N|AV|20260301"))) == set()


def test_a_provisional_identity_owes_neither_proof_nor_insi():
    assert told(view_of(adt(Pid(ids=IPP, status="PROV"), "ZFD|||Y|N|SM|20260301"))) == set()


@pytest.mark.parametrize("kind", [k for k in proof_kinds().values() if k.high_trust or k.to_decide])
def test_a_proof_whose_rank_the_structure_decides_is_not_held_against_it(kind):
    assert "INS-081" not in told(view_of(adt(None, f"ZFD|||Y|N|INSI|20260301|{kind.code}")))


def test_a_fhir_patient_may_name_a_proof_of_too_low_trust():
    assert told(fhir_view(extension=[status("VALI", "x", METHOD)])) == {"INS-081"}


def test_the_kinds_of_proof_are_those_of_the_standard_and_none_comes_first_by_default():
    assert len(proof_kinds()) == 14
    assert [k.code for k in proof_kinds().values() if not (k.high_trust or k.to_decide)] == ["PC"]
    assert all(k.label.fr and k.label.en for k in proof_kinds().values())
