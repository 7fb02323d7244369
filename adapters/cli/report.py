"""The text report of `check`: what each file is, what is wrong with it, how to mend it; the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Rich

from adapters.cli.render import MARKS, STYLES, console
from gateway.evidence.verdict import FileReport, FileVerdict, summary
from gateway.rules import Finding, Severity
from gateway.values import Lang, Text, Where

SAME_SHOWN = 3  # places shown of one rule that speaks often in one file

_VERDICTS = {
    FileVerdict.CLEAN: ("bold green", "✓", Text("conforme", "clean")),
    FileVerdict.WARNINGS: ("bold yellow", "▲", Text("accepté avec alertes", "accepted with alerts")),
    FileVerdict.BLOCKING: ("bold red", "✗", Text("refusé", "refused")),
    FileVerdict.UNREADABLE: ("bold magenta", "?", Text("illisible", "unreadable")),
}
_KINDS = {
    "mail": Text("mail", "mail"),
    "xdm": Text("paquet XDM", "XDM package"),
    "cda": Text("document CDA", "CDA document"),
    "metadata": Text("METADATA", "METADATA"),
    "whitelist": Text("liste blanche", "whitelist"),
    "hl7v2": Text("HL7v2", "HL7v2"),
    "fhir": Text("FHIR", "FHIR"),
    "soap": Text("SOAP", "SOAP"),
    "xml": Text("XML", "XML"),
    "unknown": Text("inconnu", "unknown"),
}
_COUNTS = {
    Severity.BLOCKING: (Text("bloquant", "blocking"), Text("bloquants", "blocking")),
    Severity.WARNING: (Text("alerte", "warning"), Text("alertes", "warnings")),
    Severity.INFO: (Text("remarque", "remark"), Text("remarques", "remarks")),
}


def print_reports(reports: Sequence[FileReport], lang: Lang) -> None:
    """Each file with its findings, then a summary when there are several."""
    out = console()
    if not out.is_terminal:  # no blanks at the end of lines in a file
        with out.capture() as captured:
            _print_all(out, reports, lang)
        print("\n".join(line.rstrip() for line in captured.get().splitlines()))
        return
    _print_all(out, reports, lang)


def _print_all(out: Console, reports: Sequence[FileReport], lang: Lang) -> None:
    for number, report in enumerate(reports):
        if number and (report.findings or reports[number - 1].findings):
            out.print()
        _print_report(out, report, lang)
    if len(reports) > 1:
        out.print()
        out.print(_summary(reports, lang))


def _print_report(out: Console, report: FileReport, lang: Lang) -> None:
    style, mark, label = _VERDICTS[report.verdict]
    kind = _KINDS.get(report.kind, Text(report.kind, report.kind)).in_(lang)
    title = Rich.assemble((f"{mark} ", style), (report.file, "bold"), f"  {kind}  ", (label.in_(lang), style))
    counts = _counts(report.findings, lang)
    if counts:
        title.append(f"  ({counts})", style="dim")
    out.print(title, soft_wrap=True)
    if report.note:
        out.print(Padding(Rich(report.note), (0, 0, 0, 2)))
    for block in finding_lines(report.findings, lang):
        out.print(block)


def finding_lines(findings: Iterable[Finding], lang: Lang) -> Iterator[RenderableType]:
    """Findings, rule by rule: what, where, the values side by side, how to mend, the source."""
    for group in grouped(findings):
        yield from _blocks(group, lang)


def grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings of one rule and severity together, in the order in which each first spoke; blocking ones first."""
    groups: dict[tuple[int, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((-finding.severity.rank, finding.rule), []).append(finding)
    return [groups[key] for key in sorted(groups, key=lambda k: k[0])]


def _blocks(group: Sequence[Finding], lang: Lang) -> Iterable[RenderableType]:
    first = group[0]
    head = Rich.assemble((f"{MARKS[first.severity]} {first.rule}", STYLES[first.severity]), "  ")
    head.append(first.title.in_(lang), style="bold")
    if len(group) > 1:
        head.append(f"  × {len(group)}", style="dim")
    yield Rich("")
    yield Padding(head, (0, 0, 0, 2))
    told: set[str] = set()
    for finding in group[:SAME_SHOWN]:
        message = finding.message.in_(lang)
        if message not in told:
            told.add(message)
            yield Padding(Rich(message), (0, 0, 0, 4))
        if finding.values:
            yield Padding(values_table(finding), (0, 0, 0, 6))
        elif finding.received or finding.expected:
            yield Padding(_pair(finding, lang), (0, 0, 0, 6))
        yield Padding(Rich(f"{finding.container} · {finding.where}", style="dim"), (0, 0, 0, 6))
    if len(group) > SAME_SHOWN:
        more = len(group) - SAME_SHOWN
        said = Text(f"et {more} autre(s) endroit(s)", f"and {more} more place(s)").in_(lang)
        yield Padding(Rich(said, style="dim"), (0, 0, 0, 6))
    for cure in dict.fromkeys(f.cure.in_(lang) for f in group[:SAME_SHOWN]):
        yield _hanging("→", Rich(cure, style="green"))
    yield Padding(Rich(first.source, style="dim italic"), (0, 0, 0, 6))


def _hanging(mark: str, text: Rich) -> Table:
    """A mark, and a text whose lines all start at the same column."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, width=4, justify="right")
    table.add_column()
    table.add_row(Rich(f"{mark}", style="green"), text)
    return table


def _pair(finding: Finding, lang: Lang) -> Rich:
    received, expected = Text("reçu", "received").in_(lang), Text("attendu", "expected").in_(lang)
    return Rich.assemble(
        (f"{received} ", "dim"),
        finding.received_in(lang) or "∅",
        (f"   {expected} ", "dim"),
        finding.expected_in(lang) or "∅",
    )


def values_table(finding: Finding) -> Table:
    """The compared values, one container a line, differing positions in colour."""
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    for value in finding.values:
        table.add_row(Rich(value.container), _marked(value.value), Rich(short_path(value.path)))
    return table


def short_path(path: str | Where) -> str:
    """The end of a long path: the two last steps are where a reader looks."""
    text = str(path)
    steps = text.split("/")
    return text if len(steps) <= 4 else f"…/{'/'.join(steps[-2:])}"


def _marked(masked: str) -> Rich:
    """`2360···[1]7[9]` with what stands in brackets in colour; the brackets stay, for those without colours."""
    shown = Rich(style="bold")
    for piece in masked.replace("]", "]\0").replace("[", "\0[").split("\0"):
        shown.append(piece, style="bold yellow" if piece.startswith("[") else "")
    return shown


def _counts(findings: Sequence[Finding], lang: Lang) -> str:
    parts = []
    for severity, (one, many) in _COUNTS.items():
        count = sum(f.severity is severity for f in findings)
        if count:
            parts.append(f"{count} {(one if count == 1 else many).in_(lang)}")
    return ", ".join(parts)


def _summary(reports: Sequence[FileReport], lang: Lang) -> Rich:
    totals = summary(reports)
    line = Rich(f"{totals['files']} {Text('fichiers', 'files').in_(lang)}", style="bold")
    for verdict, (style, mark, label) in _VERDICTS.items():
        if totals[verdict.value]:
            line.append("  ·  ", style="dim").append(f"{mark} {totals[verdict.value]} {label.in_(lang)}", style=style)
    return line
