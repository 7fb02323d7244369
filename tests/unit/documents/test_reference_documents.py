"""The official examples: all open, all are accepted under their profile, their real defects told and none invented."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from gateway.documents.open_cda import open_cda
from gateway.documents.open_xdm import open_xdm
from gateway.documents.rules import DOCUMENT_RULES, METADATA_CDA_RULES, METADATA_RULES, PACKAGE_RULES, pairs_of
from gateway.rules import Finding, RuleBook, RuleContext, Severity, load_catalogue
from gateway.values import Direction, Door
from tests.support.handmade import HERE
from tests.support.reference import reference

pytestmark = pytest.mark.reference

BOOK = RuleBook(load_catalogue())
SAMPLES = RuleContext(Direction.EMISSION, Door.FILE, date(2026, 1, 15), profile="official-samples")
REAL_DEFECTS = {"CDA-06", "CDA-14", "CDA-17", "CDA-18", "CDA-21", "CDA-25", "CDA-30", "CDA-32", "MET-10", "MET-15"}


def document_findings(path: Path) -> list[Finding]:
    document = open_cda(path.read_bytes(), "cda", HERE)
    assert document.issues == (), path.name
    assert document.identity is not None
    return BOOK.judge(DOCUMENT_RULES, document, SAMPLES, "cda")


def package_findings(path: Path) -> list[Finding]:
    found = open_xdm(path.read_bytes(), "xdm", HERE)
    assert found.issues == (), path.name
    findings = BOOK.judge(PACKAGE_RULES, found, SAMPLES, "xdm")
    for document in found.documents:
        assert document.issues == ()
        findings += BOOK.judge(DOCUMENT_RULES, document, SAMPLES, document.label)
    for lot in found.metadata:
        assert lot.issues == ()
        findings += BOOK.judge(METADATA_RULES, lot, SAMPLES, lot.label)
    pairs = list(pairs_of(found))
    assert len(pairs) == len(found.documents)
    for pair in pairs:
        findings += BOOK.judge(METADATA_CDA_RULES, pair, SAMPLES, pair[0].label)
    return findings


def test_every_official_cda_is_accepted_with_its_real_defects() -> None:
    for path in sorted(reference("cda/examples").glob("*.xml")):
        findings = document_findings(path)
        assert {f.rule for f in findings} <= REAL_DEFECTS, path.name
        assert Severity.BLOCKING not in {f.severity for f in findings}, path.name


def test_every_official_package_is_accepted_with_its_real_defects() -> None:
    paths = sorted(reference("dmp/ans-xdm").glob("*.zip"))
    assert len(paths) == 8
    for path in paths:
        findings = package_findings(path)
        assert {f.rule for f in findings} <= REAL_DEFECTS, path.name
        assert {"MET-10", "MET-15"} <= {f.rule for f in findings}, path.name
        assert Severity.BLOCKING not in {f.severity for f in findings}, path.name


def test_a_copy_with_other_line_ends_no_longer_matches_its_hash() -> None:
    """The public repository holds such a copy beside the package: size and hash are those of the CRLF original."""
    import zipfile
    from io import BytesIO

    original = reference("dmp/ans-xdm/LDL-SES_2022.01.zip").read_bytes()
    copy = reference("dmp/ans-xdm/LDL-SES_2022.01.DOC0001_LF-normalised_hash-mismatch.XML").read_bytes()
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(original)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            target.writestr(name, copy if name.endswith("DOC0001.XML") else source.read(name))
    found = open_xdm(out.getvalue(), "xdm", HERE)
    assert {f.rule for f in BOOK.judge(PACKAGE_RULES, found, SAMPLES, "xdm")} >= {"XDM-04", "XDM-05"}


def test_the_holes_of_the_official_layers_are_told() -> None:
    """One-change faults of the minimal document that no official layer reports: each has a rule here."""
    minimal = reference("cda/own/minimal-cda-n1.xml").read_text("utf-8")
    holes = {
        "typeCode wrong codeSystem": ("CDA-05", 'codeSystem="2.16.840.1.113883.6.1"', 'codeSystem="1.2.3"'),
        "wrong displayName": ("CDA-06", "Etablissement public de santé", "Cabinet individuel"),
        "effectiveTime no TZ": ("CDA-09", "20260115103000+0100", "20260115103000"),
        "effectiveTime day only": ("CDA-09", "20260115103000+0100", "20260115"),
        "language en-GB": ("CDA-12", "fr-FR", "en-GB"),
        "versionNumber 0": ("CDA-13", 'versionNumber value="1"', 'versionNumber value="0"'),
        "author RPPS short": ("CDA-17", 'extension="899900000011"', 'extension="8999000"'),
        "custodian FINESS wo prefix": ("CDA-17", 'extension="1999999998"', 'extension="999999998"'),
        "mediaType text/html": ("CDA-23", "application/pdf", "text/html"),
        "representation removed": ("CDA-24", ' representation="B64"', ""),
        "body not base64": ("CDA-24", "JVBERi0xLjQK", "*************"),
        "same id and setId": ("CDA-15", "1.2.250.1.999.1.1.42.1", "1.2.250.1.999.1.1.42"),
        "confidentiality R": ("CDA-10", 'confidentialityCode code="N"', 'confidentialityCode code="R"'),
    }
    for name, (rule_id, old, new) in holes.items():
        assert old in minimal, name
        document = open_cda(minimal.replace(old, new).encode(), "cda", HERE)
        assert rule_id in {f.rule for f in BOOK.judge(DOCUMENT_RULES, document, SAMPLES, "cda")}, name


def test_the_minimal_document_has_no_fault() -> None:
    assert Counter(f.rule for f in document_findings(reference("cda/own/minimal-cda-n1.xml"))) == Counter()
