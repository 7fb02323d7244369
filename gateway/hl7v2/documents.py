"""The CDA an OBX carries: OBX-2 is ED, OBX-5.3 says XML, OBX-5.4 Base64, OBX-5.5 holds the octets.

Bodies of mails (table MetaDMPMSS, or OBX-5.3 empty) are ED too: their base64 is judged, and they are not opened. A missing
padding is read and told; base64 that cannot be read is an error. Source: CI-SIS HL7v2 volets 2.1 and LPS 1.1, OBX-5.
"""

from __future__ import annotations

import binascii

from gateway.documents.model import CdaDocument, Issue
from gateway.documents.open_cda import open_cda
from gateway.hl7v2.er7 import Repetition, Segment
from gateway.rules.model import Hit, Severity
from gateway.rules.phrases import characters
from gateway.rules.unreadable import base64_fault
from gateway.sandbox.model import Limits
from gateway.values import Text, Where, Words

METADATA_TABLE = "MetaDMPMSS"
_XML = "XML"
MOST_DOCUMENTS = 50
_SHORT = 512  # octets: no CDA header is shorter
_NOT_ASCII = Text("caractères hors ASCII", "characters outside ASCII")


def documents_of(segments: list[Segment], limits: Limits) -> tuple[tuple[CdaDocument, ...], tuple[Issue, ...]]:
    """The documents of a message, labelled `cda:OBX[1]`, and what kept others from opening (HL7-09, HL7-10)."""
    documents: list[CdaDocument] = []
    issues: list[Issue] = []
    for segment in segments:
        if segment.name == "OBX" and segment.raw_field(2).strip() == "ED":
            if len(documents) >= MOST_DOCUMENTS:
                break
            document = _opened(segment, limits, issues)
            if document is not None:
                documents.append(document)
    return tuple(documents), tuple(issues)


def _opened(obx: Segment, limits: Limits, issues: list[Issue]) -> CdaDocument | None:
    value = obx.first(5)
    parts = value.parts
    where = value.where(5)
    body = obx.text(3, 3).strip() == METADATA_TABLE or (len(parts) > 2 and not parts[2])
    encoding = parts[3].strip().casefold() if len(parts) > 3 else ""
    if encoding != "base64":
        if not body:
            issues.append(_issue("HL7-09", value.where(4), encoding[:20] or "∅", "Base64"))
        return None
    data = _decoded(value, where, issues, body=body)
    if body or data is None:
        return None
    if not _may_be_cda(data):
        issues.append(_issue("HL7-10", where, f"{len(data)} octets", "<ClinicalDocument"))
        return None
    return open_cda(data, f"cda:{obx.label}", where, limits)


def _decoded(value: Repetition, where: Where, issues: list[Issue], *, body: bool) -> bytes | None:
    """The octets of OBX-5.5; None when they cannot be read. The fault of a mail body is a warning."""
    written = value.parts[4] if len(value.parts) > 4 else ""
    if not written.isascii():
        issues.append(_issue("HL7-09", where, _NOT_ASCII, "Base64", Severity.WARNING if body else None))
        return None
    compact = "".join(written.split()) if " " in written or "\t" in written else written
    lacking = -len(compact) % 4
    if not compact or lacking == 3:
        received = characters(len(compact))
        issues.append(_issue("HL7-09", where, received, "4 n", Severity.WARNING if body else None))
        return None
    try:
        data = binascii.a2b_base64(compact + "=" * lacking, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        issues.append(_issue("HL7-09", where, base64_fault(error), "Base64", Severity.WARNING if body else None))
        return None
    if lacking:
        issues.append(_issue("HL7-09", where, characters(len(compact)), "= " * lacking, Severity.WARNING))
    return data


def _may_be_cda(data: bytes) -> bool:
    """It begins as XML, and a short one names its root: guides print messages whose document is a few words, or cut."""
    head = data[:_SHORT].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith(b"<") and (len(data) > _SHORT or b"ClinicalDocument" in head)


def _issue(rule_id: str, where: Where, received: Words, expected: str, severity: Severity | None = None) -> Issue:
    return Issue(rule_id, Hit(where, received, expected.strip(), severity=severity))
