"""What the commands share on a terminal: its width, colours that mean something, one finding in a few lines."""

from __future__ import annotations

import os
import sys

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text as Rich

from gateway.rules import Finding, Severity
from gateway.values import Lang

STYLES = {Severity.BLOCKING: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
MARKS = {Severity.BLOCKING: "✗", Severity.WARNING: "▲", Severity.INFO: "·"}
WIDEST = 120
PIPED = 100  # columns when the output is not a terminal


def console() -> Console:
    """A console that keeps colour off when the output is not a terminal, and lines short enough to be read."""
    if not sys.stdout.isatty():
        columns = os.environ.get("COLUMNS", "")
        return Console(highlight=False, width=int(columns) if columns.isdecimal() and int(columns) else PIPED)
    out = Console(highlight=False)
    return out if out.width <= WIDEST else Console(highlight=False, width=WIDEST)


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


_WORDS = {
    Lang.FR: {"received": "reçu :", "expected": "attendu :"},
    Lang.EN: {"received": "received:", "expected": "expected:"},
}
