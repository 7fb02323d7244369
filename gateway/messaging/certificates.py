"""An X.509 certificate as a peer presented it, read without ever raising."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.messaging.dn import Pairs, format_dn, value_in

_EKU_NAMES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
}
_TYPE_BY_OID = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "2.5.4.42": "GN",
    "1.2.840.113549.1.9.1": "EMAILADDRESS",
}
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """A certificate as a peer presented it. `fingerprint` is SHA-256 in lower-case hex; DNs are CN first (RFC 2253).

    `eku` names the extended key usages (`serverAuth`, `clientAuth`, dotted OIDs otherwise), empty when the extension is
    absent; `sans` are DNS names, IP addresses and e-mail addresses. `chain` is the other certificates presented (DER).
    `flaw` says why the certificate could not be read; its other fields are then empty.
    """

    der: bytes
    dn: str
    issuer_dn: str
    serial: int
    fingerprint: str
    not_before: datetime
    not_after: datetime
    eku: tuple[str, ...] = ()
    sans: tuple[str, ...] = ()
    chain: tuple[bytes, ...] = ()
    pairs: Pairs = ()
    flaw: str = ""

    @property
    def common_name(self) -> str:
        """The CN, '' when absent."""
        return value_in(self.pairs, "CN")

    @property
    def structure_id(self) -> str:
        """Struct_IdNat placed in the OU: `1` + FINESS or `3` + SIRET; '' when absent."""
        return value_in(self.pairs, "OU")


def parse_certificate(der: bytes, chain: Sequence[bytes] = ()) -> PeerCertificate:
    """Read one certificate. Never raises: what cannot be read has a `flaw`."""
    fingerprint = hashlib.sha256(der).hexdigest()
    try:
        certificate = x509.load_der_x509_certificate(der)
        pairs = _pairs(certificate.subject)
        eku, sans = _usages(certificate)
        return PeerCertificate(
            der=der,
            dn=format_dn(pairs),
            issuer_dn=format_dn(_pairs(certificate.issuer)),
            serial=certificate.serial_number,
            fingerprint=fingerprint,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            eku=eku,
            sans=sans,
            chain=tuple(chain),
            pairs=pairs,
        )
    except Exception as error:  # a hostile certificate may break any step of the reading
        return PeerCertificate(der, "", "", 0, fingerprint, _NO_TIME, _NO_TIME, flaw=f"{type(error).__name__}: {error}")


def dn_of_name(name: x509.Name) -> str:
    """The CN-first text of a certificate name, as the whitelist lists it."""
    return format_dn(_pairs(name))


def _pairs(name: x509.Name) -> Pairs:
    found = [(_TYPE_BY_OID.get(a.oid.dotted_string, a.oid.dotted_string), str(a.value)) for a in name]
    return tuple(reversed(found))


def _usages(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    eku: tuple[str, ...] = ()
    sans: tuple[str, ...] = ()
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.ExtendedKeyUsage):
            eku = tuple(_EKU_NAMES.get(oid, oid.dotted_string) for oid in value)
        elif isinstance(value, x509.SubjectAlternativeName):
            kinds = (x509.DNSName, x509.IPAddress, x509.RFC822Name)
            sans = tuple(str(name.value) for name in value if isinstance(name, kinds))
    return eku, sans
