"""TLS contexts made from issued certificates, and who stands at the other end of a connection.

Doors ask for a client certificate without requiring it, so that a sender without one reads why in an SMTP answer. In mode
`application` an expired certificate passes the handshake (OpenSSL flag NO_CHECK_TIME, TLS 1.2 and 1.3) and so does one
of the sandbox's own foreign authorities: they are judged later, in words. In mode `production` the handshake is as strict
as a real operator's: dates, chain and CRL, refused by a TLS alert. A certificate of an authority nobody here knows, or
one not made for TLS clients, dies in the handshake in both modes: OpenSSL offers no way round.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from adapters.pki.asyncio_tls import send_alerts, shrink_tls_buffers
from adapters.pki.authority import Authority
from adapters.pki.handshakes import Handshakes
from adapters.pki.model import Issued
from gateway.messaging.trust import PeerCertificate, parse_certificate
from gateway.sandbox.model import TlsMode

__all__ = [
    "CIPHERS",
    "NO_CHECK_TIME",
    "Contexts",
    "client_context",
    "peer_of",
    "server_context",
    "shrink_tls_buffers",
    "tls_object",
]

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name

CIPHERS = ":".join(
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    )
)


def server_context(
    authority: Authority,
    issued: Issued,
    *,
    mode: TlsMode = TlsMode.APPLICATION,
    ask: bool = True,
    require: bool = False,
    sni: Mapping[str, ssl.SSLContext] | None = None,
    handshakes: Handshakes | None = None,
) -> ssl.SSLContext:
    """A context for a door that shows `issued`.

    `ask` requests a client certificate (`require` insists on one); without it, as for IMAP and submission by password,
    none is asked for. `sni` maps host names (lower case) to the contexts of other certificates on the same port.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    context.load_cert_chain(authority.chain_path(issued), authority.key_path(issued))
    if ask or require:
        context.verify_mode = ssl.CERT_REQUIRED if require else ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=_cadata(authority, foreign=mode is TlsMode.APPLICATION))
        _set_verification(context, authority, mode)
    context.num_tickets = 0  # TLS 1.3: a handshake each time, two writes less
    if sni:
        context.sni_callback = _by_name(dict(sni))
    return handshakes.watch(context) if handshakes else context


