"""One finding for one fault in a PID, and the faults that its neighbours must not hide."""

from __future__ import annotations

import pytest

from gateway.identity.model import INS_NIR
from gateway.identity.reading import by_person
from gateway.rules import Action, Severity
from gateway.values import Direction
from tests.support.hl7_messages import HOME, INS, IPP, NULL_INS, Pid, adt, changed, judged_message, oru, view_of
from tests.support.identity_examples_hl7 import DELETION, OLD_INS
from tests.support.identity_views import COLETTE, ODETTE, cda, context, fhir, hl7, ids, ins, ipp, judged, told


def found(**changes: str) -> set[str]:
    return ids(judged(changed(**changes)))


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, set()),
        ({"status": ""}, {"INS-100"}),
        ({"status": "", "ids": IPP}, {"INS-100"}),
        ({"status": "PROV"}, {"INS-101"}),
        ({"status": "PROV", "ids": IPP}, set()),
        ({"status": "QUAL"}, {"INS-101", "INS-102"}),
        ({"status": "DOUA", "ids": IPP}, {"INS-100"}),
        ({"names": ""}, {"INS-103"}),
        ({"names": "BRUNEL^ODETTE^ODETTE JEANNE"}, {"INS-103"}),
        ({"names": "BRUNEL^ODETTE^ODETTE JEANNE^^^^L~BRUNET^ODETTE^^^^^L"}, {"INS-103"}),
        ({"names": "^ODETTE^ODETTE JEANNE^^^^L"}, {"INS-032"}),
        ({"names": "BRUNEL^^^^^^L"}, {"INS-105"}),
        ({"names": "BRUNEL^^ODETTE JEANNE^^^^L"}, {"INS-106"}),
        ({"names": "BRUNEL^ODETTE^ODETTE JEANNE^^^^^L"}, {"INS-106"}),
        ({"addresses": ""}, {"INS-108"}),
        ({"addresses": "^^^^48907^^BDL"}, {"INS-108"}),
        ({"addresses": f"{HOME}^^48907"}, {"INS-108", "INS-109"}),
        ({"addresses": f"{HOME}^^48907", "ids": IPP, "status": "PROV"}, {"INS-109"}),
        ({"sex": ""}, {"INS-032"}),
        ({"sex": "U"}, {"INS-057"}),
        ({"sex": "O"}, {"INS-112"}),
        ({"birth_date": ""}, {"INS-032"}),
        ({"birth_date": "1936"}, {"INS-052"}),
        ({"birth_date": "193602141200"}, set()),
    ],
)
def test_each_fault_of_a_pid_has_its_rules(changes: dict[str, str], rules: set[str]) -> None:
    assert found(**changes) == rules


@pytest.mark.parametrize(
    ("matricule", "rules"),
    [
        (ODETTE[:13], {"INS-002"}),
        ("2 36 02 48 907 041 79", {"INS-010"}),
        ("23602489O704179", {"INS-003"}),
        (ODETTE + "0", {"INS-001"}),
        (ODETTE[:13] + "80", {"INS-004"}),
    ],
)
def test_each_fault_of_a_matricule_is_told_once(matricule: str, rules: set[str]) -> None:
    assert found(ids=INS.replace(ODETTE, matricule)) == rules


def test_a_test_number_under_a_production_oid_is_told() -> None:
    assert found(ids=INS.replace("1.2.250.1.213.1.4.10", INS_NIR)) == {"INS-023"}


def test_a_sex_outside_the_table_is_blocking_beside_an_ins_only() -> None:
    assert [f.severity for f in judged(changed(sex="O"))] == [Severity.BLOCKING]
    assert [f.severity for f in judged(changed(sex="O", ids=IPP, status="PROV"))] == [Severity.WARNING]


def test_a_status_that_is_only_wished_is_a_warning() -> None:
    assert [f.severity for f in judged(changed(status="", ids=IPP))] == [Severity.WARNING]


def test_the_ins_is_set_aside_on_reception_and_the_code_of_the_refusal_kept() -> None:
    [finding] = judged(changed(status="PROV"), ctx=context(Direction.RECEPTION))
    assert (finding.action, finding.hl7_error) == (Action.STRIP_INS, "903")
    assert "PROV" in finding.message.fr


