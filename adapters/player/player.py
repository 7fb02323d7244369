"""Runs a scenario step by step; every step is played even after a failure, so that one run tells everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from adapters.player import dmp_verbs, mail_verbs
from adapters.player.result import Checks, Seen, StepResult
from adapters.player.world import World
from gateway.scenarios.model import Scenario, Step

Verb = Callable[[World, Step], Seen]

VERBS: Mapping[str, Verb] = {
    "submit": mail_verbs.submit,
    "foreign": mail_verbs.foreign,
    "relayed": mail_verbs.relayed,
    "read": mail_verbs.read,
    "dmp_exists": dmp_verbs.exists,
    "dmp_deposit": dmp_verbs.deposit,
    "dmp_resolve": dmp_verbs.resolve,
    "dmp_find": dmp_verbs.find,
}


def play(scenario: Scenario, world: World) -> Iterator[tuple[int, Step, StepResult | None]]:
    """Yields each step twice: before it is played (result None) and after."""
    for number, act in enumerate(scenario.acts, 1):
        for step in act.steps:
            yield number, step, None
            started = time.perf_counter()
            seen = _played(world, step)
            title = {"fr": step.title.fr, "en": step.title.en}
            yield number, step, StepResult(number, step.id, title, seen, time.perf_counter() - started)


def _played(world: World, step: Step) -> Seen:
    try:
        return VERBS[step.do](world, step)
    except Exception as error:
        checks = Checks()
        checks.failures.append(f"{type(error).__name__}: {error}")
        return Seen("", checks, {})
