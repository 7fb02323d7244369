"""Dates told to the year, the month or the day: what the calendar knows of them, and when two of them agree."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.identity.dates import PartialDate, parse_date
from gateway.identity.model import ContainerKind

TODAY = date(2026, 3, 1)


def day(written: str) -> PartialDate:
    found = parse_date(written, ContainerKind.CDA)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "calendar"),
    [
        ("19360101", True),
        ("19361231", True),
        ("19360228", True),
        ("19360229", True),
        ("19370229", False),
        ("19360431", False),
        ("19360400", False),
        ("19360001", False),
        ("19361301", False),
        ("00010101", True),
        ("00000101", False),
        ("193602", False),
        ("1936", False),
    ],
)
def test_a_day_of_the_calendar(written: str, calendar: bool) -> None:
    assert day(written).is_calendar is calendar


@pytest.mark.parametrize(("written", "full"), [("19360214", True), ("19360200", True), ("193602", False)])
def test_a_day_written_00_is_told(written: str, full: bool) -> None:
    assert day(written).is_full is full


@pytest.mark.parametrize(
    ("written", "completed"),
    [("19361231", True), ("19360101", True), ("19361201", False), ("19360131", False), ("1936", False)],
)
def test_the_last_and_the_first_day_of_a_year_may_have_been_completed(written: str, completed: bool) -> None:
    assert day(written).is_completed is completed


@pytest.mark.parametrize(
    ("written", "after"),
    [
        ("20260301", False),
        ("20260302", False),
        ("20260303", True),
        ("20270000", True),
        ("20260000", False),
        ("2027", True),
        ("2026", False),
    ],
)
def test_tomorrow_is_let_through_for_the_time_zones(written: str, after: bool) -> None:
    assert day(written).is_after(TODAY) is after


@pytest.mark.parametrize(
    ("written", "age"),
    [("19360301", 90), ("19360302", 89), ("19360228", 90), ("1936", 90), ("193604", 89), ("193603", 90)],
)
def test_an_age_counts_whole_years(written: str, age: int) -> None:
    assert day(written).age_on(TODAY) == age


def test_an_age_on_the_first_of_january_of_a_date_told_to_the_year() -> None:
    assert day("1936").age_on(date(2026, 1, 1)) == 90
    assert day("19360000").age_on(date(2026, 1, 1)) == 90


@pytest.mark.parametrize(
    ("one", "other", "agrees"),
    [
        ("19360214", "19360214", True),
        ("19360214", "19360215", False),
        ("19360214", "19360314", False),
        ("19360214", "19370214", False),
        ("193602", "19360214", True),
        ("193603", "19360214", False),
        ("1936", "19360214", True),
        ("1936", "193602", True),
        ("1937", "193602", False),
        ("19360200", "19360214", False),
        ("19360014", "19360214", False),
        ("19360100", "193601", True),
    ],
)
def test_two_dates_agree_at_the_precision_they_share(one: str, other: str, agrees: bool) -> None:
    assert day(one).agrees_with(day(other)) is day(other).agrees_with(day(one)) is agrees


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [
        ("19360213", "19360214", True),
        ("19360214", "19360214", False),
        ("19360215", "19360214", False),
        ("1935", "19360214", True),
        ("1936", "19360214", False),
        ("193601", "19360214", True),
        ("193602", "19360214", False),
        ("19360113", "193602", True),
        ("19360200", "19360201", True),
        ("19360030", "19360201", True),
        ("19360014", "19360015", True),
    ],
)
def test_a_date_is_earlier_only_where_both_tell_it(one: str, other: str, before: bool) -> None:
    assert day(one).is_before(day(other)) is before


@pytest.mark.parametrize(
    ("written", "kind", "read"),
    [
        ("1936-02-14", ContainerKind.INSI, (1936, 2, 14)),
        ("1936-02", ContainerKind.FHIR, (1936, 2, -1)),
        ("1936", ContainerKind.FHIR, (1936, -1, -1)),
        ("19360214", ContainerKind.FHIR, None),
        ("1936", ContainerKind.CDA, (1936, -1, -1)),
        ("1936+0100", ContainerKind.CDA, None),
        ("1936-02-14", ContainerKind.DATAMATRIX, None),
        ("14-02-1936", ContainerKind.CDA, None),
    ],
)
def test_each_container_has_its_own_way_to_write_a_date(
    written: str, kind: ContainerKind, read: tuple[int, int, int] | None
) -> None:
    found = parse_date(written, kind)
    assert (None if found is None else (found.year, found.month, found.day)) == read
