"""What happened in a TLS handshake that failed: the certificate the peer had shown, and the alert that ended it.

The standard library tells neither. OpenSSL reports every handshake message and alert to a debugging callback that
`SSLContext` keeps private (`_msg_callback`); it is reached here and nowhere else, below the property that would turn each
number into an enumeration, and a contract test watches it. Record headers are reported too: they cost one comparison.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from gateway.messaging.trust import HandshakeFailure, parse_certificate

_ALERT, _HANDSHAKE = 21, 22  # content types, RFC 8446 §5.1
_CERTIFICATE = 11  # handshake type
_FATAL = 2
_TLS13 = 0x0304

# RFC 8446 §6
ALERTS = {
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    116: "certificate_required",
    120: "no_application_protocol",
}

Observer = Callable[[HandshakeFailure], None]


class Handshakes:
    """Watches the contexts it is given. `observer` is told of each fatal alert, in the thread that runs the connection.

    `of(ssl_object)` gives the failure of one connection when its SSLObject is at hand (aiosmtpd's STARTTLS).
    """

    def __init__(self, observer: Observer | None = None) -> None:
        self._observer = observer
        self._chains: WeakKeyDictionary[Any, tuple[bytes, ...]] = WeakKeyDictionary()
        self._failures: WeakKeyDictionary[Any, HandshakeFailure] = WeakKeyDictionary()

    def watch(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Have the context report to this watcher; returns the context."""
        raw = ssl.SSLContext.__mro__[1].__dict__["_msg_callback"]
        raw.__set__(context, self._saw)
        return context

    def of(self, connection: object) -> HandshakeFailure | None:
        """Why this connection's handshake failed; None when it did not, or is not known."""
        try:
            return self._failures.get(connection)
        except TypeError:
            return None

    def chain_of(self, connection: object) -> tuple[bytes, ...]:
        """The certificates this connection's peer presented (DER, leaf first), verified or not."""
        try:
            return self._chains.get(connection, ())
        except TypeError:
            return ()

    def _saw(
        self, connection: Any, direction: str, version: int, content_type: int, message_type: int, data: bytes
    ) -> None:
        if content_type == _HANDSHAKE:
            if message_type == _CERTIFICATE and direction == "read":
                self._chains[connection] = certificates_in(data, tls13=version == _TLS13)
        elif content_type == _ALERT and len(data) == 2 and data[0] == _FATAL:
            self._failed(connection, direction, data[1])

    def _failed(self, connection: Any, direction: str, code: int) -> None:
        chain = self._chains.get(connection, ())
        failure = HandshakeFailure(
            alert=ALERTS.get(code, f"alert_{code}"),
            by_us=direction == "write",
            peer=parse_certificate(chain[0], chain[1:]) if chain else None,
            server_side=bool(connection.server_side),
            host=str(connection.server_hostname or ""),
        )
        self._failures[connection] = failure
        if self._observer is not None:
            with contextlib.suppress(Exception):  # raising here would surface in the middle of OpenSSL's own work
                self._observer(failure)


def certificates_in(message: bytes, *, tls13: bool) -> tuple[bytes, ...]:
    """The DER certificates of a Certificate handshake message (RFC 5246 §7.4.2, RFC 8446 §4.4.2); truncated ones are left out."""
    at = 4  # type, length
    if tls13:
        if len(message) <= at:
            return ()
        at += 1 + message[at]  # request context
    end = at + 3 + int.from_bytes(message[at : at + 3])
    at += 3
    found: list[bytes] = []
    while at + 3 <= min(end, len(message)):
        size = int.from_bytes(message[at : at + 3])
        der = message[at + 3 : at + 3 + size]
        if len(der) < size:
            break
        found.append(der)
        at += 3 + size
        if tls13:
            at += 2 + int.from_bytes(message[at : at + 2])
    return tuple(found)
