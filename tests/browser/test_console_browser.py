"""The console in a real browser: it goes live, explains, speaks two languages, and asks nobody but the gateway.

Playwright runs in a thread of its own, as its synchronous face refuses to work where an event loop runs.
"""

from __future__ import annotations

import concurrent.futures
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import pytest

from adapters.testing.running import RunningGateway
from tests.support.live import NURSING_HOME, SENDER, TWIN, plain_mail, send_sample
from tests.support.reference import need_tool
from tests.wire.test_console import hostile_mail

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.browser
T = TypeVar("T")
LIGHT = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass
class Seen:
    """What a browser asked for and complained of."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@dataclass
class Reader:
    """A browser on one gateway. `run` carries a function out in the browser's own thread."""

    gateway: RunningGateway
    browser: Browser
    thread: concurrent.futures.ThreadPoolExecutor
    seen: Seen

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port('http')}"

    def run(self, work: Callable[[Reader], T]) -> T:
        return self.thread.submit(work, self).result(120)

    def watch(self, page: Page) -> None:
        """Note what a page asks for and complains of."""

        def dismissed(dialog: Dialog) -> None:
            self.seen.complaints.append(f"dialog {dialog.message}")
            dialog.dismiss()

        page.on("request", lambda r: self.seen.requests.append(r.url))
        page.on("console", lambda m: self.seen.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: self.seen.complaints.append(str(e)))
        page.on("dialog", dismissed)

    def page(self, path: str = "/", **context: Any) -> Page:
        """A page of a fresh session that has entered with the token."""
        session = self.browser.new_context(**{"viewport": LIGHT, "locale": "fr-FR", **context})
        page = session.new_page()
        self.watch(page)
        page.goto(f"{self.base}/entrer")
        page.get_by_label("Jeton").fill(self.gateway.run["token"])
        page.get_by_role("button", name="Entrer").click()
        page.wait_for_url(f"{self.base}/")
        if path != "/":
            page.goto(f"{self.base}{path}")
        return page


@pytest.fixture(scope="module")
def thread() -> Iterator[concurrent.futures.ThreadPoolExecutor]:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def browser(thread: concurrent.futures.ThreadPoolExecutor) -> Iterator[Browser]:
    chromium = need_tool("chromium", "apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")

    def start() -> Any:
        player = sync_api.sync_playwright().start()
        return player, player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

    player, launched = thread.submit(start).result(60)
    yield launched
    thread.submit(lambda: (launched.close(), player.stop())).result(30)


def _closed(browser: Browser) -> None:
    for session in browser.contexts:
        session.close()


@pytest.fixture
def reader(
    passerelle: RunningGateway, browser: Browser, thread: concurrent.futures.ThreadPoolExecutor
) -> Iterator[Reader]:
    seen = Seen()
    yield Reader(passerelle, browser, thread, seen)
    thread.submit(_closed, browser).result(30)
    elsewhere = {urlsplit(url).netloc for url in seen.requests if not url.startswith(("data:", "blob:"))}
    assert elsewhere <= {f"127.0.0.1:{passerelle.port('http')}"}, "the console asked somebody else"
    assert seen.complaints == [], "policy violations, script errors or dialogs"


def test_the_list_goes_live_when_a_mail_arrives(reader: Reader, tmp_path: Path) -> None:
    def watch(own: Reader) -> None:
        page = own.page()
        page.get_by_text("Rien n'est encore passé.").wait_for()
        page.locator("#live.on").wait_for()
        own.gateway.submit(plain_mail("Premier essai"), SENDER, NURSING_HOME)
        rows = page.locator("#exchanges tbody tr")
        page.get_by_role("link", name="Premier essai").nth(1).wait_for()
        assert rows.count() == 2
        assert page.locator("#empty").is_hidden()
        assert page.locator('[data-count="accept"]').inner_text() == "2"
        assert re.search(r"nouve(l|aux) échanges?", page.locator("#news").inner_text())
        own.gateway.submit(plain_mail(), SENDER, "personne@ailleurs.example")
        page.locator('a[href^="/refus/"]').first.wait_for()
        assert "il y a" in page.locator(".ago").first.inner_text()
        page.screenshot(path=tmp_path / "liste.png", full_page=True)
        assert page.get_by_role("link", name="Premier essai").count() == 2, "no line comes twice"

    reader.run(watch)
    assert (tmp_path / "liste.png").stat().st_size > 10_000


def test_the_page_of_the_twin_explains_her(reader: Reader, tmp_path: Path) -> None:
    def look(own: Reader) -> None:
        send_sample(own.gateway, TWIN)
        page = own.page()
        page.locator("#exchanges tbody tr .what a").first.click()
        assert page.get_by_role("heading", level=1).inner_text() == "Refusé"
        cards = page.locator(".finding.blocking")
        assert {c.locator("a.rule").inner_text() for c in cards.all()} >= {"INS-150", "INS-153"}
        twins = cards.filter(has=page.get_by_text("INS-153"))
        marked = twins.locator("mark").all_inner_texts()
        assert marked == ["OD", "COL"], "only what differs is marked"
        assert "Vérifiez à quel patient" in twins.locator(".cure").inner_text()
        differing = page.locator(".identities tr.differ th").all_inner_texts()
        assert {"Matricule INS", "Premier prénom"} <= set(differing)
        assert "rien n'est parti" in page.locator("#story").inner_text()
        page.screenshot(path=tmp_path / "jumelle.png", full_page=True)
        page.get_by_role("link", name="INS-150").first.click()
        assert page.get_by_role("heading", level=1).inner_text() == "Matricule différent entre conteneurs"

    reader.run(look)
    assert (tmp_path / "jumelle.png").stat().st_size > 10_000


