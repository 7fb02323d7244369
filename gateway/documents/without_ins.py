"""A copy of a package or of a CDA without the INS, marked as such. Asked by a human, never of a signed document.

What is taken out: the INS of recordTarget/patientRole, the citizen's address in its telecoms, and every CX under an INS OID
in the metadata (patientId, sourcePatientId, sourcePatientInfo), where the local number takes its place. The copy has an
identifier of its own and says what it was made of (relatedDocument XFRM, titles, comments); digests and sizes are those of
the new octets. The body of a document is not touched: what it prints, it still prints. The original is never changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1

from lxml import etree

from gateway.documents.build_xdm import zip_of
from gateway.documents.open_cda import XMLDSIG
from gateway.documents.open_patient import parse_cx
from gateway.documents.open_xdm import is_leftover
from gateway.documents.open_zip import open_zip
from gateway.documents.xml import local, parse_xml
from gateway.identity.model import INS_OIDS
from gateway.sandbox.model import Limits
from gateway.values import PlaceKind, Where

MARK = "copie sans INS"
V3 = "urn:hl7-org:v3"
_PATIENT_DOMAIN = "@patient."
_DOCUMENT_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
_WHERE = Where(PlaceKind.FILE, "copy")

NewId = Callable[[str], str]  # the identifier of a copy, from that of its original


class Signed(Exception):
    """What was to be copied is signed or encrypted: it is never altered."""


class Unreadable(Exception):
    """What was to be copied cannot be read."""


@dataclass(frozen=True, slots=True)
class CopiedDocument:
    """A copy: its octets, and the identifier of the original (root, or root^extension) with that of the copy."""

    data: bytes
    original_id: str
    copy_id: str


def cda_without_ins(data: bytes, new_id: NewId, limits: Limits = Limits()) -> CopiedDocument:
    """The copy of one CDA. Raises Signed, Unreadable."""
    root = _root(data, limits)
    document = root if local(root) == "ClinicalDocument" else next(root.iter(f"{{{V3}}}ClinicalDocument"), None)
    if document is None:
        raise Unreadable("no ClinicalDocument")
    for role in document.iterfind(f"{{{V3}}}recordTarget/{{{V3}}}patientRole"):
        _without_ins(role)
    for title in document.findall(f"{{{V3}}}title")[:1]:
        title.text = f"{title.text or ''} ({MARK})"
    before, after = _renamed(document, new_id)
    return CopiedDocument(etree.tostring(root, xml_declaration=True, encoding="UTF-8"), before, after)


def _root(data: bytes, limits: Limits) -> etree._Element:
    root, issue = parse_xml(data, limits, _WHERE, keep_comments=True)
    if root is None:
        raise Unreadable(issue.rule_id if issue else "xml")
    if next(root.iter(f"{{{XMLDSIG}}}Signature"), None) is not None:
        raise Signed
    return root


def _without_ins(role: etree._Element) -> None:
    """The identifiers under an INS OID and the citizen's addresses leave; a role without any left says it was masked."""
    for one in role.findall(f"{{{V3}}}id"):
        if (one.get("root") or "").strip() in INS_OIDS:
            role.remove(one)
    if role.find(f"{{{V3}}}id") is None:
        masked = etree.Element(f"{{{V3}}}id", nullFlavor="MSK")
        role.insert(0, masked)
    for telecom in role.findall(f"{{{V3}}}telecom"):
        if _PATIENT_DOMAIN in (telecom.get("value") or "").lower():
            telecom.attrib.clear()
            telecom.set("nullFlavor", "MSK")


def _renamed(document: etree._Element, new_id: NewId) -> tuple[str, str]:
    """A new id, and the original as the parent it was transformed from."""
    one = document.find(f"{{{V3}}}id")
    if one is None:
        return "", ""
    root, extension = one.get("root") or "", one.get("extension") or ""
    before = f"{root}^{extension}" if extension else root
    after = new_id(before)
    one.attrib.clear()
    one.set("root", after)
    related = etree.Element(f"{{{V3}}}relatedDocument", typeCode="XFRM")
    parent = etree.SubElement(etree.SubElement(related, f"{{{V3}}}parentDocument"), f"{{{V3}}}id", root=root)
    if extension:
        parent.set("extension", extension)
    places = [c for name in _BEFORE_RELATED for c in document.findall(f"{{{V3}}}{name}")]
    if places:
        places[-1].addnext(related)
    else:
        document.append(related)
    return before, after


