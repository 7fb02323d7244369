"""A scenario as data: acts, steps, expectations. Parsing tells every mistake at once, with its place.

A step is `{id, do, title_fr, title_en, with: {…}, expect: {…}}`; `do` names a verb of `VERBS`, which lists the arguments
and the expectations it knows. The player (an adapter) carries the verbs out over real sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.values import Text


@dataclass(frozen=True, slots=True)
class Verb:
    """What a step may ask: required and optional arguments, and the expectations it can verify."""

    required: frozenset[str]
    optional: frozenset[str]
    expects: frozenset[str]


def _verb(required: str, optional: str, expects: str) -> Verb:
    return Verb(frozenset(required.split()), frozenset(optional.split()), frozenset(expects.split()))


VERBS: Mapping[str, Verb] = {
    "submit": _verb(
        "from to document patient", "twin fault structure author", "code rules absent_rules values outcome"
    ),
    "foreign": _verb("message operator", "to", "code rules outcome integration keyword"),
    "relayed": _verb("message", "", "outcome peer_tls parent"),
    "read": _verb("mailbox message", "", "subject documents keyword identical"),
    "dmp_exists": _verb("structure patient", "", "status"),
    "dmp_deposit": _verb("structure patient document", "author fault", "status fault error rules"),
    "dmp_resolve": _verb("structure deposit", "", "found"),
    "dmp_find": _verb("patient", "doctor structure", "found fault"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done and what must be seen."""

    id: str
    do: str
    title: Text
    args: Mapping[str, Any]
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """A part of the story."""

    title: Text
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story."""

    name: str
    title: Text
    summary: Text
    acts: tuple[Act, ...]


class ScenarioError(ValueError):
    """A scenario that cannot be played: one line a mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


def parse_scenario(name: str, document: Any) -> Scenario:
    """A scenario from its YAML document. Raises ScenarioError listing every mistake with the step it is in."""
    if not isinstance(document, dict) or not isinstance(document.get("acts"), list):
        raise ScenarioError([f"{name}: a mapping with a list `acts` is expected"])
    mistakes: list[str] = []
    seen: set[str] = set()
    acts = tuple(_act(entry, f"{name}: act {i}", seen, mistakes) for i, entry in enumerate(document["acts"], 1))
    scenario = Scenario(
        name, _text(document, "title", name, mistakes), _text(document, "summary", name, mistakes), acts
    )
    if mistakes:
        raise ScenarioError(mistakes)
    return scenario


def _act(entry: Any, place: str, seen: set[str], mistakes: list[str]) -> Act:
    if not isinstance(entry, dict):
        mistakes.append(f"{place}: a mapping is expected")
        return Act(Text("", ""), ())
    steps = tuple(_step(s, f"{place}, step {i}", seen, mistakes) for i, s in enumerate(entry.get("steps") or (), 1))
    if not steps:
        mistakes.append(f"{place}: no step")
    return Act(_text(entry, "title", place, mistakes), steps)


def _step(entry: Any, place: str, seen: set[str], mistakes: list[str]) -> Step:
    if not isinstance(entry, dict):
        mistakes.append(f"{place}: a mapping is expected")
        return Step("", "", Text("", ""), {}, {})
    step = Step(
        id=str(entry.get("id", "")),
        do=str(entry.get("do", "")),
        title=_text(entry, "title", place, mistakes),
        args=_mapping(entry, "with", place, mistakes),
        expect=_mapping(entry, "expect", place, mistakes),
    )
    if not step.id or step.id in seen:
        mistakes.append(f"{place}: an `id` of its own is expected, got {step.id!r}")
    seen.add(step.id)
    verb = VERBS.get(step.do)
    if verb is None:
        mistakes.append(f"{place}: `do` is {step.do!r}; known: {', '.join(VERBS)}")
        return step
    given, wanted = set(map(str, step.args)), set(map(str, step.expect))
    mistakes += [f"{place}: {step.do} needs `{a}`" for a in sorted(verb.required - given)]
    mistakes += [f"{place}: {step.do} does not know `{a}`" for a in sorted(given - verb.required - verb.optional)]
    mistakes += [f"{place}: {step.do} cannot verify `{a}`" for a in sorted(wanted - verb.expects)]
    if not wanted:
        mistakes.append(f"{place}: nothing is expected; a step without `expect` proves nothing")
    return step


def _mapping(entry: Mapping[str, Any], key: str, place: str, mistakes: list[str]) -> Mapping[str, Any]:
    value = entry.get(key) or {}
    if isinstance(value, dict):
        return value
    mistakes.append(f"{place}: `{key}` is a mapping, got {value!r}")
    return {}


def _text(entry: Mapping[str, Any], key: str, place: str, mistakes: list[str]) -> Text:
    fr, en = entry.get(f"{key}_fr"), entry.get(f"{key}_en")
    if not fr or not en:
        mistakes.append(f"{place}: `{key}_fr` and `{key}_en` are expected")
    return Text(str(fr or ""), str(en or ""))
