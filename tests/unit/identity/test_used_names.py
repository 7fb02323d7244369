"""A used name equal to the birth name is right for many people: only a sender that always copies is told (INS-050)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gateway.exchange.emitters import emitter_findings, told_used_names
from gateway.exchange.model import Envelope, Payload, Sender, Submission
from gateway.identity.used_names import UsedName, used_names
from gateway.ports import ExchangeFilter, ExchangeRow
from gateway.rules import RuleBook, load_catalogue
from gateway.values import Door
from tests.support.identity_views import cda, context, fhir, ids, mail, metadata
from tests.support.stores import NOW

SENDER = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"


def one(**traits: str) -> UsedName:
    (found,) = used_names((cda(**traits), metadata()))
    return found


@pytest.mark.parametrize(
    ("traits", "copied"),
    [
        ({"used_family": "BRUNEL", "used_given": "ODETTE"}, True),
        ({"used_family": "Brunel"}, True),
        ({"used_family": "MARTIN", "used_given": "ODETTE"}, False),
        ({"used_family": "BRUNEL", "used_given": "LILI"}, False),
    ],
)
def test_a_copy_is_a_used_name_that_says_the_birth_name_again(traits: dict[str, str], copied: bool) -> None:
    assert one(**traits).copied is copied


def test_a_message_that_tells_no_used_name_says_nothing() -> None:
    assert used_names((cda(), metadata(), mail())) == ()
    assert used_names((cda(used_family=""), fhir())) == ()
    assert told_used_names(()) == {}


def test_one_container_with_a_name_of_its_own_is_enough_to_acquit() -> None:
    (found,) = used_names((cda(used_family="BRUNEL"), fhir(used_family="MARTIN")))
    assert not found.copied


def test_patients_are_told_apart_and_the_spelling_of_one_makes_no_second() -> None:
    odette = one(used_family="BRUNEL").patient
    assert odette == one(used_family="Brunel", birth_family="Brunel").patient
    assert 0 <= odette <= 255
    assert odette != one(birth_given="COLETTE", used_family="BRUNEL").patient


class Store:
    """The last messages of a sender: (sender, patients told)."""

    def __init__(self, *told: tuple[str, list[list[object]]]) -> None:
        self.told, self.asked = told, 0

    async def exchanges(self, wanted: ExchangeFilter) -> tuple[ExchangeRow, ...]:
        self.asked += 1
        assert (wanted.participant, wanted.door) == (SENDER, Door.SUBMISSION.value)
        return tuple(self._row(sender, told) for sender, told in self.told)

    def _row(self, sender: str, told: list[list[object]]) -> ExchangeRow:
        return ExchangeRow(
            id="x",
            workspace="demo",
            seq=1,
            at=NOW,
            parent_id="",
            correlation_id="",
            summary={"mail_from": sender, "used_names": told},
            findings=(),
            size_bytes=0,
            sha256="",
        )


async def found(store: Store, *names: UsedName) -> set[str]:
    envelope = Envelope(SENDER, ("x@y.mssante.fr",))
    sender, nothing = Sender("mailbox", SENDER), Payload(0, "")
    submission = Submission("demo", Door.SUBMISSION, "op-plateau", sender, nothing, NOW, "127.0.0.1:1", envelope)
    return ids(await emitter_findings(store, submission, names, RuleBook(load_catalogue()), context()))


def copies(patients: Iterable[int]) -> list[tuple[str, list[list[object]]]]:
    return [(SENDER, [[patient, True]]) for patient in patients]


async def test_a_sender_is_told_when_five_patients_out_of_five_bear_their_birth_name_twice() -> None:
    copied = one(used_family="BRUNEL")
    others = [n for n in range(10) if n != copied.patient]
    assert await found(Store(*copies(others[:4])), copied) == {"INS-050"}
    assert await found(Store(*copies(others[:3])), copied) == set()


async def test_one_patient_sent_a_hundred_times_proves_nothing() -> None:
    copied = one(used_family="BRUNEL")
    assert await found(Store(*copies([copied.patient] * 99)), copied) == set()


async def test_one_used_name_of_its_own_among_a_hundred_acquits_the_software() -> None:
    copied = one(used_family="BRUNEL")
    assert await found(Store(*copies(range(20)), (SENDER, [[7, False]])), copied) == set()


async def test_what_others_sent_to_this_mailbox_is_not_its_own_habit() -> None:
    copied = one(used_family="BRUNEL")
    received = [("autre@ch-brumeval.val-de-brume.mssante.fr", told) for _, told in copies(range(20))]
    assert await found(Store(*received), copied) == set()


async def test_a_message_that_copies_nothing_reads_nothing() -> None:
    store = Store(*copies(range(20)))
    assert await found(store, one(used_family="MARTIN")) == set()
    assert await found(store) == set()
    assert store.asked == 0
