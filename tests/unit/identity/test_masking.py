"""Masked values show where they differ and nothing more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.masking import SHOWN, mask_address, mask_matricule, mask_shape, mask_trait


def test_a_matricule_shows_its_first_four_characters_and_its_key() -> None:
    assert mask_matricule("236024890704179") == "2360·········79"
    assert mask_matricule("") == "∅"


def test_two_matricules_show_the_positions_where_they_differ() -> None:
    assert mask_matricule("236024890704179", ["236024890704278"]) == "2360········[1]7[9]"


def test_matricules_of_different_lengths_show_no_position() -> None:
    assert mask_matricule("0236024890704179", ["236024890704179"]) == "0236·········17·"


def test_names_show_what_differs_between_what_they_share() -> None:
    assert mask_trait("ODETTE", ["COLETTE"]) == "[OD]····(6)"
    assert mask_trait("JEANNE", ["JEAN"]) == "J···[NE](6)"
    assert mask_trait("JEAN", ["JEANNE"]) == "J···(4)"
    assert mask_trait("MARTIN", ["DURAND"]) == "M·····(6)"


def test_a_spelling_is_shown_by_its_shape() -> None:
    assert mask_shape("Léa-Marie d’Œ2") == "Léx-Xxxxx x’Œ9(14)"


def test_a_patient_address_keeps_its_domain() -> None:
    assert mask_address("236024890704179@patient.mssante.fr") == "2360·········79@patient.mssante.fr"


@given(st.text(max_size=300), st.lists(st.text(max_size=300), max_size=3))
def test_any_text_is_masked_within_a_bounded_length(value: str, others: list[str]) -> None:
    for masked in (mask_matricule(value, others), mask_trait(value, others), mask_shape(value), mask_address(value)):
        assert 0 < len(masked) <= 4 * SHOWN


@given(st.text(alphabet="0123456789", min_size=15, max_size=15))
def test_a_matricule_alone_never_shows_its_middle(value: str) -> None:
    assert mask_matricule(value)[4:13] == "·" * 9
