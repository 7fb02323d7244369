"""`passerelle derogations`: the rules that a running gateway judges otherwise, each with a name, a date and a reason."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.cli.identities import USAGE, asked, table_of
from adapters.cli.render import console
from adapters.cli.running import Running
from gateway.rules.words import SEVERITIES
from gateway.values import Lang, Text

SILENCED = "silenced"


def run_list(data: Path, lang: Lang) -> int:
    """Those of the default sandbox."""

    def show(running: Running) -> int:
        held = running.get("/rules/overrides")
        if not held:
            print(_NONE.in_(lang))
            return 0
        table = table_of(*(title.in_(lang) for title in _COLUMNS))
        for one in held:
            card = " / ".join(dict.fromkeys(word_of(s, lang) for s in (one["card"] or {}).values()))
            table.add_row(one["rule"], card, word_of(one["severity"], lang), one["by"], one["at"][:10], one["reason"])
        console().print(table)
        return 0

    return asked(data, lang, show)


def run_set(data: Path, rule: str, severity: str, reason: str, by: str, lang: Lang) -> int:
    """Judge a rule otherwise from now on."""
    if severity not in (*SEVERITIES, SILENCED):
        known = "\n".join(f"  {name:<9} {word_of(name, lang)}" for name in (*SEVERITIES, SILENCED))
        print(f"{_UNKNOWN.in_(lang)} {severity}\n{_EXPECTED.in_(lang)}\n{known}", file=sys.stderr)
        return USAGE

    def change(running: Running) -> int:
        made: Mapping[str, Any] = running.put(
            f"/rules/{rule}/override", {"severity": severity, "reason": reason, "by": by}
        )
        card = " / ".join(dict.fromkeys(word_of(s, lang) for s in (made["card"] or {}).values()))
        print(f"{rule} : {card} → {word_of(made['severity'], lang)}")
        return 0

    return asked(data, lang, change)


def run_lift(data: Path, rule: str, reason: str, by: str, lang: Lang) -> int:
    """Judge by the card again."""

    def lift(running: Running) -> int:
        running.post(f"/rules/{rule}/override/lift", {"reason": reason, "by": by})
        print(f"{rule} : {_BY_CARD.in_(lang)}")
        return 0

    return asked(data, lang, lift)


def word_of(severity: str, lang: Lang) -> str:
    """A severity in words; a silenced rule has none."""
    return SEVERITIES.get(severity, _SILENCED).in_(lang)


_COLUMNS = (
    Text("règle", "rule"),
    Text("fiche", "card"),
    Text("ici", "here"),
    Text("par", "by"),
    Text("le", "on"),
    Text("motif", "reason"),
)
_NONE = Text("Aucune : chaque règle est jugée selon sa fiche.", "None: each rule is judged by its card.")
_SILENCED, _BY_CARD = Text("tue", "silenced"), Text("jugée selon sa fiche", "judged by its card")
_UNKNOWN, _EXPECTED = Text("Gravité inconnue :", "Unknown severity:"), Text("Attendu :", "Expected:")
