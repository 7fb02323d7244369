"""Findings, tables and verdicts on a terminal: colour where it helps, the cure first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Rich

from gateway.evidence.verdict import FileReport, FileVerdict, summary
from gateway.rules import Finding, Severity
from gateway.values import Lang, Text

STYLES = {Severity.BLOCKING: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
MARKS = {Severity.BLOCKING: "✗", Severity.WARNING: "▲", Severity.INFO: "·"}
_VERDICTS = {
    FileVerdict.CLEAN: ("bold green", Text("conforme", "clean")),
    FileVerdict.WARNINGS: ("yellow", Text("accepté avec alertes", "accepted with alerts")),
    FileVerdict.BLOCKING: ("bold red", Text("refusé", "refused")),
    FileVerdict.UNREADABLE: ("bold magenta", Text("illisible", "unreadable")),
}


def console() -> Console:
    """A console that keeps colour off when the output is not a terminal."""
    return Console(highlight=False, soft_wrap=False)


def print_reports(reports: Sequence[FileReport], lang: Lang) -> None:
    """Each file with its findings, then a summary when there are several."""
    out = console()
    for report in reports:
        style, label = _VERDICTS[report.verdict]
        title = Rich.assemble((report.file, "bold"), f"  [{report.kind}]  ", (label.in_(lang), style))
        out.print(title)
        if report.note:
            out.print(f"  {report.note}")
        for finding in report.findings:
            out.print(finding_block(finding, lang))
    if len(reports) > 1:
        out.print(_summary(reports, lang))


def finding_block(finding: Finding, lang: Lang) -> Group:
    """One finding: what, where, the values side by side, how to mend, the source."""
    words = _WORDS[lang]
    head = Rich.assemble(
        "  ",
        (f"{MARKS[finding.severity]} {finding.rule}", STYLES[finding.severity]),
        f"  {finding.message.in_(lang)}",
    )
    lines: list[Rich | Table] = [head, Rich(f"      {finding.container} · {finding.where}", style="dim")]
    if finding.values:
        lines.append(values_table(finding))
    elif finding.received or finding.expected:
        received, expected = finding.received or "∅", finding.expected or "∅"
        lines.append(Rich(f"      {words['received']} {received}   {words['expected']} {expected}"))
    lines.append(Rich.assemble("      ", (f"→ {finding.cure.in_(lang)}", "green")))
    lines.append(Rich(f"      {finding.source}", style="dim italic"))
    return Group(*lines)


def values_table(finding: Finding) -> Table:
    """The compared values, one container a line."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 6))
    for value in finding.values:
        table.add_row(
            Rich(value.container, style="cyan"), Rich(value.value, style="bold"), Rich(value.path, style="dim")
        )
    return table


def _summary(reports: Sequence[FileReport], lang: Lang) -> Panel:
    totals = summary(reports)
    parts = [f"{totals[v.value]} {label.in_(lang)}" for v, (_, label) in _VERDICTS.items() if totals[v.value]]
    return Panel.fit(f"{totals['files']} {_WORDS[lang]['files']} : " + ", ".join(parts))


_WORDS = {
    Lang.FR: {"received": "reçu :", "expected": "attendu :", "files": "fichiers"},
    Lang.EN: {"received": "received:", "expected": "expected:", "files": "files"},
}
