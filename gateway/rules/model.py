"""Rules, their cards, and findings.

Shapes: a `Rule` yields `Hit`s; the `RuleBook` joins each hit with the `RuleCard` of the same id into a `Finding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeVar

from gateway.values import Direction, Door, Lang, Text, Where, Words, in_lang, words_json


class Severity(StrEnum):
    """How bad: `blocking` stops the message where the door may stop it, `warning` and `info` never do."""

    BLOCKING = "blocking"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for blocking: the worst of several is the greatest."""
        return _RANK[self.value]


_RANK = {"info": 0, "warning": 1, "blocking": 2}


class Action(StrEnum):
    """What a finding asks for. Where severity and action disagree, the action decides."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    STRIP_INS = "strip_ins"
    ALERT = "alert"
    LOG = "log"


class Scope(StrEnum):
    """What a rule looks at."""

    VIEW = "view"  # one container's identity
    CROSS = "cross"  # several containers of one message
    MATCHING = "matching"  # reception, with the recipient's patient index
    BASE = "base"  # emission, with the sender's patient index
    INSI = "insi"  # a call of the INSi teleservice, or its answer
    INVARIANT = "invariant"  # the product itself: a test, never a runtime rule
    MESSAGE = "message"  # one opened message of a protocol (mail, package, lot, ...)
    SESSION = "session"  # a connection: TLS, commands, authentication


class Family(StrEnum):
    """Which kind of fault; the decision by door is taken by family."""

    TRUST = "trust"
    ENVELOPE = "envelope"
    ABUSE = "abuse"
    IDENTITY = "identity"
    DOCUMENT = "document"
    PACKAGE = "package"
    MAIL = "mail"
    RIGHTS = "rights"
    SHARING = "sharing"


NOTHING = Text("", "")


@dataclass(frozen=True, slots=True)
class RuleCard:
    """The identity card of one rule, as written in `fixtures/rules/*.yaml`."""

    id: str
    family: Family
    scope: Scope
    title: Text
    message: Text  # may hold {names} filled by the hit
    cure: Text
    emission: Severity
    reception: Severity
    reception_action: Action
    source: str
    confidence: str = "D"  # D official text, S seen in public, M measured, I inferred, C our choice
    requirement: str = ""  # the official requirement it verifies (ECO.2.4.2, EXI ...), if any
    applies_to: tuple[str, ...] = ()
    hl7_error: str = ""  # ERR-5: 900 to 906
    violated_when: Text = NOTHING
    exceptions: Text = NOTHING
    passing: Text = NOTHING  # an example that passes, in one line
    breaking: Text = NOTHING  # an example that breaks it, in one line

    def severity(self, direction: Direction) -> Severity:
        """The severity when emitting or when receiving."""
        return self.emission if direction is Direction.EMISSION else self.reception

    def action(self, direction: Direction) -> Action:
        """What is asked for; a fault of the sender that blocks is always refused to the sender."""
        if direction is Direction.RECEPTION:
            return self.reception_action
        return _EMISSION_ACTION[self.emission]


_EMISSION_ACTION = {Severity.BLOCKING: Action.REJECT, Severity.WARNING: Action.ALERT, Severity.INFO: Action.LOG}


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """One container's version of a value, already masked where it identifies a person."""

    container: str
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule function saw. All values that identify a person are masked by the rule itself (`rules.masking`).

    `received` and `expected` are values as written (`str`), or words about them, in both languages (`Text`). `params`
    fill the braces of the card's message. `severity` lowers or raises this one hit where the card's exceptions ask for it.
    """

    where: Where
    received: Words
    expected: Words
    values: tuple[ComparedValue, ...] = ()
    params: Mapping[str, Words] = field(default_factory=dict)
    severity: Severity | None = None
    container: str = ""


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a rule may know besides its subject. `today` comes from the workspace's virtual clock."""

    direction: Direction
    door: Door
    today: date
    profile: str = "strict"  # strict | official-samples | lenient_canonical
    ins_environment: str = "test"  # test | insi-editor-base | production
    verification_days: int = 0  # how long an answer of INSi holds (INS-195); 0: for ever


S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """A rule function and its id."""

    id: str
    check: Callable[[S, RuleContext], Iterable[Hit]]


def rule(rule_id: str) -> Callable[[Callable[[S, RuleContext], Iterable[Hit]]], Rule[S]]:
    """Name a rule function. Each module lists its rules in a tuple `RULES`; nothing registers itself.

    The function is a generator (or returns an iterable) of `Hit`: none when the rule holds.
    """

    def named(check: Callable[[S, RuleContext], Iterable[Hit]]) -> Rule[S]:
        return Rule(rule_id, check)

    return named


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule broken in one message: everything a reader needs to mend it without opening the code."""

    rule: str
    family: Family
    severity: Severity
    action: Action
    container: str
    where: Where
    received: Words
    expected: Words
    values: tuple[ComparedValue, ...]
    title: Text
    message: Text
    cure: Text
    source: str
    requirement: str = ""
    hl7_error: str = ""

    def to_json(self) -> dict[str, Any]:
        """The published JSON shape (`docs/finding.schema.json`)."""
        return {
            "rule": self.rule,
            "family": self.family.value,
            "severity": self.severity.value,
            "action": self.action.value,
            "container": self.container,
            "where": {"kind": self.where.kind.value, "path": self.where.path, "line": self.where.line},
            "received": words_json(self.received),
            "expected": words_json(self.expected),
            "values": [{"container": v.container, "path": v.path, "value": v.value} for v in self.values],
            "title": {"fr": self.title.fr, "en": self.title.en},
            "message": {"fr": self.message.fr, "en": self.message.en},
            "cure": {"fr": self.cure.fr, "en": self.cure.en},
            "source": self.source,
            "requirement": self.requirement,
            "hl7_error": self.hl7_error,
        }

    def received_in(self, lang: Lang | str) -> str:
        """What was received, in one language; '' when there is nothing to show."""
        return in_lang(self.received, lang)

    def expected_in(self, lang: Lang | str) -> str:
        """What was expected, in one language; '' when there is nothing to show."""
        return in_lang(self.expected, lang)

    def line(self, lang: Lang | str = Lang.FR) -> str:
        """One line for a log or a native answer: id, message, place."""
        return f"{self.rule} {self.message.in_(lang)} [{self.where}]"
