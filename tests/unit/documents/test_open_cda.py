"""A CDA header as read: values as written, each with its place."""

from __future__ import annotations

import base64
import pickle

import pytest

from gateway.documents.open_cda import open_cda, strict_base64
from gateway.documents.open_nodes import MOST, Node
from gateway.documents.open_pdf import pdf_facts
from tests.support.handmade import HERE, INS, PDF, cda, cda_bytes


def test_the_patient_is_told_with_places_and_lines() -> None:
    view = cda().identity
    assert view is not None
    assert view.ins is not None
    assert (view.ins.value, view.ins.oid) == (INS, "1.2.250.1.213.1.4.10")
    assert view.ins.where.path == "/ClinicalDocument/recordTarget/patientRole/id[1]"
    assert view.ins.where.line is not None
    told = (view.birth_family, view.birth_given, view.given_list, view.used_family, view.used_given)
    assert [t.value for t in told if t] == ["ESSAI", "CAMILLE", "CAMILLE ANNE", "MODELE", "CAMILLE"]
    assert view.birth_date is not None
    assert view.birth_date.where.path == "/ClinicalDocument/recordTarget/patientRole/patient/birthTime/@value"
    assert view.sex is not None
    assert view.birth_place is not None
    assert (view.sex.value, view.birth_place.value) == ("F", "48901")
    assert view.mailbox is not None
    assert view.mailbox.value == f"{INS}@patient.mssante.fr"
    assert view.document_date is not None
    assert view.ins_expected
    assert view.subject_count == 1
    assert [q.value for q in view.name_qualifiers] == ["BR", "CL", "BR", "CL"]


def test_the_header_is_told() -> None:
    document = cda()
    assert document.document_id is not None
    assert document.document_id.value == "1.2.250.1.999.1.1.42.1"
    assert document.code is not None
    assert document.code.code == "11490-0"
    assert document.title is not None
    assert document.title.value == "Lettre de liaison"
    assert [a.person_id for a in document.authors] == ["899900000011"]
    assert document.authors[0].structure_id == "1999999998"
    assert document.custodian is not None
    assert document.legal_authenticator is not None
    assert document.legal_authenticator.family == "SIGNATAIRE"
    assert document.practice_setting is not None
    assert document.practice_setting.code == "ETABLISSEMENT"
    assert document.facility_type is not None
    assert document.facility_type.code == "SA01"
    assert document.service_start is not None
    assert document.service_stop is not None
    assert [c.code for c in document.event_codes] == ["IMP"]


def test_the_body_is_decoded_and_described() -> None:
    body = cda().body
    assert body is not None
    assert (body.level, body.size_bytes, body.starts_with_pdf) == (1, len(PDF), True)
    assert (body.pdf_version, body.pdfa_part, body.active_content) == ("1.4", "1", ())


def test_an_obsolete_qualifier_is_kept_and_read_as_a_used_name() -> None:
    view = cda(('family qualifier="CL"', 'family qualifier="SP"')).identity
    assert view is not None
    assert view.used_family is not None
    assert view.used_family.value == "MODELE"
    assert "SP" in [q.value for q in view.name_qualifiers]


def test_a_name_without_qualifier_is_no_birth_name() -> None:
    view = cda(('<family qualifier="BR">', "<family>")).identity
    assert view is not None
    assert view.birth_family is None


def test_null_flavors_are_told_by_trait() -> None:
    view = cda(
        ('<family qualifier="BR">ESSAI</family>', '<family qualifier="BR" nullFlavor="UNK"/>'),
        ('<birthTime value="19390301"/>', '<birthTime nullFlavor="UNK"/>'),
    ).identity
    assert view is not None
    assert {n.value for n in view.null_traits} == {"birth_family", "birth_date"}
    assert view.birth_family is None
    assert view.birth_date is None


def test_several_patients_are_counted() -> None:
    start, end = "<recordTarget>", "</recordTarget>"
    text = cda_bytes().decode()
    target = text[text.index(start) : text.index(end) + len(end)]
    view = cda((end, end + target)).identity
    assert view is not None
    assert view.subject_count == 2
    nobody = cda((target, "")).identity
    assert nobody is not None
    assert nobody.subject_count == 0


