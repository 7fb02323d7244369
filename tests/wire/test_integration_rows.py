"""The rows of the decision table that a letter between two software of good faith does not reach, over the reception door.

An operator presents each mail, as any other operator may: nothing here was judged by a submission door before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from adapters.testing.running import RunningGateway
from gateway.directory.model import Patient
from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import ids_from
from gateway.documents.build_record import CdaRecord
from gateway.documents.build_xdm import build_xdm, lot_of
from gateway.messaging.compose import mail_of
from gateway.samples.parts import wrong_key
from tests.support.correspondents import GERIATRICS, TILLEULS, Letter, Town
from tests.support.identity_views import with_key
from tests.support.indexes import TILLEULS as HOME
from tests.support.indexes import act, integrated, record_of, waiting

SUZANNE = {
    "birth_family": "DELMAS",
    "birth_given": "SUZANNE",
    "given_list": "SUZANNE MARIE LOUISE",
    "sex": "F",
    "birth_date": "1939-03-08",
    "birth_place": "48901",
}
OTHER_ORDER = with_key("2390348901018")
PROVISIONAL = with_key("8390348901017")  # no INS: sickness insurance, waiting for a number
NIA_OID = "1.2.250.1.213.1.4.9"


@pytest.fixture
def town(passerelle: RunningGateway) -> Town:
    return Town(passerelle)


def document(town: Town, *, with_ins: bool = True, **changes: str) -> CdaRecord:
    """A letter about the resident, whom it may tell otherwise than her record does."""
    world = town.world
    patient: Patient = replace(world.patient("delmas-suzanne"), **changes)
    record = world.record(
        "lettre-sortie", patient, world.structure("ch-brumeval"), world.professional("vannier-claire")
    )
    return replace(record, ins=None if with_ins else False)


def received(town: Town, record: CdaRecord, *, also: tuple[str, str] | None = None) -> dict[str, Any]:
    """What the nursing home's index made of it. `also` (matricule, OID) stands beside the INS in the CDA."""
    sent = mail_of_both(town, record, *also) if also else mail_of_one(town, record)
    serving = town.world.territory.operator_of_domain(TILLEULS.rpartition("@")[2])
    assert serving is not None
    code, text = town.send_as_operator("op-plateau", serving.id, sent, GERIATRICS, [TILLEULS])
    assert code == 250, text
    (hop,) = town.exchanges(sent, "smtp-reception")
    return integrated(town.gateway, hop["id"])


def mail_of_one(town: Town, record: CdaRecord) -> Letter:
    made = town.world.mail(GERIATRICS, TILLEULS, record)
    return Letter(made.message_id, made.raw)


def mail_of_both(town: Town, record: CdaRecord, matricule: str, oid: str) -> Letter:
    """The same, the CDA holding a second identifier after the INS."""
    first = f'<id root="{record.patient.oid}" extension="{record.patient.matricule}"/>'.encode()
    cda = build_cda(record)
    assert first in cda
    both = cda.replace(first, first + f'<id root="{oid}" extension="{matricule}"/>'.encode())
    ids = ids_from(record.document_id)
    lot = lot_of(record, ids, record.at)
    package = build_xdm(replace(lot, entries=(replace(lot.entries[0], document=both),)))
    message_id = f"{uuid4().hex}@ch-brumeval.val-de-brume.mssante.fr"
    raw = mail_of(
        record,
        ids,
        sender=GERIATRICS,
        sender_name="Geriatrie",
        to=(TILLEULS,),
        message_id=message_id,
        at=record.at,
        package=package,
    )
    return Letter(message_id, raw)


def outcome(exchange: dict[str, Any]) -> tuple[int, str, str]:
    told = exchange["summary"]["integrations"][HOME]
    return told["row"], told["ack"], exchange["summary"]["integration"]


def rules(exchange: dict[str, Any]) -> set[str]:
    return {f["rule"] for f in exchange["findings"]}


@pytest.mark.parametrize(
    ("told", "row", "ack", "rule"),
    [
        ({"given_list": "SUZANNE-MARIE LOUISE"}, 3, "904", "INS-180"),
        ({"given_list": "SUZANNE MARIE"}, 4, "904", "INS-180"),
        ({"matricule": OTHER_ORDER}, 7, "904", "INS-173"),
        ({"matricule": PROVISIONAL}, 11, "903", "INS-006"),
        ({"birth_place": ""}, 12, "905", "INS-092"),
    ],
    ids=["3 canonical only", "4 list cut short", "7 another INS", "11 an INS that may not travel", "12 incomplete"],
)
def test_what_is_not_exactly_the_record_waits_for_a_human(
    town: Town, told: dict[str, str], row: int, ack: str, rule: str
) -> None:
    before = record_of(town.gateway, HOME, "R0001")
    exchange = received(town, document(town, **told))
    assert outcome(exchange) == (row, ack, "stopped")
    assert rule in rules(exchange)
    (entry,) = waiting(town.gateway)
    assert (entry["row"], entry["ack"]) == (row, ack)
    assert entry["candidates"] == [before["id"]]
    assert record_of(town.gateway, HOME, "R0001") == before


def test_row_13_without_an_ins_the_exact_record_is_only_shown(town: Town) -> None:
    before = record_of(town.gateway, HOME, "R0001")
    exchange = received(town, document(town, with_ins=False))
    assert outcome(exchange) == (13, "903", "stopped")
    assert "INS-031" in rules(exchange)
    (entry,) = waiting(town.gateway)
    assert entry["candidates"] == [before["id"]]


@pytest.mark.parametrize(
    ("told", "ack"),
    [({}, "903"), ({"birth_date": "1940-03-08", "birth_place": "48902"}, "902")],
    ids=["a record not qualified", "nobody"],
)
def test_row_14_without_an_ins_less_than_a_qualified_exact_record_is_identified_by_hand(
    town: Town, told: dict[str, str], ack: str
) -> None:
    act(town.gateway, record_of(town.gateway, HOME, "R0001"), "status", event="proof-invalidated")
    exchange = received(town, document(town, with_ins=False, **told))
    assert outcome(exchange) == (14, ack, "stopped")
    assert ("INS-176" in rules(exchange)) == (ack == "902")


def test_row_15_two_records_that_know_the_ins_are_for_a_human(town: Town) -> None:
    gateway = town.gateway
    act(gateway, record_of(gateway, HOME, "R0001"), "status", event="insi-invalidated")
    double = gateway.post(f"/patients/{HOME}", SUZANNE)
    answer = gateway.post(f"/patients/{HOME}/{double['id']}/insi", {})["answer"]
    act(gateway, double, "insi/confirm", sha256=answer["sha256"])
    exchange = received(town, document(town))
    assert outcome(exchange) == (15, "906", "stopped")
    assert "INS-179" in rules(exchange)
    (entry,) = waiting(gateway)
    assert len(entry["candidates"]) == 2


def test_row_17_nobody_is_looked_up_by_a_wrong_key(town: Town) -> None:
    record = document(town)
    exchange = received(town, replace(record, patient=wrong_key(record.patient)))
    assert outcome(exchange) == (17, "904", "stopped")
    assert "INS-004" in rules(exchange)
    (entry,) = waiting(town.gateway)
    assert entry["candidates"] == []


def test_row_18_of_a_nir_and_a_nia_the_nir_decides(town: Town) -> None:
    exchange = received(town, document(town), also=(OTHER_ORDER, NIA_OID))
    assert "INS-027" in rules(exchange)
    assert outcome(exchange) == (1, "", "allowed")
    assert waiting(town.gateway) == []
