"""The wheel alone, without the checkout: everything it needs must be inside."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_whole_story_is_played_by_the_wheel_alone(tmp_path: Path):
    built = tmp_path / "dist"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    environment = {**os.environ, "PYTHONPATH": str(installed), "TMPDIR": str(tmp_path)}
    where = subprocess.run(
        [sys.executable, "-c", "import gateway.tables as t; print(t.fixtures_dir())"],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.strip() == str(installed / "adapters" / "_fixtures")
    told = subprocess.run(
        [sys.executable, "-m", "adapters.cli.main", "demo"],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-2000:]
