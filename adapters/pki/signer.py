"""Signing with the key of an issued certificate."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# SHA-1 is what some DMP lot signatures still ask for
_DIGESTS: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha1": hashes.SHA1()}  # noqa: S303


class KeySigner:
    """`gateway.ports.Signer` over one issued certificate."""

    def __init__(self, certificate: bytes, key: rsa.RSAPrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @property
    def certificate(self) -> bytes:
        """DER."""
        return self._certificate

    @property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The key itself, for libraries that sign by themselves."""
        return self._key

    def sign(self, data: bytes, digest: str) -> bytes:
        """RSA PKCS#1 v1.5 over `data`; `digest` is `sha256` or `sha1`. Raises ValueError for another."""
        if digest not in _DIGESTS:
            raise ValueError(f"digest {digest!r}: sha256 or sha1 expected")
        return self._key.sign(data, padding.PKCS1v15(), _DIGESTS[digest])
