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
    """A console that keeps colour off when the output is not a terminal, and lines short enough to be read."""
    if not sys.stdout.isatty():
        columns = os.environ.get("COLUMNS", "")
        return Console(highlight=False, width=int(columns) if columns.isdecimal() and int(columns) else PIPED)
    out = Console(highlight=False)
    return out if out.width <= WIDEST else Console(highlight=False, width=WIDEST)
