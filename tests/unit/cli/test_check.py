"""`passerelle check`: what it says of files, in which form, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.cli import check
from adapters.cli.check import Asked, found_files, judge_file, judge_octets
from adapters.cli.quick import check_asked
from adapters.cli.report import grouped, print_reports, short_path
from gateway.evidence.verdict import FileReport, FileVerdict
from gateway.exchange.opening import sniff
from gateway.rules import Severity
from gateway.samples import Sample, sample_named, samples
from gateway.samples.model import is_told_offline
from gateway.values import Lang
from tests.support.command import passerelle
from tests.support.reference import ROOT, reference

ASKED = Asked("strict", "emission", Lang.FR)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean file, one with warnings, one that blocks, one that nobody recognises, and what a folder also holds."""
    place = tmp_path_factory.mktemp("folder")
    (place / "sous").mkdir()
    for name, sample in {
        "bon.xml": "valide-cda",
        "alerte.eml": "mail-objet-non-regle",
        "sous/jumelle.eml": "identite-jumelle-metadonnees-d-une-autre",
    }.items():
        (place / name).write_bytes(sample_named(sample).build())
    (place / "inconnu.xml").write_bytes(b"\xff\xfe\xff" * 40)
    (place / "LISEZMOI.md").write_text("# Notes\n")
    (place / ".git").mkdir()
    (place / ".git" / "bon.xml").write_bytes(b"<x/>")
    return place


# --------------------------------------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["bon.xml"], 0),
        (["alerte.eml"], 0),
        (["bon.xml", "sous/jumelle.eml"], 1),
        (["absent.eml", "bon.xml"], 2),
        ([], 2),
        (["inconnu.xml"], 3),
        (["sous/jumelle.eml", "inconnu.xml"], 3),
        (["."], 3),
        (["*.eml"], 0),
        (["**/*.eml"], 1),
    ],
)
def test_the_worst_file_makes_the_exit_code(folder: Path, names: list[str], code: int) -> None:
    ran = passerelle("check", *names, cwd=folder)
    assert ran.code == code, ran.all
    assert "Traceback" not in ran.all


@pytest.mark.parametrize(
    "words", [["--format", "xml", "a"], ["--as", "both", "a"], ["--profile", "soft", "a"], ["--x", "a"]]
)
def test_a_word_that_is_no_option_is_named(folder: Path, words: list[str]) -> None:
    ran = passerelle("check", *words, cwd=folder)
    assert ran.code == 2
    assert words[0] in ran.err or words[1] in ran.err


