"""The sandbox's own authority seen from the SMTP doors: which certificate each shows, and what it says of a peer."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from adapters.pki.authority import Authority
from adapters.pki.contexts import Contexts, peer_of
from adapters.pki.model import Issued
from gateway.messaging.trust import HandshakeFailure, PeerCertificate, Standing


@dataclass(frozen=True, slots=True)
class PkiDesk:
    """Implements `adapters.smtp.door.TrustDesk`. `key_of` gives the authority's key of a door (`idf` → `operator:idf`).

    `contexts` are made anew after a revocation; they are asked for at every connection.
    """

    authority: Authority
    contexts: Contexts
    key_of: Callable[[str], str]

    def server_context(self, key: str) -> ssl.SSLContext:
        """The context of one door, now in force. Raises LookupError when its certificate was never issued."""
        return self.contexts.server(self._issued(key))

    def client_context(self, operator: str) -> ssl.SSLContext:
        """The context that presents this operator's certificate."""
        return self.contexts.client(self._issued(operator))

    def certificate_of(self, operator: str) -> str:
        """The fingerprint of the certificate this operator presents now."""
        return self._issued(operator).fingerprint

    def _issued(self, key: str) -> Issued:
        issued = self.authority.find(self.key_of(key))
        if issued is None:
            raise LookupError(f"no certificate was issued for {self.key_of(key)}")
        return issued

    def peer_of(self, tls: object) -> PeerCertificate | None:
        """Who stands at the other end of an established connection."""
        return peer_of(tls)

    def standing(self, peer: PeerCertificate) -> Standing:
        """Chain and revocation, now."""
        return self.authority.standing(peer)

    def failure_of(self, tls: object) -> HandshakeFailure | None:
        """What was seen of a handshake that failed."""
        return self.contexts.handshakes.of(tls)
