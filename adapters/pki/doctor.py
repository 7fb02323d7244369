"""Why a certificate or a handshake is refused, for people: `passerelle pki doctor`, the API, the journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.pki.authority import Authority
from gateway.documents.model import Issue
from gateway.messaging.trust import HandshakeFailure, findings_of, judge_handshake, judge_peer, parse_certificate
from gateway.rules.book import RuleBook
from gateway.rules.catalogue import load_catalogue
from gateway.rules.model import Finding, RuleContext
from gateway.values import Direction, Door

_DOMAIN_RULES = frozenset({"GW-TLS-06", "GW-TLS-07", "GW-TLS-08", "GW-TLS-14"})


def explain_certificate(
    authority: Authority,
    der: bytes | None,
    *,
    domain: str = "",
    domain_dns: Sequence[str] | None = None,
    now: datetime,
) -> tuple[Finding, ...]:
    """Every reason for which a door would refuse this client certificate; empty when it would be accepted.

    With `domain`, also whether its DN is among `domain_dns`, those the whitelist gives for the domain. `der` None stands
    for a client that presents nothing.
    """
    peer = parse_certificate(der) if der else None
    standing = authority.standing(peer) if peer else None
    issues = judge_peer(
        peer,
        domain=domain,
        domain_dns=tuple(domain_dns or ()),
        now=now,
        trusted_chain=standing is not None and standing.trusted_chain,
        revoked=standing is not None and standing.revoked,
        crl_available=standing is None or standing.crl_available,
    )
    if domain_dns is None:
        issues = tuple(issue for issue in issues if issue.rule_id not in _DOMAIN_RULES)
    return _findings(issues, now)


def explain_handshake(authority: Authority, failure: HandshakeFailure, *, now: datetime) -> tuple[Finding, ...]:
    """Why a handshake failed, from its alert and the certificate presented; never empty."""
    standing = authority.standing(failure.peer) if failure.peer else None
    return _findings(judge_handshake(failure, now=now, standing=standing), now)


def _findings(issues: Sequence[Issue], now: datetime) -> tuple[Finding, ...]:
    ctx = RuleContext(Direction.RECEPTION, Door.RECEPTION, now.date())
    return findings_of(issues, RuleBook(load_catalogue()), ctx)
