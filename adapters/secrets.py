"""Application passwords of mailboxes: scrypt, never stored in clear, verified off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os

_N, _R, _P = 2**14, 8, 1


def hash_secret(secret: str, salt: bytes | None = None) -> str:
    """`scrypt$<salt hex>$<hash hex>` of a password."""
    salt = os.urandom(16) if salt is None else salt
    return f"scrypt${salt.hex()}${_derive(secret, salt).hex()}"


def secret_matches(secret: str, stored: str) -> bool:
    """Whether a password is the stored one. Takes as long when there is none, so that nobody learns who exists."""
    kind, _, rest = stored.partition("$")
    salt, _, digest = rest.partition("$")
    if kind != "scrypt":
        _derive(secret, b"\0" * 16)
        return False
    return hmac.compare_digest(_derive(secret, bytes.fromhex(salt)), bytes.fromhex(digest))


async def secret_matches_off_loop(secret: str, stored: str) -> bool:
    """The same in a thread: scrypt takes tens of milliseconds."""
    return await asyncio.to_thread(secret_matches, secret, stored)


def _derive(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
