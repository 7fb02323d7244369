"""A narrow rule speaks in place of the general one, and profiles and environments change what they should."""

from __future__ import annotations

import pytest

from gateway.identity.model import INS_DEMO, INS_NIA, INS_NIR, INS_TEST
from gateway.identity.profiles import profile_overrides, profiles
from gateway.rules import RuleBook, Severity, load_catalogue
from gateway.values import Direction, Door
from tests.support.identity_views import (
    COLETTE,
    ODETTE,
    cda,
    context,
    fhir,
    hl7,
    ids,
    ins,
    ipp,
    judged,
    lot,
    mail,
    metadata,
    told,
    vihf,
    with_key,
)

HERMANN = "181036322045660"


def _cda(value: str, oid: str = INS_TEST) -> set[str]:
    return ids(judged(cda(identifiers=(ins(value, oid),))))


def test_thirteen_characters_are_a_lost_key_and_not_a_length() -> None:
    assert _cda(ODETTE[:13]) == {"INS-002"}


def test_a_key_out_of_range_is_not_also_a_wrong_key() -> None:
    assert _cda(ODETTE[:13] + "00") == {"INS-005"}


def test_letters_in_a_matricule_of_the_right_length_are_one_fault() -> None:
    assert _cda("23602489O704179") == {"INS-003"}


def test_separators_are_one_fault() -> None:
    assert _cda("2 36 02 48 907 041 79") == {"INS-010"}


def test_an_empty_ins_is_a_length() -> None:
    assert _cda("") == {"INS-001"}


def test_a_nia_may_begin_otherwise_with_a_warning_and_says_nothing_of_the_birth() -> None:
    nia = with_key("7990148001041")
    findings = judged(cda(identifiers=(ins(nia, INS_NIA),)), ctx=context(ins_environment="insi-editor-base"))
    assert [(f.rule, f.severity) for f in findings] == [("INS-006", Severity.WARNING)]


def test_a_header_tells_its_missing_elements_by_its_own_rules() -> None:
    empty = cda(birth_family=None, birth_given="", given_list=None, birth_date="", birth_place="", sex=None)
    assert ids(judged(empty)) == {"INS-086", "INS-087", "INS-088", "INS-091", "INS-092", "INS-032"}


def test_a_trait_declared_unknown_is_not_also_missing() -> None:
    nulls = tuple(told(name) for name in ("birth_family", "given_list", "birth_place"))
    assert ids(judged(cda(birth_family=None, given_list=None, birth_place=None, null_traits=nulls))) == {"INS-033"}


def test_a_malformed_place_or_date_in_a_header_is_told_once() -> None:
    assert ids(judged(cda(birth_place="BRUMEVAL"))) == {"INS-092"}
    assert ids(judged(cda(birth_date="14/02/1936"))) == {"INS-091"}


def test_a_sex_outside_the_value_set_is_not_also_undetermined() -> None:
    assert ids(judged(cda(sex="2"))) == {"INS-090"}
    assert ids(judged(cda(sex="UN"))) == {"INS-057"}


def test_elsewhere_the_general_rules_speak() -> None:
    assert ids(judged(fhir(birth_given=None, given_list=None, sex=None))) == {"INS-032"}
    assert ids(judged(hl7(given_list="", birth_place=None))) == {"INS-035", "INS-036"}


def test_born_abroad_on_one_side_is_not_also_another_place() -> None:
    assert _cda(with_key("2360299127041")) == {"INS-069"}


def test_what_former_departments_explain_is_not_a_warning() -> None:
    findings = judged(cda(identifiers=(ins(with_key("2360275056041")),), birth_place="92012"))
    assert [(f.rule, f.severity) for f in findings] == [("INS-067", Severity.INFO)]


def test_corsica_2a_against_2b_stays_a_difference() -> None:
    findings = judged(cda(identifiers=(ins(with_key("236022A020041")),), birth_place="2B020"))
    assert ids(findings) == {"INS-065"}


def test_a_completed_date_lowers_the_year_and_month_to_a_warning() -> None:
    findings = judged(cda(birth_date="19371231"), ctx=context(Direction.RECEPTION))
    assert {f.rule: f.severity for f in findings} == dict.fromkeys(("INS-056", "INS-061", "INS-062"), Severity.WARNING)


def test_a_billing_nir_is_no_ins_in_hl7_and_is_one_in_metadata() -> None:
    billing = ins(ODETTE[:13] + "80", INS_NIR, "NH")
    assert ids(judged(hl7(identifiers=(ins(type_code="INS"), billing)))) == {"INS-026"}
    assert "INS-004" in ids(judged(lot(identifiers=(billing,))))


def test_the_hl7_null_of_a_deletion_is_no_matricule() -> None:
    assert judged(hl7(identifiers=(ins('""', type_code="INS"),))) == []


def test_an_oid_that_is_none_is_told_by_the_pair_of_components_in_hl7() -> None:
    assert ids(judged(hl7(identifiers=(ins(ODETTE, "1.2.3", "INS"),)))) == {"INS-025"}
    assert ids(judged(fhir(identifiers=(ins(ODETTE, "1.2.3", "INS-NIR"),)))) == {"INS-021"}


