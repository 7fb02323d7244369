"""The shipped story played whole: no matricule, no name of a patient in logs, journal, pages and their addresses.

INS-200 (INS in a URL) and INS-201 (INS in clear in a log) are invariants of the product: these tests prove them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote, urljoin, urlsplit

import httpx
import pytest

from adapters.cli.demo import find_scenario
from adapters.player.player import play
from adapters.player.world import world_of
from adapters.testing.running import RunningGateway, start_gateway
from gateway.directory.territory import load_territory

_LINK = re.compile(r'(?:href|src|action|data-src)="([^"]*)"')
_ABOUT_SOMEBODY = re.compile(r"matricule|\bins\b|family|given|birth|sex\b|identifier|telecom", re.IGNORECASE)
_PAGES = 400  # that the crawl opens at most; the story leaves fewer


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


def addresses(town: RunningGateway) -> Iterator[tuple[str, str]]:
    """(page, address) of everything the console links to, from its first page to its last, in both languages."""
    base = town.url.removesuffix("/api/v1")
    waiting, opened = ["/", "/identites", "/quarantaine"], set[str]()
    with httpx.Client(base_url=base, headers={"Accept": "text/html"}, timeout=60) as pages:
        pages.post("/entrer", data={"token": town.run["token"]})
        while waiting and len(opened) < _PAGES:
            path = waiting.pop(0)
            if path in opened:
                continue
            opened.add(path)
            page = pages.get(path)
            if target := page.headers.get("location"):
                yield path, target
            if not page.headers.get("content-type", "").startswith("text/html"):
                continue
            for link in map(unescape, _LINK.findall(page.text)):
                yield path, link
                there = urlsplit(urljoin(f"{base}{path}", link))
                if f"{there.scheme}://{there.netloc}" == base and not there.path.startswith(("/static/", "/regles/")):
                    waiting.append(f"{there.path}?{there.query}" if there.query else there.path)
    assert any(path.startswith("/identites/ehpad-les-tilleuls/") for path in opened), "no identity page was opened"
    assert not waiting, "the crawl was cut short"
    assert len(opened) > 60


def test_no_address_that_the_console_gives_holds_a_matricule_or_a_name(town: RunningGateway) -> None:
    patients = load_territory().patients.values()
    numbers = [p.matricule[:13].casefold() for p in patients if p.matricule]
    names = re.compile("|".join(rf"\b{re.escape(p.family)}\b" for p in patients if len(p.family) > 3), re.IGNORECASE)
    for page, address in addresses(town):
        read = unquote(address)
        assert [n for n in numbers if n in re.sub(r"[\W_]+", "", read).casefold()] == [], f"{page}: {address}"
        assert names.findall(read) == [], f"{page}: {address}"


def test_no_address_of_the_api_asks_for_a_matricule_or_a_trait(town: RunningGateway) -> None:
    described = town.get("/openapi.json")
    asked = [
        (path, parameter["name"])
        for path, operations in described["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] in ("path", "query")
    ]
    assert len(asked) > 40
    assert [(path, name) for path, name in asked if _ABOUT_SOMEBODY.search(name.replace("_", " "))] == []


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
