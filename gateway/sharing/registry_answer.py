"""What the registry answers to a stored query: references, or whole entries as they stand registered.

An entry is answered from the ExtrinsicObject its depositor sent, with what the registry owns put in its place: entryUUID,
lid, status, version, hash, size, repositoryUniqueId. Order is always that of rim:3.0 (Slot, Name, Description,
VersionInfo, Classification, ExternalIdentifier), whatever the order received.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lxml import etree

from gateway.sharing.constants import DMP_REPOSITORY, DOCUMENT_ENTRY_TYPE, QUERY, RESPONSE, RIM, STATUS
from gateway.sharing.registry import RegisteredEntry
from gateway.soap.names import qname

_ORDER = ("Slot", "Name", "Description", "VersionInfo", "Classification", "ExternalIdentifier")
_OWNED = ("hash", "size", "repositoryUniqueId")
# the French statuses have their own URN
STATUS_URN = {
    "Archived": "urn:asip:ci-sis:2010:StatusType:Archived",
    "Deleted": "urn:asip:ci-sis:2010:StatusType:Deleted",
}


def status_urn(status: str) -> str:
    """The URN of a status."""
    return STATUS_URN.get(status, f"{STATUS}{status}")


def write_query_answer(entries: Sequence[RegisteredEntry], return_type: str) -> bytes:
    """An AdhocQueryResponse with status Success; no result is an empty list, never an error."""
    objects = _references(entries) if return_type == "ObjectRef" else b"".join(_leaf(e) for e in entries)
    head = (
        f'<query:AdhocQueryResponse xmlns:query="{QUERY}" status="{RESPONSE}Success"><RegistryObjectList xmlns="{RIM}">'
    )
    return head.encode() + objects + b"</RegistryObjectList></query:AdhocQueryResponse>"


def _references(entries: Iterable[RegisteredEntry]) -> bytes:
    return "".join(f'<ObjectRef id="urn:uuid:{bare(e.entry_uuid)}"/>' for e in entries).encode()


def bare(identifier: str) -> str:
    """A UUID without its `urn:uuid:`."""
    return identifier.lower().removeprefix("urn:uuid:")


def _leaf(entry: RegisteredEntry) -> bytes:
    received = etree.fromstring(str(entry.facts.get("extrinsic", "")).encode())
    urn = f"urn:uuid:{bare(entry.entry_uuid)}"
    told = etree.Element(
        qname(RIM, "ExtrinsicObject"),
        {
            "id": urn,
            "lid": f"urn:uuid:{bare(entry.logical_id)}",
            "mimeType": received.get("mimeType", ""),
            "isOpaque": "false",
            "objectType": DOCUMENT_ENTRY_TYPE,
            "status": status_urn(entry.status),
        },
        nsmap={None: RIM},
    )
    for name, value in (
        ("repositoryUniqueId", DMP_REPOSITORY),
        ("hash", str(entry.facts.get("hash", ""))),
        ("size", str(entry.facts.get("size", ""))),
    ):
        _slot(told, name, value)
    children = [c for c in received if isinstance(c.tag, str) and c.tag.startswith(f"{{{RIM}}}")]
    version = etree.Element(qname(RIM, "VersionInfo"), {"versionName": str(entry.version)})
    kept = [c for c in children if not (c.tag == qname(RIM, "Slot") and c.get("name") in _OWNED)]
    kept = [c for c in kept if c.tag != qname(RIM, "VersionInfo")]
    for child in sorted([*kept, version], key=_rank):
        for reference in ("classifiedObject", "registryObject"):
            if child.get(reference) is not None:
                child.set(reference, urn)
        child.tail = None
        told.append(child)
    return etree.tostring(told, encoding="utf-8")


def _rank(element: etree._Element) -> int:
    name = str(element.tag).rpartition("}")[2]
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _slot(parent: etree._Element, name: str, value: str) -> None:
    slot = etree.SubElement(parent, qname(RIM, "Slot"), {"name": name})
    listed = etree.SubElement(slot, qname(RIM, "ValueList"))
    etree.SubElement(listed, qname(RIM, "Value")).text = value
