"""The documentation leads where it says: links that resolve, files that exist, guides short enough to be followed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.reference import ROOT

PAGES = (ROOT / "README.md", ROOT / "README.fr.md", *sorted((ROOT / "docs").glob("*.md")))
GUIDES = tuple(sorted((ROOT / "docs").glob("adding-*.md")))
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_FILE = re.compile(r"`((?:gateway|adapters|fixtures|tests|docs)/[\w./-]+)`")
_LINES = 70  # what is read and followed in one sitting


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_resolves(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_a_guide_names_files_that_exist_and_stays_short(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(_FILE.findall(text))
    assert named
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
    assert len(text.splitlines()) < _LINES


def test_every_guide_is_linked_from_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [page.name for page in GUIDES if f"({page.name})" not in text] == []