_BEFORE_RELATED = (  # in the order of the schema
    "custodian",
    "informationRecipient",
    "legalAuthenticator",
    "authenticator",
    "participant",
    "inFulfillmentOf",
    "documentationOf",
    "relatedDocument",
)


def package_without_ins(data: bytes, new_id: NewId, at: datetime, limits: Limits = Limits()) -> bytes:
    """The copy of an IHE_XDM.zip: each CDA and METADATA.XML. Raises Signed, Unreadable."""
    files, issues = open_zip(data, _WHERE, limits)
    if issues or not files:
        raise Unreadable(issues[0].rule_id if issues else "empty")
    copies: dict[str, CopiedDocument] = {}
    kept: list[tuple[str, bytes]] = []
    metadata: list[tuple[str, bytes]] = []
    for file in files:
        name = file.path.replace("\\", "/").rpartition("/")[2].upper()
        if is_leftover(file.path):
            continue
        if name == "METADATA.XML":
            metadata.append((file.path, file.data))
        elif b"ClinicalDocument" in file.data[:65536]:
            copies[name] = cda_without_ins(file.data, new_id, limits)
            kept.append((file.path, copies[name].data))
        else:
            if _is_signature(file.data):
                raise Signed
            kept.append((file.path, file.data))
    told = [(path, _metadata_without_ins(octets, copies, limits)) for path, octets in metadata]
    return zip_of([*kept, *told], at)


def _is_signature(data: bytes) -> bool:
    return b"http://www.w3.org/2000/09/xmldsig#" in data[:65536] and b"Signature" in data[:65536]


def _metadata_without_ins(data: bytes, copies: dict[str, CopiedDocument], limits: Limits) -> bytes:
    root = _root(data, limits)
    own = next((v.text for v in root.iter("{*}Value") if v.text and _is_local(v.text)), "")
    for value in root.iter("{*}Value"):
        if value.text and _holds_ins(value.text):
            field, bar, _ = value.text.partition("|")
            value.text = f"{field}{bar}{own}" if bar and field.startswith("PID-") else own
    for identifier in root.iter("{*}ExternalIdentifier"):
        if _holds_ins(identifier.get("value") or ""):
            identifier.set("value", own)
    for entry in root.iter("{*}ExtrinsicObject"):
        uri = (_slot(entry, "URI") or "").replace("\\", "/").rpartition("/")[2].upper()
        copy = copies.get(uri)
        if copy is not None:
            _described(entry, copy)
    for name in root.iter("{*}RegistryPackage"):
        _marked(name)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _described(entry: etree._Element, copy: CopiedDocument) -> None:
    """An entry as its copy is: digest, size, identifier, title."""
    _set_slot(entry, "hash", sha1(copy.data, usedforsecurity=False).hexdigest())
    _set_slot(entry, "size", str(len(copy.data)))
    for identifier in entry.iter("{*}ExternalIdentifier"):
        if identifier.get("identificationScheme") == _DOCUMENT_ID and copy.copy_id:
            identifier.set("value", copy.copy_id)
    _marked(entry)


def _marked(element: etree._Element) -> None:
    for name in element.findall("{*}Name/{*}LocalizedString")[:1]:
        name.set("value", f"{name.get('value') or ''} ({MARK})")


def _holds_ins(value: str) -> bool:
    return any(parse_cx(part)[1] in INS_OIDS for part in value.rpartition("|")[2].split("~"))


def _is_local(value: str) -> bool:
    number, oid, kind = parse_cx(value)
    return bool(number and oid) and oid not in INS_OIDS and kind in ("PI", "")


def _slots(entry: etree._Element, name: str) -> list[etree._Element]:
    return [slot for slot in entry.findall("{*}Slot") if slot.get("name") == name]


def _slot(entry: etree._Element, name: str) -> str | None:
    return next((v.text for slot in _slots(entry, name) for v in slot.iter("{*}Value")), None)


def _set_slot(entry: etree._Element, name: str, text: str) -> None:
    for slot in _slots(entry, name):
        for value in slot.iter("{*}Value"):
            value.text = text
