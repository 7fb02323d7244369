"""Who stands at the other end of a TLS connection, and whether the trust space lets them speak for a mail domain.

The judge is pure: the certificate, the DNs the whitelist gives for the domain, the standing of the chain and the time
are arguments. Every refusal is an `Issue` under a card of `fixtures/rules/trust.yaml`; `REPLIES` gives its SMTP answer.
Sources: whitelist model and audit cases of the trust space (cert-expire, cert-revoque, cert-non-igc, cert-no-match,
cert-cn-diff-dn, sans-tls); RFC 5280, RFC 3207, RFC 6125.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from gateway.documents.model import Issue
from gateway.messaging.certificates import PeerCertificate, dn_of_name, parse_certificate
from gateway.messaging.dn import Pairs, dn_of_getpeercert, format_dn, normal_dn, parse_dn, same_dn
from gateway.rules.book import RuleBook
from gateway.rules.masking import mask_trait
from gateway.rules.model import ComparedValue, Finding, Hit, RuleContext
from gateway.values import PlaceKind, Text, Where, Words

__all__ = [
    "REPLIES",
    "HandshakeFailure",
    "Pairs",
    "PeerCertificate",
    "PeerTrial",
    "ServerTrial",
    "Standing",
    "dn_of_getpeercert",
    "dn_of_name",
    "findings_of",
    "format_dn",
    "judge_handshake",
    "judge_peer",
    "judge_server",
    "parse_certificate",
    "parse_dn",
    "reply_of",
    "same_dn",
    "shown_dn",
]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the authority says of a certificate: issued under it, revoked, and whether a usable CRL says so."""

    trusted_chain: bool
    revoked: bool = False
    crl_available: bool = True


# ---------------------------------------------------------------------------------------------------------------- trials


@dataclass(frozen=True, slots=True)
class PeerTrial:
    """What the judge of a sending operator looks at. `domain` is that of MAIL FROM, '' for the null sender.

    `domain_dns` are all the DNs listed for that domain (for the null sender: every DN of the whitelist).
    """

    peer: PeerCertificate | None
    domain: str
    domain_dns: Sequence[str]
    now: datetime
    standing: Standing
    tls: bool = True
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class ServerTrial:
    """What the judge of a receiving operator looks at before anything is sent to it. `host` is the name we connected to."""

    peer: PeerCertificate | None
    host: str
    domain: str
    domain_dns: Sequence[str]
    now: datetime
    standing: Standing
    starttls: bool = True
    lenient: bool = False


Trial = PeerTrial | ServerTrial
_Judge = Callable[[Trial], Iterator[Issue]]


def judge_peer(
    peer: PeerCertificate | None,
    *,
    domain: str,
    domain_dns: Sequence[str],
    now: datetime,
    trusted_chain: bool,
    revoked: bool,
    crl_available: bool = True,
    tls: bool = True,
    lenient: bool = False,
) -> tuple[Issue, ...]:
    """Whether the client at our door may send for `domain`; empty when it may. The first issue is the one to answer with.

    Without TLS or without a certificate nothing else is judged. Otherwise every fault is told at once, so that it is
    mended in one round; all the DNs of the domain are tried before refusing.
    """
    standing = Standing(trusted_chain, revoked, crl_available)
    return _tried(PeerTrial(peer, domain, domain_dns, now, standing, tls, lenient), _PEER_STEPS)


def judge_server(
    peer: PeerCertificate | None,
    *,
    host: str,
    domain: str,
    domain_dns: Sequence[str],
    now: datetime,
    trusted_chain: bool,
    revoked: bool,
    crl_available: bool = True,
    starttls: bool = True,
    lenient: bool = False,
) -> tuple[Issue, ...]:
    """Whether mail for `domain` may be handed to the server at `host`; empty when it may."""
    standing = Standing(trusted_chain, revoked, crl_available)
    return _tried(ServerTrial(peer, host, domain, domain_dns, now, standing, starttls, lenient), _SERVER_STEPS)


