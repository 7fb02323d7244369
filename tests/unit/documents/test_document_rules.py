"""Each rule of documents, metadata, pairs and packages: what passes it and what breaks it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from gateway.documents.model import Issue
from gateway.documents.rules import DOCUMENT_RULES, METADATA_CDA_RULES, METADATA_RULES, PACKAGE_RULES, pairs_of
from gateway.rules import Finding, Rule, RuleBook, RuleContext, Severity, load_catalogue
from gateway.values import Direction, Door
from tests.support.handmade import (
    CDA,
    PDF,
    ROOM,
    Change,
    cda,
    cda_bytes,
    files,
    metadata,
    metadata_bytes,
    package,
    pair,
    zipped,
)

BOOK = RuleBook(load_catalogue())
EMISSION = RuleContext(Direction.EMISSION, Door.FILE, date(2026, 1, 15))
BODY = base64.b64encode(PDF).decode()
RPLC = "</documentationOf>"
REPLACES = (
    "</documentationOf><relatedDocument typeCode='RPLC'><parentDocument>"
    "<id root='1.2.250.1.999.1.1.42.0'/></parentDocument></relatedDocument>"
)


def findings(rules: Iterable[Rule[Any]], subject: Any, ctx: RuleContext = EMISSION) -> list[Finding]:
    return BOOK.judge(rules, subject, ctx, "test")


def fired(rules: Iterable[Rule[Any]], subject: Any) -> set[str]:
    return {f.rule for f in findings(rules, subject)}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


DOCUMENT_BREAKS: dict[str, tuple[Change, ...]] = {
    "CDA-02": (("1.2.250.1.213.1.1.1.1", "1.2.250.1.213.1.1.1.9"),),
    "CDA-03": (('<templateId root="1.3.6.1.4.1.19376.1.2.20"/>', '<templateId root="1.2.250.1.213.1.1.1.29"/>'),),
    "CDA-04": (('code="11490-0"', 'code="99999-9"'),),
    "CDA-05": (("2.16.840.1.113883.6.1", "1.2.250.1.213.1.1.4.12"),),
    "CDA-06": (("Etablissement public de santé", "Cabinet individuel"),),
    "CDA-07": (('<setId root="1.2.250.1.999.1.1.42"/>', ""),),
    "CDA-08": (("20260115103000+0100", "20260231"),),
    "CDA-09": (("20260115103000+0100", "20260115"),),
    "CDA-10": (('<confidentialityCode code="N"', '<confidentialityCode code="Z"'),),
    "CDA-11": (("<languageCode", '<confidentialityCode code="R" codeSystem="2.16.840.1.113883.5.25"/><languageCode'),),
    "CDA-12": (("fr-FR", "fr"),),
    "CDA-13": (('versionNumber value="1"', 'versionNumber value="0"'),),
    "CDA-14": (('versionNumber value="1"', 'versionNumber value="2"'),),
    "CDA-15": (("1.2.250.1.999.1.1.42.1", "1.2.250.1.999.1.1.42"),),
    "CDA-16": (("1.2.250.1.999.1.1.42.1", "DOC-42"),),
    "CDA-17": (("899900000011", "99900000011"),),
    "CDA-18": (("899900000011", "899900000012"),),
    "CDA-21": (
        ('<id root="1.2.250.1.71.4.2.2" extension="1999999998"/><name>CH du Bac à Sable</name>\n      </rep', "</rep"),
    ),
    "CDA-22": (("<assignedPerson><name><family>SIGNATAIRE</family><given>Alix</given></name></assignedPerson>", ""),),
    "CDA-23": (('mediaType="application/pdf"', 'mediaType="text/html"'),),
    "CDA-24": ((BODY, "*** pas du base64 ***"),),
    "CDA-25": ((BODY, b64(b"%PDF-1.7\n")),),
    "CDA-26": ((BODY, b64(PDF + b"<</S /JavaScript /JS (app.alert(1))>>")),),
    "CDA-28": (('realmCode code="FR"', 'realmCode code="US"'),),
    "CDA-30": (
        ('<healthCareFacility>\n      <id root="1.2.250.1.71.4.2.2" extension="1999999998"/>', "<healthCareFacility>"),
    ),
    "CDA-32": (
        ("<ClinicalDocument ", '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform"><ClinicalDocument '),
        ("</ClinicalDocument>", "</ClinicalDocument></x:stylesheet>"),
    ),
    "INS-160": (
        (
            '<id root="1.2.250.1.71.4.2.1" extension="899900000011"/>\n      <code',
            '<id root="1.2.250.1.213.1.4.10" extension="239034890101755"/>\n      <code',
        ),
    ),
}

METADATA_BREAKS: dict[str, tuple[Change, ...]] = {
    "MET-01": (("<RegistryPackage", "<Autre"), ("</RegistryPackage>", "</Autre>")),
    "MET-02": (("<ExtrinsicObject", "<Autre"), ("</ExtrinsicObject>", "</Autre>")),
    "MET-03": (("f0306f51-975f-434e-a61c-c59651d33983", "00000000-0000-0000-0000-000000000000"),),
    "MET-04": (("41a5887f-8865-4c09-adf7-e362475b143a", "f0306f51-975f-434e-a61c-c59651d33983"),),
    "MET-05": (('<Name><LocalizedString value="Compte rendu"/></Name>', ""),),
    "MET-06": (("20260115093000", "20260115103000+0100"),),
    "MET-08": (("2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", "00000000-0000-0000-0000-000000000000"),),
    "MET-09": (('targetObject="Doc01"', 'targetObject="Doc02"'),),
    "MET-10": (('id="d2" classifiedObject="Doc01"', 'id="d2" classifiedObject="Autre"'),),
    "MET-11": (('id="f1"', 'id="f2"'),),
    "MET-12": (('nodeRepresentation="SA01"', 'nodeRepresentation="SA99"'),),
    "MET-13": (("<Value>2.16.840.1.113883.6.1</Value>", "<Value>1.2.250.1.213.1.1.4.12</Value>"),),
    "MET-14": (('nodeRepresentation="10"', 'nodeRepresentation="31"'), ("Compte rendu", "Imagerie médicale")),
    "MET-15": (("<Value>1.2.250.1.213.2.2</Value>", "<Value>1.2.250.1.71.4.2.4</Value>"),),
    "MET-17": (('value="1.2.250.1.999.1.1.42.100"', 'value="LOT-42"'),),
}

PAIR_BREAKS: dict[str, tuple[Change, ...]] = {
    "XDM-09": (('value="1.2.250.1.999.1.1.42.1"', 'value="1.2.250.1.999.1.1.43.1"'),),
    "DOC-META-01": (
        (
            '</Slot>\n  <Name><LocalizedString value="Lettre de liaison"/>',
            '</Slot>\n  <Name><LocalizedString value="Lettre de sortie"/>',
        ),
    ),
    "DOC-META-02": (("20260115093000", "20260115103000"),),
    "DOC-META-03": (("<Value>fr-FR</Value>", "<Value>en-GB</Value>"),),
    "DOC-META-04": (('nodeRepresentation="SA01"', 'nodeRepresentation="SA17"'),),
    "DOC-META-05": (("899900000011^", "899900000029^"),),
    "DOC-META-06": (("899900000011^", "899900000029^"),),
    "DOC-META-07": (('nodeRepresentation="N"', 'nodeRepresentation="R"'),),
    "DOC-META-08": (("urn:ihe:iti:xds-sd:pdf:2008", "urn:asip:ci-sis:dlu:2015"),),
    "DOC-META-09": (
        (
            '<Slot name="URI">',
            '<Slot name="urn:action:extraMetadataSlot"><ValueList><Value>C</Value></ValueList></Slot><Slot name="URI">',
        ),
    ),
    "DOC-META-10": (('nodeRepresentation="IMP"', 'nodeRepresentation="JQGA003"'),),
}


def without(name: str) -> dict[str, bytes]:
    contents = files()
    del contents[name]
    return contents


PACKAGE_BREAKS: dict[str, dict[str, bytes]] = {
    "XDM-03": {**files(), "README.TXT": b""},
    "XDM-04": files((f"<Value>{len(cda_bytes())}</Value>", "<Value>12</Value>")),
    "XDM-05": {**files(), f"{ROOM}DOC0001.XML": cda_bytes().replace(b"\n", b"\r\n")},
    "XDM-06": files(("DOC0001.XML", "DOC0002.XML")),
    "XDM-07": files(('mimeType="text/xml"', 'mimeType="application/pdf"')),
    "XDM-08": files(document=cda_bytes(('<id root="1.2.250.1.213.1.4.10" extension="239034890101755"/>', ""))),
    "XDM-10": files(document=cda_bytes(('<family qualifier="BR">ESSAI</family>', ""))),
    "XDM-12": without("INDEX.HTM"),
    "XDM-13": {**files(), f"{ROOM}DOC0002.XML": cda_bytes()},
    "XDM-14": {f"export/{name}": data for name, data in files().items()},
    "XDM-15": {**files(), "__MACOSX/._INDEX.HTM": b"x"},
    "XDM-16": {**files(), "compte-rendu.html": b"x"},
    "INS-137": {**files(), f"{ROOM}DOC0001.XML": b"<ClinicalDocument"},
}


@pytest.mark.parametrize("rule_id", DOCUMENT_BREAKS)
def test_a_document_rule_fires_on_its_fault(rule_id: str) -> None:
    broken = cda(*DOCUMENT_BREAKS[rule_id])
    assert broken.issues == ()
    assert rule_id in fired(DOCUMENT_RULES, broken)


@pytest.mark.parametrize("rule_id", METADATA_BREAKS)
def test_a_metadata_rule_fires_on_its_fault(rule_id: str) -> None:
    assert rule_id in fired(METADATA_RULES, metadata(*METADATA_BREAKS[rule_id]))


@pytest.mark.parametrize("rule_id", PAIR_BREAKS)
def test_a_rule_of_pairs_fires_on_its_fault(rule_id: str) -> None:
    assert rule_id in fired(METADATA_CDA_RULES, pair(PAIR_BREAKS[rule_id]))


@pytest.mark.parametrize("rule_id", PACKAGE_BREAKS)
def test_a_package_rule_fires_on_its_fault(rule_id: str) -> None:
    assert rule_id in fired(PACKAGE_RULES, package(PACKAGE_BREAKS[rule_id]))


def test_every_rule_has_its_fault() -> None:
    for rules, breaks in (
        (DOCUMENT_RULES, DOCUMENT_BREAKS),
        (METADATA_RULES, METADATA_BREAKS),
        (METADATA_CDA_RULES, PAIR_BREAKS),
        (PACKAGE_RULES, PACKAGE_BREAKS),
    ):
        assert {r.id for r in rules} == set(breaks)


def test_the_valid_examples_break_nothing() -> None:
    assert findings(DOCUMENT_RULES, cda()) == []
    assert findings(METADATA_RULES, metadata()) == []
    assert findings(METADATA_CDA_RULES, pair()) == []
    assert findings(PACKAGE_RULES, package()) == []


def test_a_document_that_could_not_be_read_is_not_judged_twice() -> None:
    unreadable = cda(("</ClinicalDocument>", ""))
    assert [i.rule_id for i in unreadable.issues] == ["CDA-01"]
    assert findings(DOCUMENT_RULES, unreadable) == []


def test_the_entry_of_the_signature_of_a_lot_is_no_health_document() -> None:
    signature = (
        ("urn:ihe:iti:xds-sd:pdf:2008", "http://www.w3.org/2000/09/xmldsig#"),
        ("f0306f51-975f-434e-a61c-c59651d33983", "2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"),
    )
    assert fired(METADATA_RULES, metadata(*signature)) == set()


def test_a_version_two_with_its_replacement_and_a_version_one_with_one() -> None:
    assert "CDA-14" not in fired(
        DOCUMENT_RULES, cda(('versionNumber value="1"', 'versionNumber value="2"'), (RPLC, REPLACES))
    )
    assert "CDA-14" in fired(DOCUMENT_RULES, cda((RPLC, REPLACES)))


def test_confidentiality_r_is_told_and_stops_nothing() -> None:
    restricted = findings(DOCUMENT_RULES, cda(('code="N" displayName="Normal"', 'code="R" displayName="Restreint"')))
    assert [(f.rule, f.severity) for f in restricted] == [("CDA-10", Severity.INFO)]


def test_an_official_sample_without_a_set_id_is_accepted_with_a_warning() -> None:
    samples = RuleContext(Direction.EMISSION, Door.FILE, date(2026, 1, 15), profile="official-samples")
    subject = cda(*DOCUMENT_BREAKS["CDA-07"])
    assert [f.severity for f in findings(DOCUMENT_RULES, subject)] == [Severity.BLOCKING]
    assert [f.severity for f in findings(DOCUMENT_RULES, subject, samples)] == [Severity.WARNING]


def test_two_ins_that_differ_are_left_to_the_identity_rules() -> None:
    other = files(document=cda_bytes(("239034890101755", "280027512345626")))
    assert "XDM-08" not in fired(PACKAGE_RULES, package(other))


def test_values_of_a_pair_stand_side_by_side() -> None:
    finding = next(f for f in findings(METADATA_CDA_RULES, pair(PAIR_BREAKS["DOC-META-04"])))
    assert [(v.container, v.value) for v in finding.values] == [
        ("metadata:DOC0001.XML", "SA17"),
        ("cda:DOC0001.XML", "SA01"),
    ]
    assert finding.container == "metadata:DOC0001.XML"
    assert finding.where.path == "/ClinicalDocument/componentOf"


def test_masking_codes_come_on_top_of_the_confidentiality_of_the_document() -> None:
    mask = (
        '<Classification id="d9" classifiedObject="Doc01" nodeRepresentation="MASQUE_PS" '
        'classificationScheme="urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"/>\n  <Classification id="d4"'
    )
    assert "DOC-META-07" not in fired(METADATA_CDA_RULES, pair((('<Classification id="d4"', mask),)))


def test_a_cda_time_without_offset_is_not_held_against_utc() -> None:
    assert "DOC-META-02" not in fired(METADATA_CDA_RULES, pair((), (("20260115103000+0100", "20260115103000"),)))


def test_pairs_follow_the_subset_of_their_metadata() -> None:
    second = cda_bytes(("1.2.250.1.999.1.1.42.1", "1.2.250.1.999.1.1.42.2"))
    contents = files()
    contents["IHE_XDM/SUBSET02/METADATA.XML"] = metadata_bytes(document=second)
    contents["IHE_XDM/SUBSET02/DOC0001.XML"] = second
    found = package(contents)
    assert [(e.label, d.where.path) for e, d in pairs_of(found)] == [
        ("metadata:DOC0001.XML", "IHE_XDM/SUBSET01/DOC0001.XML"),
        ("metadata:DOC0001.XML", "IHE_XDM/SUBSET02/DOC0001.XML"),
    ]


def test_findings_teach_in_two_languages_and_name_their_place() -> None:
    catalogue = load_catalogue()
    for rules, subject in (
        (DOCUMENT_RULES, cda(*DOCUMENT_BREAKS["CDA-17"])),
        (PACKAGE_RULES, package(PACKAGE_BREAKS["XDM-05"])),
    ):
        for finding in findings(rules, subject):
            for text in (finding.message, finding.cure, finding.title):
                assert text.fr
                assert text.en
                assert "{" not in text.fr + text.en
            assert finding.where.path
            assert catalogue[finding.rule].passing
            assert catalogue[finding.rule].breaking


def test_no_rule_shows_a_matricule() -> None:
    contents = files(document=cda_bytes(('root="1.2.250.1.213.1.4.10" extension', 'root="1.2.250.1.999.9" extension')))
    for finding in findings(PACKAGE_RULES, package(contents)):
        assert "239034890101755" not in str(finding.to_json())


def test_each_issue_of_the_opening_has_a_card() -> None:
    catalogue = load_catalogue()
    issues: list[Issue] = [*cda(("</ClinicalDocument>", "")).issues, *package({"A.TXT": b"x"}).issues]
    assert issues
    assert all(i.rule_id in catalogue for i in issues)


def test_the_text_of_the_example_is_one_patient() -> None:
    assert CDA.count("<recordTarget>") == 1
    assert zipped(files())[:2] == b"PK"
