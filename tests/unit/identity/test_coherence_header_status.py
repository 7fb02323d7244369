"""Rules of coherence, of headers and of statuses at their edges: what silences them, what they show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.identity.facts import CodeTold, DeclaredStatus
from gateway.identity.model import INS_NIA, INS_TEST, ContainerKind, IdentityView
from gateway.identity.rules_address import local_part
from gateway.rules import Finding, RuleContext, Severity
from gateway.values import Direction, Located
from tests.support.hl7_messages import changed
from tests.support.identity_views import (
    COLETTE,
    ODETTE,
    PLACE,
    cda,
    context,
    fhir,
    hl7,
    ids,
    ins,
    ipp,
    judged,
    lot,
    metadata,
    told,
    with_key,
)

NOBODY = {"identifiers": (ipp(type_code=""),), "ins_expected": False}


def found(rule_id: str, view: IdentityView, ctx: RuleContext | None = None) -> list[Finding]:
    return [one for one in judged(view, ctx=ctx) if one.rule == rule_id]


# -------------------------------------------------------------------------------------------------------------- coherence


def born(number: str, **traits: str) -> IdentityView:
    return cda(identifiers=(ins(with_key(number)),), **traits)


@pytest.mark.parametrize(
    ("number", "cog", "rule_id"),
    [
        ("2360220020041", "2A004", "INS-066"),
        ("236022A020041", "20004", "INS-066"),
        ("2360275056041", "92012", "INS-067"),
        ("2360278056041", "95012", "INS-067"),
        ("2360291056041", "78012", "INS-067"),
        ("2360275056041", "77012", "INS-065"),
        ("2360277056041", "92012", "INS-065"),
        ("2360291056041", "77012", "INS-065"),
        ("2360277056041", "75012", "INS-065"),
        ("2360291352041", "99352", "INS-067"),
        ("2360294352041", "99352", "INS-067"),
        ("2360295350041", "99350", "INS-067"),
        ("2360296351041", "99351", "INS-067"),
        ("2360291352041", "99350", "INS-069"),
        ("2360248907041", "99127", "INS-069"),
        ("2360299127041", "99109", "INS-065"),
        ("2360297105041", "97105", "INS-068"),
        ("2360298735041", "98735", "INS-068"),
    ],
)
def test_the_place_of_the_matricule_against_the_code(number: str, cog: str, rule_id: str) -> None:
    view = born(number, birth_place=cog)
    places = {"INS-065", "INS-066", "INS-067", "INS-068", "INS-069"}
    assert ids(judged(view)) & places == {rule_id}
    (finding,) = found(rule_id, view)
    assert (finding.received, finding.expected) == (cog, number[5:10])


@pytest.mark.parametrize(("number", "cog"), [("2360299999041", "48907"), ("2360248907041", "99999")])
def test_an_unknown_place_contradicts_nothing(number: str, cog: str) -> None:
    assert not ids(judged(born(number, birth_place=cog))) & {"INS-065", "INS-069"}


def test_a_nia_says_nothing_of_the_birth_and_a_month_unknown_nothing_of_the_month() -> None:
    nia = cda(identifiers=(ins(ODETTE, INS_NIA),), birth_place="48908", birth_date="19370314")
    assert not ids(judged(nia)) & {"INS-061", "INS-062", "INS-065"}
    assert not found("INS-062", born("2362048907041", birth_date="19360314"))
    assert not found("INS-065", cda(birth_place="BRUMEVAL"))


@pytest.mark.parametrize(("sex", "told"), [("M", True), ("F", False), ("UN", False)])
def test_the_first_digit_against_the_sex(sex: str, told: bool) -> None:
    assert bool(found("INS-060", cda(sex=sex))) is told
    man = born("1360248907041", sex=sex)
    assert bool(found("INS-060", man)) is (sex == "F")
    if sex == "F":
        assert found("INS-060", man)[0].received == "1… + F"


def test_dates_with_hyphens_are_read_as_well() -> None:
    assert found("INS-061", fhir(birth_date="1937-02-14"))
    assert found("INS-062", fhir(birth_date="1936-03-14"))
    assert found("INS-053", fhir(birth_date="2030-01-01"))
    assert found("INS-070", fhir(document_date="1936-02-13"))


def test_december_is_not_february() -> None:
    assert found("INS-062", born("2361248907041"))


def test_a_completed_date_is_only_a_warning_against_the_matricule() -> None:
    receiving = context(Direction.RECEPTION)
    assert {f.severity for f in found("INS-061", cda(birth_date="19370101"), receiving)} == {Severity.WARNING}
    assert {f.severity for f in found("INS-062", cda(birth_date="19361231"), receiving)} == {Severity.WARNING}
    assert {f.severity for f in found("INS-061", cda(birth_date="19370102"), receiving)} == {Severity.BLOCKING}
    assert [(f.received, f.expected) for f in found("INS-061", born("2090248907041", birth_date="20000214"))] == [
        ("09", "00")
    ]


# ------------------------------------------------------------------------------------------------------- addresses, header


@pytest.mark.parametrize(
    ("written", "oid", "type_code", "malformed"),
    [
        (ODETTE, INS_TEST, "NH", False),
        (ODETTE, INS_TEST, "PI", True),
        ("CH1", "1.2.3", "PI", False),
        ("CH1", "1.2.3", "NH", False),
        ("CH1", "1.2.3", "INS", True),
        ("", INS_TEST, "NH", True),
        ("CH1", "", "PI", True),
    ],
)
def test_the_form_of_a_patient_id(written: str, oid: str, type_code: str, malformed: bool) -> None:
    view = metadata(identifiers=(ins(written, oid, type_code), ipp()))
    assert bool(found("INS-130", view)) is malformed
    assert not found("INS-130", replace(view, kind=ContainerKind.CDA))


def test_a_malformed_patient_id_shows_its_form_and_not_its_number() -> None:
    whole = f"{ODETTE}^^^{'1.' * 60}^NH"
    (finding,) = found("INS-130", metadata(identifiers=(ins(type_code="NH", written=whole), ipp())))
    assert finding.received == f"2360·········79{whole[15:95]}"


def test_the_local_part_of_an_address_is_what_stands_before_the_first_at_sign() -> None:
    assert local_part("2a@b@c") == "2A"
    assert local_part("a" * 120) == "A" * 100


def test_a_source_id_is_asked_of_an_entry_that_tells_whether_it_has_one() -> None:
    assert found("INS-133", replace(metadata(), has_source_id=False))
    for view in (replace(metadata(), has_source_id=None), replace(lot(), has_source_id=False)):
        assert not found("INS-133", view)


def test_each_strange_qualifier_is_told_once() -> None:
    view = cda(name_qualifiers=(told("BR SP"), told("SP CL XX"), told("Q" * 30)))
    assert [f.received for f in found("INS-089", view)] == ["SP", "XX", "Q" * 20]
    assert "SP" in found("INS-089", view)[0].message.fr


def test_a_header_shows_an_empty_oid_and_cuts_a_long_code() -> None:
    assert found("INS-085", cda(identifiers=(ipp(oid=""), ins())))[0].received == "∅"
    assert found("INS-090", cda(sex="X" * 30))[0].received == "X" * 20
    assert not found("INS-090", cda(sex=""))
    assert not found("INS-085", hl7(identifiers=(ipp(), ins(type_code="INS"))))
    assert not found("INS-084", hl7(subject_count=2))
    assert found("INS-084", cda(subject_count=0))


@pytest.mark.parametrize(
    ("rule_id", "field", "below", "expected"),
    [
        ("INS-091", "birth_date", "patient/birthTime", "AAAAMMJJ"),
        ("INS-092", "birth_place", "patient/birthplace/place/addr/county", "COG"),
    ],
)
def test_an_element_of_a_header_is_told_where_it_stands_or_should_stand(
    rule_id: str, field: str, below: str, expected: str
) -> None:
    for value, place in ((None, f"{PLACE.path}/{below}"), (Located("", PLACE / "here"), f"{PLACE.path}/here")):
        view = replace(cda(), **{field: value})
        assert [(f.where.path, f.received) for f in found(rule_id, view)] == [(place, "∅")]
        assert not found(rule_id, replace(view, null_traits=(told(field),)))
        assert not found(rule_id, replace(view, identifiers=(ipp(),)))
        assert not found(rule_id, replace(view, kind=ContainerKind.FHIR))
    (finding,) = found(rule_id, cda(**{field: "BRUMEVAL"}))
    assert (finding.received, finding.expected_in("fr")) == ("B·······(8)", expected)


def test_a_mailbox_in_a_header_belongs_to_one_of_its_ins() -> None:
    box = f"{COLETTE}@patient.mssante.fr"
    assert not found("INS-093", cda(mailbox=box, identifiers=(ins(), ins(COLETTE))))
    assert not found("INS-093", cda(mailbox=box, **NOBODY))
    assert not found("INS-093", hl7(mailbox=box))


# ----------------------------------------------------------------------------------------------------------------- status


def declared(*codes: str, comments: tuple[str, ...] = (), **ways: str) -> IdentityView:
    statuses = tuple(CodeTold(code, PLACE / code) for code in codes)
    notes = tuple(CodeTold(code, PLACE / code) for code in comments)
    located = {name: Located(value, PLACE / name) for name, value in ways.items()}
    return replace(changed(), declared=DeclaredStatus(statuses, notes, **located))


@pytest.mark.parametrize(
    ("view", "rule_id", "received", "expected"),
    [
        (declared("PROV", "FICT", comments=("DOUT",)), "INS-075", "FICT + DOUT", "FICT | DOUT"),
        (declared("RECUP", comments=("FICT",)), "INS-076", "RECUP + FICT", "PROV + FICT"),
        (declared("VALI", "QUAL", "DOUT", "FICT"), "INS-076", "VALI + DOUT", "PROV + DOUT"),
        (declared("PROV", "VALI", "PROV"), "INS-078", "PROV + VALI", "PROV | VALI"),
        (declared("VALI", method="INSI"), "INS-080", "VALI + ∅", "CN | PA | CS…"),
        (declared("QUAL", proof="", proof_ends="20300101"), "INS-080", "QUAL + ∅", "CN | PA | CS…"),
        (declared("VALI", proof="CN"), "INS-082", "VALI + ∅", "VALI + ZFD-6"),
        (declared("QUAL", proof="CN", method=""), "INS-082", "QUAL + ∅", "QUAL + ZFD-6"),
    ],
)
def test_what_a_declared_status_lacks_or_contradicts(
    view: IdentityView, rule_id: str, received: str, expected: str
) -> None:
    (finding,) = found(rule_id, view)
    assert (finding.received, finding.expected) == (received, expected)


@pytest.mark.parametrize(
    ("view", "rule_id"),
    [
        (declared("PROV", "DOUT"), "INS-075"),
        (declared("PROV", "FICT"), "INS-076"),
        (declared("VALI", "VALI"), "INS-078"),
        (declared("PROV", method="INSI"), "INS-080"),
        (declared("VALI", method="AV"), "INS-080"),
        (declared("VALI", method="INSI", proof="CN"), "INS-080"),
        (declared("VALI"), "INS-080"),
        (declared("PROV", proof="PC"), "INS-081"),
        (declared("VALI", proof="CN"), "INS-081"),
        (declared("PROV", proof="CN"), "INS-082"),
        (declared("VALI", proof="AV"), "INS-082"),
        (declared("VALI", proof="CN", asked_on="20260301"), "INS-082"),
        (declared("VALI", proof="CN", method="INSI"), "INS-082"),
        (replace(declared("VALI", proof="CN"), identifiers=(ipp(),)), "INS-082"),
        (replace(declared("VALI", "PROV"), kind=ContainerKind.CDA), "INS-078"),
    ],
)
def test_a_status_that_has_nothing_more_to_say(view: IdentityView, rule_id: str) -> None:
    assert not found(rule_id, view)


def test_a_patient_resource_names_its_own_element_and_statuses() -> None:
    qualified = DeclaredStatus((CodeTold("QUAL", PLACE),), proof=Located("CN", PLACE))
    (finding,) = found("INS-082", replace(fhir(), declared=qualified))
    assert finding.expected == "QUAL + dateInterrogationINSi"
    assert not found("INS-082", replace(fhir(), declared=replace(qualified, codes=(CodeTold("VALI", PLACE),))))
    three = tuple(CodeTold(code, PLACE / str(n)) for n, code in enumerate(("PROV", "VALI", "PROV")))
    (finding,) = found("INS-078", replace(fhir(), declared=DeclaredStatus(three)))
    assert (finding.expected, finding.where) == ("PROV | RECUP | VALI | QUAL", PLACE / "2")


def test_a_proof_nobody_knows_is_shown_cut() -> None:
    assert found("INS-081", declared("VALI", proof="P" * 50))[0].received == "P" * 40
