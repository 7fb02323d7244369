"""`passerelle check`: files judged offline, by the same rules as every door."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gateway.exchange.opening import open_message, sniff

from gateway import __version__
from gateway.evidence.reports import as_json, as_junit, as_sarif
from gateway.evidence.verdict import FileReport, FileVerdict, exit_code, file_verdict
from gateway.exchange.checking import Checker
from gateway.exchange.intake import book_for
from gateway.rules import Finding, RuleBook, RuleContext, load_catalogue
from gateway.sandbox.model import Limits, Policy
from gateway.values import Direction, Door, Lang

_SEVERAL = 24  # files from which worker processes pay for their start


def run_check(paths: Sequence[Path], output: str, profile: str, direction: str, lang: Lang) -> int:
    """Judge files and folders; print one report; return the exit code (worst file wins)."""
    missing = [path for path in paths if not path.exists()]
    if missing:
        for path in missing:
            text = {Lang.FR: f"{path} : fichier introuvable", Lang.EN: f"{path}: file not found"}[lang]
            print(text, file=sys.stderr)
        return 2
    files = sorted(dict.fromkeys(_files(paths)))
    reports = list(_judged(files, profile, direction))
    if output == "json":
        print(as_json(reports))
    elif output == "junit":
        print(as_junit(reports, lang))
    elif output == "sarif":
        print(as_sarif(reports, lang, __version__))
    else:
        from adapters.cli.render import print_reports

        print_reports(reports, lang)
    return exit_code(reports)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        else:
            yield path


def _judged(files: Sequence[Path], profile: str, direction: str) -> Iterator[FileReport]:
    judge = partial(judge_file, profile=profile, direction=direction)
    if len(files) < _SEVERAL:
        yield from map(judge, files)
        return
    with ProcessPoolExecutor() as pool:
        yield from pool.map(judge, files, chunksize=8)


def judge_file(path: Path, profile: str, direction: str) -> FileReport:
    """One file's report. What cannot be read or recognised is a report too, never an exception."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return FileReport(str(path), "unknown", FileVerdict.UNREADABLE, (), error.strerror or str(error))
    kind = sniff(raw, path.name)
    if kind == "unknown":
        return FileReport(str(path), kind, FileVerdict.UNREADABLE, (), "format non reconnu / format not recognised")
    policy = Policy(profile=profile)
    ctx = RuleContext(
        direction=Direction(direction),
        door=Door.FILE,
        today=datetime.now(UTC).date(),
        profile=profile,
        ins_environment=policy.ins_environment,
    )
    findings = judge_bytes(raw, kind, ctx, policy)
    return FileReport(str(path), kind, file_verdict(findings), tuple(findings))


def judge_bytes(raw: bytes, kind: str, ctx: RuleContext, policy: Policy) -> list[Finding]:
    """Open and check, worst findings first."""
    limits = Limits(mail_bytes=200 * 1024 * 1024)
    opened = open_message(raw, kind, None, limits)
    checker = Checker(book_for(RuleBook(load_catalogue()), policy))
    return sorted(checker.check(opened, ctx), key=lambda f: -f.severity.rank)
