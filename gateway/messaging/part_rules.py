"""What the parts of an MSSanté mail must be: text, the package and its twins in PDF.

Subject: one `MailMessage`. Parts quoted by a report are evidence, and are not judged.

Sources: Référentiel socle MSSanté n° 2 v1.0 (ECO.2.1, ECO.2.2), RFC 2045 to 2047, IHE ITI TF-2 3.32 (XDM over mail).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.documents.model import CdaDocument
from gateway.messaging.model import MailMessage, MailPart
from gateway.rules import Hit, Rule, RuleContext, Severity, rule
from gateway.values import PlaceKind, Text, Where

_PACKAGE = "ihe_xdm.zip"
_ZIP_TYPES = frozenset(
    {"application/zip", "application/octet-stream", "application/x-zip-compressed", "application/x-zip"}
)
_TWIN_NAME = re.compile(r"\d{8}_[^_]+_.+\.pdf\Z", re.IGNORECASE)


def is_report(mail: MailMessage) -> bool:
    """A DSN or an MDN."""
    return mail.content_type == "multipart/report"


def packaged_documents(mail: MailMessage) -> tuple[CdaDocument, ...]:
    """The CDA that travel in an IHE_XDM.zip and could be read: what the X-MSS headers speak of."""
    return tuple(d for p in mail.packages for d in p.documents if d.places)


def own_parts(mail: MailMessage) -> Iterator[MailPart]:
    """The parts of the mail itself."""
    return (p for p in mail.parts if not p.quoted)


def place_of(part: MailPart) -> Where:
    """Where a part stands: its number, and its name."""
    return Where(PlaceKind.MIME, f"{part.path} ({part.filename})" if part.filename else part.path)


_TWIN_FORM = Text("AAAAMMJJ_<type>_<NOM>_<prenom>….pdf", "YYYYMMDD_<type>_<NAME>_<given>….pdf")
_LOOSE_CDA = Text("CDA hors IHE_XDM.zip", "CDA outside IHE_XDM.zip")


@rule("ECO-06")
def text_in_utf8(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """Text parts are in UTF-8 (plain ASCII is UTF-8)."""
    for part in own_parts(mail):
        if part.content_type in ("text/plain", "text/html") and part.charset not in ("", "utf-8", "us-ascii"):
            yield Hit(place_of(part), part.charset, "utf-8")


@rule("ECO-07")
def readable_body(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """The body is text/plain, or a multipart/alternative that holds one."""
    bodies = [p for p in own_parts(mail) if p.content_type == "text/html" and p.disposition != "attachment"]
    if not bodies or is_report(mail):
        return
    if not any(p.content_type == "text/plain" and p.enclosing == "multipart/alternative" for p in own_parts(mail)):
        yield Hit(place_of(bodies[0]), "text/html", "multipart/alternative (text/plain, text/html)")


@rule("XDM-11")
def one_twin_for_each_document(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """Each CDA of the package has its PDF beside the package."""
    documents = packaged_documents(mail)
    if not documents or is_report(mail):
        return
    count = sum(1 for p in own_parts(mail) if _is_twin(p))
    if count < len(documents):
        yield Hit(Where(PlaceKind.MIME, "message"), f"{count} PDF", f"{len(documents)} PDF")


def _is_twin(part: MailPart) -> bool:
    return part.is_pdf or part.content_type == "application/pdf"


@rule("ECO-03")
def twins_are_pdfa(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """The PDF beside the package carries the PDF/A-1 marker."""
    if not packaged_documents(mail):
        return
    for part in own_parts(mail):
        if _is_twin(part) and part.pdfa_part != "1":
            received = "PDF" if part.is_pdf else "≠ %PDF-"
            yield Hit(place_of(part), f"{received}/A-{part.pdfa_part}" if part.pdfa_part else received, "PDF/A-1")


@rule("ECO-04")
def twins_are_named(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """The PDF is named `<date de l'acte>_<type document>_<NOM>_<prenom>_<numéro de dossier>.pdf`."""
    if not packaged_documents(mail):
        return
    for part in own_parts(mail):
        if _is_twin(part) and not _TWIN_NAME.match(part.filename):
            yield Hit(Where(PlaceKind.MIME, part.path), "…" + part.filename[-4:], _TWIN_FORM)


@rule("ECO-12")
def documents_in_a_package(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """Documents announced or attached travel in an attachment named IHE_XDM.zip."""
    if is_report(mail):
        return
    if not mail.packages:
        if mail.loose_documents:
            yield Hit(mail.loose_documents[0].where, _LOOSE_CDA, "IHE_XDM.zip")
        elif mail.subject.startswith("XDM/1.0/DDM"):
            yield Hit(Where(PlaceKind.HEADER, "Subject"), "XDM/1.0/DDM, ∅ IHE_XDM.zip", "IHE_XDM.zip")
        return
    named = [p for p in own_parts(mail) if p.filename.casefold() == _PACKAGE]
    if not named:
        yield Hit(mail.packages[0].where, mail.packages[0].where.path, 'filename="IHE_XDM.zip"')


@rule("ECO-13")
def one_package(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """A mail carries one IHE_XDM.zip."""
    if len(mail.packages) > 1:
        yield Hit(mail.packages[1].where, f"{len(mail.packages)} IHE_XDM.zip", "1 IHE_XDM.zip")


@rule("ECO-14")
def package_type(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """The package is declared application/zip, in base64, with MIME headers spelt right."""
    for part in own_parts(mail):
        if part.filename.casefold() == _PACKAGE and part.content_type != "application/zip":
            severity = Severity.INFO if part.content_type in _ZIP_TYPES else None
            yield Hit(place_of(part), part.content_type[:60], "application/zip", severity=severity)
        for name in part.misspelt:
            yield Hit(place_of(part), name[:60], "Content-Transfer-Encoding, Content-Type, Content-Disposition")


@rule("ECO-15")
def no_winmail(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """No winmail.dat: its attachments are invisible to everyone else."""
    for part in own_parts(mail):
        if part.content_type in ("application/ms-tnef", "application/vnd.ms-tnef") or (
            part.filename.casefold() == "winmail.dat"
        ):
            yield Hit(place_of(part), part.filename or part.content_type, "MIME")


RULES: tuple[Rule[MailMessage], ...] = (
    text_in_utf8,
    readable_body,
    one_twin_for_each_document,
    twins_are_pdfa,
    twins_are_named,
    documents_in_a_package,
    one_package,
    package_type,
    no_winmail,
)
