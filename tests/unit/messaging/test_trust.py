"""The judge of the trust space, over certificates written by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.documents.model import Issue
from gateway.messaging.dn import parse_dn
from gateway.messaging.trust import (
    REPLIES,
    HandshakeFailure,
    PeerCertificate,
    Standing,
    findings_of,
    judge_handshake,
    judge_peer,
    judge_server,
    parse_certificate,
    reply_of,
    shown_dn,
)
from gateway.rules.book import RuleBook
from gateway.rules.catalogue import load_catalogue
from gateway.rules.model import Family, RuleContext
from gateway.values import Direction, Door

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DN = "CN=smtp-1.operateur-a.example,OU=1999999992,O=HOPITAL FICTIF A,ST=Paris (75),C=FR"
SECOND = DN.replace("smtp-1", "smtp-2")
OTHER = "CN=mx.operateur-b.example,OU=399999999900015,O=INDUSTRIEL FICTIF B,ST=Haute-Garonne (31),C=FR"
DOMAIN = "operateur-a.mssante.fr"
ISSUER = "CN=TEST AC IGC-SANTE ELEMENTAIRE ORGANISATIONS,OU=IGC-SANTE TEST,OU=0002 187512751,O=ASIP-SANTE,C=FR"


def certificate(dn: str = DN, **changes: Any) -> PeerCertificate:
    peer = PeerCertificate(
        der=b"der",
        dn=dn,
        issuer_dn=ISSUER,
        serial=0x1234,
        fingerprint="ab" * 32,
        not_before=NOW - timedelta(days=10),
        not_after=NOW + timedelta(days=1000),
        eku=("serverAuth", "clientAuth"),
        sans=("smtp-1.operateur-a.example", "localhost"),
        pairs=parse_dn(dn),
    )
    return replace(peer, **changes)


def judged(peer: PeerCertificate | None, **changes: Any) -> list[str]:
    asked: dict[str, Any] = {
        "domain": DOMAIN,
        "domain_dns": (DN,),
        "now": NOW,
        "trusted_chain": True,
        "revoked": False,
        **changes,
    }
    return ids(judge_peer(peer, **asked))


def ids(issues: tuple[Issue, ...]) -> list[str]:
    return [issue.rule_id for issue in issues]


def test_a_good_certificate_whose_dn_is_listed_gives_nothing() -> None:
    assert judged(certificate()) == []


def test_every_listed_dn_is_tried_before_refusing() -> None:
    assert judged(certificate(SECOND), domain_dns=(OTHER, DN, SECOND)) == []


def test_without_tls_nothing_else_is_judged() -> None:
    assert judged(None, tls=False) == ["GW-TLS-11"]


def test_without_a_certificate_nothing_else_is_judged() -> None:
    assert judged(None) == ["GW-TLS-01"]


def test_an_expired_certificate_says_when_it_expired() -> None:
    peer = certificate(not_after=NOW - timedelta(days=30))
    (issue,) = judge_peer(peer, domain=DOMAIN, domain_dns=(DN,), now=NOW, trusted_chain=True, revoked=False)
    assert (issue.rule_id, issue.hit.received) == ("GW-TLS-02", "2026-10-25T12:00:00Z")


def test_a_certificate_of_tomorrow_is_not_yet_valid() -> None:
    assert judged(certificate(not_before=NOW + timedelta(days=1))) == ["GW-TLS-03"]


def test_a_revoked_certificate_is_named_by_its_serial_number() -> None:
    (issue,) = judge_peer(certificate(), domain=DOMAIN, domain_dns=(DN,), now=NOW, trusted_chain=True, revoked=True)
    assert (issue.rule_id, issue.hit.received) == ("GW-TLS-04", "1234")


def test_a_foreign_authority_and_one_that_only_looks_national_are_told_apart() -> None:
    foreign = certificate(issuer_dn="CN=R3,O=Let's Encrypt,C=US")
    imitation = certificate(issuer_dn="CN=FAUSSE AC IGC-SANTE,C=FR")
    assert judged(foreign, trusted_chain=False) == ["GW-TLS-05"]
    assert judged(imitation, trusted_chain=False) == ["GW-TLS-18"]


def test_a_dn_of_another_operator_is_not_listed() -> None:
    (issue,) = judge_peer(
        certificate(OTHER), domain=DOMAIN, domain_dns=(DN, SECOND), now=NOW, trusted_chain=True, revoked=False
    )
    assert issue.rule_id == "GW-TLS-06"
    assert [value.value for value in issue.hit.values] == [OTHER, DN, SECOND]


def test_a_second_relay_that_is_not_listed_differs_by_its_cn_only() -> None:
    (issue,) = judge_peer(
        certificate(SECOND), domain=DOMAIN, domain_dns=(OTHER, DN), now=NOW, trusted_chain=True, revoked=False
    )
    assert (issue.rule_id, issue.hit.expected) == ("GW-TLS-07", DN)


def test_a_domain_without_any_dn_is_not_in_the_whitelist() -> None:
    assert judged(certificate(), domain="inconnu.mssante.fr", domain_dns=()) == ["GW-TLS-08"]


def test_a_signing_certificate_does_not_open_a_tls_session() -> None:
    assert judged(certificate(eku=("emailProtection",))) == ["GW-TLS-09"]
    assert judged(certificate(eku=())) == []


def test_revocation_that_cannot_be_checked_is_a_temporary_refusal() -> None:
    assert judged(certificate(), crl_available=False) == ["GW-TLS-10"]
    assert reply_of("GW-TLS-10") == (451, "4.7.0")


def test_the_null_sender_needs_a_dn_listed_for_any_domain() -> None:
    assert judged(certificate(), domain="", domain_dns=(OTHER, DN)) == []
    assert judged(certificate(SECOND), domain="", domain_dns=(OTHER, DN)) == ["GW-TLS-14"]


def test_all_faults_of_one_certificate_are_told_at_once() -> None:
    peer = certificate(OTHER, not_after=NOW - timedelta(days=1), eku=("serverAuth",))
    assert judged(peer, revoked=True) == ["GW-TLS-02", "GW-TLS-04", "GW-TLS-09", "GW-TLS-06"]


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x82\xff\xff", bytes(300)])
def test_octets_that_are_no_certificate_are_a_finding(der: bytes) -> None:
    peer = parse_certificate(der)
    assert peer.flaw
    assert judged(peer) == ["GW-TLS-17"]


def served(peer: PeerCertificate | None, **changes: Any) -> list[str]:
    asked: dict[str, Any] = {
        "host": "smtp-1.operateur-a.example",
        "domain": DOMAIN,
        "domain_dns": (DN,),
        "now": NOW,
        "trusted_chain": True,
        "revoked": False,
        **changes,
    }
    return ids(judge_server(peer, **asked))


def test_mail_leaves_only_for_a_listed_server_that_bears_the_name_we_called() -> None:
    assert served(certificate()) == []
    assert served(None, starttls=False) == ["GW-TLS-12"]
    assert served(None) == ["GW-TLS-19"]
    assert served(certificate(), domain_dns=()) == ["GW-TLS-13"]
    assert served(certificate(eku=("clientAuth",))) == ["GW-TLS-15"]
    assert served(certificate(), host="mx2.operateur-a.example") == ["GW-TLS-16"]
    assert served(certificate(OTHER), host="localhost") == ["GW-TLS-06"]


def test_a_wildcard_stands_for_one_label() -> None:
    peer = certificate(sans=("*.operateur-a.example",))
    assert served(peer, host="SMTP-9.operateur-a.example.") == []
    assert served(peer, host="a.b.operateur-a.example") == ["GW-TLS-16"]


def failed(alert: str, peer: PeerCertificate | None = None, **changes: Any) -> list[str]:
    failure = HandshakeFailure(alert, changes.get("by_us", True), peer, changes.get("server_side", True))
    return ids(judge_handshake(failure, now=NOW, standing=changes.get("standing", Standing(trusted_chain=True))))


def test_a_failed_handshake_always_has_a_reason() -> None:
    assert failed("protocol_version") == ["GW-TLS-21"]
    assert failed("handshake_failure") == ["GW-TLS-22"]
    assert failed("certificate_required") == ["GW-TLS-01"]
    assert failed("unknown_ca", by_us=False) == ["GW-TLS-20"]
    assert failed("unknown_ca", certificate(), standing=None) == ["GW-TLS-18"]
    assert failed("certificate_expired", certificate(not_after=NOW - timedelta(days=1))) == ["GW-TLS-02"]
    assert failed("certificate_revoked", certificate(), standing=Standing(True, revoked=True)) == ["GW-TLS-04"]
    assert failed("unsupported_certificate", certificate(eku=("emailProtection",))) == ["GW-TLS-09"]
    assert failed("decode_error") == ["GW-TLS-23"]


def test_every_trust_rule_has_its_card_its_reply_and_both_languages() -> None:
    cards = [card for card in load_catalogue() if card.id.startswith("GW-TLS-")]
    assert {card.id for card in cards} == set(REPLIES)
    for card in cards:
        assert card.family is Family.TRUST
        assert card.passing
        assert card.breaking
        assert card.cure.fr != card.cure.en


def test_no_brace_is_left_in_the_words_of_a_refusal() -> None:
    book = RuleBook(load_catalogue())
    ctx = RuleContext(Direction.RECEPTION, Door.RECEPTION, NOW.date())
    peer = certificate(OTHER, not_after=NOW - timedelta(days=1), not_before=NOW + timedelta(days=1), eku=("x",))
    every: list[Issue] = []
    for trusted in (True, False):
        for revoked in (True, False):
            for dns in ((), (DN,), (OTHER.replace("mx.", "mx2."),)):
                shared: dict[str, Any] = {
                    "domain_dns": dns,
                    "now": NOW,
                    "trusted_chain": trusted,
                    "revoked": revoked,
                    "crl_available": False,
                }
                every += judge_peer(peer, domain=DOMAIN, **shared)
                every += judge_peer(peer, domain="", **shared)
                every += judge_peer(replace(peer, issuer_dn="CN=R3,C=US"), domain="", **shared)
                every += judge_server(peer, host="autre.example", domain=DOMAIN, **shared)
                every += judge_server(None, host="autre.example", domain=DOMAIN, starttls=trusted, **shared)
                every += judge_peer(None, domain=DOMAIN, tls=trusted, **shared)
    findings = findings_of(tuple(every), book, ctx)
    assert {f.rule for f in findings} >= {f"GW-TLS-{n:02}" for n in range(1, 17)}
    for finding in findings:
        for text in (finding.message, finding.cure):
            assert "{" not in text.fr + text.en


def test_the_name_of_a_person_is_masked_and_that_of_an_organisation_is_not() -> None:
    assert shown_dn(DN) == DN
    masked = shown_dn("CN=899700000001,GN=Camille,SN=DURAND,C=FR")
    assert "DURAND" not in masked
    assert "Camille" not in masked
