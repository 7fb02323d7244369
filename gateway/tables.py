"""The one reader of package data: rule catalogue, code tables, the fictitious territory.

Everything read here is static, shipped with the product and never written to.
"""

from __future__ import annotations

import csv
import json
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any


@cache
def fixtures_dir() -> Path:
    """The folder of shipped data: `fixtures/` in a checkout, `adapters/_fixtures/` in a wheel."""
    root = Path(__file__).resolve().parent.parent
    for folder in (root / "fixtures", root / "adapters" / "_fixtures"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the shipped data folder is missing: reinstall passerelle")


def read_text(name: str) -> str:
    """One data file as text (UTF-8); `name` is relative to the data folder, with slashes."""
    return (fixtures_dir() / name).read_text(encoding="utf-8")


def read_bytes(name: str) -> bytes:
    """One data file as bytes."""
    return (fixtures_dir() / name).read_bytes()


def read_yaml(name: str) -> Any:
    """One YAML file as plain Python values."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(read_text(name), Loader=loader)  # noqa: S506  # both loaders are the safe ones


def read_json(name: str) -> Any:
    """One JSON file as plain Python values."""
    return json.loads(read_text(name))


def read_csv(name: str, delimiter: str = ",") -> tuple[dict[str, str], ...]:
    """One CSV file with a header line, as a row of columns each; lines that start with # are comments."""
    lines = (line for line in read_text(name).splitlines(keepends=True) if not line.startswith("#"))
    return tuple(csv.DictReader(StringIO("".join(lines)), delimiter=delimiter))


def names_in(folder: str, suffix: str) -> tuple[str, ...]:
    """The files of one data folder that end with `suffix`, sorted, as names for the other readers."""
    root = fixtures_dir()
    return tuple(sorted(p.relative_to(root).as_posix() for p in (root / folder).rglob(f"*{suffix}")))
