"""What the rules of a FHIR Patient show of a fault: the element, the code system, and what is left to another rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.identity.facts import CodeTold, FhirFacts
from gateway.identity.model import INS_DEMO, INS_NIA, INS_NIR, IdentityView
from gateway.identity.rules_fhir import STATUS_2_1, STATUS_2_2
from gateway.rules import Finding
from gateway.values import Located
from tests.support.fhir_resources import fhir_view, identifier, status
from tests.support.identity_views import COLETTE, PLACE, cda, fhir, ids, ins, ipp, judged, told

WHOLE = fhir_view()
REFERENCE = replace(WHOLE.fhir or FhirFacts(), whole=False)


def facts(view: IdentityView = WHOLE, **changes: Any) -> IdentityView:
    assert view.fhir is not None
    return replace(view, fhir=replace(view.fhir, **changes))


def findings(view: IdentityView, rule_id: str) -> list[Finding]:
    return [one for one in judged(view) if one.rule == rule_id]


def seen(view: IdentityView, rule_id: str) -> list[tuple[str, str, str]]:
    return [(f.where.path, f.received, f.expected_in("en")) for f in findings(view, rule_id)]


@pytest.mark.parametrize(
    ("told", "received"),
    [
        ({"code": ""}, "fr-core-cs-v2-0203|∅"),
        ({"code": "INS-NIA"}, "fr-core-cs-v2-0203|INS-NIA"),
        ({"code": "C" * 50}, f"fr-core-cs-v2-0203|{'C' * 40}"),
    ],
)
def test_the_type_of_a_slice_goes_with_its_oid(told: dict[str, str], received: str) -> None:
    view = fhir_view(identifier=[identifier(**told)])
    assert seen(view, "INS-120") == [("Patient.identifier[0]", received, "fr-core-cs-v2-0203|INS-NIR-TEST")]


def test_the_code_system_of_a_slice_counts_as_much_as_its_code() -> None:
    def typed(system: str) -> list[str]:
        first, *rest = WHOLE.identifiers
        return [
            r for _, r, _ in seen(replace(WHOLE, identifiers=(replace(first, type_system=system), *rest)), "INS-120")
        ]

    assert typed("https://x/other") == ["other|INS-NIR-TEST"]
    assert typed("") == ["∅|INS-NIR-TEST"]
    assert typed("https://x/" + "s" * 50) == [f"{'s' * 40}|INS-NIR-TEST"]


@pytest.mark.parametrize(
    ("oid", "code", "use", "expected"),
    [
        (INS_NIR, "INS-NIR", "official", None),
        (INS_NIR, "INS-NIR", "old", None),
        (INS_NIR, "INS-NIR", "temp", "official | old"),
        (INS_NIA, "INS-NIA", "temp", None),
        (INS_NIA, "INS-NIA", "official", "temp"),
        (INS_DEMO, "INS-NIR-DEMO", "official", None),
        (INS_DEMO, "INS-NIR-DEMO", "old", "official"),
    ],
)
def test_the_use_of_a_slice_goes_with_its_oid(oid: str, code: str, use: str, expected: str | None) -> None:
    view = fhir_view(identifier=[identifier(oid=oid, code=code, use=use)])
    wanted = [] if expected is None else [("Patient.identifier[0]", f"{code} {use}", expected)]
    assert seen(view, "INS-121") == wanted


def test_a_use_that_is_not_told_is_shown_as_empty_and_a_long_one_is_cut() -> None:
    assert seen(fhir_view(identifier=[identifier(use="")]), "INS-121")[0][1] == "INS-NIR-TEST ∅"
    assert seen(fhir_view(identifier=[identifier(use="u" * 50)]), "INS-121")[0][1] == f"INS-NIR-TEST {'u' * 40}"


def test_a_resource_that_only_points_at_its_patient_owes_neither_types_nor_traits() -> None:
    bare = replace(fhir(identifiers=(ins(),), sex=None, birth_date="1936", birth_place=None), fhir=REFERENCE)
    assert not ids(judged(bare)) & {"INS-120", "INS-121", "INS-122", "INS-124", "INS-125", "INS-126"}


NO_INS = [identifier(oid="1.2.250.1.999.1", code="PI", use="usual")]


@pytest.mark.parametrize(
    ("version", "code", "system", "told"),
    [
        ("2.1", "VALI", STATUS_2_1, True),
        ("2.1", "PROV", STATUS_2_1, False),
        ("2.2", "QUAL", STATUS_2_2, True),
        ("2.2", "VALI", STATUS_2_2, False),
        ("2.2", "QUAL", STATUS_2_1, False),
    ],
)
def test_a_status_that_says_qualified_stands_beside_an_active_ins(
    version: str, code: str, system: str, told: bool
) -> None:
    view = fhir_view(version=version, identifier=NO_INS, extension=[status(code, system)], meta=None)
    wanted = "INS-NIR | INS-NIA | INS-NIR-TEST | INS-NIR-DEMO"
    place = "Patient.extension[0].extension[0].valueCoding"
    assert seen(view, "INS-122") == ([(place, f"{code} + INS ∅", wanted)] if told else [])
    former = fhir_view(version=version, identifier=[identifier(use="old")], extension=[status(code, system)])
    assert bool(findings(former, "INS-122")) is told
    active = fhir_view(version=version, extension=[status(code, system)])
    assert not findings(active, "INS-122")


def test_a_qualified_status_told_twice_without_an_ins_is_one_finding() -> None:
    view = fhir_view(identifier=NO_INS, extension=[status("PROV"), status(), status()], meta=None)
    assert [path for path, _, _ in seen(view, "INS-122")] == ["Patient.extension[1].extension[0].valueCoding"]


@pytest.mark.parametrize(
    ("system", "shown"),
    [
        (STATUS_2_1, None),
        (STATUS_2_2, None),
        ("https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-fiabilite-identite", None),
        ("urn:oid:1.2.3", "urn:oid:1.2.3|VALI"),
        ("https://x/" + "s" * 50, f"{'s' * 40}|VALI"),
        ("", "∅|VALI"),
    ],
)
def test_the_code_system_of_a_validated_status_is_one_of_the_two_that_exist(system: str, shown: str | None) -> None:
    view = fhir_view(extension=[status("VALI", system)])
    assert [received for _, received, _ in seen(view, "INS-123")] == ([] if shown is None else [shown])
    assert not findings(fhir_view(extension=[status("PROV", system)]), "INS-123")


def test_what_an_official_name_lacks_is_told_each() -> None:
    bare = fhir_view(name=[{"use": "official", "family": "BRUNEL"}])
    given_list = "fr-core-patient-birth-list-given-name"
    assert seen(bare, "INS-124") == [
        ("Patient.name[0]", "0 given", "1 given"),
        ("Patient.name[0]", f"{given_list} ∅", given_list),
    ]
    assert seen(facts(official_given=2), "INS-124") == [("Patient.name[0]", "2 given", "1 given")]
    none = fhir_view(name=[{"use": "usual", "family": "MARTIN"}])
    assert seen(none, "INS-124") == [("Patient.name.where(use='official')", "0 official", "1 official")]
    assert seen(facts(official_names=2), "INS-124") == [("Patient.name[0]", "2 official", "1 official")]


def test_names_declared_unknown_are_not_also_missing() -> None:
    def unknown(*fields: str, **changes: Any) -> set[str]:
        view = facts(official_names=1, official_given=0, has_given_list=False)
        nulls = tuple(told(field) for field in fields)
        return ids(judged(replace(view, null_traits=nulls, **dict.fromkeys(fields, None), **changes)))

    assert "INS-124" not in unknown("birth_given", "given_list")
    assert "INS-124" in unknown("birth_given", given_list=None)
    assert "INS-124" in unknown("given_list", birth_given=None)
    nobody = replace(facts(official_names=0), birth_family=None, null_traits=(told("birth_family"),))
    assert "INS-124" not in ids(judged(nobody))
    assert "INS-124" not in ids(judged(facts(official_names=0)))


def test_without_an_ins_no_official_name_is_asked_for() -> None:
    assert not findings(replace(facts(official_names=0), identifiers=(ipp(),), birth_family=None), "INS-124")


def test_a_reference_to_a_patient_owes_no_ins_beside_its_status() -> None:
    assert not findings(replace(facts(whole=False), identifiers=(ipp(),)), "INS-122")


def test_a_number_of_type_nh_is_no_slice_of_the_ins() -> None:
    beside = replace(WHOLE, identifiers=(*WHOLE.identifiers, replace(NSS, oid=INS_NIR)))
    assert not findings(beside, "INS-120")
    assert not findings(beside, "INS-121")


def test_traits_declared_unknown_are_told_once() -> None:
    for field in ("birth_place", "sex", "birth_date"):
        silent = replace(WHOLE, **{field: None})
        assert ids(judged(silent)) & {"INS-125", "INS-126"}
        assert not ids(judged(replace(silent, null_traits=(told(field),)))) & {"INS-125", "INS-126"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sex": None}, ("Patient.gender", "∅", "male | female")),
        ({"sex": Located("other" * 10, PLACE)}, (PLACE.path, ("other" * 10)[:40], "male | female")),
        ({"sex": Located("", PLACE)}, (PLACE.path, "∅", "male | female")),
        ({"birth_date": None}, ("Patient.birthDate", "∅", "YYYY-MM-DD")),
        ({"birth_date": Located("", PLACE)}, (PLACE.path, "∅", "YYYY-MM-DD")),
        ({"birth_date": Located("1936-02", PLACE)}, (PLACE.path, "1······(7)", "YYYY-MM-DD")),
    ],
)
def test_a_sex_or_a_date_that_is_missing_or_cut_short(changes: dict[str, Any], told: tuple[str, str, str]) -> None:
    assert seen(replace(WHOLE, **changes), "INS-126") == [told]


def test_a_date_cut_short_is_told_by_one_rule_and_excused_in_a_reference() -> None:
    short, wrong = ({"birth_date": Located(written, PLACE)} for written in ("1936", "14/02/1936"))
    nobody = {"identifiers": (ipp(),), "ins_expected": False}
    assert not findings(replace(WHOLE, **short), "INS-052")
    assert findings(replace(WHOLE, **short, **nobody), "INS-052")
    assert not findings(replace(facts(whole=False), **short, **nobody), "INS-052")
    for view in (replace(WHOLE, **wrong), replace(facts(whole=False), **wrong, **nobody)):
        assert findings(view, "INS-052")


def test_an_empty_birthplace_is_told_where_it_stands() -> None:
    wanted = "patient-birthPlace + fr-core-address-insee-code"
    assert seen(replace(WHOLE, birth_place=Located("", PLACE)), "INS-125") == [(PLACE.path, "∅", wanted)]
    assert seen(replace(WHOLE, birth_place=None), "INS-125")[0][0] == "Patient.extension(patient-birthPlace)"


def test_codes_of_a_system_left_behind_are_shown_cut() -> None:
    old = (CodeTold("c" * 50, PLACE, "https://x/" + "s" * 50),)
    assert seen(facts(obsolete=old), "INS-127")[0][1] == f"{'s' * 40}|{'c' * 40}"


NSS = ins(COLETTE, "1.2.250.1.213.1.4.13", "NH")


def test_a_social_security_number_is_told_unless_it_is_declared_as_the_ins() -> None:
    beside = replace(WHOLE, identifiers=(*WHOLE.identifiers, NSS))
    assert [received for _, received, _ in seen(beside, "INS-128")] == ["2360·········78 NH"]
    under_ins_oid = replace(NSS, oid=INS_NIR)
    assert findings(replace(WHOLE, identifiers=(*WHOLE.identifiers, under_ins_oid)), "INS-128")
    typed = replace(WHOLE, identifiers=(*WHOLE.identifiers, replace(NSS, type_code="INS-NIR")))
    assert not findings(typed, "INS-128")
    alone = replace(WHOLE, identifiers=(NSS,), ins_expected=True)
    assert not findings(alone, "INS-128")
    assert findings(replace(alone, ins_expected=False), "INS-128")
    mixed = replace(alone, identifiers=(NSS, replace(NSS, oid=INS_NIR)))
    assert len(findings(mixed, "INS-128")) == 1
    assert not findings(replace(WHOLE, identifiers=(*WHOLE.identifiers, ipp(type_code="NH"))), "INS-128")
    assert not findings(cda(identifiers=(ins(), NSS)), "INS-128")


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ("2026-02-28", "period.end = 2026-02-28"),
        ("2026-02-28T10:00:00Z", "period.end = 2026-02-28"),
        ("2026-03-01", None),
        ("2026-03-02", None),
        ("2020", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_an_ins_whose_period_has_ended_is_an_old_one(ends: str, shown: str | None) -> None:
    first, *rest = WHOLE.identifiers
    view = replace(WHOLE, identifiers=(replace(first, ends=ends), *rest))
    wanted = [] if shown is None else [("Patient.identifier[0]", shown, "> 2026-03-01")]
    assert seen(view, "INS-129") == wanted


def test_an_ins_of_use_old_is_told_by_its_use() -> None:
    view = fhir_view(
        identifier=[{**identifier(oid=INS_NIR, code="INS-NIR", use="old"), "period": {"end": "2020-01-01"}}]
    )
    assert seen(view, "INS-129") == [("Patient.identifier[0]", "use = old", "use = official")]
    assert not findings(replace(view, identifiers=()), "INS-129")


@pytest.mark.parametrize(
    ("subject_of", "told"), [("DocumentReference", True), ("List", True), ("", False), ("Observation", False)]
)
def test_a_patient_without_an_ins_is_told_where_a_document_is_about_her(subject_of: str, told: bool) -> None:
    view = replace(facts(subject_of=subject_of), identifiers=(ipp(),), ins_expected=False)
    assert ("INS-031" in ids(judged(view))) is told


def test_a_birth_name_that_is_missing_beside_an_official_name_is_an_incomplete_identity() -> None:
    assert "INS-032" in ids(judged(replace(WHOLE, birth_family=None)))
    assert "INS-032" not in ids(judged(replace(facts(official_names=0), birth_family=None)))
    assert "INS-032" not in ids(judged(replace(facts(whole=False), birth_family=None)))


def test_a_status_is_asked_for_beside_an_ins_only() -> None:
    silent = replace(WHOLE, declared=None)
    assert seen(silent, "INS-079") == [("Patient.extension", "∅", "PROV | RECUP | VALI | QUAL")]
    assert not findings(replace(silent, identifiers=(ipp(),)), "INS-079")
    assert not findings(replace(facts(silent, whole=False)), "INS-079")
    lined = replace(WHOLE, where=replace(WHOLE.where, line=7), declared=None, birth_place=None)
    assert findings(lined, "INS-079")[0].where.line == 7
    assert findings(lined, "INS-125")[0].where.line == 7
