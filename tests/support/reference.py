"""Reference data that may not be copied into the repository: where it is, and what to say when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def reference_dir() -> Path | None:
    """`PASSERELLE_REFERENCE_DATA`, else `../shared/data` beside the checkout; None when absent."""
    named = os.environ.get("PASSERELLE_REFERENCE_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def reference(path: str) -> Path:
    """A file or folder of the reference data; skips the test, visibly, when it is absent."""
    root = reference_dir()
    if root is None or not (root / path).exists():
        pytest.skip(f"reference data absent: {path} (set PASSERELLE_REFERENCE_DATA)")
    return root / path


def need_tool(tool: str, install: str) -> str:
    """The path of an external tool; skips with its install command, or fails when PASSERELLE_REQUIRE_ALL is set."""
    import shutil

    found = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/lib/postgresql/15/bin")
    if found is None:
        message = f"{tool} is not on this machine: {install}"
        if os.environ.get("PASSERELLE_REQUIRE_ALL"):
            pytest.fail(message)
        pytest.skip(message)
    return found
