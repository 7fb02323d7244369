"""The rule catalogue as one page of GitHub Markdown (`docs/rules.md`), and as JSON.

The heading of a rule is its id alone, so that `rules.md#ins-150` leads to it. Nothing here is dated: the same catalogue
gives the same page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from gateway.evidence.standing import Kept, standing
from gateway.rules import Family, RuleCard
from gateway.rules.words import ACTIONS, CONFIDENCE, FAMILIES, SEVERITIES
from gateway.values import Direction, Text

_INTRODUCTION = """\
# Rules

<!-- Written by `make rules` from fixtures/rules/*.yaml: mend the cards there, then run it again. -->

Every rule of the catalogue, as `passerelle rules` shows it: {count} rules. A finding names its rule, and the rule says what
was wrong and how to mend it. Words in braces (`{{found}}`, `{{expected}}`) are filled by each finding. To judge a file offline:
`passerelle check FILE`; to see one rule on a terminal: `passerelle rules INS-150`; for programs:
`passerelle rules --format json`.

*Toutes les règles du catalogue, en français et en anglais : ce qui les enfreint, comment corriger, d'où elles viennent.*

| column | says |
|---|---|
| when emitting | the severity for whoever sends; **{blocking}** is refused to the sender |
| when receiving → action | the severity for whoever receives, and what becomes of the message or of its integration |
| state | {run_time}; {invariant}, with the tests of the product that prove it; or {not_yet} |
| confidence | {confidence} |
"""
_SIGNS = re.compile(r"[\\`*_\[\]<>|#~]")


def rules_markdown(cards: Iterable[RuleCard]) -> str:
    """The page: a table of contents, then each family with its index and its cards, in the order of the catalogue.

    An example that reads the same in both languages is a value, shown as code; any other is words.
    """
    chosen = sorted(cards, key=lambda card: list(Family).index(card.family))
    families = [(family, tuple(group)) for family, group in groupby(chosen, key=lambda card: card.family)]
    lines = [_introduction(len(chosen)), "## Contents", ""]
    for family, group in families:
        name = FAMILIES[family.value]
        lines.append(f"- [{name.en}](#{slug(name.en)}) · {name.fr} ({len(group)})")
    for family, group in families:
        lines += ["", *_family(family, group)]
    return "\n".join(lines) + "\n"


def rules_json(cards: Iterable[RuleCard]) -> dict[str, Any]:
    """`{"rules": [card, …]}`: texts and examples as `{"fr", "en"}`, severities and actions by direction."""
    return {"rules": [_card_json(card) for card in cards]}


def slug(heading: str) -> str:
    """The anchor GitHub gives to a heading: `Trust (certificates, whitelist)` is `trust-certificates-whitelist`."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _introduction(count: int) -> str:
    return _INTRODUCTION.format(
        count=count,
        blocking=SEVERITIES["blocking"].en,
        run_time=Kept.RUN_TIME.text.en,
        invariant=Kept.INVARIANT.text.en,
        not_yet=Kept.NOT_YET.text.en,
        confidence="; ".join(f"{mark}: {meaning.en}" for mark, meaning in CONFIDENCE.items()),
    )


def _family(family: Family, cards: Sequence[RuleCard]) -> Iterator[str]:
    yield f"## {FAMILIES[family.value].en}"
    yield ""
    yield "| rule | titre | title | when emitting | when receiving → action |"
    yield "|---|---|---|---|---|"
    for card in cards:
        link = f"[{card.id}](#{slug(card.id)})"
        yield f"| {link} | {_prose(card.title.fr)} | {_prose(card.title.en)} | {_emission(card)} | {_reception(card)} |"
    for card in cards:
        yield ""
        yield from _card(card)


def _card(card: RuleCard) -> Iterator[str]:
    yield f"### {card.id}"
    yield ""
    yield f"| | {_prose(card.title.fr)} | {_prose(card.title.en)} |"
    yield "|---|---|---|"
    rows = (
        ("says", card.message),
        ("broken when", card.violated_when),
        ("except", card.exceptions),
        ("cure", card.cure),
    )
    for name, text in rows:
        if text:
            yield f"| **{name}** | {_prose(text.fr)} | {_prose(text.en)} |"
    examples = {"passes": card.passing, "breaks": card.breaking}
    words = {name: text for name, text in examples.items() if text.fr != text.en}
    for name, text in words.items():
        yield f"| **{name}** | {_prose(text.fr)} | {_prose(text.en)} |"
    yield ""
    values = [f"{name} {_value(text.fr)}" for name, text in examples.items() if text and name not in words]
    if values:
        yield f"Example: {' · '.join(values)}"
        yield ""
    yield " · ".join(_facts(card))


def _facts(card: RuleCard) -> Iterator[str]:
    yield f"When emitting: {_emission(card)}"
    yield f"when receiving: {_reception(card)}"
    if card.hl7_error:
        yield f"HL7 application error {card.hl7_error}"
    if card.applies_to:
        yield f"about {', '.join(card.applies_to)}"
    yield _state(card)
    if card.requirement:
        yield f"requirement {_prose(card.requirement)}"
    yield f"source: {_prose(card.source)} [{card.confidence}]"


def _state(card: RuleCard) -> str:
    """The state, an invariant with links to its tests."""
    state = standing(card.id)
    if not state.proofs:
        return f"**{state.kept.text.en}**"
    links = ", ".join(f"[`{proof.rpartition('/')[2]}`](../{proof.partition('::')[0]})" for proof in state.proofs)
    return f"**{state.kept.text.en}**, proved by {links}"


def _emission(card: RuleCard) -> str:
    return SEVERITIES[card.emission.value].en


def _reception(card: RuleCard) -> str:
    return f"{SEVERITIES[card.reception.value].en} → {ACTIONS[card.reception_action.value].en}"


def _prose(text: str) -> str:
    """Words that Markdown must show as they are."""
    return _SIGNS.sub(lambda sign: f"\\{sign[0]}", " ".join(text.split()))


def _value(value: str) -> str:
    """A value as code: the same in both languages."""
    return f"`` {value} ``" if "`" in value else f"`{value}`"


def _card_json(card: RuleCard) -> dict[str, Any]:
    state = standing(card.id)
    return {
        "id": card.id,
        "family": card.family.value,
        "scope": card.scope.value,
        "applies_to": list(card.applies_to),
        "severity": {"emission": card.emission.value, "reception": card.reception.value},
        "action": {d.value: card.action(d).value for d in Direction},
        "hl7_error": card.hl7_error,
        "title": _both(card.title),
        "message": _both(card.message),
        "cure": _both(card.cure),
        "violated_when": _both(card.violated_when),
        "exceptions": _both(card.exceptions),
        "passing": _both(card.passing),
        "breaking": _both(card.breaking),
        "state": state.kept.value,
        "proved_by": list(state.proofs),
        "requirement": card.requirement,
        "source": card.source,
        "confidence": card.confidence,
    }


def _both(text: Text) -> dict[str, str]:
    return {"fr": text.fr, "en": text.en}
