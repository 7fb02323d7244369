"""The citizen space's own mails: « Message non distribué », and the mailbox that answers everyone.

A well-formed patient address is always answered 250; what became of the mail comes back as a mail (digest §8). The wording is
ours, in `fixtures/notices.yaml`; the line `Cause: …` is stable. Both mails go out with the null sender and are marked as
automatic (RFC 3834), so that nothing answers them. Their texts show matricules masked; the original is attached as it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from gateway.directory.model import Mailbox, MailboxState
from gateway.messaging.report_parts import automatic_headers, lines, multipart, original_part, text_part
from gateway.messaging.service_addresses import ANSWERS_ALL, NO_REPLY
from gateway.rules.masking import mask_text
from gateway.tables import read_yaml

_FORM = re.compile(r"[1-478]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[ab])\d{8}")
_NIL = "X-MSS-NIL: DEV000000"


class NotDelivered(StrEnum):
    """The cause of a « Message non distribué »."""

    CLOSED = "MESSAGERIE_FERMEE"
    NOT_FOUND = "PATIENT_NON_TROUVE"
    INVALID = "ADRESSE_INVALIDE"


@dataclass(frozen=True, slots=True)
class CitizenNotice:
    """A mail about another. `recipient` is the citizen's address that was written to, `to` who wrote."""

    recipient: str
    to: str
    message_id: str
    at: datetime
    about: str = ""
    subject: str = ""


def not_delivered(address: str, mailbox: Mailbox | None) -> NotDelivered | None:
    """Why a citizen gets no mail at this address (lower case); None when the mailbox is open. The key is not judged here."""
    if mailbox is not None:
        return None if mailbox.state is MailboxState.ACTIVE else NotDelivered.CLOSED
    return NotDelivered.NOT_FOUND if has_matricule_form(address) else NotDelivered.INVALID


def has_matricule_form(address: str) -> bool:
    """Whether what stands before the @ (lower case) could be a matricule. The key is not judged."""
    return _FORM.fullmatch(address.rpartition("@")[0]) is not None


def build_undelivered(notice: CitizenNotice, cause: NotDelivered, original: bytes) -> bytes:
    """« Message non distribué », the original attached as it came."""
    words = _citizen()
    text = words["undelivered"]["text"].format(
        recipient=mask_text(notice.recipient), cause=cause.value, **words["causes"][cause.value]
    )
    headers = _headers(notice, NO_REPLY, subject_of("undelivered"))
    parts = [text_part(text), *([original_part(original, whole=True)] if original else [])]
    return multipart(headers, "mixed", parts, notice.message_id)


def build_answer(notice: CitizenNotice, size_bytes: int) -> bytes:
    """What the test mailbox answers to everyone."""
    words = _citizen()
    text = words["answer"]["text"].format(
        recipient=mask_text(notice.recipient),
        at=f"{notice.at:%Y-%m-%d %H:%M:%S} UTC",
        subject=mask_text(notice.subject),
        message_id=mask_text(notice.about, sure=True),
        size=size_bytes,
    )
    return lines(_headers(notice, ANSWERS_ALL, subject_of("answer"))) + text_part(text)


def subject_of(kind: str) -> str:
    """The subject of a mail of the citizen space: `undelivered` or `answer`."""
    return str(_citizen()[kind]["subject"])


def sender_of(local: str, recipient: str) -> str:
    """A service address of the citizen space that serves `recipient`."""
    return f"{local}@{recipient.rpartition('@')[2]}"


def _headers(notice: CitizenNotice, local: str, subject: str) -> list[str]:
    headers = automatic_headers(
        sender=sender_of(local, notice.recipient),
        sender_name=_citizen()["name"],
        to=notice.to,
        subject=subject,
        at=notice.at,
        message_id=notice.message_id,
        about=notice.about,
    )
    return [*headers, _NIL]


@cache
def _citizen() -> Mapping[str, Any]:
    words: Mapping[str, Any] = read_yaml("notices.yaml")["citizen"]
    return words
