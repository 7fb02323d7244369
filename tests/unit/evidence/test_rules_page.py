"""`docs/rules.md` is the catalogue: whole, fresh, and every link in it leads somewhere."""

from __future__ import annotations

import json
import re

from gateway.evidence.rules_page import rules_markdown, slug
from gateway.rules import load_catalogue
from tests.support.command import passerelle
from tests.support.reference import ROOT

PAGE = ROOT / "docs" / "rules.md"
SHOWN_BY_GITHUB = 500_000  # octets: above, a forge shows a file as plain text


def test_the_committed_page_is_that_of_the_catalogue() -> None:
    fresh = PAGE.read_text(encoding="utf-8") == rules_markdown(load_catalogue())
    assert fresh, "docs/rules.md is stale: run `make rules` and commit the page"


def test_the_command_writes_that_very_page_in_either_language() -> None:
    for lang in ("fr", "en"):
        ran = passerelle("rules", "--format", "markdown", "--lang", lang)
        assert ran.code == 0, ran.all
        assert ran.out == PAGE.read_text(encoding="utf-8")


def test_every_rule_has_its_own_anchor() -> None:
    headings = re.findall(r"^### (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(card.id for card in load_catalogue())
    assert slug("INS-150") == "ins-150"


def test_every_link_of_the_page_leads_to_one_heading() -> None:
    page = PAGE.read_text(encoding="utf-8")
    anchors = [slug(heading) for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)]
    links = re.findall(r"\]\(#([^)]+)\)", page)
    assert len(links) > len(load_catalogue())
    assert {link: anchors.count(link) for link in links} == dict.fromkeys(links, 1)


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    cells = 0
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        found = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (cells and found) or found == cells, line
        cells = found


def test_the_page_stays_small_enough_to_be_shown() -> None:
    assert PAGE.stat().st_size < SHOWN_BY_GITHUB


def test_a_card_carries_everything_a_reader_needs() -> None:
    page = rules_markdown([load_catalogue()["INS-004"]])
    for told in (
        "`239034890101755`",
        "`239034890101756`",
        "HL7 application error 904",
        "[D]",
        "**judged at run time**",
    ):
        assert told in page
    for name in ("says", "broken when", "except", "cure"):
        assert f"| **{name}** |" in page


def test_the_catalogue_as_json_says_the_same_in_both_languages() -> None:
    ran = passerelle("rules", "--format", "json")
    assert ran.code == 0, ran.all
    cards = {card["id"]: card for card in json.loads(ran.out)["rules"]}
    assert list(cards) == [card.id for card in load_catalogue()]
    told = cards["INS-150"]
    assert told["severity"] == {"emission": "blocking", "reception": "blocking"}
    assert told["action"] == {"emission": "reject", "reception": "quarantine"}
    assert told["hl7_error"] == "904"
    assert told["title"]["fr"] != told["title"]["en"]
    assert told["state"] == "run_time"


def test_one_rule_or_one_family_is_written_alone() -> None:
    one = json.loads(passerelle("rules", "ins-004", "--format", "json").out)["rules"]
    assert [card["id"] for card in one] == ["INS-004"]
    family = json.loads(passerelle("rules", "--family", "rights", "--format", "json").out)["rules"]
    assert {card["family"] for card in family} == {"rights"}
