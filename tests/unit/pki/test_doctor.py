"""The doctor: each certificate made wrong on purpose is explained by the rule of its fault."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.pki.doctor import explain_certificate, explain_handshake
from adapters.pki.model import Fault
from gateway.messaging.trust import HandshakeFailure, parse_certificate
from tests.support.authority import operator_certificate, shared_authority

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("fault", "rules"),
    [
        (Fault.NONE, []),
        (Fault.EXPIRED, ["GW-TLS-02"]),
        (Fault.NOT_YET_VALID, ["GW-TLS-03"]),
        (Fault.REVOKED, ["GW-TLS-04"]),
        (Fault.OTHER_CA, ["GW-TLS-05"]),
        (Fault.LOOKALIKE, ["GW-TLS-18"]),
        (Fault.WRONG_EKU, ["GW-TLS-09"]),
        (Fault.CN_DIFF, ["GW-TLS-07"]),
    ],
)
def test_a_fault_is_explained_by_its_rule(fault: Fault, rules: list[str]) -> None:
    authority = shared_authority()
    der = authority.certificate_der(operator_certificate(fault))
    listed = operator_certificate().dn
    findings = explain_certificate(authority, der, domain="operateur-a.mssante.fr", domain_dns=(listed,), now=NOW)
    assert [f.rule for f in findings] == rules


def test_without_a_domain_only_the_certificate_is_judged() -> None:
    authority = shared_authority()
    assert explain_certificate(authority, authority.certificate_der(operator_certificate(Fault.CN_DIFF)), now=NOW) == ()
    assert [f.rule for f in explain_certificate(authority, None, now=NOW)] == ["GW-TLS-01"]
    assert [f.rule for f in explain_certificate(authority, b"rien", now=NOW)] == ["GW-TLS-17"]


def test_a_handshake_is_explained_by_what_was_shown_in_it() -> None:
    authority = shared_authority()
    shown = parse_certificate(authority.certificate_der(operator_certificate(Fault.OTHER_CA)))
    failure = HandshakeFailure("unknown_ca", by_us=True, peer=shown, server_side=True)
    assert [f.rule for f in explain_handshake(authority, failure, now=NOW)] == ["GW-TLS-05"]
