"""Open a mail: headers, MIME tree, packages and documents, and the patient the addresses name.

The tree is read by fast-mail-parser (its flat cost is a fiftieth of the standard library's), the standard library
being its reference in the tests and its fallback here. Payloads are not kept: only facts are, and the raw octets stay
the evidence.

Sources: RFC 5322, RFC 2045 to 2047; Référentiel socle MSSanté n° 2 (ECO.2.x); IHE ITI TF-2 3.32 (XDM over mail).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Protocol

from gateway.documents.model import CdaDocument, Issue, XdmPackage
from gateway.documents.open_cda import open_cda
from gateway.documents.open_pdf import pdf_facts
from gateway.documents.open_xdm import open_xdm
from gateway.identity.model import ContainerKind, IdentityView
from gateway.messaging.model import MailMessage, MailPart
from gateway.messaging.open_headers import HeaderBlock, mailboxes, read_headers
from gateway.messaging.open_mime import Leaf, mime_leaves
from gateway.messaging.service_addresses import is_service
from gateway.messaging.subject import parse_subject
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits
from gateway.values import Located, PlaceKind, Text, Where, Words

_TEXT_KEPT = 64 * 1024
_LONGEST_LINE = 998
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_ZIP_MAGIC = b"PK\x03\x04"
_SUBSET = re.compile(rb"(?i)ihe_xdm[/\\]")
_QUOTED_ID = re.compile(rb"(?im)^(?:Original-)?Message-ID:[ \t]*(?:\r?\n[ \t]+)?<([^<>\s]{1,900})>")
_CDA_HINT = re.compile(rb"C\x00?l\x00?i\x00?n\x00?i\x00?c\x00?a\x00?l\x00?D\x00?o\x00?c\x00?u\x00?m")


class Addressing(Protocol):
    """What an envelope tells the opening: who sends, to whom."""

    @property
    def mail_from(self) -> str: ...

    @property
    def recipients(self) -> tuple[str, ...]: ...


def open_mail(raw: bytes, envelope: Addressing | None = None, limits: Limits = Limits()) -> MailMessage:
    """The mail found in `raw`. Never raises: what could not be opened is in `issues` (ABU-09, 10, 12, ECO-17).

    `longest_line` is exact above 998 octets and 0 otherwise.
    """
    block = read_headers(raw, limits.header_bytes, limits.header_count)
    issues = list(_header_issues(block, limits))
    if len(raw) > limits.mail_bytes:
        issues.append(_issue("ABU-12", _message(), f"{len(raw)} octets", f"<= {limits.mail_bytes} octets"))
    opened = _Opened(issues, limits)
    if not any(i.rule_id in ("ABU-10", "ABU-12") for i in issues):
        leaves, refused = mime_leaves(raw, limits, automatic=_automatic(block, envelope))
        issues.extend(refused)
        for leaf in leaves:
            opened.take(leaf)
    senders = mailboxes(block.written.get("from", ""))
    recipients = tuple(box.address for name in ("to", "cc") for box in mailboxes(block.written.get(name, "")))
    subject = block.first("subject")
    content_type = block.first("content-type").partition(";")[0].strip().lower() or "text/plain"
    told = tuple(a.lower() for a in envelope.recipients) if envelope is not None else ()
    return MailMessage(
        headers=block.headers,
        message_id=block.first("message-id").strip().strip("<>"),
        sender=senders[0].address if senders else "",
        sender_name=senders[0].name if senders else "",
        recipients=recipients,
        subject=subject,
        date=block.first("date"),
        parts=tuple(opened.parts),
        packages=tuple(opened.packages),
        loose_documents=tuple(opened.documents),
        identity=_identity(subject, senders[0].address if senders else "", recipients, envelope),
        size_bytes=len(raw),
        longest_line=longest_line(raw),
        issues=tuple(issues),
        content_type=content_type,
        envelope_recipients=told,
        lone_line_ends=lone_line_ends(raw),
        nul_octets=raw.count(b"\0"),
        about=_about(block, content_type, raw),
    )


class _Opened:
    """What the leaves of one mail hold, gathered while they pass."""

    def __init__(self, issues: list[Issue], limits: Limits) -> None:
        self.issues = issues
        self.limits = limits
        self.parts: list[MailPart] = []
        self.packages: list[XdmPackage] = []
        self.documents: list[CdaDocument] = []

    def take(self, leaf: Leaf) -> None:
        """One leaf: its facts, and what it holds."""
        where = Where(PlaceKind.MIME, f"{leaf.path} ({leaf.filename})" if leaf.filename else leaf.path)
        data = leaf.content
        if data is None:
            self.issues.append(_issue("ECO-17", where, _undecoded(leaf.fault), leaf.transfer_encoding or "base64"))
            data = b""
        facts = pdf_facts(data)
        self.parts.append(
            MailPart(
                path=leaf.path,
                content_type=leaf.content_type,
                filename=leaf.filename,
                disposition=leaf.disposition,
                size_bytes=len(data),
                sha256=sha256(data).hexdigest(),
                is_pdf=facts.starts_with_pdf,
                pdfa_part=facts.pdfa_part,
                text=_text(leaf, data),
                charset=leaf.charset,
                transfer_encoding=leaf.transfer_encoding,
                misspelt=leaf.misspelt,
                enclosing=leaf.enclosing,
                quoted=leaf.quoted,
            )
        )
        if leaf.quoted or not data:
            return
        if _is_package(leaf, data):
            number = len(self.packages) + 1
            label = "xdm:IHE_XDM.zip" if number == 1 else f"xdm:IHE_XDM.zip#{number}"
            self.packages.append(open_xdm(data, label, where, self.limits))
        elif _is_cda(leaf, data):
            self.documents.append(open_cda(data, f"cda:{leaf.filename or leaf.path}", where, self.limits))


def _is_package(leaf: Leaf, data: bytes) -> bool:
    """An archive named as a package, or that holds a subset of one."""
    if leaf.filename.casefold() == "ihe_xdm.zip":
        return True
    if not data.startswith(_ZIP_MAGIC):
        return False
    return _SUBSET.search(data, 0, 4096) is not None or _SUBSET.search(data, max(0, len(data) - 16384)) is not None


def _is_cda(leaf: Leaf, data: bytes) -> bool:
    if not (leaf.content_type.endswith("xml") or leaf.filename.lower().endswith(".xml")):
        return False
    return _CDA_HINT.search(data, 0, 65536) is not None


def _text(leaf: Leaf, data: bytes) -> str:
    if leaf.content_type not in ("text/plain", "text/html") or leaf.disposition == "attachment":
        return ""
    try:
        return data[:_TEXT_KEPT].decode(leaf.charset or "utf-8", "replace")
    except LookupError:
        return data[:_TEXT_KEPT].decode("latin-1")


def lone_line_ends(raw: bytes) -> int:
    """CR and LF that stand alone: what another server may take for a line end, hence for the end of the message."""
    returns = len(raw) - len(raw.replace(b"\r", b""))  # twice as quick as `count` where there are a thousand
    feeds = len(raw) - len(raw.replace(b"\n", b""))
    if returns == feeds and _LONE_RETURN.search(raw) is None:
        return 0
    pairs = raw.count(b"\r\n")
    return returns + feeds - 2 * pairs if pairs else 0


def longest_line(raw: bytes) -> int:
    """The longest line above 998 octets, without its end; 0 when none is.

    Jumps from line end to line end, about one step for each thousand octets.
    """
    longest, at, end = 0, 0, len(raw)
    while end - at > _LONGEST_LINE:
        found = raw.rfind(b"\n", at, at + _LONGEST_LINE + 2)
        if found < 0:
            found = raw.find(b"\n", at)
            if found < 0:
                found = end
            length = found - at - (1 if raw[found - 1 : found] == b"\r" else 0)
            if length > _LONGEST_LINE:
                longest = max(longest, length)
        at = found + 1
    return longest


def _header_issues(block: HeaderBlock, limits: Limits) -> Iterable[Issue]:
    where = Where(PlaceKind.HEADER, "*")
    if block.size_bytes > limits.header_bytes:
        yield _issue("ABU-10", where, f"{block.size_bytes} octets", f"<= {limits.header_bytes} octets")
    elif block.count > limits.header_count * 10 or len(block.headers) >= limits.header_count:
        yield _issue("ABU-10", where, _fields(f"{block.count}"), _fields(f"<= {limits.header_count}"))
    for line in block.broken:
        yield _issue("ECO-17", where, line[:40], Text("Nom: valeur", "Name: value"))


def _identity(
    subject: str, sender: str, recipients: tuple[str, ...], envelope: Addressing | None
) -> IdentityView | None:
    """The patient the addresses name, and the traits of an XDM subject.

    The subject writes its date JJ/MM/AAAA: it is given as AAAAMMJJ so that it compares with the other containers. Names
    of a subject are those in use: it does not say which.
    """
    boxes: dict[str, Located] = {}
    header = Where(PlaceKind.HEADER, "From")
    if is_patient(sender):
        boxes[sender] = Located(sender, header)
    for address in recipients:
        if is_patient(address):
            boxes.setdefault(address, Located(address, Where(PlaceKind.HEADER, "To")))
    for address in (envelope.mail_from, *envelope.recipients) if envelope is not None else ():
        if is_patient(address):
            boxes.setdefault(address.lower(), Located(address, Where(PlaceKind.SMTP, "RCPT TO")))
    told = parse_subject(subject)
    if not boxes and told is None:
        return None
    where = Where(PlaceKind.HEADER, "Subject")
    view = IdentityView(
        kind=ContainerKind.MAIL,
        label="mail",
        where=where if told is not None else header,
        mailbox=next(iter(boxes.values()), None),
        subject_count=max(1, len(boxes)),
    )
    if told is None:
        return view
    return replace(
        view,
        used_family=Located(told.family, where) if told.family else None,
        used_given=Located(told.given, where) if told.given else None,
        birth_date=Located(told.birth_date, where) if told.birth_date else None,
    )


def is_patient(address: str) -> bool:
    """A citizen's mailbox: `<matricule>@patient.<trust suffix>`, not a robot's of the same domain."""
    return "@patient." in address.lower() and not is_service(address)


def _about(block: HeaderBlock, content_type: str, raw: bytes) -> str:
    """What a report or an automatic answer is about: as its header says, else as the quoted original does (Postfix)."""
    report = content_type == "multipart/report"
    if not report and not block.first("auto-submitted").strip().lower().startswith("auto-replied"):
        return ""
    for name in ("in-reply-to", "references"):
        told = block.first(name).split()
        if told:
            return told[-1].strip("<>")
    found = _QUOTED_ID.search(raw, block.size_bytes) if report else None
    return found[1].decode("ascii", "replace") if found else ""


def _automatic(block: HeaderBlock, envelope: Addressing | None) -> bool:
    """Written by a program about another mail, with the null sender (RFC 3834 §5): what it attaches is evidence."""
    if envelope is not None and envelope.mail_from:
        return False
    return block.first("auto-submitted").strip().lower().startswith("auto-replied")


def _message() -> Where:
    return Where(PlaceKind.MIME, "message")


def _fields(count: str) -> Text:
    return Text(f"{count} champs", f"{count} fields")


def _issue(rule_id: str, where: Where, received: Words, expected: Words) -> Issue:
    return Issue(rule_id, Hit(where=where, received=received, expected=expected))


def _undecoded(fault: str) -> Text:
    """Content that its transfer encoding does not give back; `fault` is the decoder's own word."""
    return Text(f"contenu qui ne se décode pas ({fault})", f"content that cannot be decoded ({fault})")
