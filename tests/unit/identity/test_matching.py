"""Each line of the decision table of matching on receipt, and what must never happen without a human."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.comparison import Grade, Likeness, compared
from gateway.identity.local import Ins, LocalIdentity, Traits
from gateway.identity.matching import Match, Outcome, Received, match
from gateway.identity.status import Attribute, Reliability, Status

TEST = "1.2.250.1.213.1.4.10"
INS = Ins("236024890704179", TEST)
OTHER = Ins("236024890704278", TEST)
ODETTE = Traits("BRUNEL", "ODETTE", "ODETTE JEANNE", "F", "1936-02-14", "48907")
COLETTE = replace(ODETTE, birth_given="COLETTE", given_list="COLETTE JEANNE")
QUALIFIED = Reliability(Status.QUAL)


@dataclass(frozen=True)
class Base:
    records: tuple[LocalIdentity, ...] = ()

    def with_ins(self, ins: Ins) -> Sequence[LocalIdentity]:
        return [r for r in self.records if r.known_as(ins)]

    def like(self, traits: Traits) -> Sequence[LocalIdentity]:
        return [r for r in self.records if (r.traits.birth_date, r.traits.sex) == (traits.birth_date, traits.sex)]


def local(**changes: object) -> LocalIdentity:
    return replace(LocalIdentity("P1", ODETTE, QUALIFIED, INS), **changes)


def decided(received: Received, *records: LocalIdentity, profile: str = "strict") -> Match:
    return match(received, Base(records), profile=profile)


WHOLE = Received(ODETTE, INS)
ACCENTED = replace(ODETTE, birth_family="Brunel")
SHORT_LIST = replace(ODETTE, given_list="ODETTE")

ROWS = [
    (1, "", ("INS-161",), WHOLE, (local(),)),
    (2, "904", ("INS-178",), WHOLE, (local(reliability=Reliability(Status.VALI)),)),
    (3, "904", ("INS-152", "INS-180"), Received(ACCENTED, INS), (local(),)),
    (4, "904", ("INS-180",), Received(SHORT_LIST, INS), (local(),)),
    (5, "904", ("INS-171",), Received(COLETTE, INS), (local(),)),
    (6, "904", ("INS-175",), WHOLE, (local(ins=OTHER, ins_history=(INS,)),)),
    (7, "904", ("INS-173",), WHOLE, (local(ins=OTHER),)),
    (8, "904", ("INS-170",), WHOLE, (local(ins=None, reliability=Reliability(Status.VALI)),)),
    (9, "904", ("INS-174",), WHOLE, (local(traits=COLETTE, ins=OTHER),)),
    (10, "902", ("INS-176",), WHOLE, ()),
    (11, "903", ("INS-101",), Received(ODETTE, INS, trusted=False), (local(),)),
    (12, "905", ("INS-032",), Received(ODETTE, INS, complete=False), (local(),)),
    (13, "903", ("INS-031",), Received(ODETTE, None), (local(),)),
    (14, "903", ("INS-031", "INS-176"), Received(ACCENTED, None), (local(),)),
    (14, "902", ("INS-031", "INS-176"), Received(ODETTE, None), ()),
    (15, "906", ("INS-172", "INS-179"), WHOLE, (local(), local(ipp="P2"))),
    (16, "904", ("INS-177",), WHOLE, (local(reliability=Reliability(Status.PROV, frozenset({Attribute.DOUTEUSE}))),)),
    (17, "904", ("INS-004",), Received(ODETTE, INS, key_valid=False), (local(),)),
]


@pytest.mark.parametrize(("row", "ack", "rules", "received", "records"), ROWS)
def test_a_line_of_the_table_decides(
    row: int, ack: str, rules: tuple[str, ...], received: Received, records: tuple[LocalIdentity, ...]
):
    found = decided(received, *records)
    assert (found.row, found.ack, found.rules) == (row, ack, rules)
    assert (found.outcome is Outcome.INTEGRATE) == (row == 1)


def test_a_lenient_workspace_lets_case_and_accents_through_with_an_alert():
    found = decided(Received(ACCENTED, INS), local(), profile="lenient_canonical")
    assert (found.row, found.outcome) == (3, Outcome.INTEGRATE_WITH_ALERT)
    assert decided(Received(SHORT_LIST, INS), local(), profile="lenient_canonical").outcome is Outcome.QUARANTINE


def test_a_similar_name_is_never_a_match():
    dupont = replace(ODETTE, birth_family="BRUNELL")
    assert decided(Received(dupont, INS), local()).row == 5


NAMES = st.sampled_from(["BRUNEL", "Brunel", "BRUNÈL", "MARTIN", ""])
TRAITS = st.builds(
    Traits,
    NAMES,
    st.sampled_from(["ODETTE", "COLETTE"]),
    st.sampled_from(["ODETTE JEANNE", "ODETTE", ""]),
    st.sampled_from("FM"),
    st.sampled_from(["1936-02-14", "1936-02-15"]),
    st.sampled_from(["48907", "48901"]),
)
RELIABILITY = st.builds(
    Reliability, st.sampled_from(Status), st.sampled_from([frozenset(), frozenset({Attribute.DOUTEUSE})])
)
LOCALS = st.builds(
    LocalIdentity, st.sampled_from(["P1", "P2", "P3"]), TRAITS, RELIABILITY, st.sampled_from([None, INS, OTHER])
)


@given(
    TRAITS,
    st.sampled_from([None, INS, OTHER]),
    st.lists(LOCALS, max_size=4),
    st.sampled_from(["strict", "lenient_canonical"]),
)
def test_only_a_qualified_record_with_the_same_ins_and_the_same_traits_is_joined_by_itself(
    traits: Traits, ins: Ins | None, records: list[LocalIdentity], profile: str
):
    found = decided(Received(traits, ins), *records, profile=profile)
    if found.outcome is Outcome.QUARANTINE:
        assert found.ack
        return
    record = found.record
    assert record is not None
    assert record.reliability.status is Status.QUAL
    assert not record.reliability.set_aside
    assert record.ins == ins is not None
    allowed = {Likeness.EXACT} if found.outcome is Outcome.INTEGRATE else {Likeness.EXACT, Likeness.CANONICAL}
    assert set(compared(traits, record.traits).traits.values()) <= allowed


def test_a_missing_trait_is_never_exact():
    assert compared(replace(ODETTE, birth_place=""), ODETTE).grade is Grade.INCOMPLETE
