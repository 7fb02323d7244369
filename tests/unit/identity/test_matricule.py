"""The arithmetic of the matricule, with python-stdnum as an independent judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import nir

from gateway.identity import matricule as m
from tests.support.identity_views import ODETTE, with_key

DEPARTMENTS = st.sampled_from([f"{n:02d}" for n in range(1, 96)] + ["2A", "2B", "97", "98", "99"])
NUMBERS = st.builds(
    lambda sex, year, month, department, place, order: f"{sex}{year:02d}{month:02d}{department}{place:03d}{order:03d}",
    st.sampled_from("12"),
    st.integers(0, 99),
    st.integers(1, 12),
    DEPARTMENTS,
    st.integers(1, 999),
    st.integers(1, 999),
)


@given(NUMBERS)
def test_the_key_is_the_one_python_stdnum_computes(number: str) -> None:
    assert m.key_of(number) == nir.calc_check_digits(number)
    assert nir.is_valid(with_key(number))
    assert m.has_right_key(with_key(number))


@given(NUMBERS, st.integers(0, 14), st.sampled_from("0123456789"))
def test_one_changed_digit_never_leaves_the_key_right(number: str, position: int, digit: str) -> None:
    whole = with_key(number)
    changed = whole[:position] + digit + whole[position + 1 :]
    if changed != whole and m.is_whole(changed):
        assert not m.has_right_key(changed)


@pytest.mark.parametrize(
    ("matricule", "key"),
    [
        ("275126322074974", "74"),
        ("297022A02077878", "78"),
        ("180032B02040123", "23"),
        ("109076322083489", "89"),
        ("279035121518989", "89"),
        ("109076322088835", "35"),
        ("181036322045660", "76"),
        ("221042545611404", "83"),
    ],
)
def test_the_key_of_published_matricules(matricule: str, key: str) -> None:
    assert m.key_of(matricule[:13]) == key


@pytest.mark.parametrize(
    "written", ["1 80 03 2b 020 401 23", "1.80.03.2B.020.401.23", "180032b02040123", "1\u00a080 03 2B 020 401-23"]
)
def test_separators_and_lower_case_are_read_through(written: str) -> None:
    assert m.canonical(written) == "180032B02040123"


def test_digits_of_other_alphabets_are_not_digits() -> None:
    arabic = ODETTE.translate({ord(str(n)): chr(0x0660 + n) for n in range(10)})
    assert not m.is_whole(m.canonical(arabic))


@pytest.mark.parametrize(
    ("digits", "kind"),
    [
        ("00", m.Month.IMPOSSIBLE),
        ("01", m.Month.CALENDAR),
        ("12", m.Month.CALENDAR),
        ("13", m.Month.IMPOSSIBLE),
        ("19", m.Month.IMPOSSIBLE),
        ("20", m.Month.UNKNOWN),
        ("42", m.Month.UNKNOWN),
        ("43", m.Month.UNEXPLAINED),
        ("49", m.Month.UNEXPLAINED),
        ("50", m.Month.UNKNOWN),
        ("99", m.Month.UNKNOWN),
    ],
)
def test_what_the_month_digits_say(digits: str, kind: m.Month) -> None:
    assert m.month_kind(f"236{digits}4890704179") is kind


@pytest.mark.parametrize(
    "number", ["1111111111111", "2222222222222", "1234567890123", "2360248000041", "2360248907000", "2360248000000"]
)
def test_a_number_typed_to_fill_the_field_is_told_from_a_real_one(number: str) -> None:
    assert m.is_filler(with_key(number))


@pytest.mark.parametrize(
    "number", ["2360248907041", "1234567890124", "1800320020401", "2360248900100", "1111111111112"]
)
def test_zeros_elsewhere_and_a_repeated_digit_are_not_a_filler(number: str) -> None:
    assert not m.is_filler(with_key(number))


@pytest.mark.parametrize(("key", "possible"), [("00", False), ("01", True), ("97", True), ("98", False)])
def test_a_key_lies_between_01_and_97(key: str, possible: bool) -> None:
    assert m.key_in_range(key) is possible


def test_a_text_too_long_to_be_a_matricule_is_left_as_written() -> None:
    longest = f"{ODETTE} ".ljust(64, "-")
    assert m.canonical(longest) == ODETTE
    assert m.canonical(f"{longest}-") == f"{longest}-"