def test_an_ipp_is_a_well_formed_patient_id_without_an_ins() -> None:
    assert ids(judged(metadata(identifiers=(ipp(),)))) == {"INS-031"}
    assert ids(judged(metadata(identifiers=(ipp(),)), ctx=context(door=Door.DMP))) == {"INS-030"}


@pytest.mark.parametrize("written", [f"{ODETTE}^^^&{INS_TEST}&ISO^NH", f"{ODETTE}^^^&{INS_TEST}&ISO^NH^^20100907"])
def test_a_patient_id_written_as_the_official_samples_do_is_sound(written: str) -> None:
    assert judged(metadata(identifiers=(ins(type_code="NH", written=written), ipp()))) == []


@pytest.mark.parametrize(
    "written",
    [f"{ODETTE}", f"{ODETTE}^^^{INS_TEST}^NH", f"{ODETTE}^^^&{INS_TEST}&ISO^NH^^x", f"{ODETTE}^^^&{INS_TEST}&DNS^NH"],
)
def test_a_patient_id_written_otherwise_is_malformed(written: str) -> None:
    findings = judged(metadata(identifiers=(ins(type_code="NH", written=written), ipp())))
    assert ids(findings) == {"INS-130"}
    assert ODETTE not in findings[0].received


def test_a_matricule_alone_in_a_patient_id_is_malformed_and_not_also_without_oid() -> None:
    assert ids(judged(metadata(identifiers=(ins(oid="", type_code=""), ipp())))) == {"INS-130"}


def test_the_vihf_needs_an_oid() -> None:
    assert ids(judged(vihf(identifiers=(ins(oid="", type_code="NH"),)))) == {"INS-020"}


@pytest.mark.parametrize(
    ("oid", "environment", "door", "rules"),
    [
        (INS_TEST, "test", Door.SUBMISSION, set()),
        (INS_DEMO, "test", Door.DMP, set()),
        (INS_NIR, "test", Door.SUBMISSION, {"INS-023"}),
        (INS_NIR, "test", Door.DMP, {"INS-135"}),
        (INS_NIR, "insi-editor-base", Door.DMP, set()),
        (INS_TEST, "production", Door.SUBMISSION, {"INS-022"}),
        (INS_TEST, "production", Door.DMP, {"INS-135"}),
        (INS_NIR, "production", Door.DMP, set()),
    ],
)
def test_which_ins_oid_each_environment_takes(oid: str, environment: str, door: Door, rules: set[str]) -> None:
    view = cda(identifiers=(ins(ODETTE, oid),))
    assert ids(judged(view, ctx=context(door=door, ins_environment=environment))) == rules


def test_a_published_nia_keeps_its_oid_even_at_the_dmp() -> None:
    view = cda(identifiers=(ins("109076322088835", INS_NIA),), sex="M", birth_date="20090701", birth_place="63220")
    assert judged(view) == []
    assert judged(view, ctx=context(door=Door.DMP)) == []


@pytest.mark.parametrize(
    ("profile", "environment", "severity"),
    [
        ("strict", "test", Severity.BLOCKING),
        ("official-samples", "test", Severity.WARNING),
        ("strict", "insi-editor-base", Severity.WARNING),
        ("official-samples", "production", Severity.BLOCKING),
    ],
)
def test_a_published_wrong_key_is_tolerated_by_its_exact_value(
    profile: str, environment: str, severity: Severity
) -> None:
    view = cda(identifiers=(ins(HERMANN, INS_NIR),), sex="M", birth_date="19810324", birth_place="63220")
    findings = judged(view, ctx=context(profile=profile, ins_environment=environment))
    assert [(f.rule, f.severity) for f in findings] == [("INS-004", severity)]
    other = judged(cda(identifiers=(ins(ODETTE[:13] + "80"),)), ctx=context(profile=profile))
    assert {f.severity for f in other} == {Severity.BLOCKING}


def test_profiles_name_existing_rules_and_lower_them() -> None:
    catalogue = load_catalogue()
    assert set(profiles()) == {"strict", "official-samples", "lenient_canonical"}
    assert profile_overrides("strict") == {}
    assert profile_overrides("nobody knows it") == {}
    for overrides in profiles().values():
        for rule_id, override in overrides.items():
            assert override.severity is not None
            assert override.severity.rank <= catalogue[rule_id].emission.rank
            assert override.reason


def test_mixed_case_is_a_warning_for_official_samples() -> None:
    book = RuleBook(load_catalogue()).with_overrides(profile_overrides("official-samples"))
    findings = judged(cda(birth_given="Léa", given_list="Léa Jeanne"), book=book)
    assert {f.severity for f in findings} == {Severity.WARNING}
    assert {f.action.value for f in findings} == {"alert"}


def test_a_spelling_is_told_for_the_record_under_lenient_canonical() -> None:
    book = RuleBook(load_catalogue()).with_overrides(profile_overrides("lenient_canonical"))
    findings = judged(metadata(birth_family="BRU-NEL"), cda(birth_family="BRU NEL"), book=book)
    assert [(f.rule, f.severity) for f in findings] == [("INS-152", Severity.INFO)]


def test_a_mail_view_is_judged_by_its_address_only() -> None:
    assert judged(mail(f"{COLETTE}@patient.mssante.fr")) == []
