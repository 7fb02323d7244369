"""`passerelle check`: files judged offline, by the same rules as every door.

Imports are counted: one file must be judged in well under a second, so nothing is imported before it is needed.
"""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gateway.evidence.verdict import FileReport, FileVerdict, exit_code, file_verdict
from gateway.exchange.opening import open_message, sniff
from gateway.rules import Finding, RuleBook, RuleContext, load_catalogue
from gateway.sandbox.model import Limits
from gateway.values import Direction, Door, Lang, Text

STDIN = "-"
SEVERAL = 24  # files from which worker processes pay for their start
SHOWN_FROM = 8  # files from which a progress bar is worth its line
LIMITS = Limits(mail_bytes=200 * 1024 * 1024)
ENDINGS = frozenset({".eml", ".zip", ".xml", ".hl7", ".er7", ".json"})
NOT_A_CDA = "XDM-07"
NO_RESOURCE = "FHIR-03"
INDEX = "index.json"  # of `passerelle samples`
SANDBOX_SIGNER = "liste-blanche.val-de-brume.mssante.fr"

_UNKNOWN = Text(
    "Format non reconnu : mail (.eml), XDM (.zip), CDA, METADATA, SOAP ou liste blanche (.xml), HL7v2 (.hl7, .er7), "
    "FHIR (.json) ou datamatrix INS (.txt) sont attendus.",
    "Format not recognised: mail (.eml), XDM (.zip), CDA, METADATA, SOAP or whitelist (.xml), HL7v2 (.hl7, .er7), "
    "FHIR (.json) or INS datamatrix (.txt) are expected.",
)
_EMPTY = Text("Fichier vide.", "Empty file.")


@dataclass(frozen=True, slots=True)
class Asked:
    """How to judge."""

    profile: str
    direction: str
    lang: Lang


def run_check(paths: Sequence[Path], output: str, profile: str, direction: str, lang: Lang) -> int:
    """Judge files, folders and patterns; print one report; return the exit code (worst file wins).

    2 when a path names nothing: then nothing is judged. What a folder holds beside messages is left aside, and counted.
    """
    files, missing = found_files(paths)
    named = {path for path in paths if not path.is_dir()}
    if missing:
        said = Text("introuvable", "not found").in_(lang)
        for path in missing:
            print(f"{path} : {said}" if lang is Lang.FR else f"{path}: {said}", file=sys.stderr)
        return 2
    if not files:
        print(Text("Aucun fichier à juger.", "No file to judge.").in_(lang), file=sys.stderr)
        return 2
    reports, aside = [], 0
    for path, report in zip(
        files, _followed(judged(files, Asked(profile, direction, lang)), len(files), lang), strict=True
    ):
        if path not in named and _stands_beside(path, report):
            aside += 1
        else:
            reports.append(report)
    print_as(output, reports, lang)
    if aside:
        left = Text(
            f"{aside} fichier(s) d'autres formats laissés de côté.", f"{aside} file(s) of other formats left aside."
        )
        print(left.in_(lang), file=sys.stderr)
    return exit_code(reports)


def _stands_beside(path: Path, report: FileReport) -> bool:
    """What a folder holds beside messages: files of other formats, and the index that `passerelle samples` writes."""
    if report.kind in ("unknown", "xml"):
        return path.suffix.lower() not in ENDINGS
    return path.name == INDEX and report.kind == "fhir" and {f.rule for f in report.findings} == {NO_RESOURCE}


def print_as(output: str, reports: Sequence[FileReport], lang: Lang) -> None:
    """The report in one of its formats, on the standard output."""
    if output == "text":
        from adapters.cli.report import print_reports

        print_reports(reports, lang)
        return
    from gateway import __version__
    from gateway.evidence.reports import as_json, as_junit, as_sarif

    written = {
        "json": lambda: as_json(reports),
        "junit": lambda: as_junit(reports, lang),
        "sarif": lambda: as_sarif(reports, lang, __version__),
    }[output]()
    sys.stdout.buffer.write(written.encode() + b"\n")  # these formats are UTF-8 whatever the terminal speaks
    sys.stdout.buffer.flush()


