"""Session rules applied to one door: the book under the workspace's policy, the context rules need, the reply they earn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from adapters.smtp.door import Conversation, Refused, Services
from gateway.answers.smtp import SmtpReply, refusal
from gateway.documents.model import Issue
from gateway.messaging.envelope_rules import reply_code
from gateway.messaging.trust import findings_of, judge_handshake, judge_peer, reply_of
from gateway.rules import Finding, Rule, RuleBook, RuleContext, Severity
from gateway.rules.book import BYPASSED
from gateway.rules.model import Family, S
from gateway.values import Direction, Door, Lang

_CONTAINER = "smtp"
_TOLD = 3  # findings named in one reply
_TRUST_HOLDS_S = 5.0  # a kept connection is judged again after that: a revocation acts on it too


class Judge:
    """Judges for one door. Keeps the rule context of the day for each workspace, nothing else."""

    def __init__(self, services: Services, door: Door) -> None:
        self.services = services
        self.door = door
        self.direction = Direction.RECEPTION if door is Door.RECEPTION else Direction.EMISSION
        self._contexts: dict[str, tuple[date, RuleContext]] = {}

    def rules(
        self, rules: Iterable[Rule[S]], subject: S, workspace: str, bypassed: list[Finding] | None = None
    ) -> Refused | None:
        """Apply session rules; None when none of those that block is broken.

        `bypassed` collects what is to be told on the mail, if one comes: the rules that a derogation kept silent.
        """
        findings = self.book(workspace).judge(rules, subject, self.context(workspace), _CONTAINER)
        if bypassed is not None:
            bypassed += (f for f in findings if f.rule == BYPASSED)
        return refused(findings, self.services.lang) if findings else None

    def trust(self, issues: Sequence[Issue], workspace: str, bypassed: list[Finding] | None = None) -> Refused | None:
        """The refusal that trust issues earn. `bypassed` is as in `rules`."""
        if not issues:
            return None
        findings = findings_of(issues, self.book(workspace), self.context(workspace))
        if bypassed is not None:
            bypassed += (f for f in findings if f.rule == BYPASSED)
        return refused(findings, self.services.lang)

    def in_clear(self, workspace: str) -> Refused | None:
        """MAIL before STARTTLS."""
        issues = judge_peer(
            None, domain="", domain_dns=(), now=self.now(), trusted_chain=False, revoked=False, tls=False
        )
        return self.trust(issues, workspace)

    def certificate(
        self, conversation: Conversation, workspace: str, domain: str | None, bypassed: list[Finding]
    ) -> Refused | None:
        """Whether the client's certificate may speak for `domain` ('' for the null sender; None: for itself only).

        `bypassed` is as in `rules`.
        """
        known = conversation.trusted.get((workspace, domain))
        moment = conversation.loop.time()
        if known is not None and moment - known[0] < _TRUST_HOLDS_S:
            bypassed += known[2]
            return known[1]
        territory = self.services.sandboxes.territory(workspace)
        peer = conversation.certificate
        if domain:
            listed: tuple[str, ...] = territory.dns_of_domain(domain)
        elif domain is None:
            listed = (peer.dn,) if peer else ()
        else:
            listed = tuple(dict.fromkeys(entry.dn for entry in territory.listings))
        standing = self.services.trust.standing(peer) if peer else None
        issues = judge_peer(
            peer,
            domain=domain or "",
            domain_dns=listed,
            now=self.now(),
            trusted_chain=standing is not None and standing.trusted_chain,
            revoked=standing is not None and standing.revoked,
            crl_available=standing is None or standing.crl_available,
        )
        silent: list[Finding] = []
        judged = self.trust(issues, workspace, silent)
        conversation.trusted[workspace, domain] = (moment, judged, tuple(silent))
        bypassed += silent
        return judged

    def handshake(self, tls: object, workspace: str) -> tuple[Finding, ...]:
        """Why a handshake failed, as far as it was seen."""
        failure = self.services.trust.failure_of(tls)
        if failure is None:
            return ()
        standing = self.services.trust.standing(failure.peer) if failure.peer else None
        issues = judge_handshake(failure, now=self.now(), standing=standing)
        return findings_of(issues, self.book(workspace), self.context(workspace))

    def now(self) -> datetime:
        """Real time: what a peer stamps is never judged by a virtual clock."""
        return self.services.clock.now()

    def context(self, workspace: str) -> RuleContext:
        """What session rules may know; made once a day for each workspace."""
        today = self.services.clock.virtual_now(workspace).date()
        known = self._contexts.get(workspace)
        if known is not None and known[0] == today:
            return known[1]
        policy = self.services.sandboxes.policy(workspace)
        made = RuleContext(self.direction, self.door, today, policy.profile, policy.ins_environment)
        self._contexts[workspace] = (today, made)
        return made

    def book(self, workspace: str) -> RuleBook:
        """The catalogue under the workspace's overrides."""
        overrides = self.services.sandboxes.policy(workspace).overrides
        return self.services.book.with_overrides(overrides) if overrides else self.services.book


def refused(findings: Sequence[Finding], lang: Lang) -> Refused | None:
    """The refusal that findings earn: the code of the first that blocks, the words of the first few. None without one."""
    blocking = [f for f in findings if f.severity is Severity.BLOCKING]
    if not blocking:
        return None
    first = blocking[0]
    code, enhanced = reply_of(first.rule) if first.family is Family.TRUST else reply_code(first.rule)
    text = " | ".join(refusal(f, code, enhanced, lang).text for f in blocking[:_TOLD])
    return Refused(tuple(findings), SmtpReply(code, enhanced, text))
