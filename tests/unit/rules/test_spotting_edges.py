"""What a find says of itself: its value, its key, where it begins and ends, and whether a longer number holds it."""

from __future__ import annotations

import pytest

from gateway.rules.masking import mask_text
from gateway.rules.spotting import Spotted, quoted, right_key, spot


def with_key(number: str) -> str:
    return next(f"{number}{key:02d}" for key in range(1, 98) if right_key(f"{number}{key:02d}"))


SURE, WRONG = "239034890101755", "239034890101754"
CORSICAN = with_key("239062A004012")
GROUPED = "2 39 03 48 901 017 55"


def one(text: str) -> Spotted:
    (found,) = spot(text)
    return found


def spotted(text: str) -> bool:
    return bool(spot(text))


def test_a_find_knows_its_place_its_key_and_what_to_hide() -> None:
    assert one(f"a {SURE}.") == Spotted(2, 17, SURE, True, tuple(range(6, 15)))
    assert one(f"a {WRONG}.") == Spotted(2, 17, WRONG, False, tuple(range(6, 15)))
    assert one("x 2390348901017") == Spotted(2, 15, "2390348901017", False, tuple(range(6, 15)))


def test_a_find_in_groups_has_its_canonical_value_and_hides_no_separator() -> None:
    assert one(GROUPED) == Spotted(0, 21, SURE, True, (6, 8, 9, 11, 12, 13, 15, 16, 17))
    assert one("239 034 890 101 755") == Spotted(0, 19, SURE, True, (5, 6, 8, 9, 10, 12, 13, 14, 16))


def test_a_corsican_find_is_told_in_upper_case_wherever_it_stands() -> None:
    assert one(f"x {CORSICAN.lower()}") == Spotted(2, 17, CORSICAN, True, tuple(range(6, 15)))
    assert not one(f"x{CORSICAN}").inside
    assert one(f"1{CORSICAN}").inside
    assert [found.inside for found in spot(f"x1{CORSICAN}")] == [True]
    assert [found.inside for found in spot(f"1x{CORSICAN}")] == [False]


def test_a_number_that_holds_a_matricule_is_hidden_whole() -> None:
    text = f"S1{SURE}"
    assert one(text) == Spotted(1, 17, SURE, True, (1, *range(6, 15)), inside=True)
    assert mask_text(f"7{SURE}8 et 7{SURE}8") == "·2390·········55· et ·2390·········55·"


@pytest.mark.parametrize("first", "3478")
def test_a_longer_number_holds_a_matricule_only_when_it_begins_with_1_or_2(first: str) -> None:
    assert spotted(f"99{with_key('1390348901017')}9")
    assert not spotted(f"99{with_key(f'{first}390348901017')}9")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # fifteen in a row, the key wrong: first digit and month possible
        (WRONG, True),
        ("339034890101754", False),
        ("439034890101754", False),
        ("539034890101754", False),
        ("739034890101754", True),
        ("839034890101754", True),
        ("239194890101754", False),
        ("239204890101754", True),
        ("239994890101754", True),
        # thirteen in a row: month of the calendar, and no arc of an OID
        ("2390348901017", True),
        ("2391248901017", True),
        ("2391348901017", False),
        ("2392048901017", False),
        ("1.2390348901017", False),
        ("a.2390348901017", True),
        (".2390348901017", True),
        ("1. 2390348901017", True),
        ("x1.2390348901017", False),
        # groups, two separators or more
        ("2 39 20 48901017 54", True),
        ("2 39034890101754", True),
        ("2-39-0348901017", True),
        # a single separator, the key wrong: after a space or before the key, month of the calendar
        ("2 390348901017", True),
        ("2-390348901017", False),
        ("2 392048901017", False),
        ("23903489010 17", False),
        ("2390348901017-54", True),
        ("2392048901017-54", False),
        ("239034890-1017", False),
        ("239034890 1017", False),
        ("23903-48901017", False),
        ("23903 48901017", True),
        ("23903489 01017", False),
        ("2390348 901017", True),
        ("2390348-901017", False),
        ("2-3920 48901017", True),
        # a rare first digit asks for a right key and a month of the calendar
        (with_key("3390348901017"), True),
        (with_key("4390348901017"), True),
        (with_key("3392048901017"), False),
        (with_key("5390348901017"), True),
        # Corsica
        ("239062A00401299", True),
        ("239062a004012", True),
        ("339062A00401299", False),
        ("239192A00401299", False),
        ("239062C00401299", False),
        # spaces anywhere: the key is right
        ("239 034 890 101 755", True),
        ("239 034 890 101 754", False),
        ("339 034 890 101 755", False),
    ],
)
def test_what_is_a_matricule_and_what_is_not(text: str, found: bool) -> None:
    assert spotted(text) is found
    assert spotted(f"<{text}>") is found


HEX = "0199f2a4c5d6e7f8a"  # 17 characters


def test_inside_an_identifier_in_hexadecimal_only_a_right_key_tells_a_matricule() -> None:
    assert not spotted(f"{WRONG}{HEX}")
    assert not spotted(f"{HEX[::-1]}{WRONG}")
    assert not spotted(f"f0199f2a{WRONG}c5d6e7f8a")
    assert spotted(f"{WRONG}{'f' * 16}")
    assert spotted(f"f{WRONG}{'f' * 15}")
    assert not spotted(f"f{WRONG}{'f' * 16}")
    assert spotted(f"{HEX[1:]}g{WRONG}g{HEX}")
    assert one(f"{SURE}{'f' * 17}").inside
    assert not one(f"{SURE}{'f' * 16}").inside
    assert not spotted(f"239062A00401299{'f' * 17}")
    assert one(f"{CORSICAN}{'f' * 17}").inside
    assert [found.value for found in quoted(f"{SURE}{'f' * 17} {SURE}")] == [SURE]


def test_groups_are_no_part_of_an_identifier_in_hexadecimal() -> None:
    assert spotted(f"2 39 03 48 901 017 54{'f' * 20}")


def test_of_two_finds_that_begin_together_the_longer_is_told() -> None:
    assert one("2 39 03 48 901 017 5 5").value == SURE


def test_overlapping_finds_are_one_and_neighbours_are_two() -> None:
    assert [found.start for found in spot(f"{SURE} {SURE}")] == [0, 16]
    assert [found.value for found in spot(f"{SURE},{CORSICAN};{GROUPED}")] == [SURE, CORSICAN, SURE]
    assert len(spot("2 39 03 48 901 017 55 2 39 03 48 901 017 55")) == 2


@pytest.mark.parametrize("text", ["", "2390348901", "2" * 12, "a" * 50, "2 3 9 0 3 4 8", "239034890x101755"])
def test_a_text_with_too_few_digits_in_a_row_holds_none(text: str) -> None:
    assert spot(text) == ()


def test_separators_of_the_web_and_of_other_scripts_are_read_through() -> None:
    for separator in ("%20", "&nbsp;", "%C2%A0", "\u2013", "\u2212", "+", "/"):
        assert spotted(separator.join(("2", "39", "03", "48", "901", "017", "55"))), separator


@pytest.mark.parametrize(
    ("matricule", "right"),
    [
        (SURE, True),
        (WRONG, False),
        (CORSICAN, True),
        (CORSICAN.lower(), True),
        (with_key("180032B020401"), True),
        ("180032A02040123", False),
        ("180032B02040123", True),
    ],
)
def test_the_key_is_that_of_the_thirteen_characters(matricule: str, right: bool) -> None:
    assert right_key(matricule) is right
