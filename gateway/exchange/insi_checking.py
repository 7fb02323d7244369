"""The order in which INSi judges a call, stage by stage; the first stage that refuses gives the answer.

| stage    | looks at                                                       | refuses by                    |
|----------|----------------------------------------------------------------|-------------------------------|
| peer     | TLS client certificate                                         | Fault desir_560               |
| incident | the outage switched on in the workspace                        | Fault insi_101/102, or HTTP 503 |
| envelope | media type, XML, SOAP, operation, action                       | Fault                         |
| access   | INSI-AUTO or INSI-MANU, else the assertion; ContexteLPS        | Fault desir_560, desir_550    |
| request  | INS-185 to 187                                                 | Fault                         |
| answer   | INS-188 to 190, 194: never refuse, the caller must hear it     |                               |

Trust, envelope and abuse findings refuse whatever the policy, and so does a missing trait (nobody can be searched without
it); the other identity findings refuse unless the workspace only observes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.documents.model import Issue
from gateway.exchange.decision import decide
from gateway.insi.case import Case
from gateway.insi.rules import ANSWER_RULES, REQUEST_RULES
from gateway.insi.rules_access import ACCESS_RULES, PEER_RULES
from gateway.rules import Family, Finding, RuleBook, RuleContext, Severity
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.sandbox.model import Policy, Vigilance
from gateway.values import Door

_ALWAYS = frozenset({Family.TRUST, Family.ENVELOPE, Family.ABUSE})
_NEEDED = frozenset({"INS-186"})
INCIDENT = "INSI-30"


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings so far, and those of the stage that refused (empty when none did)."""

    findings: tuple[Finding, ...] = ()
    refusing: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """The rules under one workspace's policy."""

    book: RuleBook
    ctx: RuleContext
    policy: Policy

    def peer(self, case: Case) -> list[Finding]:
        """The TLS client."""
        return self.book.judge(PEER_RULES, case, self.ctx, "tls")

    def envelope(self, case: Case) -> list[Finding]:
        """What could not be opened."""
        return self.explained(case.call.issues, "soap")

    def access(self, case: Case) -> list[Finding]:
        """Certificate or assertion, and the software."""
        return self.book.judge(ACCESS_RULES, case, self.ctx, "soap")

    def request(self, case: Case) -> list[Finding]:
        """Whether this identity may be asked for, and in these words."""
        return self.book.judge(REQUEST_RULES, case, self.ctx, "insi:demande")

    def answer(self, case: Case) -> list[Finding]:
        """What the answer tells its reader."""
        return self.book.judge(ANSWER_RULES, case, self.ctx, "insi:reponse")

    def explained(self, issues: Iterable[Issue], container: str) -> list[Finding]:
        """Issues joined with their cards."""
        return [f for i in issues for f in self.book.findings(i.rule_id, i.hit, self.ctx, container)]

    def run(self, case: Case, stages: Sequence[Callable[[Judge, Case], list[Finding]]]) -> Judged:
        """Run stages in their order, up to the first that refuses."""
        told: tuple[Finding, ...] = ()
        for stage in stages:
            fresh = stage(self, case)
            told += tuple(fresh)
            refusing = self.refusing(fresh)
            if refusing:
                return Judged(told, refusing)
        return Judged(told)

    def refusing(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings that refuse, worst first."""
        hard = [f for f in findings if f.family in _ALWAYS or f.rule in _NEEDED]
        strict = replace(self.policy, vigilance=Vigilance.REFUSE)
        for judged, policy in ((findings, self.policy), (hard, strict)):
            decision = decide(judged, Door.INSI, policy)
            if decision.refused:
                return tuple(f for f in decision.findings if f.severity is Severity.BLOCKING)
        return ()


CALL_STAGES = (Judge.envelope, Judge.access, Judge.request)


def refused_decision(findings: Sequence[Finding], policy: Policy) -> Decision:
    """The decision of a call that was refused."""
    ordered = decide(findings, Door.INSI, policy).findings
    return Decision(Outcome.REJECT, Integration.STOPPED, ordered)


def served_decision(findings: Sequence[Finding], policy: Policy) -> Decision:
    """The decision of a call that was answered: a blocking finding asks for a person, it no longer refuses."""
    ordered = decide(findings, Door.INSI, policy).findings
    outcome = Outcome.ACCEPT_WITH_ALERTS if any(f.severity.rank for f in ordered) else Outcome.ACCEPT
    stopped = any(f.severity is Severity.BLOCKING for f in ordered) and policy.vigilance is Vigilance.REFUSE
    return Decision(outcome, Integration.STOPPED if stopped else Integration.ALLOWED, ordered)
