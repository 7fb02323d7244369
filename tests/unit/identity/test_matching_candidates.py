"""Whom a human is shown, in which order, and what the table does with doubles, records set aside and coarse dates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.identity.comparison import Grade, Likeness, compared, differ_by_one
from gateway.identity.local import Ins, LocalIdentity, Traits
from gateway.identity.matching import Match, Outcome, Received, match
from gateway.identity.status import Attribute, Reliability, Status
from tests.unit.identity.test_matching import ACCENTED, COLETTE, INS, ODETTE, OTHER, SHORT_LIST, WHOLE, local


class Everyone:
    """An index whose search by traits brings back every record."""

    def __init__(self, *records: LocalIdentity) -> None:
        self.records = records

    def with_ins(self, ins: Ins) -> list[LocalIdentity]:
        return [r for r in self.records if r.known_as(ins)]

    def like(self, traits: Traits) -> list[LocalIdentity]:
        return list(self.records)


DOUBTFUL = Reliability(Status.PROV, frozenset({Attribute.DOUTEUSE}))
HOMONYM = Reliability(Status.QUAL, frozenset({Attribute.HOMONYME}))
NO_INS = Received(ODETTE, None)
UNTRUSTED = replace(WHOLE, trusted=False)


def decided(received: Received, *records: LocalIdentity, profile: str = "strict") -> Match:
    return match(received, Everyone(*records), profile=profile)


def told(found: Match) -> tuple[int, str, tuple[str, ...], list[str]]:
    assert found.outcome is Outcome.QUARANTINE
    return found.row, found.ack, found.rules, [record.ipp for record in found.candidates]


def stranger(ipp: str, **traits: str) -> LocalIdentity:
    return local(ipp=ipp, ins=None, traits=replace(ODETTE, **traits))


NEAREST = (
    stranger("all", birth_family="BRUNEL"),
    stranger("folded", birth_family="Brunel"),
    stranger("missing", birth_place=""),
    stranger("letter", birth_family="BRUNELL"),
    stranger("twin", birth_given="COLETTE", given_list="COLETTE JEANNE"),
)
FAR = stranger("far", birth_family="MARTIN")


def test_a_human_is_shown_the_nearest_first_and_nobody_who_is_far() -> None:
    found = decided(replace(WHOLE, complete=False), FAR, *reversed(NEAREST))
    assert told(found) == (12, "905", ("INS-032",), ["all", "folded", "missing", "letter", "twin"])
    assert found.record is found.candidates[0]


def test_equally_near_records_keep_the_order_of_the_index_and_twenty_are_shown() -> None:
    records = [stranger(f"P{n}", birth_place="") for n in range(25)]
    for received in (replace(WHOLE, complete=False), replace(WHOLE, contradicted=True), WHOLE, NO_INS):
        assert [r.ipp for r in decided(received, *records).candidates] == [f"P{n}" for n in range(20)]


def test_a_message_that_contradicts_itself_joins_nothing_and_shows_the_holders_of_its_ins_first() -> None:
    found = decided(replace(WHOLE, contradicted=True), NEAREST[0], local(ipp="holder", traits=COLETTE), FAR)
    assert told(found) == (0, "904", (), ["holder", "all"])
    assert found.comparison is None
    alone = decided(Received(ODETTE, None, contradicted=True), local(ipp="holder"), FAR)
    assert told(alone) == (0, "904", (), ["holder"])


def test_what_is_missing_or_contradicted_is_looked_for_with_a_coarse_date() -> None:
    coarse = replace(ODETTE, birth_date="1936")
    for received in (Received(coarse, INS, complete=False), Received(coarse, INS, contradicted=True)):
        assert [r.ipp for r in decided(received, stranger("all")).candidates] == ["all"]
    assert told(decided(Received(coarse, None), stranger("all"))) == (14, "903", ("INS-031", "INS-176"), ["all"])
    assert told(decided(Received(coarse, INS), stranger("all"))) == (10, "902", ("INS-176",), [])


def test_a_wrong_key_stops_before_anything_is_looked_for() -> None:
    assert told(decided(replace(WHOLE, key_valid=False), local())) == (17, "904", ("INS-004",), [])


def test_an_index_where_two_records_hold_or_held_one_ins_is_a_double() -> None:
    former = local(ipp="P2", ins=OTHER, ins_history=(INS,))
    assert told(decided(WHOLE, local(), former)) == (15, "906", ("INS-179",), ["P1", "P2"])
    assert told(decided(WHOLE, local(), local(ipp="P2"))) == (15, "906", ("INS-172", "INS-179"), ["P1", "P2"])
    crowd = [local(ipp=f"P{n}") for n in range(25)]
    assert len(decided(WHOLE, *crowd).candidates) == 20


@pytest.mark.parametrize("received", [WHOLE, NO_INS, UNTRUSTED], ids=["INS", "no INS", "untrusted"])
def test_two_records_with_all_the_traits_are_a_double(received: Received) -> None:
    pair = (stranger("P1"), stranger("P2"))
    assert told(decided(received, *pair)) == (15, "906", ("INS-179",), ["P1", "P2"])
    assert len(decided(received, *[stranger(f"P{n}") for n in range(25)]).candidates) == 20


@pytest.mark.parametrize(
    ("received", "rules"),
    [(WHOLE, ("INS-177",)), (NO_INS, ("INS-031", "INS-177")), (UNTRUSTED, ("INS-101", "INS-177"))],
    ids=["INS", "no INS", "untrusted"],
)
def test_a_record_set_aside_is_never_joined(received: Received, rules: tuple[str, ...]) -> None:
    found = decided(received, local(ins=None, reliability=DOUBTFUL))
    assert told(found) == (16, "904", rules, ["P1"])
    assert found.comparison is not None
    assert found.comparison.grade is Grade.EXACT


@pytest.mark.parametrize(
    ("received", "record", "expected"),
    [
        (NO_INS, local(), (13, "903", ("INS-031",), ["P1"])),
        (NO_INS, local(reliability=Reliability(Status.VALI)), (14, "903", ("INS-031",), ["P1"])),
        (UNTRUSTED, local(), (11, "903", ("INS-101",), ["P1"])),
        (UNTRUSTED, NEAREST[1], (11, "903", ("INS-101", "INS-176"), ["folded"])),
        (UNTRUSTED, FAR, (11, "902", ("INS-101", "INS-176"), [])),
        (NO_INS, NEAREST[1], (14, "903", ("INS-031", "INS-176"), ["folded"])),
        (NO_INS, FAR, (14, "902", ("INS-031", "INS-176"), [])),
        (WHOLE, stranger("P1"), (8, "904", ("INS-170",), ["P1"])),
        (WHOLE, local(ins=OTHER), (7, "904", ("INS-173",), ["P1"])),
        (WHOLE, NEAREST[1], (10, "902", ("INS-176", "INS-180"), ["folded"])),
        (WHOLE, NEAREST[3], (10, "902", ("INS-176", "INS-180"), ["letter"])),
        (WHOLE, NEAREST[4], (9, "904", ("INS-174",), ["twin"])),
        (WHOLE, FAR, (10, "902", ("INS-176",), [])),
    ],
)
def test_one_record_near_or_far_decides_the_line(received: Received, record: LocalIdentity, expected: tuple) -> None:
    found = decided(received, record)
    assert told(found) == expected
    assert (found.comparison is None) is (not found.candidates)
    if found.comparison is not None:
        assert found.comparison == compared(received.traits, record.traits)


def test_the_comparison_told_is_the_one_with_the_record_shown_first() -> None:
    for received in (WHOLE, NO_INS):
        found = decided(received, FAR, NEAREST[2], NEAREST[1])
        assert [r.ipp for r in found.candidates] == ["folded", "missing"]
        assert found.comparison == compared(ODETTE, NEAREST[1].traits)


def test_twins_are_all_shown_and_a_letter_off_in_the_given_name_is_no_twin() -> None:
    twins = [stranger(f"P{n}", birth_given="COLETTE", given_list="COLETTE JEANNE") for n in range(25)]
    found = decided(WHOLE, NEAREST[3], *twins)
    assert told(found)[:3] == (9, "904", ("INS-174",))
    assert [r.ipp for r in found.candidates] == [f"P{n}" for n in range(20)]
    assert found.comparison == compared(ODETTE, COLETTE)
    assert decided(WHOLE, stranger("P1", birth_given="ODETTA")).row == 10


SAME_INS = [
    (local(reliability=DOUBTFUL), ODETTE, (16, "904", ("INS-177",), ["P1"])),
    (local(ins=OTHER, ins_history=(INS,)), ODETTE, (6, "904", ("INS-175",), ["P1"])),
    (local(reliability=Reliability(Status.VALI)), ODETTE, (2, "904", ("INS-178",), ["P1"])),
    (local(reliability=HOMONYM), ODETTE, (1, "904", ("INS-077",), ["P1"])),
    (local(), ACCENTED, (3, "904", ("INS-152", "INS-180"), ["P1"])),
    (local(), SHORT_LIST, (4, "904", ("INS-180",), ["P1"])),
    (local(reliability=Reliability(Status.VALI)), ACCENTED, (5, "904", ("INS-171",), ["P1"])),
    (local(), COLETTE, (5, "904", ("INS-171",), ["P1"])),
    (local(), replace(ODETTE, birth_place=""), (5, "904", ("INS-171",), ["P1"])),
]


@pytest.mark.parametrize(("record", "traits", "expected"), SAME_INS)
def test_the_record_of_the_ins_is_shown_with_its_comparison(
    record: LocalIdentity, traits: Traits, expected: tuple
) -> None:
    found = decided(Received(traits, INS), record)
    assert told(found) == expected
    assert found.comparison == compared(traits, record.traits)


def test_case_and_accents_are_let_through_only_where_asked_and_never_for_a_homonym() -> None:
    lenient = {"profile": "lenient_canonical"}
    found = decided(Received(ACCENTED, INS), local(), **lenient)
    assert (found.row, found.outcome, found.ack) == (3, Outcome.INTEGRATE_WITH_ALERT, "")
    assert found.rules == ("INS-152", "INS-180")
    assert told(decided(Received(ACCENTED, INS), local(reliability=HOMONYM), **lenient))[0] == 3
    assert told(decided(Received(SHORT_LIST, INS), local(), **lenient))[0] == 4


def test_an_exact_record_is_joined_without_an_error() -> None:
    found = decided(WHOLE, local())
    assert (found.row, found.outcome, found.ack, found.rules) == (1, Outcome.INTEGRATE, "", ("INS-161",))
    assert found.record == local()
    assert decided(WHOLE).record is None


@pytest.mark.parametrize(
    ("one", "other", "close"),
    [
        ("BRUNEL", "BRUNE", True),
        ("RUNEL", "BRUNEL", True),
        ("BRNEL", "BRUNEL", True),
        ("BRUNEL", "BRUMEL", True),
        ("BRUNEL", "BRUNELLE", False),
        ("BRUNEL", "BRUMEN", False),
        ("BRUNEL", "RUNELS", False),
        ("", "B", True),
        ("BRUNEL", "Brünel", False),
    ],
)
def test_one_letter_more_less_or_other(one: str, other: str, close: bool) -> None:
    assert differ_by_one(one, other) is differ_by_one(other, one) is close


def likeness(**changes: str) -> dict[str, Likeness]:
    found = compared(replace(ODETTE, **changes), ODETTE).traits
    return {name: how for name, how in found.items() if how is not Likeness.EXACT}


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"birth_family": "Brünel"}, Likeness.CANONICAL),
        ({"birth_family": "BRUN"}, Likeness.DIFFERENT),
        ({"birth_family": "BRUNEL PETIT"}, Likeness.DIFFERENT),
        ({"birth_given": ""}, Likeness.MISSING),
        ({"given_list": "Odette"}, Likeness.PREFIX),
        ({"given_list": "ODETTE JEANNE MARIE"}, Likeness.PREFIX),
        ({"given_list": "ODETTE JE"}, Likeness.DIFFERENT),
        ({"sex": "f"}, Likeness.DIFFERENT),
        ({"birth_place": "48908"}, Likeness.DIFFERENT),
        ({"birth_date": "1936"}, Likeness.DIFFERENT),
    ],
)
def test_each_trait_has_its_own_way_to_be_alike(changes: dict[str, str], how: Likeness) -> None:
    assert likeness(**changes) == dict.fromkeys(changes, how)


def test_names_longer_than_what_is_folded_must_end_letter_for_letter_alike() -> None:
    long = "A" * 500
    pair = [(f"{long}B", f"{long}B".lower()), (f"{long}B", f"a{long[1:]}B"), (long, long.lower())]
    found = [compared(replace(ODETTE, birth_family=a), replace(ODETTE, birth_family=b)) for a, b in pair]
    assert [f.traits["birth_family"] for f in found] == [Likeness.DIFFERENT, Likeness.CANONICAL, Likeness.CANONICAL]


def test_a_coarse_date_agrees_on_either_side_and_only_where_it_is_the_head_of_the_other() -> None:
    coarse = replace(ODETTE, birth_date="1936-02")
    for one, other in ((coarse, ODETTE), (ODETTE, coarse)):
        found = compared(one, other, coarse_date=True)
        assert (found.traits["birth_date"], found.grade) == (Likeness.PREFIX, Grade.APPROXIMATE)
    away = replace(ODETTE, birth_date="1936-0")
    assert compared(away, ODETTE, coarse_date=True).traits["birth_date"] is Likeness.DIFFERENT


def test_only_one_letter_of_one_name_is_almost_the_same() -> None:
    def almost(**changes: str) -> tuple[str, bool, bool]:
        found = compared(replace(ODETTE, **changes), ODETTE)
        return found.one_letter, found.almost, found.could_be_twins

    assert almost() == ("", True, False)
    assert almost(birth_family="BRUNELL") == ("birth_family", True, False)
    assert almost(birth_family="BRUNELL", birth_given="ODETTA") == ("", False, False)
    assert almost(birth_family="BRUNELL", sex="M") == ("birth_family", False, False)
    assert almost(birth_family="MARTIN") == ("", False, False)
    assert almost(birth_given="COLETTE", given_list="COLETTE JEANNE") == ("", False, True)
    assert almost(birth_given="COLETTE", birth_place="48908") == ("", False, False)
    assert almost(birth_given="COLETTE", birth_date="1936-02-15") == ("", False, False)
    assert almost(birth_given="COLETTE", sex="") == ("", False, False)
    assert almost(birth_given="COLETTE", birth_family="Brunel") == ("", False, False)
