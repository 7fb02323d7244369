"""How much of a value is shown: bounds, several values compared, addresses, trees."""

from __future__ import annotations

import pytest

from gateway.rules.masking import (
    is_patient_domain,
    mask_address,
    mask_json,
    mask_matricule,
    mask_shape,
    mask_text,
    mask_trait,
    shown_address,
)

ODETTE, COLETTE = "236024890704179", "236024890704278"


def test_what_is_empty_is_told_as_empty() -> None:
    assert [mask("") for mask in (mask_matricule, mask_trait, mask_shape)] == ["∅"] * 3


def test_sixty_characters_are_shown_and_the_rest_is_counted() -> None:
    for mask in (mask_matricule, mask_shape):
        assert "…" not in mask("1" * 60)
        assert "…(61)" in mask("1" * 61)
    assert mask_matricule("1" * 61) == "1111" + "·" * 9 + "11" + "·" * 45 + "…(61)"
    assert mask_trait("A" * 61) == "A" + "·" * 59 + "(61)"
    assert mask_shape("A" * 61) == "A" + "X" * 59 + "…(61)"


def test_a_control_character_is_shown_as_unreadable_and_a_foreign_letter_as_it_is() -> None:
    assert mask_shape("A\x00Жé1.") == "A�Жé9.(6)"
    assert mask_shape("aÉx") == "aÉx(3)"


def test_several_values_compared_show_every_position_that_differs_from_one_of_them() -> None:
    assert mask_matricule("236024890704179", [COLETTE, "236024890705179"]) == "2360·······[41]7[9]"
    assert mask_matricule(ODETTE, [ODETTE]) == "2360·········79"
    assert mask_matricule(ODETTE, ["2360248907041"]) == "2360·········79"


def test_values_that_differ_nearly_everywhere_show_no_position() -> None:
    assert mask_matricule("111111111111111", ["222221111111111"]) == "[11111]········11"
    assert mask_matricule("111111111111111", ["222222111111111"]) == "1111·········11"
    assert mask_trait("ABCDEF", ["XYZDEF"]) == "[ABC]···(6)"
    assert mask_trait("ABCDEF", ["XYZTEF"]) == "A·····(6)"
    assert mask_trait("ABCDEFGHIJKL", ["XYZTEFGHIJKL"]) == "[ABCD]········(12)"


def test_names_of_two_lengths_show_what_stands_between_what_they_share() -> None:
    assert mask_trait("MARIE", ["MARI"]) == "M···[E](5)"
    assert mask_trait("AMARIE", ["MARIE"]) == "[A]·····(6)"
    assert mask_trait("AA", ["AAA"]) == "A·(2)"
    assert mask_trait("AAA", ["AA"]) == "A·[A](3)"
    assert mask_trait("ABA", ["A"]) == "A[BA](3)"


def test_a_difference_at_the_end_is_closed() -> None:
    assert mask_trait("ABCDEF", ["ABCDEX"]) == "A····[F](6)"


@pytest.mark.parametrize(
    ("domain", "patient"),
    [
        ("patient.mssante.fr", True),
        ("patient", True),
        ("ehpad.patient.fr", False),
        ("patients.mssante.fr", False),
        ("", False),
    ],
)
def test_the_first_label_of_a_domain_says_that_it_is_for_patients(domain: str, patient: bool) -> None:
    assert is_patient_domain(domain) is patient


def test_a_citizens_address_is_masked_whatever_it_holds() -> None:
    assert shown_address("odette@patient.mssante.fr") == "odet··@patient.mssante.fr"
    assert shown_address("odette@b@patient.mssante.fr") == "odet····@patient.mssante.fr"


def test_an_address_that_begins_like_a_matricule_is_masked_even_without_one() -> None:
    assert shown_address("23602ABCDEFGH@ehpad.fr") == "2360·········@ehpad.fr"
    assert shown_address("23602ABCDEFG@ehpad.fr") == "23602ABCDEFG@ehpad.fr"
    assert shown_address("2360ABCDEFGHI@ehpad.fr") == "2360ABCDEFGHI@ehpad.fr"
    assert shown_address("accueil") == "accueil"


def test_an_address_is_shown_within_bounds() -> None:
    assert len(shown_address(f"accueil@{'a' * 400}")) == 320
    assert mask_address(f"{ODETTE}@{'a' * 61}") == f"2360·········79@{'a' * 60}"
    assert mask_address(f"{ODETTE}@x@y") == "2360·········79@x@y"
    assert mask_address(f"{ODETTE}@x", (COLETTE,)) == "2360········[1]7[9]@x"


def test_sets_and_other_values_of_a_tree_are_kept() -> None:
    assert mask_json({"b", f"x{ODETTE}", "a"}) == ["a", "b", "x2360·········79"]
    assert mask_json(frozenset({"b", "a"})) == ["a", "b"]
    assert mask_json((1, None, True, 2.5)) == [1, None, True, 2.5]


def test_a_text_of_thirteen_characters_may_hold_a_matricule() -> None:
    assert mask_text("2390348901017") == "2390·········"
    assert mask_text("2390348901017", sure=True) == "2390348901017"
