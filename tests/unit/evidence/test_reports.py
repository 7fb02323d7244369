"""Verdicts on files and the reports that machines read: JSON, JUnit, SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from adapters.cli.check import Asked, judge_file
from gateway.evidence.reports import as_json, as_junit, as_sarif
from gateway.evidence.verdict import FileReport, FileVerdict, exit_code, file_verdict, summary
from gateway.rules import Severity
from gateway.samples import sample_named
from gateway.values import Lang

ASKED = Asked("strict", "emission", Lang.FR)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[FileReport]:
    folder = tmp_path_factory.mktemp("files")
    names = {
        "a.xml": "valide-cda",
        "b.eml": "identite-jumelle-metadonnees-d-une-autre",
        "c.eml": "mail-objet-non-regle",
    }
    for name, sample in names.items():
        (folder / name).write_bytes(sample_named(sample).build())
    (folder / "d & <e>.bin").write_bytes(b"\0\1\2")
    return [judge_file(path, ASKED) for path in sorted(folder.iterdir())]


def test_the_worst_finding_makes_the_verdict_and_the_worst_file_the_code(reports: list[FileReport]) -> None:
    assert [r.verdict for r in reports] == [
        FileVerdict.CLEAN,
        FileVerdict.BLOCKING,
        FileVerdict.WARNINGS,
        FileVerdict.UNREADABLE,
    ]
    assert [exit_code(reports[:n]) for n in range(5)] == [0, 0, 1, 1, 3]
    assert exit_code([reports[2]]) == 0
    assert file_verdict(()) is FileVerdict.CLEAN


def test_json_counts_what_it_lists(reports: list[FileReport]) -> None:
    document = json.loads(as_json(reports))
    assert set(document) == {"files", "summary"}
    assert [f["kind"] for f in document["files"]] == ["cda", "mail", "mail", "unknown"]
    assert all(set(f) == {"file", "kind", "verdict", "note", "findings"} for f in document["files"])
    assert document["summary"] == summary(reports)
    blocking = [f for file in document["files"] for f in file["findings"] if f["severity"] == "blocking"]
    assert document["summary"]["findings"]["blocking"] == len(blocking) > 0
    assert document["files"][1]["findings"][0]["severity"] == "blocking", "the worst comes first"


@pytest.mark.parametrize("lang", list(Lang))
def test_junit_has_a_case_a_file_with_failures_and_errors(reports: list[FileReport], lang: Lang) -> None:
    suite = ElementTree.fromstring(as_junit(reports, lang))
    assert suite.tag == "testsuite"
    assert suite.attrib["tests"] == "4"
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("1", "1")
    cases = suite.findall("testcase")
    assert [c.find("failure") is not None for c in cases] == [False, True, False, False]
    assert [c.find("error") is not None for c in cases] == [False, False, False, True]
    failure = cases[1].find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "INS-150"
    assert "INS-153" in (failure.text or "")
    assert cases[3].attrib["name"].endswith("d & <e>.bin")


def test_junit_survives_what_xml_forbids() -> None:
    hostile = FileReport("a\0b\x1b[31m\ufffe.eml", "mail", FileVerdict.UNREADABLE, (), "note\x07 ]]> &")
    case = ElementTree.fromstring(as_junit([hostile], Lang.FR)).find("testcase")
    assert case is not None
    assert "\0" not in case.attrib["name"]


def test_sarif_is_what_its_readers_expect(reports: list[FileReport]) -> None:
    document = json.loads(as_sarif(reports, Lang.EN, "1.2.3"))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("passerelle", "1.2.3")
    described = {r["id"] for r in driver["rules"]}
    assert len(described) == len(driver["rules"])
    levels = {Severity.BLOCKING: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    expected = [(f.rule, levels[f.severity]) for r in reports for f in r.findings]
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == expected
    for result in run["results"]:
        assert result["ruleId"] in described
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"]
        region = location["physicalLocation"].get("region")
        assert region is None or region["startLine"] >= 1


def test_an_address_of_a_file_in_sarif_is_a_uri(tmp_path: Path) -> None:
    path = tmp_path / "dossier à part" / "mail n°1.eml"
    path.parent.mkdir()
    path.write_bytes(sample_named("mail-objet-non-regle").build())
    document = json.loads(as_sarif([judge_file(path, ASKED)], Lang.FR, "1"))
    uri = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert " " not in uri
    assert uri.isascii()
