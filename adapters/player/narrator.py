"""Tells a story on the terminal while it is played: acts, steps, the other side's words, findings, the verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Rich

from adapters.player.result import StepResult
from gateway.scenarios.model import Act, Scenario, Step
from gateway.values import Lang

WIDEST = 110
SHOWN_RULES = 4
SAID_CHARACTERS = 330  # of an answer; the exchange page and `--json` have the rest
SAID_BEFORE_FINDINGS = 160  # of an answer that says the findings shown below it
_BLANKS = re.compile(r"\s+")
_DIFFERENCE = re.compile(r"(\[[^\]]*\])")


class Narrator:
    """Speaks one language to one console."""

    def __init__(self, out: Console, lang: Lang) -> None:
        self._out = out
        self._lang = lang

    @property
    def _width(self) -> int:
        return min(self._out.width, WIDEST)

    def _print(self, shown: RenderableType, indent: int = 0) -> None:
        self._out.print(Padding(shown, (0, 0, 0, indent), expand=False), width=self._width)

    def opening(self, scenario: Scenario, endpoints: str) -> None:
        """The title and where it is played."""
        self._out.print()
        body = Rich.assemble((scenario.summary.in_(self._lang), ""), "\n", (endpoints, "dim"))
        title = Rich(scenario.title.in_(self._lang), style="bold")
        self._out.print(Panel(body, title=title, title_align="left", width=self._width))

    def act(self, number: int, act: Act) -> None:
        """A new act."""
        self._out.print()
        self._print(Rich(f"{number}. {act.title.in_(self._lang)}", style="bold cyan"))

    def step(self, step: Step) -> None:
        """A step about to be played."""
        self._print(_hanging(Rich("→", style="dim"), Rich(step.title.in_(self._lang))), 3)

    def result(self, result: StepResult) -> None:
        """What was seen."""
        findings = result.seen.findings[:SHOWN_RULES]
        mark = Rich("✓", style="bold green") if result.held else Rich("✗", style="bold red")
        said = shortened(result.seen.said, SAID_BEFORE_FINDINGS if findings else SAID_CHARACTERS)
        self._print(_hanging(mark, Rich(said, style="dim")), 3)
        for finding in findings:
            self._finding(finding)
        for failure in result.seen.checks.failures:
            self._print(Rich(failure, style="red"), 7)

    def _finding(self, finding: Mapping[str, Any]) -> None:
        lang = self._lang.value
        self._print(_hanging(Rich(finding["rule"], style="bold yellow"), Rich(finding["message"][lang])), 5)
        if finding["values"]:
            table = Table.grid(padding=(0, 3, 0, 0))
            for value in finding["values"]:
                table.add_row(Rich(value["container"], style="cyan"), _marked(value["value"]))
            self._print(table, 9)
        self._print(_hanging(Rich("→", style="green"), Rich(finding["cure"][lang], style="green")), 7)

    def verdict(self, results: list[StepResult], seconds: float) -> None:
        """The end."""
        held = sum(r.held for r in results)
        words = {
            Lang.FR: ("attentes tenues", "étapes", "Tout a tenu.", "Des attentes ne sont pas tenues."),
            Lang.EN: ("expectations held", "steps", "Everything held.", "Some expectations did not hold."),
        }[self._lang]
        checks = sum(r.seen.checks.passed for r in results)
        fine = held == len(results)
        line = (
            f"{words[2] if fine else words[3]} {held}/{len(results)} {words[1]}, {checks} {words[0]}, {seconds:.1f} s"
        )
        self._out.print()
        self._out.print(Rich(line, style="bold green" if fine else "bold red"))


def shortened(text: str, characters: int) -> str:
    """An answer on one line, cut at a word when it is long."""
    line = _BLANKS.sub(" ", text).strip()
    return line if len(line) <= characters else f"{line[:characters].rpartition(' ')[0]} …"


def _hanging(mark: Rich, text: Rich) -> Table:
    """A mark, and a text whose lines all start at the same column."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(mark, text)
    return table


def _marked(masked: str) -> Rich:
    """A masked value; what stands in brackets differs."""
    shown = Rich(style="bold")
    for piece in _DIFFERENCE.split(masked):
        shown.append(piece, style="bold yellow" if piece.startswith("[") else "")
    return shown
