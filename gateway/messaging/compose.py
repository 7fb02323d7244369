"""Writes a MSSanté mail: headers, text, IHE_XDM.zip and the PDF twins. Given ids and times, the same bytes each time.

Sources: RFC 5322, 2045 to 2047 and 2231; Référentiel socle MSSanté #2 (ECO.2.1.1 to 2.4.3).
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256

from gateway.directory.model import Mailbox, Professional, Structure, Territory
from gateway.documents.build_metadata import LotIds
from gateway.documents.build_record import CdaRecord
from gateway.documents.build_xdm import PACKAGE_NAME, build_xdm, lot_of

SUBJECT_PREFIX = "XDM/1.0/DDM+"
SANDBOX_NIL = "DEV000000"
_TITLES = {"10": "Dr", "40": "Dr"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of the mail, always written in base64."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail to write. `message_id` is without angle brackets, `date` timezone-aware.

    `code_cda` and `ins` make X-MSS-CODECDA and X-MSS-INS; leave them empty and None without a CDA. `extra_headers` are
    written as they are, last.
    """

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    date: datetime
    message_id: str
    sender_name: str = ""
    attachments: tuple[Attachment, ...] = ()
    code_cda: tuple[str, ...] = ()
    ins: bool | None = None
    nil: str = SANDBOX_NIL
    extra_headers: tuple[tuple[str, str], ...] = ()


def compose_mail(draft: Draft) -> bytes:
    """The mail as octets, CRLF line ends, 7-bit headers, text in UTF-8 (base64 when it is not ASCII)."""
    boundary = "=_" + sha256(draft.message_id.encode()).hexdigest()[:32]
    headers = _headers(draft)
    if not draft.attachments:
        return _join([*headers, *_text_headers(draft.text)]) + b"\r\n" + _text_body(draft.text)
    headers.append(f'Content-Type: multipart/mixed; boundary="{boundary}"')
    dashes = f"--{boundary}".encode()
    parts = [
        _join(headers),
        b"\r\n",
        dashes,
        b"\r\n",
        _join(_text_headers(draft.text)),
        b"\r\n",
        _text_body(draft.text),
    ]
    for attachment in draft.attachments:
        parts += [b"\r\n", dashes, b"\r\n", _join(_file_headers(attachment)), b"\r\n", encoded(attachment.data)]
    return b"".join([*parts, b"\r\n", dashes, b"--\r\n"])


