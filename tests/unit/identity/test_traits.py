"""Spellings, dates and places, as the standards write them."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.identity import traits as t
from gateway.identity.cog import Place, judge_place
from gateway.identity.dates import parse_date
from gateway.identity.model import ContainerKind
from gateway.identity.rules import VIEW_RULES, view_rules
from tests.support.identity_views import cda, ids, judged


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anne-Marie", "ANNE MARIE"),
        ("D’ÆION", "D'AEION"),
        ("CŒUR", "coeur"),
        ("LÉA", "LEA"),
        ("STRAßE", "STRASSE"),
        ("  O'  NEIL ", "O NEIL"),
        ("Łukasz", "LUKASZ"),
    ],
)
def test_two_spellings_of_one_name_are_canonically_equal(one: str, other: str) -> None:
    assert t.canon(one) == t.canon(other)


@pytest.mark.parametrize("first", ["ANNE", "ANNE MARIE", "ANNE-MARIE", "ANNE-MARIE SOPHIE"])
def test_the_head_of_the_list_is_a_first_given_name(first: str) -> None:
    assert t.first_given_agrees(first, "ANNE-MARIE SOPHIE")


@pytest.mark.parametrize("first", ["MARIE", "SOPHIE", "", "ANN", "ANNE-MARIE SOPHIE JEANNE"])
def test_what_is_not_the_head_of_the_list_is_none(first: str) -> None:
    assert not t.first_given_agrees(first, "ANNE-MARIE SOPHIE")


@pytest.mark.parametrize("name", ["D'ARTAGNAN DE L'HERAULT", "PAT-TROIS", "LE--GOFF", "'T HOOFT", "DE VINCI"])
def test_a_birth_name_of_the_conformity_base_gives_no_finding(name: str) -> None:
    assert judged(cda(birth_family=name)) == []


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("D’ÆION", {"INS-042", "INS-043"}),
        ("Léa", {"INS-040", "INS-041"}),
        ("ЖУКОВ", {"INS-042"}),
        ("MARTIN3", {"INS-044"}),
        ("MARTIN\u00a0DUPONT", {"INS-044"}),
        ("MARTIN\x00", {"INS-044"}),
        ("LE---GOFF", {"INS-045"}),
        ("- MARTIN", {"INS-045", "INS-046"}),
        ("DUPONT NEE MARTIN", {"INS-051"}),
        ("   ", {"INS-034"}),
        (".", {"INS-034"}),
    ],
)
def test_each_fault_of_spelling_has_its_own_rule(name: str, rules: set[str]) -> None:
    assert ids(judged(cda(birth_family=name))) == rules


def test_the_double_hyphen_is_for_the_birth_name_only() -> None:
    assert ids(judged(cda(birth_given="ODETTE", given_list="ODETTE JEANNE--MARIE"))) == {"INS-045"}


def test_without_an_ins_case_and_accents_are_free_and_a_filler_is_a_warning() -> None:
    from tests.support.identity_views import ipp

    unidentified = cda(identifiers=(ipp(),), birth_family="Brünel", birth_given="X", given_list=None)
    assert {f.rule: f.severity.value for f in judged(unidentified)} == {"INS-031": "warning", "INS-034": "warning"}


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("19390308", ContainerKind.CDA, (1939, 3, 8)),
        ("20260105101500.123+0100", ContainerKind.CDA, (2026, 1, 5)),
        ("193903", ContainerKind.CDA, (1939, 3, -1)),
        ("1939-03-08", ContainerKind.FHIR, (1939, 3, 8)),
        ("1939-03-08", ContainerKind.CDA, None),
        ("08-03-1939", ContainerKind.DATAMATRIX, (1939, 3, 8)),
        ("1939-03-08T10:00:00+01:00", ContainerKind.FHIR, (1939, 3, 8)),
        ("19390308x", ContainerKind.HL7, None),
        ("", ContainerKind.CDA, None),
    ],
)
def test_dates_are_read_in_the_format_of_their_container(
    value: str, kind: ContainerKind, expected: tuple[int, int, int] | None
) -> None:
    parsed = parse_date(value, kind)
    assert (None if parsed is None else (parsed.year, parsed.month, parsed.day)) == expected


def test_a_leap_day_and_a_lunar_day() -> None:
    leap, lunar = (parse_date(value, ContainerKind.CDA) for value in ("20240229", "19390332"))
    assert leap is not None
    assert leap.is_calendar
    assert lunar is not None
    assert not lunar.is_calendar
    assert lunar.age_on(date(2026, 3, 1)) == 86


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("48907", Place.KNOWN),
        ("48931", Place.NOT_JUDGED),
        ("63220", Place.NOT_JUDGED),
        ("2B020", Place.NOT_JUDGED),
        ("20020", Place.NOT_JUDGED),
        ("97105", Place.NOT_JUDGED),
        ("97905", Place.UNKNOWN),
        ("96001", Place.UNKNOWN),
        ("48000", Place.UNKNOWN),
        ("99352", Place.KNOWN),
        ("99141", Place.NOT_JUDGED),
        ("99999", Place.UNKNOWN),
        ("99000", Place.UNKNOWN),
        ("2C004", Place.MALFORMED),
        ("4890", Place.MALFORMED),
        ("2a004", Place.MALFORMED),
    ],
)
def test_what_is_known_of_a_birthplace_code(code: str, place: Place) -> None:
    assert judge_place(code) is place


def test_an_operators_list_of_communes_judges_what_was_not_judged() -> None:
    communes = frozenset({"63220"})
    assert judge_place("63220", communes) is Place.KNOWN
    assert judge_place("63221", communes) is Place.UNKNOWN
    assert judge_place("48907", communes) is Place.KNOWN
    assert [rule.id for rule in view_rules(communes)] == [rule.id for rule in VIEW_RULES]
