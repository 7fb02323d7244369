"""The state machine of a local identity, against the four facts it must always keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.status import Attribute, Event, Moved, Refused, Reliability, Status, moved
from gateway.rules import load_catalogue

PROV, RECUP, VALI, QUAL = Status

PATHS = [
    (PROV, Event.INSI_CONFIRMED, RECUP, False),
    (PROV, Event.PROOF_CHECKED, VALI, False),
    (RECUP, Event.PROOF_CHECKED, QUAL, False),
    (VALI, Event.INSI_CONFIRMED, QUAL, False),
    (QUAL, Event.PROOF_INVALIDATED, RECUP, False),
    (QUAL, Event.INSI_INVALIDATED, VALI, True),
    (RECUP, Event.INSI_INVALIDATED, PROV, True),
    (QUAL, Event.TRAIT_CHANGED, PROV, True),
    (QUAL, Event.TRAIT_CHANGED_PROVEN, VALI, True),
    (QUAL, Event.MARKED_DOUBTFUL, PROV, True),
    (VALI, Event.MARKED_FICTIVE, PROV, True),
]


@pytest.mark.parametrize(("before", "event", "after", "ins_removed"), PATHS)
def test_an_allowed_move_leads_where_the_table_says(before: Status, event: Event, after: Status, ins_removed: bool):
    done = moved(Reliability(before), event)
    assert isinstance(done, Moved)
    assert (done.after.status, done.ins_removed) == (after, ins_removed)


@pytest.mark.parametrize(
    ("before", "event"),
    [
        (QUAL, Event.INSI_CONFIRMED),
        (QUAL, Event.PROOF_CHECKED),
        (PROV, Event.INSI_INVALIDATED),
        (RECUP, Event.PROOF_INVALIDATED),
        (VALI, Event.PROOF_CHECKED),
    ],
)
def test_a_move_without_sense_is_refused_and_says_what_is_possible(before: Status, event: Event):
    refused = moved(Reliability(before), event)
    assert isinstance(refused, Refused)
    assert refused.rule == "INS-083"
    assert refused.why.fr.startswith(f"Depuis {before.value}, « {event.value} »")


def test_a_refused_move_names_the_moves_that_are_possible():
    refused = moved(Reliability(RECUP), Event.INSI_CONFIRMED)
    assert isinstance(refused, Refused)
    possible = "proof-checked, insi-invalidated, trait-changed"
    assert refused.why.fr.endswith(f"possibles : {possible}.")
    assert refused.why.en.endswith(f"possible: {possible}.")


def test_a_mark_refused_says_which_mark_to_remove_first():
    doubtful, fictive = (Reliability(PROV, frozenset({mark})) for mark in (Attribute.DOUTEUSE, Attribute.FICTIVE))
    for before in (doubtful, fictive):
        assert "retirez d'abord cet attribut" in moved(before, Event.PROOF_CHECKED).why.fr
    assert "retirez d'abord l'autre attribut" in moved(doubtful, Event.MARKED_FICTIVE).why.fr


@pytest.mark.parametrize("status", Status)
def test_a_homonym_is_marked_and_unmarked_without_losing_its_status_or_its_ins(status: Status):
    marked = Moved(Reliability(status, frozenset({Attribute.HOMONYME})))
    assert moved(Reliability(status), Event.MARKED_HOMONYM) == marked
    assert moved(marked.after, Event.UNMARKED_HOMONYM) == Moved(Reliability(status))
    both = Reliability(PROV, frozenset({Attribute.HOMONYME, Attribute.DOUTEUSE}))
    assert moved(both, Event.UNMARKED_HOMONYM) == Moved(Reliability(PROV, frozenset({Attribute.DOUTEUSE})))


@pytest.mark.parametrize("event", [Event.MARKED_DOUBTFUL, Event.MARKED_FICTIVE, Event.UNMARKED])
def test_a_doubt_or_a_fiction_told_or_withdrawn_takes_the_ins_away(event: Event):
    assert moved(Reliability(QUAL), event).ins_removed


def test_a_homonym_keeps_its_mark_when_its_status_moves():
    homonym = frozenset({Attribute.HOMONYME})
    assert moved(Reliability(VALI, homonym), Event.INSI_CONFIRMED) == Moved(Reliability(QUAL, homonym))


@pytest.mark.parametrize("event", [Event.TRAIT_CHANGED, Event.TRAIT_CHANGED_PROVEN])
@pytest.mark.parametrize("status", [PROV, VALI])
def test_an_identity_that_insi_never_confirmed_has_no_ins_to_lose(status: Status, event: Event):
    assert not moved(Reliability(status), event).ins_removed


def test_fictive_is_marked_twice_without_harm():
    fictive = Reliability(PROV, frozenset({Attribute.FICTIVE}))
    assert moved(fictive, Event.MARKED_FICTIVE) == Moved(fictive, ins_removed=True)


def test_a_doubtful_identity_may_not_call_insi_nor_be_proven():
    doubtful = Reliability(PROV, frozenset({Attribute.DOUTEUSE}))
    assert moved(doubtful, Event.INSI_CONFIRMED) == Refused("INS-185", moved(doubtful, Event.INSI_CONFIRMED).why)
    assert moved(doubtful, Event.PROOF_CHECKED).rule == "INS-076"


def test_fictive_goes_with_nothing_else_and_doubtful_goes_with_homonym():
    homonym = Reliability(QUAL, frozenset({Attribute.HOMONYME}))
    doubtful = Reliability(PROV, frozenset({Attribute.DOUTEUSE}))
    fictive = Reliability(PROV, frozenset({Attribute.FICTIVE}))
    assert moved(homonym, Event.MARKED_FICTIVE).rule == "INS-076"
    assert moved(doubtful, Event.MARKED_FICTIVE).rule == "INS-075"
    assert moved(fictive, Event.MARKED_DOUBTFUL).rule == "INS-075"
    assert moved(fictive, Event.MARKED_HOMONYM).rule == "INS-076"
    both = moved(homonym, Event.MARKED_DOUBTFUL)
    assert both.after == Reliability(PROV, frozenset({Attribute.HOMONYME, Attribute.DOUTEUSE}))


def test_a_mark_removed_leaves_the_whole_path_to_walk_again():
    done = moved(Reliability(PROV, frozenset({Attribute.DOUTEUSE, Attribute.HOMONYME})), Event.UNMARKED)
    assert done == Moved(Reliability(PROV, frozenset({Attribute.HOMONYME})), ins_removed=True)


@given(st.lists(st.sampled_from(Event), max_size=30))
def test_whatever_happens_a_marked_identity_is_provisional_and_fictive_stands_alone(events: list[Event]):
    state = Reliability()
    for event in events:
        done = moved(state, event)
        if isinstance(done, Refused):
            assert done.rule in load_catalogue()
            continue
        state = done.after
        assert not (state.set_aside and state.status is not PROV)
        assert not (Attribute.FICTIVE in state.attributes and len(state.attributes) > 1)
        assert state.status.may_send_ins == (state.status is QUAL)
