"""The containers of one message: a twin is seen, each fault has one finding, and values stand side by side."""

from __future__ import annotations

from gateway.identity.model import IdentityView
from gateway.values import Direction, Door
from tests.support.identity_views import (
    COLETTE,
    ODETTE,
    cda,
    context,
    datamatrix,
    fhir,
    ids,
    ins,
    ipp,
    judged,
    lot,
    mail,
    metadata,
    vihf,
)

TWIN = (ins(COLETTE, type_code="NH"), ipp())


def twin_letter() -> tuple[IdentityView, ...]:
    return lot(), metadata(), cda(identifiers=(ins(COLETTE),), birth_given="COLETTE", given_list="COLETTE JEANNE")


def test_a_twins_letter_is_stopped_with_the_values_side_by_side() -> None:
    findings = judged(*twin_letter())
    assert ids(findings) == {"INS-150", "INS-153"}
    by_rule = {finding.rule: finding for finding in findings}
    matricule, given = by_rule["INS-150"], by_rule["INS-153"]
    assert [(v.container, v.value) for v in matricule.values] == [
        ("metadata:DOC0001.XML", "2360········[1]7[9] (.10)"),
        ("cda:DOC0001.XML", "2360········[2]7[8] (.10)"),
        ("metadata:lot", "2360········[1]7[9] (.10)"),
    ]
    assert [(v.container, v.value) for v in given.values] == [
        ("metadata:DOC0001.XML", "[OD]····(6)"),
        ("cda:DOC0001.XML", "[COL]····(7)"),
    ]
    assert matricule.container == given.container == "cda:DOC0001.XML"
    assert matricule.message.fr == "Matricule ou OID différents entre metadata:DOC0001.XML et cda:DOC0001.XML."
    assert all(v.path for v in matricule.values + given.values)


def test_a_twins_letter_is_refused_when_sent_and_set_aside_when_received() -> None:
    for direction, action in ((Direction.EMISSION, "reject"), (Direction.RECEPTION, "quarantine")):
        findings = judged(*twin_letter(), ctx=context(direction))
        assert {finding.action.value for finding in findings} == {action}


def test_a_lot_that_differs_from_its_entries_is_told_once() -> None:
    assert ids(judged(lot(identifiers=TWIN[:1]), metadata(), cda())) == {"INS-131"}


def test_two_patients_in_one_package_are_told_as_such_and_not_as_a_mismatch() -> None:
    sister = {"birth_given": "COLETTE", "birth_family": "PETIT"}
    entry = metadata(label="metadata:DOC0002.XML", identifiers=TWIN, **sister)
    document = cda(label="cda:doc0002.xml", identifiers=(ins(COLETTE),), given_list="COLETTE JEANNE", **sister)
    assert ids(judged(metadata(), cda(), entry, document)) == {"INS-131", "INS-136"}
    changed = cda(label="cda:DOC0002.XML", identifiers=(ins(COLETTE),), birth_given="ODETTE", birth_family="PETIT")
    assert ids(judged(metadata(), cda(), entry, changed)) == {"INS-131", "INS-136", "INS-153"}


def test_two_documents_of_two_patients_without_a_package_differ() -> None:
    assert ids(judged(cda(), cda(label="cda:2.XML", identifiers=(ins(COLETTE),)))) == {"INS-150"}


def test_the_same_number_under_another_oid_is_another_ins() -> None:
    findings = judged(metadata(), cda(identifiers=(ins(ODETTE, "1.2.250.1.213.1.4.11"),)))
    assert ids(findings) == {"INS-150"}
    assert [v.value for v in findings[0].values] == ["2360·········79 (.10)", "2360·········79 (.11)"]


def test_a_corsican_letter_in_lower_case_is_the_same_patient() -> None:
    corsica = "180032B02040123"
    traits = {"sex": "M", "birth_date": "19800302"}
    pair = (
        metadata(identifiers=(ins(corsica, type_code="NH"),), **traits),
        cda(identifiers=(ins(corsica.lower()),), birth_place="2B020", **traits),
        mail(f"{corsica.lower()}@patient.mssante.fr"),
    )
    assert ids(judged(*pair)) == {"INS-010"}


def test_what_the_metadata_leave_out_is_told_and_what_differs_is_told_by_its_trait() -> None:
    assert ids(judged(metadata(birth_family=None, birth_date=None), cda())) == {"INS-132"}
    assert ids(judged(metadata(birth_family="PETIT"), cda())) == {"INS-151"}


def test_accents_and_case_between_containers_are_a_spelling() -> None:
    findings = judged(
        fhir(birth_given="ANNE MARIE", given_list="ANNE MARIE"), cda(birth_given="ANNE-MARIE", given_list="ANNE-MARIE")
    )
    assert ids(findings) == {"INS-152"}
    assert [v.value for v in findings[0].values] == ["AXXX XXXXX(10)", "AXXX-XXXXX(10)"]


def test_a_shorter_list_that_is_the_head_of_the_other_agrees() -> None:
    assert judged(fhir(given_list="ODETTE"), cda()) == []
    assert ids(judged(fhir(given_list="ODETTE MARIE"), cda())) == {"INS-153"}


def test_a_century_apart_is_told_as_a_date_and_as_a_century() -> None:
    assert ids(judged(metadata(birth_date="18360214"), cda())) == {"INS-054", "INS-064", "INS-155"}


def test_dates_are_compared_across_formats() -> None:
    assert judged(fhir(), cda(), datamatrix()) == []


def test_the_vihf_is_compared_with_the_lot() -> None:
    assert ids(judged(vihf(identifiers=TWIN[:1]), lot(), metadata(), ctx=context(door=Door.DMP))) == {"INS-134"}


def test_a_patient_address_must_match_the_matricule_in_the_document() -> None:
    findings = judged(mail(f"{COLETTE}@patient.mssante.fr"), metadata(), cda())
    assert ids(findings) == {"INS-144"}
    assert [v.value for v in findings[0].values] == ["2360········[2]7[8]@patient.mssante.fr", "2360········[1]7[9]"]


def test_a_malformed_patient_address_is_not_also_a_stranger() -> None:
    assert ids(judged(mail("2360248907@patient.mssante.fr"), cda())) == {"INS-145"}


def test_one_of_several_documents_may_be_of_the_patient_who_receives() -> None:
    other = cda(label="cda:2.XML", identifiers=(ins(COLETTE),))
    assert "INS-144" not in ids(judged(mail(), cda(), other))


def test_a_package_of_two_hundred_documents_lists_a_bounded_number_of_values() -> None:
    views = [
        view
        for n in range(200)
        for view in (metadata(label=f"metadata:{n}.XML"), cda(label=f"cda:{n}.XML", identifiers=(ins(COLETTE),)))
    ]
    findings = judged(*views)
    assert {len(finding.values) for finding in findings if finding.rule == "INS-150"} == {20}


def test_a_birth_still_to_come_is_not_also_a_document_older_than_its_patient() -> None:
    assert ids(judged(cda(birth_date="20360214"))) == {"INS-053"}
