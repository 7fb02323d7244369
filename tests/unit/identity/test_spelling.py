"""How a name is read: letters, quotes, separators, titles, lists; and what the rules of spelling tell of each."""

from __future__ import annotations

import pytest

from gateway.identity import traits as t
from gateway.rules import Finding
from tests.support.identity_views import cda, fhir, ids, judged


def told(rule_id: str, **traits: str) -> Finding:
    found = {finding.rule: finding for finding in judged(cda(**traits))}
    return found[rule_id]


@pytest.mark.parametrize(
    ("value", "lower"),
    [("Brunel", True), ("brunel", True), ("BRUNEL", False), ("BRUNEL 2", False), ("ªA", False), ("ßA", True)],
)
def test_a_lower_case_letter(value: str, lower: bool) -> None:
    assert t.has_lower_case(value) is lower


@pytest.mark.parametrize(
    ("value", "foreign"), [("ŒUVRÉ", "Œ"), ("ЖИ", "ЖИ"), ("BRÜNEL", ""), ("D’A", ""), ("ʼA", ""), ("É2-", "")]
)
def test_letters_of_other_alphabets_are_told_in_order(value: str, foreign: str) -> None:
    assert t.foreign_letters(value) == foreign


def test_a_ligature_is_told_with_what_to_write_instead_each_once() -> None:
    assert told("INS-042", birth_family="ŒÆŒЖ").expected == "Œ > OE Æ > AE Ж > ?"
    assert told("INS-042", birth_family="ЖЗИЙКЛМНОП").expected.count(">") == 8


def test_forbidden_characters_are_named_by_themselves_or_by_their_code() -> None:
    for name, named in (("A1B2", "1 2"), ("A\u00a0B", "U+00A0"), ("A\x07B", "U+0007"), ("A€B", "U+20AC")):
        assert named in told("INS-044", birth_family=name).message.fr
    assert t.forbidden_characters("A1É’-Œ\u0301/") == "1/"
    assert "7 8" in told("INS-044", birth_family="A123456789").message.fr
    assert "8 9" not in told("INS-044", birth_family="A123456789").message.fr


@pytest.mark.parametrize(
    ("value", "given", "edge"),
    [
        (" BRUNEL", False, True),
        ("-BRUNEL", False, True),
        ("'T HOOFT", False, False),
        ("BRUNEL ", False, True),
        ("BRUNEL-", False, False),
        ("BRUNEL'", False, False),
        ("ODETTE-", True, True),
        ("ODETTE'", True, True),
        ("ODETTE ", True, True),
        ("X", True, False),
        ("X", False, False),
        ("A B", True, False),
        ("O'X", True, False),
    ],
)
def test_a_trait_begins_and_ends_with_a_letter(value: str, given: bool, edge: bool) -> None:
    assert t.edge_separator(value, given=given) is edge


@pytest.mark.parametrize(
    ("value", "double_hyphen", "doubled"),
    [
        ("LE--GOFF", True, False),
        ("LE--GOFF", False, True),
        ("LE---GOFF", True, True),
        ("LE  GOFF", True, True),
        ("LE- GOFF", True, True),
        ("L'-A", True, True),
        ("LE GOFF-LE", False, False),
        ("A--B  C", True, True),
    ],
)
def test_two_separators_in_a_row(value: str, double_hyphen: bool, doubled: bool) -> None:
    assert t.doubled_separators(value, double_hyphen=double_hyphen) is doubled


def test_the_double_hyphen_is_allowed_in_the_birth_name_and_edges_are_stricter_for_given_names() -> None:
    assert judged(cda(birth_family="LE--GOFF")) == []
    assert ids(judged(cda(birth_family="BRUNEL-"))) == set()
    assert ids(judged(cda(birth_given="ODETTE-"))) == {"INS-046"}


@pytest.mark.parametrize(
    ("value", "filler"),
    [
        ("inconnu", True),
        (" X ", True),
        ("  ", True),
        ("", False),
        ("XAVIER", False),
        (" " * 200, True),
        (" " * 201, False),
    ],
)
def test_a_value_typed_to_fill_the_field(value: str, filler: bool) -> None:
    assert t.is_filler(value) is filler


@pytest.mark.parametrize(
    ("value", "marker"),
    [
        ("MME BRUNEL", "MME"),
        ("Mme. BRUNEL", "MME"),
        ("MMES", ""),
        ("DRX BRUNEL", ""),
        ("BRUNEL EPOUSE MARTIN", "EPOUSE"),
        ("BRUNEL NEE MARTIN", "NEE"),
        ("BRUNEL NEE", ""),
        ("BRUNEL MME", ""),
        ("  ", ""),
        ("", ""),
        (" DR X", "DR"),
    ],
)
def test_a_title_or_a_civil_status_is_no_part_of_a_name(value: str, marker: str) -> None:
    assert t.marker(value) == marker


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("ANNE MARIE", "ANNE-MARIE", True),
        ("ANNE", "ANNE MARIE", True),
        ("ANNE MARIE", "ANNE", True),
        ("ANN", "ANNE MARIE", False),
        ("ANNE MARIE", "ANN", False),
        ("MARIE", "ANNE MARIE", False),
    ],
)
def test_one_list_is_the_head_of_the_other_ending_on_a_word(one: str, other: str, agree: bool) -> None:
    assert t.lists_agree(one, other) is agree


def test_a_trait_looked_at_in_part_is_still_told_for_its_length_and_its_end() -> None:
    assert ids(judged(cda(birth_family="é" + "B" * 300 + " "))) == {"INS-040", "INS-041", "INS-046", "INS-047"}
    assert ids(judged(cda(birth_family="B" * 200 + "é"))) == {"INS-047"}
    assert ids(judged(cda(birth_family="B" * 199 + "é"))) == {"INS-040", "INS-041", "INS-047"}


def test_a_first_given_name_too_long_to_be_compared_agrees_with_no_list() -> None:
    longest = "A" * 200
    assert "INS-049" not in ids(judged(cda(birth_given=longest, given_list=f"{longest} B")))
    assert "INS-049" in ids(judged(cda(birth_given=f"{longest}A", given_list=f"{longest}A B")))
    far = "A" * 150 + " " + "B" * 649
    assert "INS-049" not in ids(judged(cda(birth_given="A" * 150, given_list=far)))


def test_a_first_given_name_or_a_list_that_is_missing_is_not_compared() -> None:
    for changes in ({"birth_given": ""}, {"birth_given": None}, {"given_list": ""}, {"given_list": None}):
        assert "INS-049" not in ids(judged(fhir(**changes)))


def test_each_name_trait_is_judged_under_its_own_words() -> None:
    for field, words in (
        ("birth_family", "nom de naissance"),
        ("birth_given", "premier prénom"),
        ("given_list", "liste des prénoms"),
    ):
        assert words in told("INS-044", **{field: "ODETTE2"}).message.fr
        assert words in told("INS-047", **{field: "A" * 101}).message.fr
        assert words in told("INS-051", **{field: "MME A"}).message.fr
