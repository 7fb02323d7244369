"""What `check` says of one file, and what its exit code means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.rules import Finding, Severity


class FileVerdict(StrEnum):
    """From best to worst."""

    CLEAN = "clean"
    WARNINGS = "warnings"
    BLOCKING = "blocking"
    UNREADABLE = "unreadable"

    @property
    def exit_code(self) -> int:
        """0 clean or warnings, 1 blocking, 3 unreadable (2 is a usage error)."""
        return {"clean": 0, "warnings": 0, "blocking": 1, "unreadable": 3}[self.value]


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file judged. `kind` is what it was recognised as; `note` says why it could not be read."""

    file: str
    kind: str
    verdict: FileVerdict
    findings: tuple[Finding, ...]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The published shape of one file's report."""
        return {
            "file": self.file,
            "kind": self.kind,
            "verdict": self.verdict.value,
            "note": self.note,
            "findings": [finding.to_json() for finding in self.findings],
        }


def file_verdict(findings: Sequence[Finding]) -> FileVerdict:
    """The worst finding decides."""
    worst = max((finding.severity.rank for finding in findings), default=0)
    return (FileVerdict.CLEAN, FileVerdict.WARNINGS, FileVerdict.BLOCKING)[worst]


def exit_code(reports: Sequence[FileReport]) -> int:
    """The worst file decides."""
    return max((report.verdict.exit_code for report in reports), default=0)


def summary(reports: Sequence[FileReport]) -> dict[str, Any]:
    """Counts over all files."""
    findings = [finding for report in reports for finding in report.findings]
    return {
        "files": len(reports),
        **{verdict.value: sum(r.verdict is verdict for r in reports) for verdict in FileVerdict},
        "findings": {severity.value: sum(f.severity is severity for f in findings) for severity in Severity},
    }
