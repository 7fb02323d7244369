"""What a receiver checks of an IHE_XDM.zip, in the order of its own error list.

Subject: one `XdmPackage`. What could not be opened is told by its issues (XDM-01, XDM-02, XDM-07, ABU-xx). The patient:
a matricule that differs between containers is INS-150 and INS-136, and an incomplete INS is INS-032: XDM-08 and
XDM-10 speak only where these cannot, so that one fault gives one report.

Sources: IHE ITI TF-2 3.32 (XDM), CI-SIS volet Échange de documents de santé, practice of receivers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.documents.model import CdaDocument, DocumentEntry, PackagedFile, XdmPackage
from gateway.documents.open_xdm import folder, is_leftover, top_folder
from gateway.identity.model import INS_OIDS
from gateway.rules import ComparedValue, Hit, Rule, RuleContext, Severity, rule
from gateway.rules.masking import mask_matricule
from gateway.rules.phrases import IDENTITY_OF_A_DOCUMENT
from gateway.values import PlaceKind, Where

_XML_TYPES = frozenset({"text/xml", "application/xml", "application/xslt+xml"})
_SHORT_NAME = re.compile(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?\Z")


def entries_of(package: XdmPackage) -> Iterator[tuple[str, DocumentEntry]]:
    """Each entry with the folder of its metadata, as in the archive."""
    for metadata in package.metadata:
        for entry in metadata.entries:
            yield folder(metadata.where.path), entry


def file_of(package: XdmPackage, at: str, entry: DocumentEntry) -> PackagedFile | None:
    """The file an entry names, in the folder of its metadata; names are compared without case."""
    if entry.uri is None:
        return None
    wanted = f"{at}/{entry.uri.value}".casefold()
    return next((f for f in package.files if f.path.casefold() == wanted), None)


def pairs_of(package: XdmPackage) -> Iterator[tuple[DocumentEntry, CdaDocument]]:
    """Each entry with the document its URI names; both were read."""
    documents = {d.where.path.casefold(): d for d in package.documents if d.places}
    for at, entry in entries_of(package):
        file = file_of(package, at, entry)
        document = documents.get(file.path.casefold()) if file is not None else None
        if document is not None:
            yield entry, document


def _zip(path: str) -> Where:
    return Where(PlaceKind.ZIP, path)


@rule("XDM-03")
def no_empty_file(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """No file of the package is empty."""
    for file in package.files:
        if file.size_bytes == 0 and not is_leftover(file.path):
            yield Hit(_zip(file.path), "0 octets", "> 0 octets", params={"file": file.path})


@rule("XDM-04")
def size_declared(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """The slot size is the number of octets of the file."""
    for at, entry in entries_of(package):
        file = file_of(package, at, entry)
        if file is None:
            continue
        told = entry.size
        if told is None:
            yield Hit(entry.where, "∅", str(file.size_bytes), params={"file": file.path}, container=entry.label)
        elif told.value.strip() != str(file.size_bytes):
            yield Hit(
                told.where, told.value[:40], str(file.size_bytes), params={"file": file.path}, container=entry.label
            )


@rule("XDM-05")
def hash_declared(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """The slot hash is the SHA-1 of the octets of the file, in hexadecimal (either case)."""
    for at, entry in entries_of(package):
        file = file_of(package, at, entry)
        if file is None:
            continue
        told = entry.hash_sha1
        if told is None:
            yield Hit(entry.where, "∅", file.sha1, params={"file": file.path}, container=entry.label)
        elif told.value.strip().lower() != file.sha1:
            yield Hit(told.where, told.value[:64], file.sha1, params={"file": file.path}, container=entry.label)


@rule("XDM-06")
def everything_declared(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """Each URI names a file of its subset, and each document is declared by an entry."""
    declared: set[str] = set()
    for at, entry in entries_of(package):
        file = file_of(package, at, entry)
        if file is not None:
            declared.add(file.path.casefold())
        elif entry.uri is None:
            yield Hit(entry.where, "∅", "Slot[@name='URI']", container=entry.label)
        else:
            names = ", ".join(f.path.rpartition("/")[2] for f in package.files if folder(f.path) == at)
            yield Hit(entry.uri.where, entry.uri.value[:80], names or "∅", container=entry.label)
    for document in package.documents:
        if document.where.path.casefold() not in declared and package.metadata and not package.metadata[0].issues:
            name = document.where.path.rpartition("/")[2]
            yield Hit(_zip(document.where.path), "∅", f"ExtrinsicObject, URI = {name}", container=document.label)


@rule("XDM-07")
def documents_are_cda(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """Each document of the package is a CDA R2; another type is tolerated and told."""
    for _, entry in entries_of(package):
        if entry.mime_type and entry.mime_type.lower() not in _XML_TYPES:
            yield Hit(
                entry.where,
                entry.mime_type[:80],
                "text/xml (CDA R2)",
                severity=Severity.WARNING,
                container=entry.label,
            )


@rule("XDM-08")
def patient_id_in_the_document(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """patientId is one of the patientRole/id of the document. Two INS that differ are INS-150's to say."""
    for entry, document in pairs_of(package):
        told = entry.identity.identifiers[0] if entry.patient_id is not None and entry.identity is not None else None
        if told is None or document.identity is None:
            continue
        inside = document.identity.identifiers
        if any((i.oid, i.value) == (told.oid, told.value) for i in inside):
            continue
        if told.oid in INS_OIDS and document.identity.ins is not None:
            continue
        shown = mask_matricule(told.value)
        expected = ", ".join(f"{mask_matricule(i.value)} ({i.oid})" for i in inside) or "∅"
        yield Hit(
            where=told.where,
            received=f"{shown} ({told.oid or '∅'})",
            expected=expected,
            values=(
                ComparedValue(entry.label, told.where.path, shown),
                ComparedValue(document.label, document.identity.where.path, expected),
            ),
            container=entry.label,
        )


