"""Mails that a recipient's operator accepts without a finding, each with its own Message-ID."""

from __future__ import annotations

import base64
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from random import Random

from gateway.messaging.compose import Attachment, Draft, compose_mail
from gateway.samples.parts import SECRETARIAT, TILLEULS, Bench

SENDER, RECIPIENT = SECRETARIAT, TILLEULS
SENDER_OPERATOR, RECIPIENT_OPERATOR = "op-plateau", "op-brume"
SMALL_BYTES, XDM_BYTES = 5_000, 85_000
_AT = datetime(2025, 3, 17, 10, 30, tzinfo=timezone(timedelta(hours=1)))
_ID = "a-remplacer@ch-brumeval.val-de-brume.mssante.fr"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail on the wire: commands with their CRLF, data with its dots doubled and its CRLF.CRLF."""

    message_id: str
    mail_from: bytes
    rcpt_to: bytes
    data: bytes

    @classmethod
    def of(cls, message_id: str, raw: bytes, sender: str = SENDER, recipient: str = RECIPIENT) -> Mail:
        """From the octets of a mail, line ends CRLF."""
        return cls(
            message_id, f"MAIL FROM:<{sender}>\r\n".encode(), f"RCPT TO:<{recipient}>\r\n".encode(), on_the_wire(raw)
        )


def on_the_wire(raw: bytes) -> bytes:
    """Dots doubled, end marked (RFC 5321 §4.5.2)."""
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + (b".\r\n" if raw.endswith(b"\r\n") else b"\r\n.\r\n")


@dataclass(slots=True)
class Source:
    """An endless run of mails that differ by their Message-ID alone."""

    before: bytes
    after: bytes
    prefix: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    sender: str = SENDER
    recipient: str = RECIPIENT
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def of(cls, kind: str) -> Source:
        """`small` (5 KB of text) or `xdm` (85 KB: a letter, its package and its PDF twin)."""
        return cls.around(small_mail() if kind == "small" else xdm_mail())

    @classmethod
    def around(cls, raw: bytes, sender: str = SENDER, recipient: str = RECIPIENT) -> Source:
        """Mails like `raw`, whose Message-ID is the one to replace."""
        before, found, after = raw.partition(_ID.encode())
        if not found:
            raise ValueError("this mail does not bear the Message-ID to replace")
        return cls(before, after, sender=sender, recipient=recipient)

    def next(self) -> Mail:
        """The next mail."""
        message_id = f"{self.prefix}.{next(self._numbers)}@charge.ch-brumeval.val-de-brume.mssante.fr"
        return Mail.of(message_id, self.before + message_id.encode() + self.after, self.sender, self.recipient)

    @property
    def size_bytes(self) -> int:
        """Octets of one mail, its Message-ID apart."""
        return len(self.before) + len(self.after)


def small_mail(size_bytes: int = SMALL_BYTES, sender: str = SENDER, recipient: str = RECIPIENT) -> bytes:
    """A letter of text, without document."""
    line = "La visite de jeudi est déplacée à vendredi, même heure.".encode("ascii", "ignore").decode()
    empty = compose_mail(_text("\r\n", sender, recipient))
    lines = max(1, (size_bytes - len(empty)) // (len(line) + 2))
    return compose_mail(_text(f"{line}\r\n" * lines, sender, recipient))


def _text(text: str, sender: str = SENDER, recipient: str = RECIPIENT) -> Draft:
    return Draft(
        sender=sender, to=(recipient,), subject="Visite de jeudi", text=text, date=_AT, message_id=_ID, sender_name="CH"
    )


def xdm_mail(size_bytes: int = XDM_BYTES) -> bytes:
    """A discharge letter: IHE_XDM.zip and its PDF twin, the PDF enlarged until the mail has its size."""
    plain = _letter(0)
    # each octet of the PDF is there twice in base64: in the package (deflated) and as the twin
    return _letter(max(0, size_bytes - len(plain)) * 3 // 8)


def _letter(padding: int) -> bytes:
    bench = Bench(_AT)
    record = bench.record("mesure")
    record = replace(record, pdf=record.pdf + _noise(padding)) if padding else record
    return bench.mail("mesure", record, edit=lambda draft: replace(draft, message_id=_ID))


def large_mail(size_bytes: int) -> bytes:
    """A text with one large attachment that no rule reads."""
    pdf = Bench(_AT).record("mesure").pdf
    payload = pdf + _noise(size_bytes * 3 // 4 - len(pdf))
    draft = replace(_text("Images jointes.\r\n"), attachments=(Attachment("images.pdf", "application/pdf", payload),))
    return compose_mail(draft)


def _noise(size: int) -> bytes:
    """A PDF comment that does not compress: the same octets each time."""
    return (b"\n%" + base64.b64encode(Random(48).randbytes(size)))[:size]
