"""Judge messages whose truth is known, and count: what was caught, what was missed, what was told of nothing.

The engine is the one of every door; a mail is judged as if sent from its From to its To.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from gateway.cohort.draws import Draws
from gateway.cohort.messages import written
from gateway.cohort.model import Form
from gateway.cohort.mutations import mutated_case, spoilt
from gateway.cohort.population import population
from gateway.directory.territory import load_territory
from gateway.exchange.checking import Checker
from gateway.exchange.model import Envelope
from gateway.exchange.opening import open_message
from gateway.exchange.routing import routing_of
from gateway.rules import Finding, RuleBook, RuleContext, load_catalogue
from gateway.rules.model import Severity
from gateway.samples import SAMPLE_TIME
from gateway.values import Direction, Door

_KINDS = {Form.MAIL: "mail", Form.CDA: "cda", Form.ADT: "hl7v2", Form.MDM: "hl7v2", Form.FHIR: "fhir"}


@dataclass(frozen=True, slots=True)
class Task:
    """Some messages to judge, small and picklable: numbers `first` to `last` - 1 of the clean ones, or of the mutated."""

    seed: int
    size: int
    mutated: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """One message judged. `expected` are the rules one of which (mutated) or all of which (clean) must be told.

    `told` are the rules found, `alarms` those of warning or above that the truth does not announce.
    """

    number: int
    person: str
    form: str
    mutation: str
    expected: tuple[str, ...]
    told: tuple[str, ...]
    alarms: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Mutated: an expected rule is told. Clean: what the truth announces is told, and nothing else."""
        if self.mutation:
            return bool(set(self.expected) & set(self.told))
        return set(self.expected) <= set(self.told) and not self.alarms


@dataclass(frozen=True, slots=True)
class Score:
    """The confusion matrix. Clean messages whose truth announces a warning (a lunar date, no INS) are counted apart."""

    mutated: int
    caught: int
    missed: tuple[Judgement, ...]
    clean: int
    alarms: tuple[Judgement, ...]
    notable: int
    untold: tuple[Judgement, ...]

    @property
    def caught_ratio(self) -> float:
        """Part of the mutated messages of which an expected rule is told, 0 to 1; 1 when there was none."""
        return self.caught / self.mutated if self.mutated else 1.0

    @property
    def alarm_ratio(self) -> float:
        """Part of the clean messages with a finding of warning or above, 0 to 1; 0 when there was none."""
        return len(self.alarms) / self.clean if self.clean else 0.0


def tasks(seed: int, size: int, mutations: int, chunk: int = 50) -> tuple[Task, ...]:
    """The work, cut in pieces: `mutations` mutated messages, and one clean message of each person."""
    return tuple(
        Task(seed, size, mutated, first, min(first + chunk, count))
        for mutated, count in ((True, mutations), (False, size))
        for first in range(0, count, chunk)
    )


def judged(task: Task) -> tuple[Judgement, ...]:
    """Make and judge the messages of one task."""
    one = _mutated if task.mutated else _clean
    return tuple(one(task.seed, task.size, number) for number in range(task.first, task.last))


def score(judgements: Iterable[Judgement]) -> Score:
    """Everything counted."""
    told = tuple(judgements)
    mutated = [j for j in told if j.mutation]
    clean = [j for j in told if not j.mutation and not j.expected]
    notable = [j for j in told if not j.mutation and j.expected]
    return Score(
        mutated=len(mutated),
        caught=sum(j.right for j in mutated),
        missed=_wrong(mutated),
        clean=len(clean),
        alarms=_wrong(clean),
        notable=len(notable),
        untold=_wrong(notable),
    )


def _wrong(judgements: Sequence[Judgement]) -> tuple[Judgement, ...]:
    return tuple(j for j in judgements if not j.right)


def clean_form(seed: int, size: int, number: int) -> Form:
    """The form in which person `number` of a population sends its clean message."""
    person = population(seed, size)[number]
    return Draws("form", seed, number).pick(person.forms)


def _clean(seed: int, size: int, number: int) -> Judgement:
    person = population(seed, size)[number]
    form = clean_form(seed, size, number)
    announced = person.announced(form)
    found = findings_of(written(person, form), form)
    alarms = {f.rule for f in found if f.severity.rank >= Severity.WARNING.rank} - announced
    return Judgement(number, person.key, form.value, "", tuple(sorted(announced)), _rules(found), tuple(sorted(alarms)))


def _mutated(seed: int, size: int, number: int) -> Judgement:
    mutation, case = mutated_case(seed, size, number)
    found = findings_of(spoilt(mutation, case), case.form)
    expected = tuple(sorted(mutation.rules))
    return Judgement(number, case.person.key, case.form.value, mutation.name, expected, _rules(found), ())


def _rules(found: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(sorted({finding.rule for finding in found}))


def findings_of(raw: bytes, form: Form) -> list[Finding]:
    """Every finding on one message, under the strict profile, on the day of the samples."""
    opened = open_message(raw, _KINDS[form])
    routing = None
    if opened.mail is not None:
        envelope = Envelope(opened.mail.sender, opened.mail.recipients)
        routing = routing_of(opened, envelope, load_territory())
    ctx = RuleContext(direction=Direction.EMISSION, door=Door.FILE, today=SAMPLE_TIME.date())
    return _checker().check(opened, ctx, routing)


@cache
def _checker() -> Checker:
    return Checker(RuleBook(load_catalogue()))
