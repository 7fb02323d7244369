"""What the commands share on a terminal: its width, and colours that mean something."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from gateway.rules import Severity

STYLES = {Severity.BLOCKING: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
MARKS = {Severity.BLOCKING: "✗", Severity.WARNING: "▲", Severity.INFO: "·"}
WIDEST = 120
PIPED = 100  # columns when the output is not a terminal


def console() -> Console:
    """A console that keeps colour off when the output is not a terminal, and lines short enough to be read.

    It takes texts as they are: what a message or a patient brings is never markup (`[/x]` would end a command).
    """
    if not sys.stdout.isatty():
        columns = os.environ.get("COLUMNS", "")
        return _plain(int(columns) if columns.isdecimal() and int(columns) else PIPED)
    out = _plain(None)
    return out if out.width <= WIDEST else _plain(WIDEST)


def _plain(width: int | None) -> Console:
    return Console(highlight=False, markup=False, emoji=False, width=width)
