"""What each door makes of findings."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.exchange.decision import decide
from gateway.rules import Action, Family, Finding, Severity
from gateway.rules.verdict import Integration, Outcome
from gateway.sandbox.model import Policy, Vigilance
from gateway.values import Door, PlaceKind, Text, Where

NOTHING = Text("", "")
BLOCKING = Finding(
    rule="INS-150",
    family=Family.IDENTITY,
    severity=Severity.BLOCKING,
    action=Action.REJECT,
    container="x",
    where=Where(PlaceKind.XPATH, "/"),
    received="",
    expected="",
    values=(),
    title=NOTHING,
    message=NOTHING,
    cure=NOTHING,
    source="",
)


def like(**changes: object) -> Finding:
    return dataclasses.replace(BLOCKING, **changes)


WARNING = like(severity=Severity.WARNING, action=Action.ALERT)
INFO = like(severity=Severity.INFO, action=Action.LOG)
QUARANTINE = like(action=Action.QUARANTINE)
QUIET_QUARANTINE = like(severity=Severity.WARNING, action=Action.QUARANTINE)
STRIP = like(action=Action.STRIP_INS)
ABUSE = like(family=Family.ABUSE, action=Action.REJECT)
OBSERVE = Policy(vigilance=Vigilance.OBSERVE)


@pytest.mark.parametrize("door", [Door.SUBMISSION, Door.DMP, Door.FHIR])
@pytest.mark.parametrize("finding", [BLOCKING, QUARANTINE, STRIP, ABUSE])
def test_a_sender_is_refused_what_he_can_mend(door: Door, finding: Finding):
    assert decide([WARNING, finding], door, Policy()).outcome is Outcome.REJECT


@pytest.mark.parametrize("finding", [BLOCKING, QUARANTINE, QUIET_QUARANTINE])
def test_a_reception_delivers_a_wrong_identity_but_stops_its_integration(finding: Finding):
    decision = decide([finding], Door.RECEPTION, Policy())
    assert (decision.outcome, decision.integration) == (Outcome.QUARANTINE, Integration.STOPPED)


def test_a_reception_integrates_without_the_ins_when_only_the_ins_is_at_fault():
    decision = decide([STRIP], Door.RECEPTION, Policy())
    assert (decision.outcome, decision.integration) == (Outcome.ACCEPT_WITH_ALERTS, Integration.WITHOUT_INS)


def test_quarantine_wins_over_stripping():
    assert decide([STRIP, QUARANTINE], Door.RECEPTION, Policy()).integration is Integration.STOPPED


def test_a_reception_refuses_abuse():
    assert decide([ABUSE], Door.RECEPTION, Policy()).refused


def test_observe_accepts_everything_and_still_reports():
    for door in Door:
        decision = decide([BLOCKING], door, OBSERVE)
        assert decision.outcome is Outcome.ACCEPT_WITH_ALERTS
        assert decision.findings == (BLOCKING,)


@pytest.mark.parametrize(
    ("findings", "outcome"), [((), "accept"), ((INFO,), "accept"), ((WARNING,), "accept_with_alerts")]
)
def test_without_a_blocking_finding_every_door_accepts(findings: tuple[Finding, ...], outcome: str):
    for door in Door:
        decision = decide(findings, door, Policy())
        assert decision.outcome.value == outcome
        assert decision.integration is Integration.ALLOWED


def test_what_decided_comes_first():
    assert decide([INFO, WARNING, BLOCKING], Door.SUBMISSION, Policy()).deciding is BLOCKING
