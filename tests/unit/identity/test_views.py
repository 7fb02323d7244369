"""What a view says by itself: its INS, what claims to be one, its persons; and the facts of one standard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.identity import profiles as reading_profiles
from gateway.identity.facts import CodeTold, DeclaredStatus, FhirFacts, Hl7Facts, XadAddress, XpnName
from gateway.identity.model import INS_NIR, INS_TEST, ContainerKind
from gateway.identity.profiles import profiles
from gateway.identity.reading import all_ins, by_person, claims_ins, ins_key, ins_of, is_submission_set, patient_id
from gateway.identity.rules import VIEW_RULES, view_rules
from gateway.rules import Override, RuleBook, Severity, load_catalogue
from tests.support.identity_views import COLETTE, ODETTE, PLACE, cda, context, fhir, hl7, ins, ipp, lot, mail, metadata
from tests.support.identity_views import vihf as vihf_view


@pytest.mark.parametrize("type_code", ["INS", "NH", "INS-C"])
def test_what_is_typed_as_an_ins_under_another_oid_claims_to_be_one(type_code: str) -> None:
    claimed = ins(oid="1.2.3", type_code=type_code)
    assert cda(identifiers=(ipp(), claimed)).claimed_ins == claimed
    assert cda(identifiers=(claimed, ins())).claimed_ins == ins()
    assert cda(identifiers=(ipp(),)).claimed_ins is None


def test_an_ins_told_twice_is_one_and_another_value_or_oid_is_another() -> None:
    assert len(all_ins(cda(identifiers=(ins(), ins())))) == 1
    assert len(all_ins(cda(identifiers=(ins(), ins(COLETTE))))) == 2
    assert len(all_ins(cda(identifiers=(ins(), ins(oid=INS_NIR))))) == 2


@pytest.mark.parametrize(
    ("view", "found"), [(metadata, True), (vihf_view, True), (cda, True), (hl7, False), (fhir, False)]
)
def test_a_number_of_type_nh_is_the_ins_in_metadata_and_the_billing_number_in_messages(view, found: bool) -> None:
    assert bool(all_ins(view(identifiers=(ipp(), ins(type_code="NH"))))) is found
    assert all_ins(view(identifiers=(ins(COLETTE, type_code="NH"), ins())))[-1] == ins()


def test_the_null_of_a_deletion_and_the_address_of_a_mail_are_no_ins() -> None:
    assert all_ins(hl7(identifiers=(ins('""', type_code="INS"), ins(type_code="INS")))) == [ins(type_code="INS")]
    assert all_ins(replace(mail(), identifiers=(ins(),))) == []
    assert ins_of(cda(identifiers=(ipp(),))) is None


def test_a_former_ins_stands_aside_only_where_a_newer_one_is_told() -> None:
    old, new = ins(COLETTE, use="old"), ins(use="official")
    assert all_ins(fhir(identifiers=(old, new))) == [new]
    assert all_ins(replace(cda(identifiers=(old, new)), kind=ContainerKind.INSI)) == [new]
    assert all_ins(cda(identifiers=(old, new))) == [old, new]
    assert all_ins(fhir(identifiers=(old,))) == [old]
    assert all_ins(fhir(identifiers=(old, replace(old, value=ODETTE)))) == [old, replace(old, value=ODETTE)]


def test_an_ins_is_compared_by_its_oid_and_its_matricule_without_separators() -> None:
    assert ins_key(ins("2 36 02 48 907 041 79")) == (INS_TEST, ODETTE)


def test_a_patient_id_is_the_first_identifier_of_metadata_that_expect_one() -> None:
    assert patient_id(metadata()) == metadata().identifiers[0]
    assert patient_id(replace(metadata(), ins_expected=False)) is None
    assert patient_id(metadata(identifiers=())) is None
    assert is_submission_set(lot())
    assert not is_submission_set(metadata())
    assert not is_submission_set(replace(lot(), kind=ContainerKind.CDA))


def test_a_type_claims_an_ins_everywhere_or_in_metadata_only() -> None:
    assert claims_ins(ins(type_code="INS-NIR"), ContainerKind.FHIR)
    assert claims_ins(ins(type_code="NH"), ContainerKind.DMP)
    assert not claims_ins(ins(type_code="NH"), ContainerKind.CDA)
    assert not claims_ins(ipp(), ContainerKind.XDM)


def test_views_of_several_persons_are_not_compared_together() -> None:
    mother, child, again = cda(person="1"), cda(person="2"), cda(person="1", label="cda:2.XML")
    assert by_person((mother, child, again)) == [(mother, again), (child,)]
    assert by_person((mother, again)) == [(mother, again)]
    assert by_person(()) == []


def test_an_operators_list_of_communes_replaces_one_rule_only() -> None:
    assert view_rules(frozenset()) is VIEW_RULES
    unknown = cda(birth_place="63220")
    book = RuleBook(load_catalogue())
    told = {frozenset(c): book.judge(view_rules(frozenset(c)), unknown, context(), "x") for c in ((), ["48907"])}
    assert "INS-059" not in {f.rule for f in told[frozenset()]}
    assert "INS-059" in {f.rule for f in told[frozenset(["48907"])]}


@pytest.mark.parametrize(
    ("profile", "declares"),
    [
        ("https://hl7.fr/StructureDefinition/fr-core-patient-ins", True),
        ("https://hl7.fr/StructureDefinition/fr-core-patient-ins|2.1.0", True),
        ("https://hl7.fr/fr-core-patient-ins/fr-core-patient", False),
        ("https://hl7.fr/StructureDefinition/fr-core-patient|patient-ins", False),
    ],
)
def test_a_profile_declares_an_ins_by_its_last_part_whatever_its_version(profile: str, declares: bool) -> None:
    assert FhirFacts(profiles=("https://x/other", profile)).declares_ins is declares


def test_a_type_letter_beside_its_place_is_found_and_makes_a_birth_name() -> None:
    plain = XpnName(PLACE, "BRUNEL", "ODETTE", "", "")
    shifted, after = replace(plain, degree="L"), replace(plain, representation="D")
    assert [n.misplaced_type for n in (plain, shifted, after, replace(plain, degree="M"))] == ["", "L", "D", ""]
    used = replace(plain, type_code="D", degree="L")
    facts = Hl7Facts(names=(plain, shifted, after, used, replace(plain, type_code="L")))
    assert facts.birth_names == (shifted, replace(plain, type_code="L"))


def test_a_component_of_an_address_is_found_by_its_number() -> None:
    address = XadAddress(PLACE, "H", ((3, "BRUMEVAL"), (9, "48907")))
    assert [address.component(n) for n in (3, 9, 10)] == ["BRUMEVAL", "48907", ""]


def test_a_status_is_told_by_a_code_or_by_a_comment() -> None:
    declared = DeclaredStatus(codes=(CodeTold("PROV", PLACE),), comments=(CodeTold("DOUT", PLACE),))
    assert [declared.has(code) for code in ("PROV", "DOUT", "VALI")] == [True, True, False]


def test_a_profile_lowers_the_rules_it_names_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [{"severity": "warning", "reason": "old samples", "rules": ["INS-040", "INS-041"]}]
    read = {"profiles.yaml": {"samples": groups, "strict": []}}
    monkeypatch.setattr(reading_profiles, "read_yaml", read.__getitem__)
    lowered = Override(Severity.WARNING, "samples: old samples")
    assert {name: dict(found) for name, found in profiles.__wrapped__().items()} == {
        "samples": {"INS-040": lowered, "INS-041": lowered},
        "strict": {},
    }
