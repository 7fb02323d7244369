"""XDS metadata as read, in a package or in a deposit."""

from __future__ import annotations

import pickle

from lxml import etree

from gateway.documents.open_metadata import metadata_from_element, open_metadata
from gateway.documents.open_patient import parse_cx
from tests.support.handmade import HERE, INS, metadata, metadata_bytes


def test_the_lot_and_its_entry_are_told() -> None:
    found = metadata()
    lot = found.submission_set
    assert found.issues == ()
    assert lot is not None
    assert lot.classified
    assert lot.source_id is not None
    assert lot.content_type is not None
    assert (lot.source_id.value, lot.content_type.code, lot.title) == ("1.2.250.1.999.1.1", "04", "Lettre de liaison")
    (entry,) = found.entries
    assert entry.label == "metadata:DOC0001.XML"
    assert entry.type_code is not None
    assert entry.type_code.system == "2.16.840.1.113883.6.1"
    assert entry.authors[0].structure_id == "1999999998"
    assert entry.legal_authenticator is not None
    assert entry.legal_authenticator.family == "SIGNATAIRE"
    assert [(a.kind, a.source, a.target) for a in found.associations] == [("HasMember", "Lot01", "Doc01")]
    assert found.associations[0].slots == (("SubmissionSetStatus", "Original"),)


def test_the_patient_of_an_entry_is_told_with_the_place_of_each_line() -> None:
    view = metadata().entries[0].identity
    assert view is not None
    assert [(i.value, i.type_code) for i in view.identifiers] == [(INS, "NH"), ("IPP0001", "PI")]
    assert view.identifiers[0].written == f"{INS}^^^&1.2.250.1.213.1.4.10&ISO^NH"
    told = (
        view.birth_family,
        view.birth_given,
        view.given_list,
        view.used_family,
        view.birth_date,
        view.sex,
        view.birth_place,
    )
    assert [t.value for t in told if t] == ["ESSAI", "CAMILLE", "CAMILLE ANNE", "MODELE", "19390301", "F", "48901"]
    assert view.birth_date is not None
    assert view.birth_date.where.path.endswith("Slot[@name='sourcePatientInfo']/ValueList/Value[3]")
    assert view.has_source_id is True
    assert view.ins_expected


def test_the_lot_has_a_view_of_its_own() -> None:
    lot = metadata().submission_set
    assert lot is not None
    assert lot.identity is not None
    assert (lot.identity.label, lot.identity.has_source_id) == ("metadata:lot", None)


def test_an_ipp_that_is_the_ins_again_is_one_identifier() -> None:
    found = metadata(("IPP0001^^^&amp;1.2.250.1.999.1.1.7&amp;ISO^PI", f"{INS}^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"))
    view = found.entries[0].identity
    assert view is not None
    assert len(view.identifiers) == 1
    assert view.has_source_id is True


def test_a_patient_id_given_by_a_slot_or_under_the_scheme_of_unique_id_is_read() -> None:
    name = '<Name><LocalizedString value="XDSDocumentEntry.patientId"/></Name></ExternalIdentifier>'
    wrong_scheme = metadata(
        (
            '    identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"/>',
            '    identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab">' + name,
        )
    ).entries[0]
    assert wrong_scheme.patient_id is not None
    assert wrong_scheme.unique_id is not None
    assert wrong_scheme.patient_id.value.startswith(INS)
    assert wrong_scheme.unique_id.value == "1.2.250.1.999.1.1.42.1"
    slot = metadata(
        ('id="f1"', 'id="f0"'),
        ("58a6f841-87b3-4a3e-92fd-a8ffeff98427", "00000000-0000-0000-0000-000000000000"),
        (
            '<Slot name="hash">',
            f'<Slot name="PatientId"><ValueList><Value>{INS}</Value></ValueList></Slot><Slot name="hash">',
        ),
    ).entries[0]
    assert slot.patient_id is not None
    assert slot.patient_id.value == INS


def test_a_deposit_request_is_read_like_a_package() -> None:
    inner = etree.fromstring(metadata_bytes())
    request = etree.Element("{urn:ihe:iti:xds-b:2007}ProvideAndRegisterDocumentSetRequest")
    request.append(inner)
    found = metadata_from_element(request, "metadata", HERE)
    assert found.entries == metadata().entries


def test_another_xml_or_an_empty_request_is_issue_xdm_02() -> None:
    for data in (b"<html/>", b"<SubmitObjectsRequest/>", b"<SubmitObjectsRequest>", b"", b"\x00\x01"):
        found = open_metadata(data, "metadata", HERE)
        assert [i.rule_id for i in found.issues] == ["XDM-02"]
        assert found.submission_sets == 0


def test_a_hostile_metadata_is_told_as_abuse() -> None:
    found = open_metadata(b"<!DOCTYPE a><SubmitObjectsRequest/>", "metadata", HERE)
    assert [i.rule_id for i in found.issues] == ["ABU-01"]


def test_the_action_of_a_replacement_is_read() -> None:
    slot = '<Slot name="urn:action:extraMetadataSlot"><ValueList><Value>C</Value></ValueList></Slot><Slot name="hash">'
    assert metadata(('<Slot name="hash">', slot)).entries[0].action == "C"


def test_a_cx_is_taken_apart_even_when_parts_are_missing() -> None:
    assert parse_cx("1^^^&1.2&ISO^NH") == ("1", "1.2", "NH")
    assert parse_cx("1^^^x") == ("1", "", "")
    assert parse_cx("") == ("", "", "")


def test_metadata_travel_between_processes() -> None:
    assert pickle.loads(pickle.dumps(metadata())) == metadata()  # noqa: S301  # our own bytes
