"""The documents of a DocumentReference: inline in its attachment, or in a Binary of the same Bundle.

An attachment declares a size and a SHA-1: both are compared with the octets. A CDA is opened, and its patient stands beside
the resource's. Source: FHIR 4.0.1 Attachment; IHE MHD 4.2; PDSm.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from hashlib import sha1

from gateway.documents.model import CdaDocument, Issue
from gateway.documents.open_cda import open_cda
from gateway.partners.fhir_bundle import Found, Resource
from gateway.partners.fhir_json import Json, at, members, text
from gateway.rules.model import Hit
from gateway.rules.unreadable import base64_fault
from gateway.sandbox.model import Limits

MOST_DOCUMENTS = 100
_HINT = b"ClinicalDocument"


def documents_of(found: Found, limits: Limits, issues: list[Issue]) -> list[tuple[Resource, CdaDocument]]:
    """Each CDA with the DocumentReference it belongs to, labelled `cda:DocumentReference/1`. Issues: FHIR-09, FHIR-10."""
    documents: list[tuple[Resource, CdaDocument]] = []
    for resource in found.resources:
        if resource.type != "DocumentReference":
            continue
        for rank, (attachment, path) in enumerate(_attachments(resource), 1):
            if len(documents) >= MOST_DOCUMENTS:
                return documents
            data, place = _octets(attachment, path, resource, found, issues)
            if data is None:
                continue
            _compare(attachment, path, data, issues)
            if _is_cda(text(attachment.get("contentType")), data):
                label = f"cda:{resource.name}" if rank == 1 else f"cda:{resource.name}#{rank}"
                documents.append((resource, open_cda(data, label, at(place), limits)))
    return documents


def _attachments(resource: Resource) -> Iterator[tuple[Json, str]]:
    for content, path in members(resource.body.get("content"), f"{resource.path}.content"):
        if isinstance(content.get("attachment"), dict):
            yield content["attachment"], f"{path}.attachment"


def _octets(
    attachment: Json, path: str, resource: Resource, found: Found, issues: list[Issue]
) -> tuple[bytes | None, str]:
    """The octets of an attachment and where they stand; None when they are elsewhere or cannot be read."""
    if "data" in attachment:
        return _decoded(attachment["data"], f"{path}.data", issues), f"{path}.data"
    url = text(attachment.get("url"))
    binary = _contained(resource, url) if url.startswith("#") else found.resolve(url) if url else None
    if binary is None or binary.type != "Binary":
        return None, path
    return _decoded(binary.body.get("data"), f"{binary.path}.data", issues), f"{binary.path}.data"


def _contained(resource: Resource, reference: str) -> Resource | None:
    for body, path in members(resource.body.get("contained"), f"{resource.path}.contained"):
        if text(body.get("id")) == reference[1:]:
            return Resource(body, path)
    return None


def _decoded(value: object, path: str, issues: list[Issue]) -> bytes | None:
    written = "".join(text(value).split())
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError) as error:
        issues.append(Issue("FHIR-09", Hit(at(path), base64_fault(error), "base64")))
        return None


def _compare(attachment: Json, path: str, data: bytes, issues: list[Issue]) -> None:
    size, digest = attachment.get("size"), text(attachment.get("hash"))
    if isinstance(size, int) and size != len(data):
        issues.append(Issue("FHIR-10", Hit(at(f"{path}.size"), str(size)[:20], f"{len(data)}")))
    real = base64.b64encode(sha1(data, usedforsecurity=False).digest()).decode()
    if digest and digest != real:
        issues.append(Issue("FHIR-10", Hit(at(f"{path}.hash"), digest[:60], real)))


def _is_cda(content_type: str, data: bytes) -> bool:
    media = content_type.partition(";")[0].strip().casefold()
    head = data[:65536].replace(b"\x00", b"")
    return media.endswith("xml") or (head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<") and _HINT in head)
