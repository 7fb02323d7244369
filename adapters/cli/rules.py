"""`passerelle rules`: the catalogue as a table, or one rule explained; as a page of Markdown or as JSON."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches

from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Rich

from adapters.cli.render import STYLES, console
from gateway.evidence.rules_page import rules_json, rules_markdown
from gateway.evidence.standing import Kept, standing
from gateway.rules import Family, RuleCard, load_catalogue
from gateway.values import Lang, Text


def run_rules(rule_id: str | None, family: str | None, output: str, lang: Lang) -> int:
    """Print the catalogue, or one rule, as `text`, `markdown` or `json` (2 when the id or the family is unknown)."""
    catalogue = load_catalogue()
    families = [f.value for f in Family]
    if family is not None and family not in families:
        text = Text(f"{family} : famille inconnue.", f"{family}: unknown family.").in_(lang)
        print(f"{text} {', '.join(families)}", file=sys.stderr)
        return 2
    wanted = (rule_id or "").upper()
    if wanted and wanted not in catalogue:
        near = _near(wanted, [card.id for card in catalogue])
        text = Text(f"{rule_id} : règle inconnue.", f"{rule_id}: unknown rule.").in_(lang)
        print(f"{text} {', '.join(near)}".rstrip(), file=sys.stderr)
        return 2
    cards = [catalogue[wanted]] if wanted else [card for card in catalogue if family in (None, card.family.value)]
    if output == "markdown":
        print(rules_markdown(cards), end="")
    elif output == "json":
        print(json.dumps(rules_json(cards), ensure_ascii=False, indent=1))
    elif wanted:
        _print_card(cards[0], lang)
    else:
        _print_table(cards, lang)
    return 0


def _near(wanted: str, ids: list[str]) -> list[str]:
    """Ids that may have been meant: of the same number however it is padded, then those spelt alike."""
    head, _, number = wanted.rpartition("-")
    same = [
        i
        for i in ids
        if number.isdecimal() and i.startswith(f"{head}-") and i.rpartition("-")[2].lstrip("0") == number.lstrip("0")
    ]
    return list(dict.fromkeys([*same, *get_close_matches(wanted, ids, 6, 0.5)]))


def _print_table(cards: list[RuleCard], lang: Lang) -> None:
    words = _WORDS[lang]
    table = Table(title=f"{len(cards)} {words['rules']}", header_style="bold", row_styles=("", "dim"))
    for column in ("id", "family", "title", "emission", "reception"):
        table.add_column(words[column])
    for card in cards:
        table.add_row(
            card.id,
            card.family.value,
            _title(card, lang),
            Rich(card.emission.value, style=STYLES[card.emission]),
            Rich(f"{card.reception.value} / {card.reception_action.value}", style=STYLES[card.reception]),
        )
    console().print(table)


def _title(card: RuleCard, lang: Lang) -> str:
    title = card.title.in_(lang)
    state = standing(card.id)
    return title if state.kept is Kept.RUN_TIME else f"{title} ({state.kept.text.in_(lang)})"


def _print_card(card: RuleCard, lang: Lang) -> None:
    words = _WORDS[lang]
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    rows = (
        ("state", standing(card.id).text.in_(lang)),
        ("message", card.message.in_(lang)),
        ("violated", card.violated_when.in_(lang)),
        ("exceptions", card.exceptions.in_(lang)),
        ("cure", card.cure.in_(lang)),
        ("emission", card.emission.value),
        ("reception", f"{card.reception.value} → {card.reception_action.value}"),
        ("passing", card.passing.in_(lang)),
        ("breaking", card.breaking.in_(lang)),
        ("applies", ", ".join(card.applies_to)),
        ("requirement", card.requirement),
        ("source", f"{card.source} [{card.confidence}]"),
    )
    for key, value in rows:
        if value:
            table.add_row(words[key], Rich(value, style="green" if key == "cure" else ""))
    console().print(Panel(table, title=f"{card.id} · {card.title.in_(lang)}", title_align="left"))


_WORDS = {
    Lang.FR: {
        "rules": "règles",
        "id": "règle",
        "family": "famille",
        "title": "titre",
        "message": "message",
        "state": "état",
        "violated": "enfreinte si",
        "exceptions": "exceptions",
        "cure": "comment corriger",
        "emission": "à l'émission",
        "reception": "à la réception",
        "passing": "exemple conforme",
        "breaking": "exemple fautif",
        "applies": "s'applique à",
        "requirement": "exigence",
        "source": "source",
    },
    Lang.EN: {
        "rules": "rules",
        "id": "rule",
        "family": "family",
        "title": "title",
        "message": "message",
        "state": "state",
        "violated": "broken when",
        "exceptions": "exceptions",
        "cure": "how to mend",
        "emission": "when emitting",
        "reception": "when receiving",
        "passing": "passing example",
        "breaking": "failing example",
        "applies": "applies to",
        "requirement": "requirement",
        "source": "source",
    },
}
