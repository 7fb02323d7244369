"""Records of an index: dates completed by rule, an INS that never loses its OID, a JSON that gives everything back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.identity.comparison import compared, differ_by_one
from gateway.identity.local import Change, Ins, InsiTrace, LocalIdentity, Proof, Traits, completed_date, is_after
from gateway.identity.records import local_of, record_of
from gateway.identity.status import Attribute, Event, Reliability, Status

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
OID = "1.2.250.1.213.1.4.10"
NEW, OLD = Ins("236024890704179", OID), Ins("236024890704278", OID)
TRAITS = Traits("BRUNEL", "ODETTE", "ODETTE JEANNE", "F", "1936-02-14", "48907")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("1936-02-14", ("1936-02-14", False)),
        ("1936-02", ("1936-02-01", True)),
        ("1936-02-??", ("1936-02-01", True)),
        ("1936-??-14", ("1936-01-14", True)),
        ("1936", ("1936-12-31", True)),
        ("1936-??-??", ("1936-12-31", True)),
        ("1950-00-00", ("1950-00-00", False)),
        ("", None),
        ("????-02-14", None),
        ("14/02/1936", None),
        ("1939-13-45", None),
        ("1939-12-36", None),
        ("1939-02-30", None),
        ("1939-43-01", None),
        ("1939-20", None),
        ("1939-00-01", None),
        ("1936-??-00", None),
        ("0000-01-01", None),
        ("1936-02-29", ("1936-02-29", False)),
        ("1939-20-00", ("1939-20-00", False)),
        ("1939-99-35", ("1939-99-35", False)),
        ("1939-04-31", ("1939-04-31", False)),
    ],
)
def test_an_incomplete_date_is_completed_by_rule_and_marked(typed: str, completed: tuple[str, bool] | None) -> None:
    assert completed_date(typed) == completed


@pytest.mark.parametrize(
    ("typed", "later"),
    [
        ("2026-03-01", False),
        ("2026-03-02", True),
        ("2026-03", False),
        ("2026-04", True),
        ("2026", False),
        ("2026-??-31", False),
        ("2027", True),
        ("2199-01-01", True),
        ("2027-20-00", True),
        ("2026-20-00", False),
        ("", False),
    ],
)
def test_a_birth_is_not_later_than_today_as_far_as_it_is_told(typed: str, later: bool) -> None:
    assert is_after(typed, NOW.date()) is later


def whole() -> LocalIdentity:
    trace = InsiTrace("00", "search", NOW, "x", "a" * 64, TRAITS, NEW, (OLD,))
    return LocalIdentity(
        "CH1",
        TRAITS,
        Reliability(Status.QUAL, frozenset({Attribute.HOMONYME})),
        NEW,
        used_family="MARTIN",
        ins_history=(OLD,),
        ins_received=OLD,
        proofs=(Proof("CN", True, NOW, "x", "desk"),),
        insi=(trace,),
        origin="RECD",
        deceased_on="2026-01-01",
        changes=(Change("created", NOW, "x", "", "PROV"),),
    )


def test_a_record_comes_back_from_json_as_it_was() -> None:
    import json

    assert local_of(json.loads(json.dumps(record_of(whole())))) == whole()


def test_no_matricule_is_written_without_its_oid() -> None:
    record = record_of(whole())
    for held in (record["ins"], record["ins_received"], *record["ins_history"], record["insi"][0]["ins"]):
        assert set(held) == {"matricule", "oid"}


def test_a_doubt_takes_the_ins_and_the_proof_away_and_keeps_both_in_the_history() -> None:
    after = whole().after(Event.MARKED_DOUBTFUL)
    assert isinstance(after, LocalIdentity)
    assert (after.ins, after.proof, after.sends_ins) == (None, None, False)
    assert after.ins_history == (OLD, NEW)
    assert len(after.proofs) == 1


def test_traits_that_left_the_answer_they_came_from_are_told() -> None:
    assert whole().altered == ()
    assert replace(whole(), traits=replace(TRAITS, birth_family="Brunel")).altered == ("birth_family",)


def test_an_answer_that_repeats_the_active_ins_in_its_history_does_not_make_it_a_former_one() -> None:
    fresh = replace(whole(), ins=None, ins_history=()).with_ins(NEW, (NEW, OLD))
    assert (fresh.ins, fresh.ins_history) == (NEW, (OLD,))


def test_one_letter_ranks_and_a_coarse_date_agrees_only_where_it_may() -> None:
    assert differ_by_one("BRUNEL", "BRUNELL")
    assert differ_by_one("BRUNEL", "BRUMEL")
    assert not differ_by_one("BRUNEL", "BRÜNEL")
    assert not differ_by_one("BRUNEL", "MARTIN")
    coarse = replace(TRAITS, birth_date="1936")
    assert "birth_date" in compared(coarse, TRAITS).differing
    assert compared(coarse, TRAITS, coarse_date=True).differing == ()
