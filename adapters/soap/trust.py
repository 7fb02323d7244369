"""Whom the DMP believes: the sandbox's authorities and their revocations, read again only when they change."""

from __future__ import annotations

from collections.abc import Callable

from adapters.pki.authority import Authority
from gateway.soap.certificates import TrustStore, revoked_by


def trust_of(authority: Authority) -> Callable[[], TrustStore]:
    """A function that returns the trust in force; a revocation makes it new at the next request."""
    kept: list[tuple[tuple[int, int], TrustStore]] = []

    def current() -> TrustStore:
        generation = authority.generation
        if not kept or kept[0][0] != generation:
            anchors = (authority.root_der, authority.org_der)
            kept[:] = [(generation, TrustStore(anchors, revoked_by((authority.crl(),))))]
        return kept[0][1]

    return current
