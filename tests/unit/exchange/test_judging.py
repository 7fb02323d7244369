"""A mail is judged whole, or it is said that it could not be; its size and line ends are part of the judgement."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from gateway.directory.territory import load_territory
from gateway.exchange.intake import Intake
from gateway.exchange.model import Envelope, Payload, Sender, Submission
from gateway.ports import Recorded, RecordExchange
from gateway.rules import RuleBook, load_catalogue
from gateway.rules.verdict import Outcome
from gateway.sandbox.model import Policy
from gateway.values import Door

FROM = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"
TO = "soins@ehpad-les-tilleuls.val-de-brume.mssante.fr"
HEAD = (
    f'From: "CH de Brumeval" <{FROM}>\r\nTo: <{TO}>\r\nSubject: Essai\r\nX-MSS-NIL: DEV000000\r\n'
    "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <m1@ch-brumeval.mssante.fr>\r\n\r\n"
).encode()


class Around:
    """The outside of the road: a store that remembers, a clock that stands still, work done at once."""

    def __init__(self, failing: Exception | None = None) -> None:
        self.records: list[RecordExchange] = []
        self.failing = failing

    async def commit(self, *operations: Any) -> tuple[Any, ...]:
        self.records += operations
        return (Recorded(),)

    def policy(self, workspace: str) -> Policy:
        return Policy()

    def territory(self, workspace: str) -> Any:
        return load_territory()

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC)

    def virtual_now(self, workspace: str) -> datetime:
        return self.now()

    def new(self) -> str:
        return f"{len(self.records):032x}"

    async def open(self, function: Any, payload: Payload, *args: Any) -> Any:
        if self.failing is not None:
            raise self.failing
        return function(payload.data, *args)


def road(around: Around) -> Intake:
    outside: Any = around
    return Intake(outside, outside, outside, outside, outside, RuleBook(load_catalogue()))


def submission(raw: bytes, door: Door = Door.SUBMISSION, **attributes: str) -> Submission:
    return Submission(
        workspace="demo",
        door=door,
        operator="op-plateau",
        sender=Sender("mailbox", FROM),
        payload=Payload(len(raw), sha256(raw).hexdigest(), raw),
        received_at=datetime(2026, 11, 24, tzinfo=UTC),
        peer="127.0.0.1:1",
        envelope=Envelope(FROM, (TO,)),
        attributes=attributes,
    )


async def rules_of(raw: bytes, door: Door = Door.SUBMISSION, **attributes: str) -> tuple[Outcome, list[str]]:
    verdict = await road(Around()).take(submission(raw, door, **attributes))
    return verdict.decision.outcome, [f.rule for f in verdict.decision.findings]


async def test_a_plain_mail_is_accepted_without_a_word():
    assert await rules_of(HEAD + b"Bonjour.\r\n") == (Outcome.ACCEPT, [])


async def test_a_lone_line_feed_is_refused_when_sent_and_flagged_when_received():
    smuggled = HEAD + b"Bonjour.\n.\nMAIL FROM:<x@y.fr>\r\n"
    assert await rules_of(smuggled) == (Outcome.REJECT, ["ECO-18"])
    assert await rules_of(smuggled, Door.RECEPTION) == (Outcome.ACCEPT_WITH_ALERTS, ["ECO-18"])


async def test_a_nul_octet_is_refused():
    assert await rules_of(HEAD + b"Bon\0jour.\r\n") == (Outcome.REJECT, ["ECO-18"])


async def test_more_octets_than_declared_is_an_alert():
    raw = HEAD + b"Bonjour.\r\n"
    assert await rules_of(raw, declared_size="10") == (Outcome.ACCEPT_WITH_ALERTS, ["GW-ENV-17"])
    assert await rules_of(raw, declared_size=str(len(raw))) == (Outcome.ACCEPT, [])


@pytest.mark.parametrize("error", [RuntimeError("worker"), MemoryError()])
async def test_a_mail_nobody_could_judge_is_kept_and_says_so(error: Exception):
    around = Around(failing=error)
    verdict = await road(around).take(submission(HEAD + b"Bonjour.\r\n"))
    assert [f.rule for f in verdict.decision.findings] == ["INS-205"]
    assert type(error).__name__ in verdict.decision.findings[0].received
    assert len(around.records) == 1
