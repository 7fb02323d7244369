"""The command `passerelle`, run as its users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.reference import ROOT


@dataclass(frozen=True)
class Ran:
    """One run: exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def passerelle(
    *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: bytes = b""
) -> Ran:
    """Run the command. Variables of the machine that would change its answers are left out."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_") and k not in ("COLUMNS", "LINES")}
    done = subprocess.run(
        [sys.executable, "-m", "adapters.cli.main", *map(str, words)],
        cwd=cwd,
        env={**clean, "PYTHONPATH": str(ROOT), **(env or {})},
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
