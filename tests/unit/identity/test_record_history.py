"""What a record keeps of its past: former INS, lost proofs, INSi answers; and records that an older release wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.identity.local import Ins, InsiTrace, LocalIdentity, Proof, Traits
from gateway.identity.records import local_of, record_of
from gateway.identity.status import Attribute, Event, Refused, Reliability, Status

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
OID = "1.2.250.1.213.1.4.10"
NEW, OLD, OTHER = (Ins(matricule, OID) for matricule in ("236024890704179", "236024890704278", "239034890101755"))
TRAITS = Traits("BRUNEL", "ODETTE", "ODETTE JEANNE", "F", "1936-02-14", "48907")
PROOF = Proof("CN", True, NOW, "x")


def record(status: Status = Status.QUAL, *attributes: Attribute, **changes: object) -> LocalIdentity:
    base = LocalIdentity("CH1", TRAITS, Reliability(status, frozenset(attributes)), NEW, proofs=(PROOF,))
    return replace(base, **changes)


def answer(code: str = "00", ins: Ins | None = NEW, traits: Traits | None = TRAITS) -> InsiTrace:
    return InsiTrace(code, "search", NOW, "x", "a" * 64, traits, ins)


def after(before: LocalIdentity, event: Event) -> LocalIdentity:
    done = before.after(event)
    assert isinstance(done, LocalIdentity)
    return done


@pytest.mark.parametrize("status", Status)
def test_an_ins_travels_only_when_there_is_one_and_the_identity_is_qualified(status: Status) -> None:
    assert record(status).sends_ins is (status is Status.QUAL)
    assert not record(status, ins=None).sends_ins


def test_a_record_is_known_by_its_ins_and_by_its_former_ones() -> None:
    held = record(ins_history=(OLD,))
    assert [held.known_as(ins) for ins in (NEW, OLD, OTHER)] == [True, True, False]


def test_the_proof_is_the_last_one_of_high_trust_that_still_holds() -> None:
    weak, late = replace(PROOF, high_trust=False), replace(PROOF, kind="PA")
    assert record(proofs=(PROOF, late, weak)).proof == late
    assert record(proofs=(PROOF, replace(late, invalidated=True))).proof == PROOF
    assert record(proofs=(weak,)).proof is None


def test_the_answer_that_verifies_is_the_last_one_that_told_this_ins() -> None:
    first, last = answer(), replace(answer(), operation="verify")
    assert record(insi=(first, last, answer("01"), answer(ins=OLD), answer(ins=None))).verified_by == last
    assert record(insi=(answer("01"), answer(ins=OLD))).verified_by is None
    assert record(ins=None, insi=(answer(ins=None),)).verified_by is None


def test_only_traits_that_the_answer_told_can_have_left_it() -> None:
    changed = replace(TRAITS, birth_family="Brunel", birth_place="48901")
    silent = answer(traits=replace(TRAITS, birth_place=""))
    assert record(traits=changed, insi=(silent,)).altered == ("birth_family",)
    assert record(traits=changed, insi=(answer(),)).altered == ("birth_family", "birth_place")
    assert record(traits=changed, insi=(answer(traits=None),)).altered == ()
    assert record(traits=changed).altered == ()


def test_a_confirmation_leaves_the_ins_the_history_and_the_proof_where_they_are() -> None:
    done = after(record(Status.VALI, ins_history=(OLD,)), Event.INSI_CONFIRMED)
    assert done == record(Status.QUAL, ins_history=(OLD,))


def test_an_invalidated_proof_is_marked_and_the_ins_stays() -> None:
    done = after(record(), Event.PROOF_INVALIDATED)
    assert (done.reliability.status, done.ins, done.proof) == (Status.RECUP, NEW, None)
    assert [proof.invalidated for proof in done.proofs] == [True]


def test_an_invalidated_ins_joins_the_history_once_and_the_proof_stays() -> None:
    done = after(record(ins_history=(OLD,)), Event.INSI_INVALIDATED)
    assert (done.reliability.status, done.ins, done.ins_history, done.proof) == (Status.VALI, None, (OLD, NEW), PROOF)
    assert after(record(ins_history=(NEW,)), Event.INSI_INVALIDATED).ins_history == (NEW,)


def test_a_changed_trait_takes_the_proof_away_unless_it_still_matches() -> None:
    assert after(record(), Event.TRAIT_CHANGED).proof is None
    assert after(record(), Event.TRAIT_CHANGED_PROVEN).proof == PROOF


def test_a_mark_on_a_record_without_an_ins_has_nothing_to_remove() -> None:
    done = after(record(Status.VALI, ins=None, ins_history=(OLD,)), Event.MARKED_FICTIVE)
    assert (done.reliability, done.ins_history) == (Reliability(Status.PROV, frozenset({Attribute.FICTIVE})), (OLD,))
    assert done.proof is None


def test_a_move_that_is_refused_leaves_no_record() -> None:
    refused = record(Status.PROV, Attribute.DOUTEUSE, ins=None).after(Event.PROOF_CHECKED)
    assert isinstance(refused, Refused)
    assert refused.rule == "INS-076"


def test_a_new_ins_sends_the_former_ones_to_the_history() -> None:
    held = record(ins_history=(OLD,)).with_ins(OTHER, (NEW, OLD))
    assert (held.ins, held.ins_history) == (OTHER, (OLD, NEW))
    assert record().with_ins(OTHER).ins_history == (NEW,)
    assert record(ins=None).with_ins(NEW).ins_history == ()


def test_a_received_ins_is_no_longer_set_aside_once_insi_told_it() -> None:
    assert record(ins_received=NEW).with_ins(NEW).ins_received is None
    assert record(ins_received=OTHER).with_ins(NEW).ins_received == OTHER


def test_a_record_of_an_older_release_takes_defaults_for_what_it_does_not_know() -> None:
    old = {"ipp": "CH1", "traits": {"birth_family": "BRUNEL"}, "status": "PROV", "attributes": []}
    assert local_of(old) == LocalIdentity("CH1", Traits("BRUNEL"))


def test_an_answer_about_nobody_comes_back_as_it_was() -> None:
    held = record(insi=(replace(answer("E1", None, None), reason="down"),), ins=None, used_given="DETTE")
    written = record_of(held)
    assert written["ins"] is None
    assert written["insi"][0]["traits"] is None
    assert written["insi"][0]["ins"] is None
    assert local_of(written) == held


def test_an_answer_of_an_older_release_takes_defaults_too() -> None:
    old = {"code": "00", "operation": "search", "at": NOW.isoformat(), "asked_by": "x", "answer_sha256": "a" * 64}
    held = local_of({**record_of(record()), "insi": [old]})
    assert held.insi == (answer(ins=None, traits=None),)


def test_attributes_are_written_in_order() -> None:
    held = record(Status.PROV, Attribute.HOMONYME, Attribute.DOUTEUSE)
    assert record_of(held)["attributes"] == ["douteuse", "homonyme"]