def test_where_a_birthplace_was_put_is_told() -> None:
    [finding] = judged(changed(addresses="^^^^48907^^BDL"))
    assert (finding.received, finding.where.path) == ("XAD-5", "PID-11[1]")


def _a47(pid_3: str, *more: str) -> set[str]:
    return ids(judged(view_of(adt(Pid(ids=pid_3, status="VALI"), *more, event="A47", structure="ADT_A30"))))


def test_a_deletion_well_made_has_nothing_to_say() -> None:
    assert judged(DELETION) == []


@pytest.mark.parametrize(
    ("pid_3", "more", "malformed"),
    [
        (f"{IPP}~{INS}", [f"MRG|{OLD_INS}"], False),
        (f"{IPP}~{INS}", [], True),
        (f"{IPP}~{INS}", ["MRG|"], True),
        (f"{IPP}~{NULL_INS}", [f"MRG|{IPP}"], True),
        (f"{IPP}~{NULL_INS}", [f"MRG|{INS}"], False),
        (f"{IPP}~{INS}", [f"MRG|{INS}"], True),
        (IPP, [f"MRG|{INS}"], True),
        (IPP, ["MRG|AUTRE^^^CH&1.2.250.1.999.1&ISO^PI"], False),
        (f"{IPP}~{INS}", ["MRG|AUTRE^^^CH&1.2.250.1.999.1&ISO^PI"], False),
    ],
)
def test_each_form_of_an_a47(pid_3: str, more: list[str], malformed: bool) -> None:
    assert ("INS-113" in _a47(pid_3, *more)) is malformed


def test_the_former_ins_of_a_merge_is_never_compared_with_the_new_one() -> None:
    assert _a47(f"{IPP}~{INS}", f"MRG|{OLD_INS}") == set()


# ------------------------------------------------------------------------------------------------------ PID and document


def test_identifiers_that_differ_are_one_finding() -> None:
    other = hl7(identifiers=(ins(COLETTE, type_code="INS"), ipp()))
    assert ids(judged(other, cda())) == {"INS-157"}
    assert ids(judged(hl7(identifiers=(ipp(),)), cda())) == {"INS-157"}
    assert ids(judged(hl7(identifiers=(ins(type_code="INS"),)), cda())) == {"INS-157"}


def test_identifiers_of_other_types_stand_aside() -> None:
    more = (ins(type_code="INS"), ipp(), ipp("NDP1", "1.2.250.1.176.1.2", "NDP"))
    assert judged(hl7(identifiers=more), cda()) == []


def test_an_ipp_of_a_local_authority_is_compared_by_its_value() -> None:
    assert judged(hl7(identifiers=(ins(type_code="INS"), ipp(oid=""))), cda()) == []
    assert ids(judged(hl7(identifiers=(ins(type_code="INS"), ipp("AUTRE", oid=""))), cda())) == {"INS-157"}


def test_the_social_security_number_of_a_document_stands_aside() -> None:
    document = cda(identifiers=(ins(), ipp(type_code=""), ins(COLETTE, "1.2.250.1.213.1.4.13")))
    assert judged(hl7(), document) == []


def test_the_finding_shows_both_sets_masked() -> None:
    [finding] = judged(hl7(identifiers=(ins(COLETTE, type_code="INS"), ipp())), cda())
    text = str(finding.to_json())
    assert ODETTE not in text
    assert COLETTE not in text
    assert "CH000102" not in text
    assert [v.container for v in finding.values] == ["pid", "cda:DOC0001.XML"]


def test_traits_of_pid_and_document_are_compared() -> None:
    assert ids(judged(hl7(birth_family="BRUNET"), cda())) == {"INS-151"}
    assert ids(judged(hl7(birth_place="48908"), cda())) >= {"INS-156"}


def test_a_document_message_without_an_ins_says_so() -> None:
    raw = oru(b"un mot", Pid(ids=IPP, status="PROV"))
    assert "INS-031" in ids(judged_message(raw))


# ----------------------------------------------------------------------------------------------------------------- persons


def test_views_of_different_persons_are_never_compared() -> None:
    one, other = fhir(person="a"), fhir(person="b", birth_family=told("BRUNET"))
    assert by_person((one, other, cda(person="a"))) == [(one, cda(person="a")), (other,)]
    assert by_person(()) == []
    assert by_person((one,)) == [(one,)]