def _tried(trial: Trial, steps: Sequence[tuple[_Judge, bool]]) -> tuple[Issue, ...]:
    issues: list[Issue] = []
    for judge, stops in steps:
        issues.extend(judge(trial))
        if issues and stops:
            break
    return tuple(issues)


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
    """A TLS handshake that ended in an alert. `by_us` tells who sent it; `peer` is what had been presented by then.

    `alert` is the RFC 8446 name (`unknown_ca`, `certificate_expired`, …). `server_side` is True at our doors.
    """

    alert: str
    by_us: bool
    peer: PeerCertificate | None
    server_side: bool
    host: str = ""  # SNI, or the host we connected to


def judge_handshake(failure: HandshakeFailure, *, now: datetime, standing: Standing | None) -> tuple[Issue, ...]:
    """Why a handshake failed, from its alert and from the certificate captured on the way; never empty.

    `standing` is the authority's word on `failure.peer`, None when nothing was presented.
    """
    where = Where(PlaceKind.TLS, "handshake")
    if not failure.by_us:
        return tuple(_issue("GW-TLS-20", where, failure.alert, "Finished", alert=failure.alert))
    known = {"protocol_version": "GW-TLS-21", "handshake_failure": "GW-TLS-22", "certificate_required": "GW-TLS-01"}
    if failure.alert in known:
        rule_id, expected = known[failure.alert], _EXPECTED_OF_ALERT[failure.alert]
        return tuple(_issue(rule_id, where, failure.alert, expected, alert=failure.alert))
    judged = standing or Standing(trusted_chain=False)
    trial: Trial = PeerTrial(failure.peer, "", (), now, judged)
    steps: tuple[_Judge, ...] = (_chain, _dates, _revocation, _client_usage)
    if not failure.server_side:
        trial = ServerTrial(failure.peer, failure.host, "", (), now, judged)
        steps = (_chain, _dates, _revocation, _server_usage, _host)
    issues = [issue for step in steps for issue in step(trial)] if failure.peer and not failure.peer.flaw else []
    return tuple(issues) or tuple(_issue("GW-TLS-23", where, failure.alert, "Finished", alert=failure.alert))


_EXPECTED_OF_ALERT = {
    "protocol_version": "TLSv1.2, TLSv1.3",
    "handshake_failure": "ECDHE + AES-GCM | CHACHA20-POLY1305",
    "certificate_required": "X.509 IGC-SANTE",
}


def findings_of(
    issues: Sequence[Issue], book: RuleBook, ctx: RuleContext, container: str = "tls"
) -> tuple[Finding, ...]:
    """The issues joined with their cards, in the same order; those the workspace silenced are left out."""
    return tuple(f for issue in issues for f in book.findings(issue.rule_id, issue.hit, ctx, container))


# SMTP answer of each rule: reply code and enhanced code
REPLIES: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "GW-TLS-01": (554, "5.7.1"),
        "GW-TLS-02": (554, "5.7.1"),
        "GW-TLS-03": (554, "5.7.1"),
        "GW-TLS-04": (554, "5.7.1"),
        "GW-TLS-05": (554, "5.7.1"),
        "GW-TLS-06": (550, "5.7.1"),
        "GW-TLS-07": (550, "5.7.1"),
        "GW-TLS-08": (550, "5.7.1"),
        "GW-TLS-09": (554, "5.7.1"),
        "GW-TLS-10": (451, "4.7.0"),
        "GW-TLS-11": (530, "5.7.0"),
        "GW-TLS-12": (554, "5.7.10"),
        "GW-TLS-13": (550, "5.7.1"),
        "GW-TLS-14": (550, "5.7.1"),
        "GW-TLS-15": (554, "5.7.5"),
        "GW-TLS-16": (554, "5.7.5"),
        "GW-TLS-17": (554, "5.7.1"),
        "GW-TLS-18": (554, "5.7.1"),
        "GW-TLS-19": (554, "5.7.5"),
        "GW-TLS-20": (454, "4.7.5"),
        "GW-TLS-21": (554, "5.7.10"),
        "GW-TLS-22": (554, "5.7.10"),
        "GW-TLS-23": (454, "4.7.5"),
    }
)
_OUTGOING_BAD_CERTIFICATE = (554, "5.7.5")
_CERTIFICATE_RULES = frozenset(f"GW-TLS-{n:02}" for n in (2, 3, 4, 5, 6, 7, 17))


