"""The CDA that we write: valid for the schema, faithful to the record, silent about an INS that may not travel."""

from __future__ import annotations

import base64
from dataclasses import replace
from functools import cache

import pytest
from lxml import etree

from gateway.directory.territory import load_territory
from gateway.documents.build_cda import build_cda
from gateway.documents.build_codes import document_kinds
from gateway.documents.build_record import CdaRecord, ipp_oid, source_oid, ts, ts_utc
from gateway.documents.open_cda import open_cda
from gateway.tables import read_csv
from gateway.values import PlaceKind, Where
from tests.support.documents import AT, letter, pdf
from tests.support.reference import reference

NS = {"c": "urn:hl7-org:v3"}
HERE = Where(PlaceKind.FILE, "test")


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(reference("cda/xsd/CDA_extended.xsd"))))


def _valid(document: bytes) -> None:
    schema = _schema()
    assert schema.validate(etree.fromstring(document)), schema.error_log


@pytest.mark.reference
@pytest.mark.parametrize("kind", sorted(document_kinds()))
def test_every_kind_of_document_is_valid_for_the_schema(kind: str) -> None:
    _valid(build_cda(letter(kind=kind)))


@pytest.mark.reference
@pytest.mark.parametrize("patient", sorted(load_territory().patients))
def test_every_patient_makes_a_valid_document(patient: str) -> None:
    _valid(build_cda(letter(patient)))


@pytest.mark.reference
def test_every_author_makes_a_valid_document() -> None:
    actors = load_territory()
    for professional in actors.professionals.values():
        structure = actors.structures[professional.structures[0]]
        _valid(build_cda(letter(author=professional, structure=structure)))


@pytest.mark.reference
def test_a_replacing_version_names_the_one_before_in_schema_order() -> None:
    document = build_cda(letter(version=2, replaces="1.2.250.1.999.48.2.1"))
    _valid(document)
    root = etree.fromstring(document)
    assert root.xpath("string(c:relatedDocument[@typeCode='RPLC']/c:parentDocument/c:id/@root)", namespaces=NS) == (
        "1.2.250.1.999.48.2.1"
    )
    assert root.xpath("string(c:versionNumber/@value)", namespaces=NS) == "2"


def test_the_header_says_what_the_record_says() -> None:
    record = letter()
    found = open_cda(build_cda(record), "cda:test", HERE)
    assert found.issues == ()
    assert found.document_id is not None
    assert found.document_id.value == record.document_id
    assert found.code is not None
    assert (found.code.code, found.code.system) == (record.kind.type.code, record.kind.type.system)
    assert found.effective_time is not None
    assert found.effective_time.value == "20250317103000+0100"
    assert found.practice_setting is not None
    assert found.practice_setting.code == "ETABLISSEMENT"
    assert found.facility_type is not None
    assert found.facility_type.code == "SA01"
    assert len(found.template_ids) == 3
    assert found.authors[0].person_id == record.author.ps_id_nat
    assert found.custodian is not None
    assert found.custodian.structure_id == record.structure.struct_id_nat


def test_the_patient_is_told_with_ins_ipp_and_every_strict_trait() -> None:
    identity = open_cda(build_cda(letter()), "cda:test", HERE).identity
    assert identity is not None
    assert identity.ins is not None
    assert (identity.ins.value, identity.ins.oid) == ("239034890101755", "1.2.250.1.213.1.4.10")
    traits = (identity.birth_family, identity.birth_given, identity.given_list, identity.birth_date, identity.sex)
    assert [str(t) for t in traits] == ["DELMAS", "SUZANNE", "SUZANNE MARIE LOUISE", "19390308", "F"]
    assert str(identity.birth_place) == "48901"
    assert str(identity.used_family) == "CARPENTIER"
    assert any(i.value == "CH000101" for i in identity.identifiers)


@pytest.mark.parametrize("patient", ["moreau-camille", "benali-amina", "formation-zoe", "inconnu-x"])
def test_an_identity_that_is_not_qualified_travels_without_its_ins(patient: str) -> None:
    record = letter(patient)
    document = build_cda(record)
    assert b"1.2.250.1.213.1.4." not in document
    if record.patient.matricule:
        assert record.patient.matricule.encode() not in document
    identity = open_cda(document, "cda:test", HERE).identity
    assert identity is not None
    assert identity.identifiers


def test_a_fault_can_be_asked_for_the_ins_of_an_unqualified_identity() -> None:
    record = letter("moreau-camille", ins=True)
    assert record.patient.matricule.encode() in build_cda(record)


def test_the_body_is_the_pdf_in_lines_of_76() -> None:
    root = etree.fromstring(build_cda(letter()))
    text = root.xpath("c:component/c:nonXMLBody/c:text", namespaces=NS)[0]
    assert base64.b64decode("".join(text.text.split()), validate=True) == pdf()
    assert max(len(line) for line in text.text.splitlines()) == 76
    assert (text.get("mediaType"), text.get("representation")) == ("application/pdf", "B64")


def test_user_text_is_escaped_and_never_becomes_markup() -> None:
    title = "Compte rendu <b>& «suite»</b> ]]>"
    found = open_cda(build_cda(letter(title=title)), "cda:test", HERE)
    assert found.title is not None
    assert found.title.value == title


def test_times_keep_their_offset_in_cda_and_go_to_utc_in_metadata() -> None:
    assert ts(AT) == "20250317103000+0100"
    assert ts_utc(AT) == "20250317093000"


def test_two_structures_never_share_an_ipp_domain() -> None:
    structures = load_territory().structures.values()
    assert len({ipp_oid(s) for s in structures}) == len({s.key for s in structures})
    assert all(len(source_oid(s)) <= 64 for s in structures)


def test_a_code_outside_its_value_set_is_refused_before_it_is_written() -> None:
    record: CdaRecord = letter()
    with pytest.raises(KeyError):
        build_cda(replace(record, structure=replace(record.structure, facility_type="SA99")))


@pytest.mark.reference
def test_codes_bear_the_labels_of_the_published_value_sets() -> None:
    concepts: dict[tuple[str | None, str | None], str | None] = {}
    for name in ("J07_XdsTypeCode", "J02_XdsHealthcareFacilityTypeCode", "J04_XdsPracticeSettingCode"):
        tree = etree.parse(str(reference(f"cda/jdv/JDV_{name}_CISIS.xml")))
        concepts |= {(c.get("code"), c.get("codeSystem")): c.get("displayName") for c in tree.iter("{*}Concept")}
    for kind in document_kinds().values():
        assert concepts[kind.type.code, kind.type.system] == kind.type.label
    for name in ("facility_type", "practice_setting"):
        for row in read_csv(f"codes/{name}.csv"):
            assert concepts[row["code"], row["system"]] == row["label"]
