"""Counters for Prometheus. Labels are doors, outcomes and rule ids: never an address, never an identity."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.answers.smtp import SmtpReply
from gateway.exchange.intake import Intake, Verdict
from gateway.exchange.model import Submission
from gateway.ports import Store
from gateway.rules import Finding


class Metrics:
    """The registry of one gateway."""

    def __init__(self, store: Store) -> None:
        self.registry = CollectorRegistry()
        self._store = store
        self.exchanges = Counter("passerelle_exchanges", "Door crossings", ("door", "outcome"), registry=self.registry)
        self.findings = Counter("passerelle_findings", "Findings", ("rule", "severity"), registry=self.registry)
        self.seconds = Histogram(
            "passerelle_intake_seconds",
            "From the last byte to the durable decision",
            ("door",),
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
            registry=self.registry,
        )

    def measured(self, road: Intake) -> MeasuredRoad:
        """The same road, counted."""
        return MeasuredRoad(road, self)


class MeasuredRoad:
    """A road that counts what crosses it."""

    def __init__(self, road: Intake, metrics: Metrics) -> None:
        self._road = road
        self._metrics = metrics

    async def take(self, submission: Submission) -> Verdict:
        """As `Intake.take`."""
        started = time.perf_counter()
        verdict = await self._road.take(submission)
        self._metrics.seconds.labels(submission.door.value).observe(time.perf_counter() - started)
        return self._counted(verdict)

    async def refuse(self, submission: Submission, findings: tuple[Finding, ...], reply: SmtpReply) -> Verdict:
        """As `Intake.refuse`."""
        return self._counted(await self._road.refuse(submission, findings, reply))

    def _counted(self, verdict: Verdict) -> Verdict:
        door = verdict.submission.door.value
        self._metrics.exchanges.labels(door, verdict.decision.outcome.value).inc()
        for finding in verdict.decision.findings:
            self._metrics.findings.labels(finding.rule, finding.severity.value).inc()
        return verdict