def client_context(
    authority: Authority,
    issued: Issued | None,
    *,
    mode: TlsMode = TlsMode.APPLICATION,
    handshakes: Handshakes | None = None,
) -> ssl.SSLContext:
    """A context to call another operator, showing `issued` when there is one.

    In mode `application` the server's dates and host name are judged afterwards (`judge_server`), so that the failure
    notification tells the reason; its chain is verified in the handshake in both modes.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    context.check_hostname = mode is TlsMode.PRODUCTION
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=_cadata(authority, foreign=mode is TlsMode.APPLICATION))
    _set_verification(context, authority, mode)
    if issued is not None:
        context.load_cert_chain(authority.chain_path(issued), authority.key_path(issued))
    return handshakes.watch(context) if handshakes else context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION


def _cadata(authority: Authority, *, foreign: bool) -> str:
    pem = authority.bundle_pem() + (authority.foreign_roots_pem() if foreign else b"")
    return pem.decode("ascii")


def _set_verification(context: ssl.SSLContext, authority: Authority, mode: TlsMode) -> None:
    if mode is TlsMode.APPLICATION:
        context.verify_flags |= NO_CHECK_TIME
    else:
        context.load_verify_locations(cafile=authority.crl_path)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _by_name(contexts: Mapping[str, ssl.SSLContext]) -> Any:
    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        wanted = contexts.get((name or "").lower().rstrip("."))
        if wanted is not None:
            connection.context = wanted

    return choose


class Contexts:
    """Contexts by certificate and use, made once and made anew after a revocation (a store cannot forget).

    Doors ask for the context of each new connection: a look-up, no more. `mode` is that of the gateway. Making one has
    asyncio send the alerts of the handshakes it refuses (`asyncio_tls.send_alerts`).
    """

    def __init__(
        self, authority: Authority, *, mode: TlsMode = TlsMode.APPLICATION, handshakes: Handshakes | None = None
    ) -> None:
        send_alerts()
        self.authority = authority
        self.mode = mode
        self.handshakes = handshakes or Handshakes()
        self._made: dict[tuple[object, ...], ssl.SSLContext] = {}
        self._generation: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def server(
        self,
        issued: Issued,
        *,
        ask: bool = True,
        require: bool = False,
        sni: Mapping[str, Issued] | None = None,
        mode: TlsMode | None = None,
    ) -> ssl.SSLContext:
        """The server context now in force for a certificate (and the others served by SNI on the same port)."""
        chosen = mode or self.mode
        others = tuple(sorted((host.lower(), other.fingerprint) for host, other in (sni or {}).items()))

        def make() -> ssl.SSLContext:
            by_name = {
                host.lower(): server_context(
                    self.authority, other, mode=chosen, ask=ask, require=require, handshakes=self.handshakes
                )
                for host, other in (sni or {}).items()
            }
            return server_context(
                self.authority,
                issued,
                mode=chosen,
                ask=ask,
                require=require,
                sni=by_name,
                handshakes=self.handshakes,
            )

        return self._kept(("server", issued.fingerprint, chosen, ask, require, others), make)

    def client(self, issued: Issued | None, *, mode: TlsMode | None = None) -> ssl.SSLContext:
        """The client context now in force for a certificate."""
        chosen = mode or self.mode
        shown = issued.fingerprint if issued else ""

        def make() -> ssl.SSLContext:
            return client_context(self.authority, issued, mode=chosen, handshakes=self.handshakes)

        return self._kept(("client", shown, chosen), make)

    def _kept(self, key: tuple[object, ...], make: Any) -> ssl.SSLContext:
        generation = self.authority.generation
        with self._lock:
            if generation != self._generation:
                self._made.clear()
                self._generation = generation
            context = self._made.get(key)
            if context is None:
                context = self._made[key] = make()
            return context


# ------------------------------------------------------------------------------------------------------------------ peer


def tls_object(connection: Any) -> ssl.SSLObject | ssl.SSLSocket | None:
    """The TLS side of whatever is at hand: transport, StreamWriter, SSLObject, SSLSocket, aiosmtpd's `session.ssl` dict.

    STARTTLS and implicit TLS look alike from here on. None when the connection is not encrypted.
    """
    if connection is None:
        return None
    if isinstance(connection, Mapping):
        return tls_object(connection.get("ssl_object"))
    if hasattr(connection, "getpeercert"):
        return connection  # type: ignore[no-any-return]
    if hasattr(connection, "get_extra_info"):
        return connection.get_extra_info("ssl_object")  # type: ignore[no-any-return]
    return None


def peer_of(connection: Any) -> PeerCertificate | None:
    """The certificate the peer presented, with its chain; None without TLS or without a certificate."""
    tls = tls_object(connection)
    if tls is None:
        return None
    try:
        der = tls.getpeercert(binary_form=True)
    except ValueError:  # the handshake is not over
        return None
    return _read(der, _rest_of_chain(tls, der)) if der else None


@lru_cache(maxsize=256)
def _read(der: bytes, chain: tuple[bytes, ...]) -> PeerCertificate:
    """A peer that connects again shows the same octets: they are read once."""
    return parse_certificate(der, chain)


def _rest_of_chain(tls: Any, leaf: bytes) -> tuple[bytes, ...]:
    """The other certificates presented: public in Python 3.13, private before, absent from other TLS stacks."""
    if hasattr(tls, "get_unverified_chain"):
        chain = tls.get_unverified_chain() or ()
    else:
        inner = getattr(tls, "_sslobj", None)
        reader = getattr(inner, "get_unverified_chain", None)
        chain = (reader() if reader else None) or ()
    ders = (item if isinstance(item, bytes) else ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in chain)
    return tuple(der for der in ders if der != leaf)
