"""Rules of one view at their edges: which container they judge, what silences them, what they show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.identity.cog import Place, judge_place
from gateway.identity.model import INS_NIA, INS_NIR, INS_TEST, ContainerKind, IdentityView
from gateway.rules import Finding, RuleContext, Severity
from gateway.values import Door
from tests.support.hl7_messages import changed
from tests.support.identity_views import (
    COLETTE,
    ODETTE,
    PLACE,
    cda,
    context,
    datamatrix,
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

NOBODY = {"identifiers": (ipp(type_code=""),), "ins_expected": False}


def found(rule_id: str, view: IdentityView, ctx: RuleContext | None = None) -> list[Finding]:
    return [one for one in judged(view, ctx=ctx) if one.rule == rule_id]


# -------------------------------------------------------------------------------------------------------------- matricule


def test_what_stands_in_the_matricule_is_told_in_the_words_of_the_card() -> None:
    for rule_id, number, word in (
        ("INS-007", "9360248907041", "9"),
        ("INS-008", "2361348907041", "13"),
        ("INS-008", "2364348907041", "43"),
    ):
        (finding,) = found(rule_id, cda(identifiers=(ins(with_key(number)),)))
        assert word in finding.message.fr
        assert number[3:6] not in finding.message.fr
    (finding,) = found("INS-001", cda(identifiers=(ins(ODETTE + "12"),)))
    assert "17" in finding.message.fr
    (finding,) = found("INS-004", cda(identifiers=(ins(ODETTE[:13] + "80"),)))
    assert "80" in finding.message.fr
    assert "2360" not in finding.message.fr


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        ("236024890704179A", {"INS-001"}),
        ("23602489070417O9", {"INS-001", "INS-003"}),
        ("2C6024890704179", {"INS-003"}),
        ("236022C07041799", {"INS-003"}),
        ("O360248907041", {"INS-001", "INS-003"}),
        ("", {"INS-001"}),
    ],
)
def test_length_and_characters_are_two_faults(value: str, rules: set[str]) -> None:
    assert ids(judged(cda(identifiers=(ins(value),)))) == rules


@pytest.mark.parametrize("first", "123456789")
def test_the_first_digit_of_a_nir_and_of_a_nia(first: str) -> None:
    number = with_key(f"{first}360248907041")
    nir = ids(judged(cda(identifiers=(ins(number),)))) & {"INS-006", "INS-007"}
    nia = found("INS-006", cda(identifiers=(ins(number, INS_NIA),)))
    assert nir == (set() if first in "12" else {"INS-006"} if first in "5678" else {"INS-007"})
    assert [(f.severity, f.expected) for f in nia] == ([] if first in "12" else [(Severity.WARNING, "1, 2")])
    assert not found("INS-007", cda(identifiers=(ins(number, INS_NIA),)))


def test_the_second_of_two_numbers_is_judged_as_well() -> None:
    assert found("INS-003", cda(identifiers=(ins(), ins("2360248907O4179"))))


def test_a_lost_key_written_with_spaces_is_also_a_form() -> None:
    assert ids(judged(cda(identifiers=(ins("2 36 02 48 907 041"),)))) == {"INS-002", "INS-010"}


# -------------------------------------------------------------------------------------------------------------------- OID


def test_a_number_without_an_oid_is_told_where_it_claims_or_looks_to_be_an_ins() -> None:
    assert found("INS-020", cda(identifiers=(ins("12", "", "INS"),)))
    assert found("INS-020", cda(identifiers=(ins("2 36 02 48 907 041 79", ""),)))
    assert not found("INS-020", cda(identifiers=(ins("12", ""),)))
    assert found("INS-020", vihf(identifiers=(ins("12", "", "NH"),)))
    assert not found("INS-020", metadata(identifiers=(ins(oid="", type_code="NH"),)))
    assert not found("INS-020", replace(mail(), identifiers=(ins(oid=""),)))


def test_an_unknown_oid_is_told_in_the_words_of_the_card_and_of_the_patient_id_only_in_metadata() -> None:
    (finding,) = found("INS-021", metadata(identifiers=(ins(oid="1.2.3", type_code="NH"),)))
    assert "1.2.3" in finding.message.fr + finding.cure.fr
    assert not found("INS-021", metadata(identifiers=(ins(type_code="NH"), ins(oid="1.2.3", type_code="NH"))))
    assert found("INS-021", vihf(identifiers=(ins(type_code="NH"), ins(oid="1.2.3", type_code="NH"))))
    assert found("INS-021", vihf(identifiers=(ipp(), ins(oid="1.2.3", type_code="NH"))))
    assert not found("INS-021", hl7(identifiers=(ins(oid="1.2.3", type_code="INS"),)))
    assert not found("INS-021", replace(mail(), identifiers=(ins(oid="1.2.3", type_code="INS"),)))
    assert not found("INS-021", fhir(identifiers=(ins(oid="1.2.250.1.213.1.4.13", type_code="INS-NIR"),)))


@pytest.mark.parametrize(
    ("name", "oid", "disagree"),
    [
        ("ASIP-SANTE-INS-NIA", INS_NIR, True),
        ("ASIP-SANTE-INS-NIR", INS_NIA, True),
        ("ASIP-SANTE-INS-NIR", INS_NIR, False),
        ("ASIP-SANTE-INS-NIA", INS_NIA, False),
        ("", INS_NIR, False),
        ("", INS_NIA, False),
        ("ASIP-SANTE-INS-NIR", INS_TEST, False),
        ("", "1.2.3", True),
        ("", "1.2.250.1.213.1.4.2", False),
        ("", "", False),
    ],
)
def test_the_authority_named_agrees_with_the_oid(name: str, oid: str, disagree: bool) -> None:
    view = hl7(identifiers=(ins(ODETTE, oid, "INS", assigning_name=name),))
    assert bool(found("INS-025", view)) is disagree
    assert not found("INS-025", replace(view, kind=ContainerKind.CDA))


def test_a_nia_beside_the_nir_is_told_at_the_nia() -> None:
    nia = ins(COLETTE, INS_NIA)
    view = cda(identifiers=(replace(nia, where=PLACE / "id[3]"), ins(ODETTE, INS_NIR)))
    assert [f.where.path for f in found("INS-027", view)] == [f"{PLACE.path}/id[3]"]
    assert found("INS-027", cda(identifiers=(nia, ins()))), "a NIR of test is one"
    assert not found("INS-027", cda(identifiers=(nia,)))


def test_several_active_ins_are_told_each_but_for_separators() -> None:
    third = "239034890101755"
    assert len(found("INS-028", cda(identifiers=(ins(), ins(COLETTE), ins(third))))) == 2
    assert not found("INS-028", cda(identifiers=(ins(), ins("2 36 02 48 907 041 79"))))
    assert not found("INS-028", cda(identifiers=(ins(), ins(COLETTE, INS_NIR))))


NSS = "1.2.250.1.213.1.4.13"


def test_a_social_security_number_in_the_place_of_the_ins() -> None:
    assert found("INS-029", cda(identifiers=(ins(oid=NSS),), ins_expected=False))
    assert not found("INS-029", cda(identifiers=(ipp(), ins(oid=NSS)), ins_expected=False))
    assert found("INS-029", cda(identifiers=(ipp(), ins(oid=NSS))))
    assert not found("INS-029", cda(identifiers=(ins(oid=NSS), ins())))
    assert found("INS-029", fhir(identifiers=(ins(oid=NSS, type_code="INS-NIR"),), ins_expected=False))
    assert not found("INS-029", fhir(identifiers=(ins(oid=NSS),), ins_expected=False))
    assert not found("INS-029", hl7(identifiers=(ins(oid=NSS, type_code="INS"),)))


DMP = context(door=Door.DMP)


def test_nothing_enters_a_dmp_without_an_ins() -> None:
    for view in (cda(**NOBODY), vihf(identifiers=()), metadata(identifiers=(ipp(),))):
        assert found("INS-030", view, DMP)
        assert not found("INS-030", view)
        assert not found("INS-031", view, DMP)
    for view in (cda(identifiers=(ins(oid=""),)), cda(identifiers=(ins(oid="1.2.3", type_code="INS"),))):
        assert not found("INS-030", view, DMP)
    assert not found("INS-030", vihf(identifiers=(ins(oid="1.2.3", type_code="NH"),)), DMP)
    assert not found("INS-030", fhir(identifiers=()), DMP)


def test_each_ins_of_a_deposit_is_of_its_environment() -> None:
    nia = with_key("2360248907042")
    assert found("INS-135", cda(identifiers=(ins(nia, INS_NIA),)), DMP)
    assert found("INS-135", cda(identifiers=(ins("275126322074974", INS_NIR),)), DMP)
    assert len(found("INS-135", cda(identifiers=(ins(), ins(ODETTE, INS_NIR))), DMP)) == 1
    unknown = context(door=Door.DMP, ins_environment="elsewhere")
    assert not found("INS-135", cda(), unknown)
    assert found("INS-135", cda(identifiers=(ins(ODETTE, INS_NIR),)), unknown)


def test_a_document_without_an_ins_is_told_unless_something_else_says_it() -> None:
    assert found("INS-031", cda(**NOBODY))
    assert found("INS-031", metadata(identifiers=(ipp(),)))
    assert not found("INS-031", cda(**NOBODY, subject_count=0))
    assert not found("INS-031", replace(cda(**NOBODY), ins_optional=True))
    assert not found("INS-031", cda(identifiers=(ins(oid="1.2.3", type_code="INS"),)))
    assert not found("INS-031", metadata(identifiers=(ins("", ""), ipp())))
    assert not found("INS-031", metadata(identifiers=(ins(oid="1.2.3", type_code="NH"), ipp())))
    assert found("INS-031", cda(identifiers=(ipp(oid="", type_code=""),)))
    assert not found("INS-031", lot(identifiers=(ipp(),)))
    assert not found("INS-031", vihf(identifiers=()))
    assert not found("INS-031", hl7(identifiers=(ipp(),)))


@pytest.mark.parametrize(("message", "told"), [("ORU", True), ("MDM", True), ("ADT", False)])
def test_a_message_that_brings_a_document_is_asked_for_an_ins(message: str, told: bool) -> None:
    view = changed(ids="CH000102^^^CH-BRUME&1.2.250.1.999.1&ISO^PI", status="PROV")
    assert view.hl7 is not None
    assert bool(found("INS-031", replace(view, hl7=replace(view.hl7, message=message)))) is told


# ----------------------------------------------------------------------------------------------------------- completeness


def test_a_missing_trait_is_told_under_its_name_beside_an_ins_only() -> None:
    missing = found("INS-032", hl7(birth_family=None, sex="", birth_date=None))
    words = [finding.message.fr for finding in missing]
    assert [w for w in ("nom de naissance", "sexe", "date de naissance") if any(w in one for one in words)] != []
    assert len(missing) == 3
    assert len(found("INS-032", datamatrix(birth_family=None, sex=None, birth_date=None, given_list=None))) == 3
    assert len(found("INS-032", datamatrix(birth_given=None, given_list=None))) == 1
    assert not found("INS-032", hl7(birth_family=None, identifiers=(ipp(),)))
    assert not found("INS-032", metadata(birth_family=None))
    assert not found("INS-032", hl7(sex=None, null_traits=(told("sex"),)))


def test_traits_declared_unknown_are_named() -> None:
    unknown = (told("birth_date"), told("pet"))
    words = [finding.message.fr for finding in found("INS-033", cda(null_traits=unknown))]
    assert len(words) == 2
    assert "date de naissance" in words[0]
    assert "pet" in words[1]
    english = [finding.message.en for finding in found("INS-033", cda(null_traits=unknown))]
    assert "birth date" in english[0]
    assert "pet" in english[1]
    assert found("INS-033", fhir(null_traits=unknown))
    assert not found("INS-033", hl7(null_traits=unknown))
    assert not found("INS-033", cda(null_traits=unknown, **NOBODY))


def test_a_filler_is_blocking_beside_an_ins_and_shown_as_typed() -> None:
    assert [(f.received, f.severity) for f in found("INS-034", cda(birth_family=" nr "))] == [("nr", Severity.BLOCKING)]
    assert [f.received for f in found("INS-034", cda(birth_family="  "))] == ["' '"]
    assert [f.severity for f in found("INS-034", cda(birth_family="NR", **NOBODY))] == [Severity.WARNING]


def test_a_list_or_a_birthplace_that_is_missing_is_told_beside_an_ins_only() -> None:
    assert found("INS-035", datamatrix(birth_given="ODETTE", given_list=""))
    assert not found("INS-035", fhir(given_list=None, identifiers=(ipp(),)))
    assert not found("INS-035", fhir(given_list=None, null_traits=(told("given_list"),)))
    assert not found("INS-035", metadata(given_list=None))
    assert found("INS-036", hl7(birth_place=None))
    assert not found("INS-036", datamatrix(birth_place=None))
    assert not found("INS-036", hl7(birth_place=None, identifiers=(ipp(),)))
    assert not found("INS-036", hl7(birth_place=None, null_traits=(told("birth_place"),)))


# ------------------------------------------------------------------------------------------------------- birth, sex, place


def test_a_date_cut_short_is_allowed_without_an_ins_in_a_document_and_its_metadata() -> None:
    assert not found("INS-052", cda(birth_date="1936", **NOBODY))
    assert not found("INS-052", metadata(birth_date="1936", identifiers=(ipp(),)))
    assert found("INS-052", metadata(birth_date="1936"))
    assert found("INS-052", cda(birth_date="14/02/1936", **NOBODY))
    assert found("INS-052", hl7(birth_date="1936", identifiers=(ipp(),)))
    assert not found("INS-052", cda(birth_date="14/02/1936"))
    (finding,) = found("INS-052", datamatrix(birth_date="1936"))
    assert (finding.expected_in("fr"), finding.received) == ("JJ-MM-AAAA", "1···(4)")
    assert found("INS-052", hl7(birth_date="x"))[0].expected_in("en") == "YYYYMMDD"


def test_a_hundred_and_thirty_years_is_the_greatest_age() -> None:
    assert not found("INS-054", cda(birth_date="18960301"))
    assert not found("INS-054", cda(birth_date="18950302"))
    (finding,) = found("INS-054", cda(birth_date="18950301"))
    assert "131" in finding.message.fr
    assert not found("INS-054", cda(birth_date="1800", **NOBODY))


def test_the_first_of_january_is_shown_by_day_and_month() -> None:
    assert [f.received for f in found("INS-056", cda(birth_date="19360101"))] == ["01/01"]


def test_a_sex_that_is_neither_m_nor_f_beside_an_ins() -> None:
    (finding,) = found("INS-057", metadata(sex="O" * 30))
    assert finding.received == "O" * 20
    assert "O" * 20 in finding.message.fr
    assert "O" * 21 not in finding.message.fr
    for view in (cda(sex="2"), metadata(sex=""), metadata(sex=None), metadata(sex="U", identifiers=(ipp(),))):
        assert not found("INS-057", view)
    assert found("INS-057", changed(sex="U"))
    assert not found("INS-057", changed(sex="O"))


def test_a_place_that_is_no_code_is_told_by_the_header_when_it_carries_an_ins() -> None:
    assert not found("INS-058", cda(birth_place="BRUMEVAL"))
    assert found("INS-058", cda(birth_place="BRUMEVAL", **NOBODY))
    assert not found("INS-058", hl7(birth_place=""))
    assert not found("INS-059", hl7(birth_place=""))


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("99100", Place.KNOWN),
        ("99600", Place.UNKNOWN),
        ("99001", Place.UNKNOWN),
        ("99699", Place.UNKNOWN),
        ("97000", Place.UNKNOWN),
    ],
)
def test_a_country_outside_the_blocks_of_the_continents_is_unknown(code: str, place: Place) -> None:
    assert judge_place(code) is place
