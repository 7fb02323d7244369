"""What a sender is owed about his mail: at the door (arrived, barred, nobody there) and after each attempt to relay it.

At the door a notice is a delivery of kind `notice`, made durable with the exchange and deduplicated as its mails are. After an
attempt it is made at once. `gateway/exchange/notice_desk.py` writes both. The null sender is owed nothing, so no notice is
ever about a notice. Sources: RFC 3461 §4 to 6, RFC 3834; digest §2 and §8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway.answers.smtp import refusal
from gateway.directory.model import Territory
from gateway.exchange.model import OpenedMessage, Submission
from gateway.exchange.routing import dedup_key, recipients_of
from gateway.messaging.citizen import not_delivered
from gateway.messaging.dsn import Fate, wanted
from gateway.messaging.service_addresses import ANSWERS_ALL
from gateway.partners.rights import recipient_place
from gateway.ports import Delivered, Delivery, NewDelivery, NewMail, RecipientOutcome
from gateway.rules.masking import is_patient_domain
from gateway.rules.model import Finding, Severity
from gateway.rules.verdict import Decision
from gateway.values import Door

NOTICE = "notice"  # kind of the deliveries that are notices to write


class Form(StrEnum):
    """Which mail is owed."""

    REPORT = "report"
    UNDELIVERED = "undelivered"
    ANSWER = "answer"


# ----------------------------------------------------------------------------------------------------------- at the door


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that was just accepted: what its door decided, and the mailboxes it goes to here."""

    submission: Submission
    exchange_id: str
    opened: OpenedMessage
    decision: Decision
    mails: Sequence[NewMail]
    due: datetime

    @property
    def message_id(self) -> str:
        """'' without one."""
        return self.opened.mail.message_id if self.opened.mail else ""


def notices_for(taken: Taken, territory: Territory) -> tuple[NewDelivery, ...]:
    """The notices owed at once. Nearly every mail owes none, and is told so in a few steps."""
    envelope = taken.submission.envelope
    if envelope is None or not envelope.mail_from:
        return ()
    owed: list[NewDelivery] = []
    if taken.decision.excluded:
        owed += _barred(taken)
    if any(d.notify for d in envelope.dsn.values()):
        owed += _arrived(taken)
    if taken.submission.door is Door.RECEPTION and len(taken.mails) < len(recipients_of(taken.submission)):
        owed += _not_there(taken, territory)
    return tuple(owed)


def _barred(taken: Taken) -> Iterator[NewDelivery]:
    """Recipients that may not receive the mail: one report, naming each with its rules."""
    told = {a: _told_by(taken.decision.findings, a) for a in taken.decision.excluded if _asks(taken, a, Fate.FAILED)}
    if told:
        yield _notice(taken, Form.REPORT, tuple(told), fate=Fate.FAILED.value, told=told)


def _told_by(findings: Sequence[Finding], address: str) -> Mapping[str, Any]:
    place = recipient_place(address).path
    held = [f for f in findings if f.where.path == place and f.severity is Severity.BLOCKING]
    first = held[0]
    return {
        "answer": "550 5.7.1 " + " | ".join(refusal(f, 550, "5.7.1").text for f in held),
        "cause": {lang: " ".join(dict.fromkeys(f.message.in_(lang) for f in held)) for lang in ("fr", "en")},
        "cure": {"fr": first.cure.fr, "en": first.cure.en},
        "rules": [f.rule for f in held],
    }


def _arrived(taken: Taken) -> Iterator[NewDelivery]:
    """NOTIFY=SUCCESS of the mailboxes reached here. Those of other operators are told by them, or after the relay."""
    reached = tuple(m.address for m in taken.mails if _asks(taken, m.address, Fate.DELIVERED))
    if reached:
        told = {a: {"answer": "250 2.1.5 OK"} for a in reached}
        yield _notice(taken, Form.REPORT, reached, fate=Fate.DELIVERED.value, told=told)


