"""The shipped story played whole: no matricule, no name of a patient in logs, journal, pages and their addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from adapters.cli.demo import find_scenario
from adapters.player.player import play
from adapters.player.world import world_of
from adapters.testing.running import RunningGateway, start_gateway
from gateway.directory.territory import load_territory

_LINK = re.compile(r'(?:href|src|action|data-src)="([^"]*)"')


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with start_gateway(tmp_path_factory.mktemp("story")) as gateway:
        results = [result for _, _, result in play(find_scenario("val-de-brume"), world_of(gateway)) if result]
        assert results
        assert all(result.held for result in results)
        yield gateway


def read_back(town: RunningGateway) -> Iterator[tuple[str, str]]:
    """(where, text) of what the story left."""
    for name in ("gateway.log", "passerelle.log", "run.json"):
        yield name, (town.data / name).read_text(encoding="utf-8")
    yield "journal", str(town.get("/journal", limit=1000))
    exchanges = town.get("/exchanges", limit=200)["exchanges"]
    yield "exchanges", str(exchanges)
    base = town.url.removesuffix("/api/v1")
    with httpx.Client(base_url=base, headers={"Accept": "text/html"}, timeout=60, follow_redirects=True) as pages:
        pages.post("/entrer", data={"token": town.run["token"]})
        yield "metrics", pages.get("/metrics").text
        for path in ("/", *(f"/echanges/{one['id']}" for one in exchanges)):
            page = pages.get(path)
            assert page.status_code == 200
            yield path, page.text
            yield f"addresses of {path}", " ".join(_LINK.findall(page.text))
    for one in exchanges:
        for part in ("", "/opened", "/story"):
            yield part, str(town.get(f"/exchanges/{one['id']}{part}"))


def test_nobody_is_named_and_no_matricule_is_shown(town: RunningGateway) -> None:
    patients = load_territory().patients.values()
    numbers = [p.matricule[:13].casefold() for p in patients if p.matricule]
    names = re.compile("|".join(rf"\b{re.escape(p.family)}\b" for p in patients if len(p.family) > 3))
    count = 0
    for where, text in read_back(town):
        bare = re.sub(r"[\W_]+", "", text).casefold()
        assert [n for n in numbers if n in bare] == [], where
        assert names.findall(text) == [], where
        count += 1
    assert count > 60
