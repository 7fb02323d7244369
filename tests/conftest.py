"""What a run says at its end: how many tests were judged by material from outside, and what the machine lacked."""

from __future__ import annotations

import socket
from collections import Counter

import pytest

from tests.support.reference import reference_dir

_ABSENT = "reference data absent"


def _own_name(name: str = "") -> str:
    raise AssertionError("asks a resolver for this machine's name, which may take many seconds: give the name")


socket.getfqdn = _own_name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line about the reference data, and one for each tool that is missing, with how to install it."""
    reports = [r for kind in ("passed", "failed", "skipped") for r in terminalreporter.stats.get(kind, [])]
    ran = sum(1 for r in reports if "reference" in r.keywords and r.when == "call" and not r.skipped)
    reasons = [r.longrepr[2].removeprefix("Skipped: ") for r in reports if r.skipped and isinstance(r.longrepr, tuple)]
    absent = sum(1 for reason in reasons if reason.startswith(_ABSENT))
    if ran or absent:
        where = reference_dir()
        terminalreporter.write_line(f"reference data: {ran} tests ran, {absent} skipped ({where or 'absent'})")
    for reason, count in Counter(r for r in reasons if "is not on this machine" in r).items():
        terminalreporter.write_line(f"missing tool: {reason} ({count} tests skipped)")
