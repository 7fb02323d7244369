"""Stored queries: their parameters in every form, what they match, and the answers, against the example messages."""

from __future__ import annotations

import pytest
from lxml import etree

from gateway.documents.xml import parse_xml
from gateway.sandbox.model import Limits
from gateway.sharing.constants import QUERY, RIM
from gateway.sharing.registry import (
    FIND_DOCUMENTS,
    GET_DOCUMENTS,
    RegisteredEntry,
    StoredQuery,
    matching,
    read_query,
)
from gateway.sharing.registry_answer import write_query_answer
from gateway.soap import envelope as soap
from tests.support.reference import reference

PATIENT = "'279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH'"
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"


def query(query_id: str, *slots: tuple[str, str], return_type: str = "LeafClass") -> StoredQuery:
    told = "".join(
        f'<Slot name="{name}"><ValueList>{"".join(f"<Value>{v}</Value>" for v in values.split("|"))}</ValueList></Slot>'
        for name, values in slots
    )
    read = read_query(
        etree.fromstring(
            f'<query:AdhocQueryRequest xmlns:query="{QUERY}" xmlns="{RIM}"><query:ResponseOption '
            f'returnComposedObjects="true" returnType="{return_type}"/><AdhocQuery id="{query_id}">{told}</AdhocQuery>'
            "</query:AdhocQueryRequest>"
        )
    )
    assert read is not None
    return read


def find(*slots: tuple[str, str]) -> StoredQuery:
    return query(FIND_DOCUMENTS, ("$XDSDocumentEntryPatientId", PATIENT), ("$XDSDocumentEntryStatus", APPROVED), *slots)


def rules(read: StoredQuery) -> list[str]:
    return [issue.rule_id for issue in read.issues]


ENTRY = RegisteredEntry(
    entry_uuid="3c9a6c58-0000-4000-8000-00000000d0c1",
    logical_id="3c9a6c58-0000-4000-8000-00000000d0c1",
    unique_id="2.25.1",
    status="Approved",
    version=1,
    masked=False,
    author_ids=("801234567897",),
    facts={
        "type_code": "74207-2^^2.16.840.1.113883.6.1",
        "class_code": "11^^1.2.250.1.213.1.1.4.1",
        "confidentiality": ["N^^2.16.840.1.113883.5.25", "MASQUE_PS^^1.2.250.1.213.1.1.4.13"],
        "event_codes": [],
        "creation_time": "20260105103000",
        "service_start": "20260102080000",
        "service_stop": "",
        "authors": ["801234567897^BOILEAU^Charles"],
    },
)


def test_a_well_written_find_has_no_issue_and_says_what_it_asks() -> None:
    read = find()
    assert read.issues == ()
    assert read.one("$XDSDocumentEntryPatientId") == "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"
    assert (read.name, read.return_type, read.by_reference) == ("FindDocuments", "LeafClass", False)


@pytest.mark.parametrize(
    ("slots", "rule"),
    [
        ((("$XDSDocumentEntryPatientId", PATIENT),), "DMP-92"),
        ((("$XDSDocumentEntryStatus", APPROVED),), "DMP-92"),
        ((("$XDSDocumentEntryPatientId", f"({PATIENT})"), ("$XDSDocumentEntryStatus", APPROVED)), "DMP-94"),
        ((("$XDSDocumentEntryPatientId", "2790"), ("$XDSDocumentEntryStatus", "Approved")), "DMP-94"),
        ((("$XDSDocumentEntryPatientId", f"{PATIENT}|{PATIENT}"), ("$XDSDocumentEntryStatus", APPROVED)), "DMP-93"),
    ],
)
def test_each_fault_of_form_has_its_rule(slots: tuple[tuple[str, str], ...], rule: str) -> None:
    assert rule in rules(query(FIND_DOCUMENTS, *slots))


def test_a_wrong_form_is_told_once_and_not_also_as_missing() -> None:
    read = query(FIND_DOCUMENTS, ("$XDSDocumentEntryPatientId", f"({PATIENT})"), ("$XDSDocumentEntryStatus", APPROVED))
    assert rules(read) == ["DMP-94"]


def test_an_unknown_query_and_a_filter_nobody_knows_are_told() -> None:
    assert rules(query("urn:uuid:00000000-0000-0000-0000-000000000000")) == ["DMP-91"]
    assert rules(find(("$XDSDocumentEntryColor", "('red')"))) == ["DMP-95"]


