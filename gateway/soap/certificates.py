"""Certificates of those who speak to a teleservice: who they name, what they may be used for, whether their chain is trusted.

IGC-Santé gives a structure one certificate to authenticate (`ORG_AUTH_CLI`) and another to sign (`ORG_SIGN`, cachet);
a card likewise. They are never interchangeable. Time is an argument: certificates are judged by the real clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.values import Text

_MAX_CHAIN = 5


class ChainFault(StrEnum):
    """Why a certificate is not trusted."""

    NONE = ""
    UNREADABLE = "unreadable"
    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    NOT_YET = "not-yet-valid"
    REVOKED = "revoked"

    @property
    def words(self) -> Text:
        """The reason, for a reader."""
        return _CHAIN_WORDS[self.value]


_CHAIN_WORDS = {
    "": Text("aucun défaut", "no fault"),
    "unreadable": Text("certificat illisible", "unreadable certificate"),
    "untrusted": Text("émis par une autorité inconnue ici", "issued by an authority unknown here"),
    "expired": Text("expiré", "expired"),
    "not-yet-valid": Text("pas encore valable", "not valid yet"),
    "revoked": Text("révoqué", "revoked"),
}


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Whom a teleservice believes: CA certificates (DER, roots and intermediates), and serial numbers revoked by each issuer.

    `revoked` holds (issuer name in DER, serial number) pairs, as read in the CRLs.
    """

    authorities: tuple[bytes, ...]
    revoked: frozenset[tuple[bytes, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Holder:
    """What a certificate says of its holder. `dn` is CN first; `organisation_ids` are the OU values.

    `may_sign`: fit for a VIHF or a lot (cachet, card signature pair). `may_authenticate`: fit for a TLS client.
    """

    der: bytes
    dn: str
    common_name: str
    organisation: str
    organisation_ids: tuple[str, ...]
    serial: int
    may_sign: bool
    may_authenticate: bool

    def names(self, identifier: str) -> bool:
        """The identifier (Struct_IdNat or PS_IdNat) stands in the subject: in an OU, or as a word of the CN."""
        return bool(identifier) and (
            identifier in self.organisation_ids or identifier in re.split(r"[^0-9A-Za-z]+", self.common_name)
        )


@lru_cache(maxsize=512)
def certificate_of(der: bytes) -> x509.Certificate | None:
    """The parsed certificate; None when the bytes are not one."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.subject  # noqa: B018  # parsed at first use: a malformed name must fail here
        certificate.extensions  # noqa: B018
        certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return None
    return certificate


@lru_cache(maxsize=512)
def holder_of(der: bytes) -> Holder | None:
    """Who a certificate names; None when it cannot be read."""
    certificate = certificate_of(der)
    if certificate is None:
        return None
    subject = certificate.subject
    usage = _extension(certificate, x509.KeyUsage)
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    purposes = set(extended) if extended is not None else set()
    signs = usage is None or usage.content_commitment or usage.digital_signature
    authenticates = bool(purposes & {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH})
    committed = usage is not None and usage.content_commitment
    return Holder(
        der=der,
        dn=subject.rfc4514_string(),
        common_name=_first(subject, NameOID.COMMON_NAME),
        organisation=_first(subject, NameOID.ORGANIZATION_NAME),
        organisation_ids=tuple(str(a.value) for a in subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)),
        serial=certificate.serial_number,
        may_sign=committed or (signs and not authenticates),
        may_authenticate=ExtendedKeyUsageOID.CLIENT_AUTH in purposes or (not purposes and not committed),
    )


@dataclass(frozen=True, slots=True)
class Peer:
    """The TLS client. `holder` is None when it showed no certificate, or one that cannot be read."""

    presented: bool
    holder: Holder | None = None
    fault: ChainFault = ChainFault.NONE


def peer_of(der: bytes, trust: TrustStore, now: datetime) -> Peer:
    """The TLS client that showed a certificate (DER; b'' when it showed none), judged at `now`."""
    if not der:
        return Peer(presented=False)
    return Peer(presented=True, holder=holder_of(der), fault=judge_chain(der, (), trust, now))


E = TypeVar("E", x509.KeyUsage, x509.ExtendedKeyUsage)


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def judge_chain(der: bytes, extra: Iterable[bytes], trust: TrustStore, at: datetime) -> ChainFault:
    """Whether a certificate leads to an authority of `trust`, and every link is in its dates and not revoked at `at`.

    `extra` are certificates the message itself carries (X509Data): usable as links, never as trust.
    """
    leaf = certificate_of(der)
    if leaf is None:
        return ChainFault.UNREADABLE
    authorities = [c for c in map(certificate_of, trust.authorities) if c is not None]
    carried = [c for c in map(certificate_of, list(extra)[:_MAX_CHAIN]) if c is not None]
    current, depth = leaf, 0
    while depth < _MAX_CHAIN:
        fault = _standing(current, trust, at)
        if fault is not ChainFault.NONE:
            return fault
        issuer = _issuer(current, authorities)
        if issuer is not None:
            return _standing(issuer, trust, at)
        link = _issuer(current, carried)
        if link is None or link == current:
            return ChainFault.UNTRUSTED
        current, depth = link, depth + 1
    return ChainFault.UNTRUSTED


def _standing(certificate: x509.Certificate, trust: TrustStore, at: datetime) -> ChainFault:
    if at > certificate.not_valid_after_utc:
        return ChainFault.EXPIRED
    if at < certificate.not_valid_before_utc:
        return ChainFault.NOT_YET
    if (certificate.issuer.public_bytes(), certificate.serial_number) in trust.revoked:
        return ChainFault.REVOKED
    return ChainFault.NONE


def _issuer(certificate: x509.Certificate, candidates: list[x509.Certificate]) -> x509.Certificate | None:
    for candidate in candidates:
        if candidate.subject != certificate.issuer or not _is_authority(candidate):
            continue
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return candidate
    return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def revoked_by(crls: Iterable[bytes]) -> frozenset[tuple[bytes, int]]:
    """The (issuer, serial) pairs of a set of CRLs in DER; what is no CRL is passed over."""
    found: set[tuple[bytes, int]] = set()
    for der in crls:
        try:
            crl = x509.load_der_x509_crl(der)
        except ValueError:
            continue
        issuer = crl.issuer.public_bytes()
        found.update((issuer, entry.serial_number) for entry in crl)
    return frozenset(found)


def issuer_written(der: bytes) -> tuple[str, str]:
    """The issuer's DN (RFC 2253) and the serial number in decimal, as ds:X509IssuerSerial wants them."""
    certificate = certificate_of(der)
    if certificate is None:
        return "", ""
    return certificate.issuer.rfc4514_string(), str(certificate.serial_number)


def subject_written(der: bytes) -> str:
    """The subject's DN (RFC 2253, CN first, `ST=`), as a VIHF names its issuer."""
    holder = holder_of(der)
    return holder.dn if holder else ""


def same_name(written: str, der: bytes) -> bool:
    """A DN written in a VIHF is the subject of the certificate: same pairs, in either order, case and spaces aside."""
    certificate = certificate_of(der)
    if certificate is None:
        return False
    try:
        name = x509.Name.from_rfc4514_string(re.sub(r"\s*,\s*(?=[A-Za-z0-9.]+\s*=)", ",", written.strip()), _NAMES)
    except ValueError:
        return False
    said = [(a.oid, _plain(str(a.value))) for a in name]
    held = [(a.oid, _plain(str(a.value))) for a in certificate.subject]
    return said in (held, held[::-1])


_NAMES = {
    "GN": NameOID.GIVEN_NAME,
    "SN": NameOID.SURNAME,
    "G": NameOID.GIVEN_NAME,
    "T": NameOID.TITLE,
    "TITLE": NameOID.TITLE,
}


def _plain(value: str) -> str:
    return " ".join(value.split()).casefold()


def verify_rsa(der: bytes, signature: bytes, data: bytes, digest: str) -> bool:
    """RSA PKCS#1 v1.5 over `data` with the key of a certificate; `digest` is `sha256` or `sha1`. False when it fails."""
    certificate = certificate_of(der)
    key = certificate.public_key() if certificate is not None else None
    if not isinstance(key, RSAPublicKey) or key.key_size < 1024:
        return False
    algorithm: hashes.HashAlgorithm = hashes.SHA256() if digest == "sha256" else hashes.SHA1()  # noqa: S303
    try:
        key.verify(signature, data, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True