def test_the_road_fills_while_the_mail_is_read(reader: Reader) -> None:
    def follow(own: Reader) -> None:
        own.gateway.submit(plain_mail("A lire"), SENDER, NURSING_HOME)
        arrived = own.gateway.wait_for(door="smtp-reception", until="delivered")
        page = own.page(f"/echanges/{arrived['id']}")
        page.get_by_text("pas encore lu").wait_for()
        page.get_by_text("Le journal, événement par événement").click()
        with own.gateway.imap(NURSING_HOME) as inbox:
            inbox.fetch("1", "(BODY[])")
        page.locator("#story .stop.done").filter(has_text="Lecture").wait_for()
        assert page.locator("#story details").get_attribute("open") is not None, "what was unfolded stays so"
        stops = page.locator(".stop").evaluate_all("all => all.map(s => s.classList[1])")
        assert stops == ["done"] * 5

    reader.run(follow)


def test_english_is_one_click_away_and_stays(reader: Reader) -> None:
    def read(own: Reader) -> None:
        page = own.page("/?outcome=reject")
        page.get_by_role("link", name="English").click()
        assert page.url.endswith("/?outcome=reject&lang=en")
        assert page.get_by_role("heading", level=1).inner_text() == "Exchanges"
        page.get_by_role("link", name="Rules").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Rules"
        assert page.locator("html").get_attribute("lang") == "en"
        page.get_by_role("link", name="Français").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Règles"

    reader.run(read)


def test_a_rule_is_found_by_its_words(reader: Reader) -> None:
    def search(own: Reader) -> None:
        page = own.page("/regles")
        every = page.locator(".family tbody tr:visible").count()
        page.get_by_role("searchbox").fill("cle bloquant INS-004")
        assert page.locator(".family tbody tr:visible a.rule").all_inner_texts() == ["INS-004"]
        page.get_by_role("searchbox").fill("")
        assert page.locator(".family tbody tr:visible").count() == every

    reader.run(search)


def test_a_wrong_token_does_not_open(reader: Reader) -> None:
    def knock(own: Reader) -> None:
        session = own.browser.new_context()
        page = session.new_page()
        page.on("request", lambda r: own.seen.requests.append(r.url))
        page.goto(f"{own.base}/echanges/x")
        assert page.url == f"{own.base}/entrer"
        page.get_by_label("Jeton").fill("pas-le-bon")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        assert session.cookies() == []

    reader.run(knock)


def test_hostile_words_run_nothing(reader: Reader) -> None:
    def look(own: Reader) -> None:
        own.gateway.submit(hostile_mail(), SENDER, NURSING_HOME)
        page = own.page()
        page.get_by_text("<script>alert").first.wait_for()
        for exchange in own.gateway.get("/exchanges")["exchanges"]:
            page.goto(f"{own.base}/echanges/{exchange['id']}")
            assert page.locator("img:not([src^='/static/'])").count() == 0

    reader.run(look)


def test_the_keyboard_alone_reaches_an_exchange(reader: Reader) -> None:
    def tab(own: Reader) -> None:
        own.gateway.submit(plain_mail("Au clavier"), SENDER, NURSING_HOME)
        own.gateway.wait_for(door="smtp-reception", until="delivered")
        page = own.page()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('.what a')"):
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/echanges/"))

    reader.run(tab)


# For each text, the contrast with the nearest opaque ground above it (WCAG 2.1, 1.4.3).
CONTRASTS = """
() => {
  const value = (c) => { const s = c / 255; return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * value(r) + 0.7152 * value(g) + 0.0722 * value(b);
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const weak = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility({ opacityProperty: true })) continue;
    const box = node.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.set(`${node.tagName}.${node.className}: ${walker.currentNode.data.trim().slice(0, 30)}`, ratio);
  }
  return [...weak].map(([where, ratio]) => `${where} ${ratio.toFixed(2)}`);
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LIGHT, PHONE], ids=["desk", "phone"])
def test_every_word_can_be_read_and_no_page_scrolls_sideways(
    reader: Reader, scheme: str, size: dict[str, int], tmp_path: Path
) -> None:
    def look(own: Reader) -> None:
        send_sample(own.gateway, TWIN)
        own.gateway.submit(plain_mail("Simple"), SENDER, NURSING_HOME)
        own.gateway.wait_for(door="smtp-reception", until="delivered")
        own.gateway.submit(plain_mail(), SENDER, "personne@ailleurs.example")
        refused = own.gateway.get("/exchanges", outcome="reject")["exchanges"][0]["id"]
        arrived = own.gateway.get("/exchanges", door="smtp-reception")["exchanges"][0]["id"]
        page = own.page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
        paths = ["/", f"/echanges/{refused}", f"/echanges/{arrived}", "/regles", "/regles/INS-150"]
        for path in [*paths, "/territoire", "/api", "/vider", "/?rule=INS-999"]:
            page.goto(f"{own.base}{path}")
            assert page.evaluate(CONTRASTS) == [], path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert page.evaluate("document.getAnimations().length") == 0, "motion was not wanted"
        page.goto(f"{own.base}/echanges/{refused}")
        page.screenshot(path=tmp_path / "page.png", full_page=True)

    reader.run(look)
