"""SASL mechanisms as conversations without a wire: challenges out, responses in, credentials at the end.

Sources: RFC 4954 (SMTP AUTH), RFC 4616 (PLAIN), RFC 4422 appendix A (EXTERNAL), the LOGIN draft that clients still use.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator
from dataclasses import dataclass

from adapters.smtp.texts import Reply


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the client claims. `address` is lower case, '' when EXTERNAL leaves it to the certificate."""

    mechanism: str
    address: str
    secret: str = ""


Talk = Generator[bytes, bytes, "Credentials | Reply"]
"""Yields the text of each 334 challenge, is sent the response line, returns the credentials or the refusal."""


class _Bad(Exception):
    """A response that cannot be read."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply


def begin(mechanism: str, initial: bytes | None) -> Talk | None:
    """The conversation of a mechanism (name in any case); None when it is unknown. `initial` is still in base64."""
    name = mechanism.upper()
    talk = _TALKS.get(name)
    return _guarded(talk(initial)) if talk else None


def _guarded(talk: Generator[bytes, bytes, Credentials]) -> Talk:
    try:
        return (yield from talk)
    except _Bad as bad:
        return bad.reply


def _plain(initial: bytes | None) -> Generator[bytes, bytes, Credentials]:
    response = _decoded(initial if initial is not None else (yield b""))
    try:
        authorised, name, secret = (piece.decode() for piece in response.split(b"\0"))
    except ValueError:  # neither three pieces, nor UTF-8
        raise _Bad(Reply.AUTH_FORM) from None
    if not name or (authorised and authorised.lower() != name.lower()):
        raise _Bad(Reply.AUTH_FORM)
    return Credentials("PLAIN", name.lower(), secret)


def _login(initial: bytes | None) -> Generator[bytes, bytes, Credentials]:
    name = _text(initial if initial is not None else (yield b64encode(b"Username:")))
    secret = _text((yield b64encode(b"Password:")))
    return Credentials("LOGIN", name.lower(), secret)


def _external(initial: bytes | None) -> Generator[bytes, bytes, Credentials]:
    return Credentials("EXTERNAL", _text(initial if initial is not None else (yield b"")).lower())


_TALKS: dict[str, Callable[[bytes | None], Generator[bytes, bytes, Credentials]]] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "EXTERNAL": _external,
}


def _decoded(response: bytes) -> bytes:
    response = response.strip()
    if response == b"*":
        raise _Bad(Reply.AUTH_CANCELLED)
    if response == b"=":  # an empty initial response (RFC 4954 §4)
        return b""
    try:
        return b64decode(response, validate=True)
    except binascii.Error:
        raise _Bad(Reply.AUTH_BASE64) from None


def _text(response: bytes) -> str:
    try:
        return _decoded(response).decode()
    except UnicodeDecodeError:
        raise _Bad(Reply.AUTH_BASE64) from None