def found_files(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """The files that paths name, each once, and the paths that name nothing. Hidden files of folders are left out."""
    files: list[Path] = []
    missing: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path))
        elif path.exists() or str(path) == STDIN:
            files.append(path)
        elif matches := [Path(p) for p in sorted(glob.glob(str(path), recursive=True))]:  # noqa: PTH207  # Path.glob refuses absolute patterns
            inside, _ = found_files(matches)
            files += inside
        else:
            missing.append(path)
    return list(dict.fromkeys(files)), missing


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def judged(files: Sequence[Path], asked: Asked) -> Iterator[FileReport]:
    """One report a file, in the order of the files; several processes share a long list."""
    judge = partial(judge_file, asked=asked)
    if len(files) < SEVERAL:
        yield from map(judge, files)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor() as pool:
        yield from pool.map(judge, files, chunksize=4)


def _followed(reports: Iterator[FileReport], count: int, lang: Lang) -> Iterator[FileReport]:
    """The same reports; on a terminal, a bar moves while they come."""
    if count < SHOWN_FROM or not sys.stderr.isatty():
        yield from reports
        return
    from rich.console import Console
    from rich.progress import track

    told = Text("Jugement", "Judging").in_(lang)
    yield from track(reports, told, total=count, console=Console(stderr=True), transient=True)


def judge_file(path: Path, asked: Asked) -> FileReport:
    """One file's report. What cannot be read or recognised is a report too, never an exception."""
    try:
        raw = sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
    except OSError as error:
        return FileReport(str(path), "unknown", FileVerdict.UNREADABLE, (), error.strerror or str(error))
    kind = sniff(raw, path.name)
    if kind == "unknown" or not raw:
        note = _UNKNOWN if raw else _EMPTY
        return FileReport(str(path), kind, FileVerdict.UNREADABLE, (), note.in_(asked.lang))
    found = judge_octets(raw, kind, asked, path.name)
    if kind == "xml" and all(f.rule == NOT_A_CDA for f in found):
        return FileReport(str(path), "unknown", FileVerdict.UNREADABLE, (), _UNKNOWN.in_(asked.lang))
    return FileReport(str(path), kind, file_verdict(found), tuple(found))


def judge_octets(raw: bytes, kind: str, asked: Asked, filename: str = "") -> list[Finding]:
    """Open and check, worst findings first. Mails are judged as if sent from their From to their To and Cc."""
    from gateway.identity.profiles import profile_overrides

    book = RuleBook(load_catalogue()).with_overrides(profile_overrides(asked.profile))
    now = datetime.now(UTC)
    ctx = RuleContext(direction=Direction(asked.direction), door=Door.FILE, today=now.date(), profile=asked.profile)
    found = (
        _whitelist(raw, book, ctx, now, filename) if kind == "whitelist" else _opened(raw, kind, book, ctx, filename)
    )
    return sorted(found, key=lambda f: -f.severity.rank)


def _opened(raw: bytes, kind: str, book: RuleBook, ctx: RuleContext, filename: str) -> list[Finding]:
    from gateway.exchange.checking import Checker

    opened = open_message(raw, kind, None, LIMITS, filename)
    mail, routing = opened.mail, None
    if mail is not None:
        from gateway.directory.territory import load_territory
        from gateway.exchange.model import Envelope
        from gateway.exchange.routing import routing_of

        routing = routing_of(opened, Envelope(mail.sender, mail.recipients), load_territory())
    return Checker(book).check(opened, ctx, routing)


def _whitelist(raw: bytes, book: RuleBook, ctx: RuleContext, now: datetime, filename: str) -> list[Finding]:
    from gateway.messaging.whitelist_reading import Anchor, read_whitelist

    label = filename or "whitelist"
    reading = read_whitelist(raw, anchor=Anchor(issuers=None), now=now, label=label)
    if reading.signer is not None and f"CN={SANDBOX_SIGNER}" in reading.signer.dn.split(","):
        reading = read_whitelist(raw, anchor=Anchor(issuers=None, signer_cn=SANDBOX_SIGNER), now=now, label=label)
    found = (book.found(issue.rule_id, issue.hit, ctx, "whitelist") for issue in reading.issues)
    return [finding for finding in found if finding is not None]