def encoded(data: bytes) -> bytes:
    """Base64 in lines of 76 characters, CRLF, as the body of a part."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def mail_of(
    record: CdaRecord,
    ids: LotIds,
    *,
    sender: str,
    sender_name: str,
    to: Sequence[str],
    message_id: str,
    at: datetime,
    text: str = "",
    package: bytes | None = None,
    extra_headers: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """The whole mail of one document: package, PDF twin, subject and X-MSS headers. `package` replaces the built one."""
    archive = build_xdm(lot_of(record, ids, at)) if package is None else package
    return compose_mail(
        document_draft(
            record,
            sender=sender,
            sender_name=sender_name,
            to=to,
            message_id=message_id,
            at=at,
            text=text,
            attachments=(package_part(archive), twin_part(record)),
            extra_headers=extra_headers,
        )
    )


def document_draft(
    record: CdaRecord,
    *,
    sender: str,
    sender_name: str,
    to: Sequence[str],
    message_id: str,
    at: datetime,
    attachments: tuple[Attachment, ...],
    text: str = "",
    extra_headers: tuple[tuple[str, str], ...] = (),
) -> Draft:
    """The draft of a mail that carries one document: its parts can still be changed before it is written."""
    return Draft(
        sender=sender,
        sender_name=sender_name,
        to=tuple(to),
        subject=subject_of(record),
        text=text or f"Bonjour,\r\n\r\nVeuillez trouver ci-joint : {record.heading}.\r\n\r\nMessage fictif.\r\n",
        date=at,
        message_id=message_id,
        attachments=attachments,
        code_cda=(record.kind.type.code,),
        ins=record.with_ins,
        extra_headers=extra_headers,
    )


def package_part(package: bytes) -> Attachment:
    """IHE_XDM.zip as an attachment."""
    return Attachment(PACKAGE_NAME, "application/zip", package)


def twin_part(record: CdaRecord) -> Attachment:
    """The PDF twin of a document, under its regulated name."""
    return Attachment(pdf_name(record), "application/pdf", record.pdf)


def subject_of(record: CdaRecord) -> str:
    """`XDM/1.0/DDM+<label> <NOM> <prénom> <birth date>` (ECO.2.1.3)."""
    patient = record.patient
    year, month, day = patient.birth_date.split("-")
    return f"{SUBJECT_PREFIX}{record.kind.file_label} {patient.family} {patient.given} {day}/{month}/{year}"


def pdf_name(record: CdaRecord) -> str:
    """`<date>_<type>_<NOM>_<prenom>_<number>.pdf` (ECO.2.1.6), ASCII; the number is the local one when there is one."""
    patient = record.patient
    fields = [record.at.strftime("%Y%m%d"), record.kind.file_label, patient.family, patient.given, record.ipp]
    return "_".join(_ascii(field) for field in fields if field) + ".pdf"


def sender_name(mailbox: Mailbox, territory: Territory) -> str:
    """The display name of a mailbox (ECO.2.2.7): `Dr_Claire_VANNIER_CH de Brumeval`, or the service of an ORG or APP one."""
    holder = territory.holder_of(mailbox)
    if isinstance(holder, Professional):
        place = territory.structures.get(holder.structures[0]) if holder.structures else None
        fields = [_TITLES.get(holder.profession, ""), holder.given, holder.family.upper(), place.name if place else ""]
        return "_".join(field for field in fields if field)
    if isinstance(holder, Structure):
        return f"{holder.name} – {mailbox.service}" if mailbox.service else holder.name
    return f"{holder.given} {holder.family}" if holder else mailbox.address


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")


def _headers(draft: Draft) -> list[str]:
    headers = [
        f"Date: {format_datetime(draft.date)}",
        f"Message-ID: <{draft.message_id}>",
        _from(draft.sender_name, draft.sender),
        _folded("To", ", ".join(draft.to)),
        _unstructured("Subject", draft.subject),
    ]
    if draft.code_cda:
        headers.append(f"X-MSS-CODECDA: {','.join(draft.code_cda)}")
    if draft.ins is not None:
        headers.append(f"X-MSS-INS: {'O' if draft.ins else 'N'}")
    if draft.nil:
        headers.append(f"X-MSS-NIL: {draft.nil}")
    headers.append("MIME-Version: 1.0")
    return [*headers, *(f"{name}: {value}" for name, value in draft.extra_headers)]


def _from(name: str, address: str) -> str:
    if name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return _folded("From", f'"{quoted}" <{address}>' if name else address)
    return f"From: {_encoded_words(name)}\r\n <{address}>"


def _unstructured(name: str, value: str) -> str:
    if value.isascii():
        return _folded(name, value)
    return f"{name}: {_encoded_words(value)}"


def _encoded_words(text: str) -> str:
    """RFC 2047 words in UTF-8 and base64, one on each line, none above 75 characters, no character cut in two."""
    words, chunk = [], b""
    for char in text:
        octets = char.encode()
        if len(chunk) + len(octets) > 42:
            words.append(chunk)
            chunk = b""
        chunk += octets
    words.append(chunk)
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(word).decode()}?=" for word in words)


def _folded(name: str, value: str) -> str:
    """A header cut at spaces so that no line passes 78 characters where that can be helped (RFC 5322 § 2.2.3)."""
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) > 78 and lines[-1].strip() and not lines[-1].endswith(":"):
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines)


def _text_headers(text: str) -> list[str]:
    encoding = "7bit" if text.isascii() else "base64"
    return ["Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}"]


def _text_body(text: str) -> bytes:
    body = re.sub(r"\r?\n", "\r\n", text).encode()
    return body if text.isascii() else encoded(body)


def _file_headers(attachment: Attachment) -> list[str]:
    return [
        f"Content-Type: {attachment.content_type}",
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment;\r\n filename="{attachment.filename}"',
    ]


def _join(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
