"""Open whatever came by a door: find its kind, open it, and gather who the patient is in each container.

Pure and picklable: the same function runs in the event loop for small messages and in a worker process for large ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.documents.model import CdaDocument, Issue, XdmPackage, XdsMetadata
from gateway.documents.open_cda import XSLT, open_cda
from gateway.documents.open_metadata import open_metadata
from gateway.documents.open_xdm import open_xdm
from gateway.documents.xml import encoding_of
from gateway.exchange.model import Envelope, OpenedMessage
from gateway.hl7v2.opening import open_hl7
from gateway.identity.datamatrix import DatamatrixError, decode, is_datamatrix
from gateway.identity.model import IdentityView
from gateway.messaging.opening import open_mail
from gateway.partners.fhir import open_fhir
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits
from gateway.values import PlaceKind, Where

_HEADER_LINE = re.compile(rb"\A(?:From [^\n]*\n)?[!-9;-~]{1,80}[ \t]*:[^\n]*\r?\n?", re.DOTALL)
_MAIL_HEADER = re.compile(
    rb"(?im)^(?:received|return-path|from|to|subject|date|message-id|mime-version|content-type|x-mss-[a-z]+)[ \t]*:"
)
_ROOT_NAME = re.compile(r"<(?:[A-Za-z_][\w.\-]*:)?([A-Za-z_][\w.\-]*)[\s/>]")
_PROLOG = re.compile(r"\A(?:\ufeff)?(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_XML_KINDS = {
    "ClinicalDocument": "cda",
    "SubmitObjectsRequest": "metadata",
    "ProvideAndRegisterDocumentSetRequest": "metadata",
    "Envelope": "soap",
    **dict.fromkeys(("Assertion", "RECSANSVITALE", "RECVITALE", "RESULTAT"), "soap"),
    "ListeBlancheMSSante": "whitelist",
}
_ENDINGS = {
    "eml": "mail",
    "zip": "xdm",
    "hl7": "hl7v2",
    "er7": "hl7v2",
    "json": "fhir",
}
_FHIR_XML = "http://hl7.org/fhir"
_HEAD = 64 * 1024


def sniff(raw: bytes, filename: str = "") -> str:
    """What a file is, by its octets first, by its name when they do not tell.

    mail, xdm, cda, metadata, soap (a VIHF or an INSi body alone included), whitelist, hl7v2, fhir, datamatrix (its text
    form), xml (another XML), unknown.
    """
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "xdm"
    head = _head(raw)
    start = head.lstrip("\ufeff \t\r\n\x0b")
    if start.startswith(("MSH|", "FHS|", "BHS|")):
        return "hl7v2"
    if start.startswith("<"):
        return _xml_kind(start)
    if start.startswith(("{", "[")) and '"' in start:
        return "fhir"
    if _is_soap_multipart(raw):
        return "soap"
    if is_datamatrix(start):
        return "datamatrix"
    if _HEADER_LINE.match(raw) and _MAIL_HEADER.search(raw, 0, _HEAD):
        return "mail"
    return _ENDINGS.get(filename.rpartition(".")[2].lower(), "unknown")


def open_message(
    raw: bytes,
    kind_hint: str = "",
    envelope: Envelope | None = None,
    limits: Limits = Limits(),
    filename: str = "",
    *,
    structure: bool = True,
) -> OpenedMessage:
    """Everything found in `raw`. `kind_hint` is the kind when the door knows it (`mail`), '' to find out.

    `structure=False` leaves out the judges that are slow to load (fhir.resources): a door asks for them in a worker. A
    whitelist comes back with its kind alone. Never raises.
    """
    kind = kind_hint or sniff(raw, filename)
    where = Where(PlaceKind.FILE, filename or "message")
    name = filename.replace("\\", "/").rpartition("/")[2]
    if kind == "mail":
        mail = open_mail(raw, envelope, limits)
        views = ((mail.identity,) if mail.identity is not None else ()) + tuple(
            v for p in mail.packages for v in views_of_package(p)
        )
        return OpenedMessage(
            kind=kind, mail=mail, packages=mail.packages, views=views + tuple(_views_of_documents(mail.loose_documents))
        )
    if kind == "xdm":
        package = open_xdm(raw, f"xdm:{name or 'IHE_XDM.zip'}", where, limits)
        return OpenedMessage(kind=kind, packages=(package,), views=tuple(views_of_package(package)))
    if kind == "cda":
        document = open_cda(raw, f"cda:{name}" if name else "cda", where, limits)
        return OpenedMessage(kind=kind, documents=(document,), views=tuple(_views_of_documents((document,))))
    if kind == "metadata":
        metadata = open_metadata(raw, "metadata", where, limits)
        return OpenedMessage(kind=kind, metadata=(metadata,), views=tuple(views_of_metadata(metadata)))
    if kind == "hl7v2":
        er7 = open_hl7(raw, limits)
        return OpenedMessage(kind, documents=er7.documents, views=er7.views, issues=er7.issues, hl7=er7.message)
    if kind == "fhir":
        resource = open_fhir(raw, limits, structure=structure)
        return OpenedMessage(
            kind, documents=resource.documents, views=resource.views, issues=resource.issues, fhir=resource.message
        )
    if kind == "soap":
        from gateway.exchange.open_soap import open_soap  # signatures and certificates are slow to load

        call = open_soap(raw, where, limits)
        return OpenedMessage(
            call.kind, metadata=call.metadata, documents=call.documents, views=call.views, issues=call.issues
        )
    if kind == "datamatrix":
        return _datamatrix(raw, where)
    if kind == "xml":
        # An XML nobody knows: opened as a document, so that DOCTYPE, depth and XDM-07 are told.
        document = open_cda(raw, name or "xml", where, limits)
        return OpenedMessage(kind="unknown", issues=document.issues)
    return OpenedMessage(kind=kind, issues=() if kind != "unknown" else (_unknown(where),))


def _datamatrix(raw: bytes, where: Where) -> OpenedMessage:
    """What a scanner typed, kept in a text file."""
    try:
        told = decode(raw.decode("utf-8", "replace"))
    except DatamatrixError as error:
        return OpenedMessage("datamatrix", issues=(Issue("DM-01", Hit(where, error.received, error.expected)),))
    unknown = tuple(Issue("DM-02", Hit(where, name, "S1 … S7")) for name in told.unknown)
    return OpenedMessage("datamatrix", views=(told.view(where=where),), issues=unknown)


def views_of_package(package: XdmPackage) -> Iterator[IdentityView]:
    """The patient in each container of a package: lot, entries, documents."""
    for metadata in package.metadata:
        yield from views_of_metadata(metadata)
    yield from _views_of_documents(package.documents)


def views_of_metadata(metadata: XdsMetadata) -> Iterator[IdentityView]:
    """The patient of the submission set, then of each entry."""
    if metadata.submission_set is not None and metadata.submission_set.identity is not None:
        yield metadata.submission_set.identity
    for entry in metadata.entries:
        if entry.identity is not None:
            yield entry.identity


def _views_of_documents(documents: tuple[CdaDocument, ...]) -> Iterator[IdentityView]:
    return (d.identity for d in documents if d.identity is not None)


def _is_soap_multipart(raw: bytes) -> bool:
    """SOAP with attachments, with its MIME headers or from its first boundary; a text that only names them is none."""
    head = raw[:4096].lower()
    if b"application/xop+xml" not in head:
        return False
    if head.lstrip().startswith(b"--"):
        return True
    return b"multipart/related" in head and _HEADER_LINE.match(raw) is not None


def _head(raw: bytes) -> str:
    """The first characters, decoded as the document announces; never raises."""
    encoding = encoding_of(raw)
    try:
        return raw[:_HEAD].decode(encoding, "replace")
    except LookupError:
        return raw[:_HEAD].decode("latin-1")


def _xml_kind(text: str) -> str:
    prolog = _PROLOG.match(text)
    start = text[prolog.end() if prolog else 0 :]
    if start.startswith("<!DOCTYPE"):
        start = start[start.find(">") + 1 :]
    root = _ROOT_NAME.search(start)
    if root is None:
        return "xml"
    if root[1] not in _XML_KINDS and _FHIR_XML in start[root.start() : start.find(">", root.start()) + 1]:
        return "fhir"
    if root[1] in ("stylesheet", "transform") and XSLT in start and "ClinicalDocument" in start:
        return "cda"
    return _XML_KINDS.get(root[1], "xml")


def _unknown(where: Where) -> Issue:
    return Issue("DOC-01", Hit(where, "∅", "MIME, ZIP (XDM), XML (CDA, METADATA, SOAP), HL7v2, JSON (FHIR)"))
