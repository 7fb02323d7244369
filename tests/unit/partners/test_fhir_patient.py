"""A FHIR Patient read into a view, under both versions of FR Core, and judged once for each fault."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.identity.model import INS_NIA, INS_NIR
from gateway.identity.rules_fhir import STATUS_2_1, STATUS_2_2
from gateway.rules import Severity
from tests.support.fhir_resources import CORE, fhir_view, identifier, octets, patient, status
from tests.support.hl7_messages import judged_message
from tests.support.identity_examples_fhir import NO_INS, NSS
from tests.support.identity_views import COLETTE, ODETTE, context, fhir, ids, judged

ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}


def found(*changes: Any, **members: Any) -> set[str]:
    return ids(judged_message(octets(patient(*changes, **members))))


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_a_sound_patient_gives_no_finding(version: str) -> None:
    assert judged_message(octets(patient(version=version))) == []


def test_a_patient_is_read_with_its_places() -> None:
    view = fhir_view(telecom=[{"system": "email", "value": f"{ODETTE}@patient.mssante.fr"}])
    told = {
        "birth_family": ("BRUNEL", "Patient.name[0].family"),
        "birth_given": ("ODETTE", "Patient.name[0].given[0]"),
        "given_list": ("ODETTE JEANNE", "Patient.name[0].extension[0].valueString"),
        "used_family": ("MARTIN", "Patient.name[1].family"),
        "sex": ("female", "Patient.gender"),
        "birth_date": ("1936-02-14", "Patient.birthDate"),
        "birth_place": ("48907", "Patient.extension[1].valueAddress.extension[0].valueCoding.code"),
        "status": ("VALI", "Patient.extension[0].extension[0].valueCoding"),
        "mailbox": (f"{ODETTE}@patient.mssante.fr", "Patient.telecom[0].value"),
    }
    assert {name: (getattr(view, name).value, getattr(view, name).where.path) for name in told} == told
    assert [(i.value, i.oid, i.type_code, i.use) for i in view.identifiers] == [
        (ODETTE, "1.2.250.1.213.1.4.10", "INS-NIR-TEST", "official"),
        ("CH000102", "1.2.250.1.999.1", "PI", "usual"),
    ]


def test_how_the_identity_was_obtained_and_proven_is_read() -> None:
    parts = (
        {"url": "methodCollection", "valueCoding": {"code": "INSI"}},
        {"url": "dateInterrogationINSi", "valueDate": "2026-03-01"},
        {"url": "validationMode", "valueCoding": {"code": "CN"}},
        {"url": "comment", "valueCodeableConcept": {"coding": [{"code": "HOMA"}]}},
        {"url": "comment", "valueCoding": {"code": "DOUT"}},
    )
    declared = fhir_view(extension=[status("QUAL", STATUS_2_2, *parts)]).declared
    assert declared is not None
    told = (declared.method, declared.asked_on, declared.proof)
    assert [t.value if t else "" for t in told] == ["INSI", "2026-03-01", "CN"]
    assert [c.code for c in declared.comments] == ["HOMA", "DOUT"]
    assert declared.has("QUAL")
    assert declared.has("DOUT")


@pytest.mark.parametrize(
    ("oid", "code", "use"),
    [
        (INS_NIR, "INS-NIR", "official"),
        (INS_NIR, "INS-NIR", "old"),
        (INS_NIA, "INS-NIA", "temp"),
        ("1.2.250.1.213.1.4.11", "INS-NIR-DEMO", "official"),
    ],
)
def test_each_slice_has_its_type_and_use(oid: str, code: str, use: str) -> None:
    assert not {"INS-120", "INS-121"} & found(identifier=[identifier(oid=oid, code=code, use=use)])


@pytest.mark.parametrize("code", ["INS-NIA", "NI", ""])
def test_another_type_under_an_ins_oid_is_told(code: str) -> None:
    assert "INS-120" in found(identifier=[identifier(code=code)])


def test_a_type_of_another_code_system_is_told_with_it() -> None:
    wrong = identifier()
    wrong["type"]["coding"][0]["system"] = "http://terminology.hl7.org/CodeSystem/v2-0203"
    [finding] = judged_message(octets(patient(identifier=[wrong])))
    assert (finding.rule, finding.received) == ("INS-120", "v2-0203|INS-NIR-TEST")


def test_the_coding_of_fr_core_is_found_among_several() -> None:
    several = identifier()
    several["type"]["coding"].insert(0, {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NI"})
    assert found(identifier=[several]) == set()


@pytest.mark.parametrize("use", ["usual", "temp", "secondary", ""])
def test_another_use_of_a_test_ins_is_told(use: str) -> None:
    assert found(identifier=[identifier(use=use)]) == {"INS-121"}


def test_vali_without_an_ins_breaks_the_invariant_of_2_1_and_not_of_2_2() -> None:
    assert found(identifier=NO_INS, meta=None) == {"INS-122"}
    assert found(identifier=NO_INS, meta=None, extension=[status("VALI", STATUS_2_2)]) == set()
    assert found(identifier=NO_INS, meta=None, extension=[status("QUAL", STATUS_2_2)]) == {"INS-122"}


def test_vali_of_an_unknown_system_cannot_be_read() -> None:
    for system in ("", "http://terminology.hl7.org/CodeSystem/v2-0445", "urn:x"):
        assert "INS-123" in found(extension=[status("VALI", system), *patient()["extension"][1:]])
    assert "INS-123" not in found(extension=[status("PROV", "urn:x"), *patient()["extension"][1:]])


def test_codes_that_fr_core_has_left_are_told_once() -> None:
    old = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-fiabilite-identite"
    assert found(extension=[status("VALI", old), *patient()["extension"][1:]]) == {"INS-127"}


@pytest.mark.parametrize(
    ("names", "rules"),
    [
        (None, {"INS-124"}),
        ([], {"INS-124"}),
        ([{"use": "usual", "family": "BRUNEL", "given": ["ODETTE"]}], {"INS-124"}),
        ([{"family": "BRUNEL", "given": ["ODETTE"]}], {"INS-124"}),
    ],
)
def test_a_patient_with_an_ins_has_an_official_name(names: Any, rules: set[str]) -> None:
    assert found(name=names) == rules


def test_each_lack_of_the_official_name_is_told() -> None:
    listed = patient()["name"][0]["extension"]
    official = {"use": "official", "family": "BRUNEL", "extension": listed}
    cases: list[tuple[list[dict[str, Any]], list[str]]] = [
        ([{**official, "given": ["ODETTE", "JEANNE"]}], ["2 given"]),
        ([official], ["0 given"]),
        ([{"use": "official", "family": "BRUNEL", "given": ["ODETTE"]}], ["fr-core-patient-birth-list-given-name ∅"]),
        ([{**official, "given": ["ODETTE"]}] * 2, ["2 official"]),
    ]
    for names, received in cases:
        findings = [f for f in judged(fhir_view(name=names)) if f.rule == "INS-124"]
        assert [f.received for f in findings] == received


def test_a_missing_birth_name_is_an_incomplete_ins() -> None:
    name = {**patient()["name"][0]}
    del name["family"]
    assert found(name=[name]) == {"INS-032"}


def test_a_missing_place_sex_or_date_is_told_by_its_own_rule() -> None:
    assert found(extension=[status()]) == {"INS-125"}
    assert found(gender=None) == {"INS-126"}
    assert found(gender="other") == {"INS-126"}
    assert found(birthDate=None) == {"INS-126"}
    assert found(birthDate="1936-02") == {"INS-126"}
    assert "INS-052" in found(birthDate="14/02/1936")


def test_a_place_without_its_code_is_no_place() -> None:
    place = {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress": {"city": "BRUMEVAL"}}
    [finding] = judged_message(octets(patient(extension=[status(), place])))
    assert (finding.rule, finding.where.path) == ("INS-125", "Patient.extension[1].valueAddress")


def test_a_gender_outside_its_value_set_is_told_once() -> None:
    assert found(gender="martian") == {"INS-126"}
    assert found(gender="martian", identifier=NO_INS, meta=None, extension=None) == {"FHIR-08"}


def test_traits_declared_absent_are_not_also_missing() -> None:
    raw = patient(gender=None, birthDate=None, _gender=ABSENT, _birthDate=ABSENT)
    findings = judged_message(octets(raw))
    assert [f.rule for f in findings] == ["INS-033", "INS-033"]


def test_a_social_security_number_is_no_ins() -> None:
    assert found(identifier=[identifier(), NSS]) == {"INS-128"}
    alone = {**NSS, "system": "urn:oid:1.2.250.1.213.1.4.13"}
    assert found(identifier=[alone], meta=None, extension=None) == {"INS-128"}


def test_a_social_security_number_announced_as_the_ins_is_told_as_that() -> None:
    alone = {**NSS, "system": "urn:oid:1.2.250.1.213.1.4.13"}
    rules = found(identifier=[alone])
    assert "INS-029" in rules
    assert "INS-128" not in rules


def test_an_old_ins_beside_the_active_one_is_history() -> None:
    former = identifier(COLETTE, INS_NIR, "INS-NIR", "old")
    assert found(identifier=[identifier(), former]) == set()


def test_an_old_ins_alone_is_not_to_be_matched() -> None:
    rules = found(identifier=[identifier(oid=INS_NIR, code="INS-NIR", use="old")])
    assert {"INS-129", "INS-122"} <= rules
    assert "INS-129" in found(identifier=[{**identifier(), "period": {"end": "2026-02-28"}}])
    assert "INS-129" not in found(identifier=[{**identifier(), "period": {"end": "2026-03-01"}}])


def test_an_identifier_written_as_a_number_is_read_and_its_form_told() -> None:
    rules = found(identifier=[{**identifier(), "value": int(ODETTE)}])
    assert rules == {"FHIR-04"}


def test_a_url_system_is_no_oid() -> None:
    view = fhir_view(identifier=[{"system": "https://ehpad.test/usagers", "value": "12"}])
    assert [(i.oid, i.assigning_name) for i in view.identifiers] == [("", "https://ehpad.test/usagers")]


def test_a_view_that_was_not_read_from_a_resource_keeps_the_general_rules() -> None:
    assert ids(judged(fhir(given_list=None, birth_place=None))) == {"INS-035", "INS-036"}


def test_the_error_code_for_hl7_is_kept() -> None:
    findings = judged_message(octets(patient(gender=None)), ctx=context())
    assert [(f.hl7_error, f.severity) for f in findings] == [("905", Severity.BLOCKING)]


def test_an_extension_of_older_names_is_read() -> None:
    older = {
        "url": "http://interopsante.org/fhir/StructureDefinition/FrPatientBirthPlace",
        "valueAddress": {
            "extension": [
                {"url": f"{CORE}/fr-core-address-insee-code", "valueCodeableConcept": {"coding": [{"code": "48907"}]}}
            ]
        },
    }
    assert found(extension=[status("VALI", STATUS_2_1), older]) == set()
