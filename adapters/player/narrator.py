"""Tells a story on the terminal while it is played: acts, steps, the other side's words, findings, the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Rich

from adapters.player.result import StepResult
from gateway.scenarios.model import Act, Scenario, Step
from gateway.values import Lang

_SHOWN_RULES = 4


class Narrator:
    """Speaks one language to one console."""

    def __init__(self, out: Console, lang: Lang) -> None:
        self._out = out
        self._lang = lang

    def opening(self, scenario: Scenario, endpoints: str) -> None:
        """The title and where it is played."""
        self._out.print()
        body = Rich.assemble((scenario.summary.in_(self._lang), ""), "\n", (endpoints, "dim"))
        self._out.print(
            Panel(body, title=f"[bold]{scenario.title.in_(self._lang)}", title_align="left", width=self._width)
        )

    @property
    def _width(self) -> int:
        return min(self._out.width, 110)

    def act(self, number: int, act: Act) -> None:
        """A new act."""
        self._out.print()
        self._out.print(Rich(f"{number}. {act.title.in_(self._lang)}", style="bold cyan"))

    def step(self, step: Step) -> None:
        """A step about to be played."""
        self._out.print(Rich.assemble("   ", ("→ ", "dim"), step.title.in_(self._lang)))

    def result(self, result: StepResult) -> None:
        """What was seen."""
        mark = ("✓", "bold green") if result.held else ("✗", "bold red")
        said = result.seen.said.replace("\r\n", " ")
        for index, line in enumerate(textwrap.wrap(said, self._width - 8) or [""]):
            self._out.print(Rich.assemble("   ", mark if index == 0 else (" ", ""), " ", (line, "dim")))
        for finding in result.seen.findings[:_SHOWN_RULES]:
            self._finding(finding)
        for failure in result.seen.checks.failures:
            self._out.print(Rich(f"       {failure}", style="red"))

    def _finding(self, finding: Mapping[str, Any]) -> None:
        lang = self._lang.value
        head = Rich.assemble("       ", (finding["rule"], "bold yellow"), f"  {finding['message'][lang]}")
        self._out.print(head)
        if finding["values"]:
            table = Table(box=None, show_header=False, padding=(0, 2, 0, 9))
            for value in finding["values"]:
                table.add_row(Rich(value["container"], style="cyan"), Rich(value["value"], style="bold"))
            self._out.print(table)
        self._out.print(Rich(f"         → {finding['cure'][lang]}", style="green"))

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