@rule("XDM-10")
def qualified_patient(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """One document at least carries matricule, OID and the four traits: else nothing can be attached by itself."""
    read = [d for d in package.documents if d.identity is not None]
    if read and not any(d.identity is not None and qualified(d) for d in read):
        where = read[0].identity.where if read[0].identity is not None else package.where
        yield Hit(where, "∅", IDENTITY_OF_A_DOCUMENT, container=read[0].label)


def qualified(document: CdaDocument) -> bool:
    """Matricule and OID of an INS, birth name, first given name, birth date and sex: what X-MSS-INS: O announces."""
    view = document.identity
    if view is None or view.ins is None or not view.ins.value:
        return False
    return all(t is not None and t.value for t in (view.birth_family, view.birth_given, view.birth_date, view.sex))


@rule("XDM-12")
def leaflets(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """INDEX.HTM and README.TXT stand beside IHE_XDM."""
    if not package.metadata:
        return
    for name, there in (("INDEX.HTM", package.has_index), ("README.TXT", package.has_readme)):
        if not there:
            yield Hit(package.where, "∅", name, params={"file": name})


@rule("XDM-13")
def no_duplicate(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """Two documents of a package have two ids; two versions of one setId have two numbers."""
    ids: dict[str, CdaDocument] = {}
    versions: dict[tuple[str, str], CdaDocument] = {}
    for document in package.documents:
        if document.document_id is not None:
            first = ids.setdefault(document.document_id.value, document)
            if first is not document:
                yield _twice(document, first, "id", document.document_id.value)
                continue
        if document.set_id is not None and document.version is not None:
            key = (document.set_id.value, document.version.value)
            first = versions.setdefault(key, document)
            if first is not document:
                yield _twice(document, first, "setId, versionNumber", " v".join(key))


def _twice(document: CdaDocument, first: CdaDocument, name: str, value: str) -> Hit:
    return Hit(
        where=_zip(document.where.path),
        received=value,
        expected=f"≠ {first.where.path}",
        params={"name": name},
        container=document.label,
    )


@rule("XDM-14")
def no_folder_above(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """IHE_XDM stands at the root of the archive."""
    above = top_folder(tuple(f.path for f in package.files if not is_leftover(f.path)))
    if above:
        yield Hit(_zip(above), f"{above}IHE_XDM/", "IHE_XDM/")


@rule("XDM-15")
def no_leftover(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """No file of a desktop (`__MACOSX`, `.DS_Store`) travels with the documents."""
    found = [f.path for f in package.files if is_leftover(f.path)]
    if found:
        yield Hit(_zip(found[0]), ", ".join(found[:5]), "∅")


@rule("XDM-16")
def short_names(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """Names are ISO 9660 level 1: eight capitals, a dot, three."""
    found = [
        f.path
        for f in package.files
        if not is_leftover(f.path) and not all(_SHORT_NAME.match(step) for step in f.path.split("/"))
    ]
    if found:
        yield Hit(_zip(found[0]), ", ".join(found[:5]), "IHE_XDM/SUBSET01/DOC0001.XML")


@rule("INS-137")
def identity_unreadable(package: XdmPackage, ctx: RuleContext) -> Iterable[Hit]:
    """A document that cannot be read as a CDA tells no identity: nobody can check that it is the patient's."""
    for document in package.documents:
        if document.identity is None:
            yield Hit(document.where, "∅", "ClinicalDocument/recordTarget", container=document.label)


RULES: tuple[Rule[XdmPackage], ...] = (
    no_empty_file,
    size_declared,
    hash_declared,
    everything_declared,
    documents_are_cda,
    patient_id_in_the_document,
    qualified_patient,
    leaflets,
    no_duplicate,
    no_folder_above,
    no_leftover,
    short_names,
    identity_unreadable,
)