def reply_of(rule_id: str, *, outgoing: bool = False) -> tuple[int, str]:
    """Reply code and enhanced code for a rule; when we are the client, the code the failure notification (DSN) carries."""
    if outgoing and rule_id in _CERTIFICATE_RULES:
        return _OUTGOING_BAD_CERTIFICATE
    return REPLIES.get(rule_id, (554, "5.7.1"))


def shown_dn(dn: str) -> str:
    """A DN fit for an answer or a log: that of a person has its names masked, that of an organisation is whole."""
    pairs = parse_dn(dn)
    if not any(name in ("SN", "GN") for name, _ in pairs):
        return dn
    return format_dn((name, mask_trait(value) if name in ("SN", "GN") else value) for name, value in pairs)


# ----------------------------------------------------------------------------------------------------------------- steps

_PEER = Where(PlaceKind.TLS, "client/Certificate")
_SERVER = Where(PlaceKind.TLS, "server/Certificate")


def _place(trial: Trial) -> Where:
    return _PEER if isinstance(trial, PeerTrial) else _SERVER


def _issue(rule_id: str, where: Where, received: Words, expected: Words, **more: object) -> Iterator[Issue]:
    values = more.pop("values", ())
    params = {name: str(value) for name, value in more.items()}
    yield Issue(rule_id, Hit(where, received, expected, values=values, params=params))  # type: ignore[arg-type]


def _encrypted(trial: Trial) -> Iterator[Issue]:
    if isinstance(trial, PeerTrial):
        if not trial.tls:
            yield from _issue("GW-TLS-11", Where(PlaceKind.SMTP, "MAIL"), "MAIL", "STARTTLS, EHLO, MAIL")
    elif not trial.starttls:
        yield from _issue("GW-TLS-12", Where(PlaceKind.SMTP, "EHLO"), "∅", "250-STARTTLS", host=trial.host)


def _presented(trial: Trial) -> Iterator[Issue]:
    if trial.peer is None:
        rule_id = "GW-TLS-01" if isinstance(trial, PeerTrial) else "GW-TLS-19"
        host = trial.host if isinstance(trial, ServerTrial) else ""
        yield from _issue(rule_id, _place(trial), "∅", "X.509 IGC-SANTE", host=host)
    elif trial.peer.flaw:
        flaw = trial.peer.flaw
        yield from _issue("GW-TLS-17", _place(trial), Text(f"illisible ({flaw})", f"unreadable ({flaw})"), "X.509 v3")


def _chain(trial: Trial) -> Iterator[Issue]:
    peer = trial.peer
    if peer is None or trial.standing.trusted_chain:
        return
    rule_id = "GW-TLS-18" if _looks_national(peer.issuer_dn) else "GW-TLS-05"
    yield from _issue(
        rule_id,
        _place(trial),
        peer.issuer_dn or "∅",
        "CN=TEST AC IGC-SANTE ELEMENTAIRE ORGANISATIONS,…",
        dn=shown_dn(peer.dn),
    )


def _looks_national(issuer_dn: str) -> bool:
    folded = issuer_dn.casefold()
    return "igc-sante" in folded or "igc-santé" in folded


def _dates(trial: Trial) -> Iterator[Issue]:
    peer = trial.peer
    if peer is None:
        return
    dn = shown_dn(peer.dn)
    if trial.now > peer.not_after:
        yield from _issue("GW-TLS-02", _place(trial), _day(peer.not_after), f"≥ {_day(trial.now)}", dn=dn)
    if trial.now < peer.not_before:
        yield from _issue("GW-TLS-03", _place(trial), _day(peer.not_before), f"≤ {_day(trial.now)}", dn=dn)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _revocation(trial: Trial) -> Iterator[Issue]:
    peer = trial.peer
    if peer is None or not trial.standing.trusted_chain:
        return  # a foreign authority's certificates are not in our list
    if trial.standing.revoked:
        yield from _issue("GW-TLS-04", _place(trial), f"{peer.serial:x}", "∉ CRL", dn=shown_dn(peer.dn))
    elif not trial.standing.crl_available:
        yield from _issue("GW-TLS-10", Where(PlaceKind.TLS, "CRL"), "nextUpdate < now", "nextUpdate ≥ now")