def test_several_names_of_one_patient_are_counted() -> None:
    view = cda(
        ("</name>\n        <administrative", "</name><name><family>X</family></name>\n        <administrative")
    ).identity
    assert view is not None
    assert view.subject_count == 2


def test_a_self_presenting_document_is_read_whatever_its_prefix() -> None:
    text = cda_bytes().decode().replace('<?xml version="1.0" encoding="UTF-8"?>\n', "")
    prefixed = text.replace("</", "</c:").replace("<", "<c:").replace("<c:/c:", "</c:")
    prefixed = prefixed.replace(
        '<c:ClinicalDocument xmlns="urn:hl7-org:v3">', '<c:ClinicalDocument xmlns:c="urn:hl7-org:v3">'
    )
    sheet = (
        f'<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">{prefixed}</xsl:stylesheet>'
    )
    document = open_cda(sheet.encode(), "cda", HERE)
    assert document.issues == ()
    assert document.self_presenting
    assert document.identity is not None
    assert document.identity.ins is not None
    assert document.identity.ins.where.path == "/stylesheet/ClinicalDocument/recordTarget/patientRole/id[1]"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_other_encodings_are_read_and_the_digest_is_that_of_the_octets(encoding: str) -> None:
    text = cda_bytes().decode().replace('encoding="UTF-8"', f'encoding="{encoding.removesuffix("-sig")}"')
    data = text.encode(encoding)
    document = open_cda(data, "cda", HERE)
    assert document.issues == ()
    assert document.size_bytes == len(data)
    assert document.custodian is not None
    assert document.custodian.structure_name == "CH du Bac à Sable"


def test_an_xml_that_is_no_cda_says_what_it_is() -> None:
    document = open_cda(b"<html><body/></html>", "cda", HERE)
    assert [i.rule_id for i in document.issues] == ["XDM-07"]
    assert document.issues[0].hit.received == "{}html"
    assert document.identity is None


def test_a_structured_body_is_level_three() -> None:
    text = cda_bytes().decode()
    body = text[text.index("<nonXMLBody>") : text.index("</nonXMLBody>") + len("</nonXMLBody>")]
    document = cda((body, "<structuredBody/>"))
    assert document.body is not None
    assert document.body.level == 3


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("QUJD", b"ABC"),
        (" QU\nJD\t", b"ABC"),
        ("QUI=", b"AB"),
        ("", b""),
        ("QUJ", None),
        ("Q*JD", None),
        ("é", None),
        ("QUI=QUI=", None),
    ],
)
def test_base64_is_strict_but_for_blanks(text: str, octets: bytes | None) -> None:
    assert strict_base64(text) == octets


def test_active_features_of_a_pdf_are_named() -> None:
    facts = pdf_facts(PDF + b"/OpenAction <</S /Launch>> /JavaScript (x) /JavaScripts /Names")
    assert facts.active_content == ("Launch", "JavaScript")
    assert pdf_facts(b"PK").starts_with_pdf is False


def test_brothers_are_grouped_in_one_pass() -> None:
    """A hundred thousand identifiers cost one walk over the children, and only the first ones are read."""
    from lxml import etree

    root = etree.Element("patientRole")
    for _ in range(100_000):
        etree.SubElement(root, "id")
    walks = 0

    class Counted:
        text = None

        def __iter__(self) -> object:
            nonlocal walks
            walks += 1
            return iter(root)

    node = Node(Counted(), "/patientRole")  # type: ignore[arg-type]
    assert len(node.all("id")) == MOST
    assert node.count("id") == 100_000
    assert node.one("telecom") is None
    assert walks == 1


def test_a_document_travels_between_processes() -> None:
    document = cda()
    assert pickle.loads(pickle.dumps(document)) == document  # noqa: S301  # our own bytes


def test_a_large_body_is_decoded() -> None:
    big = base64.b64encode(PDF + bytes(8_000_000)).decode()
    document = cda((base64.b64encode(PDF).decode(), big))
    assert document.issues == ()
    assert document.body is not None
    assert document.body.size_bytes == len(PDF) + 8_000_000
