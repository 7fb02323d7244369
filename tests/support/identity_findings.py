"""What the breaking example of every identity rule is told, for a reader: place, received, expected, and values side by side.

The table is `identity_findings.txt`, one finding a line, in the words of French. After a change meant to be seen, write it
anew: `python -m tests.support.identity_findings > tests/support/identity_findings.txt`, and read the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.identity.rules import CROSS_RULES, VIEW_RULES
from gateway.rules import Finding, Rule, RuleBook, load_catalogue
from tests.support.identity_examples import CONTEXTS, EXAMPLES
from tests.support.identity_views import context

BOOK = RuleBook(load_catalogue())
_TABLE = Path(__file__).with_suffix(".txt")


def told(rule_id: str) -> list[Finding]:
    """The findings of one rule on its breaking example."""
    every: tuple[Rule[Any], ...] = (*VIEW_RULES, *CROSS_RULES)
    rules = [rule for rule in every if rule.id == rule_id]
    return BOOK.judge(rules, EXAMPLES[rule_id][1], CONTEXTS.get(rule_id, context()), "example")


def line(finding: Finding) -> str:
    """One finding as a line of the table."""
    values = (f"{v.container}: {v.value} @ {v.path}" for v in finding.values)
    parts = (finding.received_in("fr"), finding.expected_in("fr"), *values)
    return "  ¦  ".join((finding.rule, finding.container, finding.where.kind.value, str(finding.where), *parts))


def expected_lines(rule_id: str) -> list[str]:
    """The lines of the table for one rule."""
    return [one for one in _TABLE.read_text(encoding="utf-8").splitlines() if one.startswith(f"{rule_id} ")]


def _all() -> Iterator[str]:
    for rule_id in sorted(EXAMPLES):
        yield from map(line, told(rule_id))


if __name__ == "__main__":
    print("\n".join(_all()))