def _client_usage(trial: Trial) -> Iterator[Issue]:
    peer = trial.peer
    if peer is not None and peer.eku and "clientAuth" not in peer.eku:
        yield from _issue("GW-TLS-09", _place(trial), ", ".join(peer.eku), "clientAuth")


def _server_usage(trial: Trial) -> Iterator[Issue]:
    peer = trial.peer
    if peer is not None and peer.eku and "serverAuth" not in peer.eku:
        yield from _issue("GW-TLS-15", _place(trial), ", ".join(peer.eku), "serverAuth")


def _host(trial: Trial) -> Iterator[Issue]:
    peer = trial.peer
    if peer is None or not isinstance(trial, ServerTrial) or not trial.host:
        return
    names = peer.sans or (peer.common_name,)
    if not any(_host_matches(trial.host, name) for name in names):
        yield from _issue("GW-TLS-16", _place(trial), ", ".join(names), trial.host, host=trial.host)


def _host_matches(host: str, name: str) -> bool:
    """RFC 6125: exact without case, or a wildcard that stands for one whole left label."""
    wanted, listed = host.casefold().rstrip("."), name.casefold().rstrip(".")
    if listed.startswith("*."):
        return "." in wanted and wanted.split(".", 1)[1] == listed[2:]
    return wanted == listed


def _listed(trial: Trial) -> Iterator[Issue]:
    peer = trial.peer
    if peer is None:
        return
    if not trial.domain_dns:
        yield from _unknown_domain(trial)
        return
    lenient = trial.lenient
    presented = normal_dn(peer.pairs, lenient=lenient)
    listed = [(dn, normal_dn(dn, lenient=lenient)) for dn in dict.fromkeys(trial.domain_dns)]
    if any(pairs == presented for _, pairs in listed):
        return
    shown = shown_dn(peer.dn)
    if isinstance(trial, PeerTrial) and not trial.domain:
        yield from _issue("GW-TLS-14", _place(trial), shown, "DN ∈ ListeBlancheMSSante", dn=shown)
        return
    rest = _without_cn(presented)
    near = next((dn for dn, pairs in listed if _without_cn(pairs) == rest), None)
    values = (
        ComparedValue("tls", _place(trial).path, shown),
        *(ComparedValue("whitelist", trial.domain, dn) for dn, _ in listed[:5]),
    )
    rule_id = "GW-TLS-07" if near is not None else "GW-TLS-06"
    expected = near if near is not None else " | ".join(dn for dn, _ in listed[:5])
    yield from _issue(rule_id, _place(trial), shown, expected, domain=trial.domain, values=values)


def _unknown_domain(trial: Trial) -> Iterator[Issue]:
    if isinstance(trial, ServerTrial):
        where = Where(PlaceKind.SMTP, "RCPT")
        yield from _issue("GW-TLS-13", where, trial.domain, "Nom ∈ ListeBlancheMSSante", domain=trial.domain)
    else:
        where = Where(PlaceKind.SMTP, "MAIL")
        yield from _issue("GW-TLS-08", where, trial.domain or "<>", "Nom ∈ ListeBlancheMSSante", domain=trial.domain)


def _without_cn(pairs: Pairs) -> Pairs:
    return tuple(pair for pair in pairs if pair[0] != "CN")


# (step, whether an issue found up to here ends the judgement)
_PEER_STEPS: tuple[tuple[_Judge, bool], ...] = (
    (_encrypted, True),
    (_presented, True),
    (_chain, False),
    (_dates, False),
    (_revocation, False),
    (_client_usage, False),
    (_listed, False),
)
_SERVER_STEPS: tuple[tuple[_Judge, bool], ...] = (
    (_encrypted, True),
    (_presented, True),
    (_chain, False),
    (_dates, False),
    (_revocation, False),
    (_server_usage, False),
    (_host, False),
    (_listed, False),
)
