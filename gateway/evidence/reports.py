"""Reports for machines: JSON, JUnit XML, SARIF 2.1.0. Pure functions from reports to text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from gateway.evidence.verdict import FileReport, FileVerdict, summary
from gateway.rules import Finding, Severity
from gateway.values import Lang


def as_json(reports: Sequence[FileReport]) -> str:
    """`{"files": […], "summary": {…}}`, stable keys, UTF-8."""
    document = {"files": [report.to_json() for report in reports], "summary": summary(reports)}
    return json.dumps(document, ensure_ascii=False, indent=2)


def as_junit(reports: Sequence[FileReport], lang: Lang) -> str:
    """One test case a file; blocking findings are failures, an unreadable file is an error."""
    failures = sum(r.verdict is FileVerdict.BLOCKING for r in reports)
    errors = sum(r.verdict is FileVerdict.UNREADABLE for r in reports)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuite name="passerelle check" tests="{len(reports)}" failures="{failures}" errors="{errors}">',
    ]
    for report in reports:
        lines.append(f"  <testcase classname={quoteattr(report.kind)} name={quoteattr(_printable(report.file))}>")
        text = "\n".join(_explained(finding, lang) for finding in report.findings)
        if report.verdict is FileVerdict.BLOCKING:
            first = next(f for f in report.findings if f.severity is Severity.BLOCKING)
            message = quoteattr(_printable(first.line(lang)))
            lines.append(
                f"    <failure type={quoteattr(first.rule)} message={message}>{escape(_printable(text))}</failure>"
            )
        elif report.verdict is FileVerdict.UNREADABLE:
            lines.append(f"    <error message={quoteattr(_printable(report.note))}/>")
        elif text:
            lines.append(f"    <system-out>{escape(_printable(text))}</system-out>")
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>"])


_LEVELS = {Severity.BLOCKING: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def as_sarif(reports: Sequence[FileReport], lang: Lang, version: str) -> str:
    """SARIF 2.1.0: one result a finding, the rules it cites described once."""
    rules: dict[str, dict[str, Any]] = {}
    results: list[dict[str, Any]] = []
    for report in reports:
        for finding in report.findings:
            rules.setdefault(
                finding.rule,
                {
                    "id": finding.rule,
                    "shortDescription": {"text": finding.title.in_(lang)},
                    "help": {"text": f"{finding.cure.in_(lang)} ({finding.source})"},
                },
            )
            results.append(
                {
                    "ruleId": finding.rule,
                    "level": _LEVELS[finding.severity],
                    "message": {"text": f"{finding.message.in_(lang)} {finding.cure.in_(lang)}"},
                    "locations": [_location(report.file, finding)],
                }
            )
    driver = {"name": "passerelle", "version": version, "rules": list(rules.values())}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _location(file: str, finding: Finding) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(file.replace("\\", "/"))}}
    if finding.where.line is not None:
        physical["region"] = {"startLine": finding.where.line}
    return {
        "physicalLocation": physical,
        "logicalLocations": [{"fullyQualifiedName": f"{finding.container}: {finding.where.path}"}],
    }


def _explained(finding: Finding, lang: Lang) -> str:
    return f"[{finding.severity.value}] {finding.line(lang)} {finding.cure.in_(lang)}"


def _printable(text: str) -> str:
    """XML 1.0 forbids most control characters even when escaped."""
    return "".join(c for c in text if c in "\t\n\r" or (ord(c) >= 32 and c not in "\ufffe\uffff"))