def test_get_documents_takes_unique_ids_or_entry_uuids_not_both() -> None:
    assert rules(query(GET_DOCUMENTS)) == ["DMP-92"]
    both = (("$XDSDocumentEntryUniqueId", "('1.2')"), ("$XDSDocumentEntryEntryUUID", "('urn:uuid:x')"))
    assert rules(query(GET_DOCUMENTS, *both)) == ["DMP-93"]
    alone = query(GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", "('1.2','1.3')|('1.4')"), return_type="ObjectRef")
    assert alone.any("$XDSDocumentEntryUniqueId") == ("1.2", "1.3", "1.4")
    assert alone.by_reference


@pytest.mark.parametrize(
    ("slot", "found"),
    [
        (("$XDSDocumentEntryTypeCode", "('74207-2^^2.16.840.1.113883.6.1')"), True),
        (("$XDSDocumentEntryTypeCode", "('74207-2')"), True),
        (("$XDSDocumentEntryTypeCode", "('11490-0^^2.16.840.1.113883.6.1')"), False),
        (("$XDSDocumentEntryConfidentialityCode", "('MASQUE_PS^^1.2.250.1.213.1.1.4.13')"), True),
        (("$XDSDocumentEntryEventCodeList", "('x^^y')"), False),
        (("$XDSDocumentEntryServiceStartTimeFrom", "20260102"), True),
        (("$XDSDocumentEntryServiceStartTimeFrom", "20260102080001"), False),
        (("$XDSDocumentEntryServiceStartTimeTo", "20260102080000"), False),
        (("$XDSDocumentEntryServiceStartTimeTo", "20260103"), True),
        (("$XDSDocumentEntryServiceStopTimeTo", "20270101"), False),
        (("$XDSDocumentEntryAuthorPerson", "('%BOILEAU%')"), True),
        (("$XDSDocumentEntryAuthorPerson", "('801234567897%')"), True),
        (("$XDSDocumentEntryAuthorPerson", "('BOILEAU%')"), False),
    ],
)
def test_filters_select_as_the_standard_says(slot: tuple[str, str], found: bool) -> None:
    assert bool(matching(find(slot), [ENTRY])) is found


def test_only_the_statuses_asked_for_come_back() -> None:
    old = RegisteredEntry("u", "l", "2.25.2", "Deprecated", 1, False, (), ENTRY.facts)
    assert [e.unique_id for e in matching(find(), [ENTRY, old])] == ["2.25.1"]


@pytest.mark.reference
def test_the_example_queries_are_understood() -> None:
    for name, query_id in (
        ("iti18_finddocuments_request.xml", FIND_DOCUMENTS),
        ("iti18_getdocuments_by_uniqueid_request.xml", GET_DOCUMENTS),
    ):
        root, _ = parse_xml(reference(f"dmp/own-examples/{name}").read_bytes(), Limits())
        assert root is not None
        body = soap.open_envelope(root).body
        assert body is not None
        read = read_query(body)
        assert read is not None
        assert (read.query_id, read.issues) == (query_id, ())


@pytest.mark.reference
def test_a_leaf_answer_is_that_of_the_example() -> None:
    request = etree.parse(reference("dmp/own-examples/iti41_request_root.xml"))
    sent = next(e for e in request.iter(f"{{{RIM}}}ExtrinsicObject") if e.get("id") == "Document01")
    facts = {
        "extrinsic": etree.tostring(sent, encoding="unicode", with_tail=False),
        "hash": "95514a83eb9527d787228d75d6b706e88c69a37b",
        "size": 3973,
    }
    entry = RegisteredEntry(ENTRY.entry_uuid, ENTRY.logical_id, "2.25.1", "Approved", 1, False, (), facts)
    ours = etree.fromstring(write_query_answer([entry], "LeafClass")).find(f".//{{{RIM}}}ExtrinsicObject")
    theirs = etree.parse(reference("dmp/own-examples/iti18_finddocuments_response.xml")).find(
        f".//{{{RIM}}}ExtrinsicObject"
    )
    assert ours is not None
    assert theirs is not None
    assert dict(ours.attrib) == dict(theirs.attrib)
    assert slots_of(ours) == slots_of(theirs)
    order = [str(e.tag).rpartition("}")[2] for e in ours]
    assert order == sorted(order, key=["Slot", "Name", "VersionInfo", "Classification", "ExternalIdentifier"].index)
    assert {e.get("classifiedObject") or e.get("registryObject") for e in ours if e.get("id")} == {ours.get("id")}


def slots_of(element: etree._Element) -> dict[str | None, list[str | None]]:
    return {s.get("name"): [v.text for v in s.iter(f"{{{RIM}}}Value")] for s in element.iterchildren(f"{{{RIM}}}Slot")}


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "entries", "return_type"),
    [("iti18_objectref_response.xml", [ENTRY], "ObjectRef"), ("iti18_empty_response.xml", [], "LeafClass")],
)
def test_references_and_empty_lists_are_those_of_the_examples(
    name: str, entries: list[RegisteredEntry], return_type: str
) -> None:
    theirs = etree.parse(reference(f"dmp/own-examples/{name}")).find(f".//{{{QUERY}}}AdhocQueryResponse")
    assert theirs is not None
    ours = etree.fromstring(write_query_answer(entries, return_type))
    assert canonical(ours) == canonical(theirs)


def canonical(element: etree._Element) -> list[tuple[object, dict[object, object]]]:
    return [(e.tag, dict(e.attrib)) for e in element.iter()]
