"""The key that signs a VIHF and a lot, as this room sees it."""

from __future__ import annotations

from typing import Protocol


class Seal(Protocol):
    """A signing key and its certificate (DER). `gateway.ports.Signer` is one; the key never leaves its adapter."""

    @property
    def certificate(self) -> bytes: ...

    def sign(self, data: bytes, digest: str) -> bytes:
        """RSA PKCS#1 v1.5 signature over `data`; digest is `sha256` or `sha1`."""
        ...