def _not_there(taken: Taken, territory: Territory) -> Iterator[NewDelivery]:
    """Recipients accepted at the door that have no mailbox to deliver to."""
    reached = {m.address for m in taken.mails}
    for address in recipients_of(taken.submission):
        if address in reached:
            continue
        local, _, domain = address.rpartition("@")
        if not is_patient_domain(domain):
            if _asks(taken, address, Fate.FAILED):
                told = {address: {"answer": "550 5.1.1 mailbox gone"}}
                yield _notice(taken, Form.REPORT, (address,), fate=Fate.FAILED.value, told=told)
        elif local == ANSWERS_ALL:
            if not _automatic(taken.opened):
                yield _notice(taken, Form.ANSWER, (address,), subject=_subject(taken.opened))
        elif (cause := not_delivered(address, territory.mailboxes.get(address))) is not None:
            yield _notice(taken, Form.UNDELIVERED, (address,), cause=cause.value)


def _asks(taken: Taken, address: str, fate: Fate) -> bool:
    envelope = taken.submission.envelope
    asked = envelope.dsn.get(address) if envelope else None
    return wanted(fate, asked.notify if asked else ())


def _automatic(opened: OpenedMessage) -> bool:
    """Nothing answers an automatic mail (RFC 3834 §2)."""
    told = opened.mail.header("Auto-Submitted") if opened.mail else None
    return told is not None and told.strip().lower() != "no"


def _subject(opened: OpenedMessage) -> str:
    return opened.mail.subject[:200] if opened.mail else ""


def _notice(taken: Taken, form: Form, addresses: tuple[str, ...], **facts: Any) -> NewDelivery:
    submission = taken.submission
    envelope = submission.envelope
    assert envelope is not None  # noqa: S101  # `notices_for` owes nothing without one
    key = dedup_key(submission, taken.message_id, ",".join(sorted(addresses)))
    return NewDelivery(
        workspace=submission.workspace,
        kind=NOTICE,
        destination=envelope.mail_from.rpartition("@")[2],
        payload={
            "form": form.value,
            "mail_from": envelope.mail_from,
            "recipients": list(addresses),
            "operator": submission.operator,
            "sha256": submission.payload.sha256,
            "size_bytes": submission.payload.size_bytes,
            "ret": envelope.ret,
            "envid": envelope.envid,
            "dsn": {a: {"orcpt": d.orcpt} for a, d in envelope.dsn.items() if a in addresses},
            **facts,
        },
        due=taken.due,
        exchange_id=taken.exchange_id,
        dedup_key=f"{form.value}|{key}" if key else "",
    )


# --------------------------------------------------------------------------------------------------- after an attempt


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt, recipient by recipient: reached, refused for good, or still to be tried."""

    reached: tuple[RecipientOutcome, ...]
    refused: tuple[RecipientOutcome, ...]
    waiting: tuple[RecipientOutcome, ...]


def settle(delivery: Delivery, result: Delivered) -> Settled:
    """Sort the recipients of a delivery by what the other side answered; one answer may hold for all."""
    addresses = [str(a) for a in delivery.payload.get("recipients", ())]
    outcomes = result.recipients or tuple(
        RecipientOutcome(a, result.accepted, result.permanent, result.answer) for a in addresses
    )
    return Settled(
        reached=tuple(o for o in outcomes if o.accepted),
        refused=tuple(o for o in outcomes if not o.accepted and o.permanent),
        waiting=tuple(o for o in outcomes if not o.accepted and not o.permanent),
    )


def asking(delivery: Delivery, fate: Fate, outcomes: Sequence[RecipientOutcome]) -> tuple[RecipientOutcome, ...]:
    """Those of the recipients whose sender wants this report; none for the null sender."""
    if not delivery.payload.get("mail_from"):
        return ()
    dsn = delivery.payload.get("dsn") or {}
    return tuple(o for o in outcomes if wanted(fate, (dsn.get(o.address) or {}).get("notify") or ()))


_TOLD_LATE = "told_late"


def told_late(delivery: Delivery) -> bool:
    """Whether the sender knows already that this mail is late."""
    return bool(delivery.payload.get(_TOLD_LATE))


def left_to_try(delivery: Delivery, waiting: Sequence[RecipientOutcome], *, late: bool) -> Mapping[str, Any]:
    """The payload of the next attempt: only the recipients still owed, and whether the delay was told."""
    left = {**delivery.payload, "recipients": [o.address for o in waiting]}
    return {**left, _TOLD_LATE: True} if late else left
