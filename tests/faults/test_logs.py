"""What the log keeps when things go wrong: never a matricule, and never for somebody else's eyes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from tests.support.reference import ROOT

_MATRICULE = "239034890101755"
_LOG_MUCH = f"""
import logging, sys, threading, warnings
from pathlib import Path
import structlog
from adapters.logs import configure_logs

configure_logs(Path(sys.argv[1]))
m, spaced = "{_MATRICULE}", "2 39 03 48 901 017 55"
log = structlog.get_logger("test")
log.warning("x" + m, nested={{"list": [m, (spaced, {{m: "\\0" + m}})]}}, error=ValueError(m), path=Path("/" + m))
try:
    int("x" + m)
except ValueError:
    log.exception("failed", of=m)
    logging.getLogger("library").exception("failed %s", spaced)
thread = threading.Thread(target=lambda: int("x" + m))
thread.start()
thread.join()
warnings.warn(m)
"""


def _run(data: Path) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", _LOG_MUCH, str(data)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return (data / "passerelle.log").read_text(encoding="utf-8"), done.stderr


def test_nested_values_tracebacks_threads_and_warnings_are_masked(tmp_path: Path) -> None:
    written, shown = _run(tmp_path / "data")
    assert written.count("\n") == 5
    for text in (written, shown):
        assert "890101755" not in text.replace(" ", "")
        assert "2390·········55" in text
        assert "ValueError" in text


def test_the_log_is_read_by_its_owner_only_even_one_that_was_there_before(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "passerelle.log").touch(0o644)
    _run(data)
    assert stat.S_IMODE((data / "passerelle.log").stat().st_mode) == 0o600