def test_what_was_named_and_is_missing_is_said_and_nothing_is_judged(folder: Path) -> None:
    ran = passerelle("check", "absent.eml", "bon.xml", "*.zap", cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert "absent.eml : introuvable" in ran.err
    assert "*.zap : introuvable" in ran.err
    assert "absent.eml: not found" in passerelle("check", "absent.eml", "--lang", "en", cwd=folder).err


def test_a_file_comes_by_the_standard_input() -> None:
    raw = sample_named("cda-cle-fausse").build()
    ran = passerelle("check", "-", "--format", "json", stdin=raw)
    assert ran.code == 1
    assert json.loads(ran.out)["files"][0]["kind"] == "cda"


def test_who_stops_reading_is_not_answered_with_a_traceback(folder: Path) -> None:
    words = [sys.executable, "-m", "adapters.cli.main", "check", str(folder), "--format", "json"]
    running = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert running.stdout is not None
    running.stdout.close()
    _, told = running.communicate(timeout=60)
    assert b"Traceback" not in told
    assert b"BrokenPipe" not in told


# -------------------------------------------------------------------------------------------------------------- files


def test_folders_are_walked_hidden_files_left_out_and_nothing_judged_twice(folder: Path) -> None:
    files, missing = found_files([folder, folder / "bon.xml", folder / "*.eml"])
    assert [p.relative_to(folder).as_posix() for p in files] == [
        "LISEZMOI.md",
        "alerte.eml",
        "bon.xml",
        "inconnu.xml",
        "sous/jumelle.eml",
    ]
    assert missing == []


def test_what_a_folder_holds_beside_messages_is_left_aside_but_a_damaged_one_is_not(folder: Path) -> None:
    ran = passerelle("check", ".", "--format", "json", cwd=folder)
    assert [Path(f["file"]).name for f in json.loads(ran.out)["files"]] == [
        "alerte.eml",
        "bon.xml",
        "inconnu.xml",
        "jumelle.eml",
    ]
    assert "1 fichier(s) d'autres formats" in ran.err
    named = passerelle("check", "LISEZMOI.md", "--format", "json", cwd=folder)
    assert (named.code, json.loads(named.out)["files"][0]["verdict"]) == (3, "unreadable")


def test_many_files_are_shared_between_processes_and_keep_their_order(tmp_path: Path) -> None:
    raw = sample_named("valide-cda").build()
    for number in range(check.SEVERAL + 2):
        (tmp_path / f"{number:03}.xml").write_bytes(raw)
    ran = passerelle("check", tmp_path, "--format", "json")
    names = [Path(f["file"]).name for f in json.loads(ran.out)["files"]]
    assert names == sorted(names)
    assert len(names) == check.SEVERAL + 2


@pytest.mark.parametrize(
    ("raw", "name", "kind"),
    [
        (b"", "vide.eml", "mail"),
        (b"\xff" * 50, "x.bin", "unknown"),
        (b"MSH|^~\\&|A|B", "x.hl7", "hl7v2"),
        (b'{"resourceType": "Patient"}', "x.json", "fhir"),
        (b"<html/>", "x.xml", "unknown"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "x.xml", "xml"),
    ],
)
def test_any_octets_give_a_report(tmp_path: Path, raw: bytes, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(raw)
    report = judge_file(tmp_path / name, ASKED)
    assert report.kind == kind
    assert report.note or report.findings or report.verdict is FileVerdict.CLEAN
    assert "INS-205" not in {f.rule for f in report.findings}


def test_a_file_that_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    report = judge_file(tmp_path / "gone.eml", ASKED)
    assert (report.verdict, bool(report.note)) == (FileVerdict.UNREADABLE, True)


def test_a_whitelist_is_judged_and_the_sandbox_s_own_is_good(passerelle_process: Any, tmp_path: Path) -> None:
    import httpx

    served = httpx.get(f"http://127.0.0.1:{passerelle_process.port('http')}/listeblanchemssante.xml").content
    own, damaged = tmp_path / "own.xml", tmp_path / "damaged.xml"
    own.write_bytes(served)
    damaged.write_bytes(served.replace(b"ehpad-les-tilleuls", b"ehpad-les-glycines", 1))
    assert (judge_file(own, ASKED).kind, judge_file(own, ASKED).verdict) == ("whitelist", FileVerdict.CLEAN)
    assert "GW-LB-04" in {f.rule for f in judge_file(damaged, ASKED).findings}


# ------------------------------------------------------------------------------------------------------------ judging


@pytest.mark.parametrize("sample", samples(), ids=lambda s: s.name)
def test_each_sample_shows_the_rules_it_is_named_after(sample: Sample) -> None:
    raw = sample.build()
    kind = sniff(raw, sample.filename)
    found = judge_octets(raw, kind, ASKED, sample.filename)
    rules = {finding.rule for finding in found}
    assert kind == sample.kind
    if sample.expected_rules:
        assert rules == set(filter(is_told_offline, sample.expected_rules))
    else:
        assert not [f.rule for f in found if f.severity is Severity.BLOCKING]
    assert [f.severity.rank for f in found] == sorted((f.severity.rank for f in found), reverse=True)


def test_a_mail_is_judged_by_who_would_read_it() -> None:
    raw = sample_named("mail-document-de-sante-au-siao").build()
    assert "GW-RIGHTS-01" in {f.rule for f in judge_octets(raw, "mail", ASKED)}


@pytest.mark.reference
@pytest.mark.parametrize("place", ["cda", "dmp/ans-xdm", "mssante/mail"])
@pytest.mark.parametrize("direction", ["emission", "reception"])
def test_no_published_file_makes_it_fail_to_judge(place: str, direction: str) -> None:
    asked = Asked("official-samples", direction, Lang.FR)
    files, _ = found_files([reference(place)])
    assert files
    for path in files:
        report = judge_file(path, asked)
        assert "INS-205" not in {f.rule for f in report.findings}, f"{path}: a rule failed to run"


@pytest.mark.reference
def test_the_official_packages_are_accepted_with_their_defects_told() -> None:
    asked = Asked("official-samples", "emission", Lang.FR)
    packages = sorted(reference("dmp/ans-xdm").glob("*.zip"))
    reports = [judge_file(path, asked) for path in packages]
    assert [r.file for r in reports if r.verdict is FileVerdict.BLOCKING] == []
    assert any(r.verdict is FileVerdict.WARNINGS for r in reports)


# --------------------------------------------------------------------------------------------------------- the report


@pytest.mark.parametrize("columns", ["80", "120", ""])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_no_line_is_wider_than_the_page_and_none_ends_with_blanks(folder: Path, columns: str, lang: str) -> None:
    ran = passerelle("check", ".", "--lang", lang, cwd=folder, env={"COLUMNS": columns} if columns else {})
    lines = ran.out.splitlines()
    wide = [line for line in lines if len(line) > int(columns or 100)]
    assert wide == []
    assert [line for line in lines if line != line.rstrip()] == []
    assert "\x1b" not in ran.out, "no colour in a file"


def test_the_report_reads_in_the_language_asked(folder: Path) -> None:
    french = passerelle("check", "sous/jumelle.eml", cwd=folder).out
    english = passerelle("check", "sous/jumelle.eml", "--lang=en", cwd=folder).out
    assert "refusé" in french
    assert "Vérifiez à quel patient" in french
    assert "refused" in english
    assert "2 blocking" in english
    assert "Check which patient" in english
    assert "[OD]····(6)" in french
    assert french.index("INS-150") < french.index("INS-153")


def test_a_rule_that_speaks_often_is_told_once_with_its_places(capsys: pytest.CaptureFixture[str]) -> None:
    raw = sample_named("xdm-chiffree").build()
    found = judge_octets(raw, "xdm", ASKED)
    groups = grouped(found)
    assert [len({f.rule for f in group}) for group in groups] == [1] * len(groups)
    many = max(groups, key=len)
    assert len(many) > 3
    print_reports([FileReport("x.zip", "xdm", FileVerdict.BLOCKING, tuple(found))], Lang.FR)
    told = capsys.readouterr().out
    assert f"× {len(many)}" in told
    assert f"et {len(many) - 3} autre(s) endroit(s)" in told
    assert told.count(many[0].title.fr) == 1


def test_markup_in_what_was_received_is_not_obeyed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "[red]x[bold].eml"
    path.write_bytes(sample_named("mail-objet-non-regle").build().replace(b"Subject: ", b"Subject: [bold]x[/bold] "))
    print_reports([judge_file(path, ASKED)], Lang.FR)
    assert "[red]x[bold].eml" in capsys.readouterr().out


def test_a_long_path_keeps_its_end() -> None:
    assert short_path("/a/b/c") == "/a/b/c"
    assert short_path("/ClinicalDocument/recordTarget/patientRole/id[1]") == "…/patientRole/id[1]"


@pytest.mark.parametrize("form", ["json", "junit", "sarif"])
def test_machine_forms_are_utf8_whatever_the_terminal_speaks(folder: Path, form: str) -> None:
    ran = passerelle(
        "check", "sous/jumelle.eml", "--format", form, cwd=folder, env={"LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
    )
    assert ran.code == 1
    assert "différents" in ran.out


# ------------------------------------------------------------------------------------------------------ reading words


@pytest.mark.parametrize(
    "words",
    [
        ["check", "a.eml"],
        ["check", "a.eml", "b.zip", "--format", "json"],
        ["check", "--format=sarif", "a.eml", "--lang", "en"],
        ["check", "--as", "reception", "--profile=official-samples", "-", "--lang=en"],
    ],
)
def test_plain_words_are_read_as_the_parser_reads_them(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from typer.testing import CliRunner

    from adapters.cli import commands, options

    monkeypatch.setattr(sys, "argv", ["passerelle", *words])
    told: list[Any] = []
    monkeypatch.setattr(check, "run_check", lambda *asked: told.append(asked) or 0)
    importlib.reload(options)
    fresh = importlib.reload(commands)
    assert CliRunner().invoke(fresh.app, words).exit_code == 0
    assert told == [check_asked(words)]
    monkeypatch.setattr(sys, "argv", ["passerelle"])
    importlib.reload(options)
    importlib.reload(commands)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "check",
        "check --help",
        "check -h",
        "check a --format",
        "check a --format xml",
        "check a --wat",
        "check -- a",
        "check a --lang de",
        "demo",
        "--lang en check a",
    ],
)
def test_other_words_are_left_to_the_parser(words: str) -> None:
    assert check_asked(words.split()) is None


def test_one_file_is_judged_without_the_parser_nor_what_it_imports(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "modules"
    code = (
        "import atexit, json, sys\n"
        f"atexit.register(lambda: open({str(out)!r}, 'w').write(json.dumps(sorted(sys.modules))))\n"
        f"sys.argv = ['passerelle', 'check', {str(folder / 'bon.xml')!r}]\n"
        "from adapters.cli.main import run\nrun()\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True
    )
    roots = {name.partition(".")[0] for name in json.loads(out.read_text())}
    assert not roots & {"typer", "pydantic", "fastapi", "starlette", "sqlalchemy", "httpx", "asyncio", "structlog"}
