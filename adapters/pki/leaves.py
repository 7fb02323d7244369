"""The shape of each certificate: the two TEST authorities, foreign ones, and the leaves by profile.

Shape read on real IGC-Santé certificates: subject in the order C, ST, O, OU, CN; RSA 2048, sha256WithRSAEncryption; three
years; critical KeyUsage, ExtendedKeyUsage not critical, BasicConstraints CA:FALSE, AIA and CRL distribution point.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from adapters.pki.model import Fault, Profile, Subject

VALIDITY = timedelta(days=3 * 365 + 1)
_CA_VALIDITY = timedelta(days=20 * 365)
_BACKDATE = timedelta(hours=1)  # a peer whose clock is a little late still accepts a certificate made now
_O_MAX = 40

CRL_PATH = "/igc/TEST-ACI-EL-ORG.crl"
ROOT_CRL_PATH = "/igc/TEST-ACR-EL.crl"
CA_PATH = "/igc/TEST-ACI-EL-ORG.cer"
ROOT_PATH = "/igc/TEST-ACR-EL.cer"
OCSP_PATH = "/igc/ocsp"

_POLICY_SIGN = x509.ObjectIdentifier("1.2.250.1.213.1.7.1.1.2.3.1")
_PRODUCT_TYPE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.250.1.71.1.2.5"), bytes.fromhex("040103"))

_EKU = {
    Profile.SERVER: (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    Profile.AUTH_CLIENT: (ExtendedKeyUsageOID.CLIENT_AUTH,),
    Profile.SIGN: (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    Profile.PROFESSIONAL_AUTH: (ExtendedKeyUsageOID.CLIENT_AUTH,),
    Profile.PROFESSIONAL_SIGN: (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
}
_SIGNING = frozenset({Profile.SIGN, Profile.PROFESSIONAL_SIGN})


@dataclass(frozen=True, slots=True)
class Issuer:
    """A certificate authority with its key. `public_url` is where its CRL and certificate are served ('' = nowhere)."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    public_url: str = ""


def new_key() -> rsa.RSAPrivateKey:
    """A fresh RSA 2048 key (about 50 ms)."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs if value])


def authority_name(common_name: str) -> x509.Name:
    """The subject of a TEST authority: C, O, two OUs, CN, in certificate order."""
    return _name(
        (NameOID.COUNTRY_NAME, "FR"),
        (NameOID.ORGANIZATION_NAME, "ASIP-SANTE"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "0002 187512751"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "IGC-SANTE TEST"),
        (NameOID.COMMON_NAME, common_name),
    )


def foreign_name(fault: Fault) -> x509.Name:
    """The subject of an authority outside the trust space: plainly foreign, or dressed up as IGC-Santé."""
    if fault is Fault.LOOKALIKE:
        return _name(
            (NameOID.COUNTRY_NAME, "FR"),
            (NameOID.ORGANIZATION_NAME, "TEST IMITATION"),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, "IGC-SANTE"),
            (NameOID.COMMON_NAME, "TEST FAUSSE AC IGC-SANTE ELEMENTAIRE ORGANISATIONS"),
        )
    return _name(
        (NameOID.COUNTRY_NAME, "FR"),
        (NameOID.ORGANIZATION_NAME, "TEST AUTORITE ETRANGERE"),
        (NameOID.COMMON_NAME, "TEST AC HORS ESPACE DE CONFIANCE"),
    )


def make_authority(
    subject: x509.Name, key: rsa.RSAPrivateKey, issuer: Issuer | None, now: datetime, *, path_length: int
) -> x509.Certificate:
    """A CA certificate: self-signed when `issuer` is None."""
    signing_key = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=5 * 365))  # older than any expired leaf it issues
        .not_valid_after(now + _CA_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(certify=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_aki(signing_key), critical=False)
    )
    if issuer and issuer.public_url:
        builder = builder.add_extension(_crl_point(issuer.public_url + ROOT_CRL_PATH), critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def make_leaf(
    profile: Profile,
    subject: Subject,
    key: rsa.RSAPrivateKey,
    issuer: Issuer,
    now: datetime,
    *,
    hosts: Sequence[str] = (),
    fault: Fault = Fault.NONE,
) -> x509.Certificate:
    """One end-entity certificate of a profile, with the deliberate fault asked for."""
    not_before, not_after = _validity(fault, now)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject_name(profile, subject, fault))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(certify=False, profile=profile), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_usages(profile, fault)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_aki(issuer.key), critical=False)
    )
    names = _alternative_names(profile, subject, hosts)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if issuer.public_url:
        builder = builder.add_extension(_crl_point(issuer.public_url + CRL_PATH), critical=False)
        builder = builder.add_extension(_access(issuer.public_url), critical=False)
    if profile is Profile.SIGN:
        policy = x509.PolicyInformation(_POLICY_SIGN, None)
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
        builder = builder.add_extension(_PRODUCT_TYPE, critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def subject_name(profile: Profile, subject: Subject, fault: Fault = Fault.NONE) -> x509.Name:
    """The subject in certificate order: C, ST, O, OU, CN; a professional's holds title, surname and given name too."""
    common_name = f"autre-{subject.common_name}" if fault is Fault.CN_DIFF else subject.common_name
    professional = profile in (Profile.PROFESSIONAL_AUTH, Profile.PROFESSIONAL_SIGN)
    return _name(
        (NameOID.COUNTRY_NAME, subject.country),
        (NameOID.STATE_OR_PROVINCE_NAME, subject.state),
        (NameOID.ORGANIZATION_NAME, subject.organisation[:_O_MAX].strip()),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, subject.structure_id),
        (NameOID.TITLE, subject.title if professional else ""),
        (NameOID.SURNAME, subject.family if professional else ""),
        (NameOID.GIVEN_NAME, subject.given if professional else ""),
        (NameOID.COMMON_NAME, common_name[:64]),
    )


def _validity(fault: Fault, now: datetime) -> tuple[datetime, datetime]:
    if fault is Fault.EXPIRED:
        return now - VALIDITY - timedelta(days=30), now - timedelta(days=30)
    if fault is Fault.NOT_YET_VALID:
        return now + timedelta(days=30), now + timedelta(days=30) + VALIDITY
    return now - _BACKDATE, now + VALIDITY


def _usages(profile: Profile, fault: Fault) -> tuple[x509.ObjectIdentifier, ...]:
    return (ExtendedKeyUsageOID.EMAIL_PROTECTION,) if fault is Fault.WRONG_EKU else _EKU[profile]


def _key_usage(*, certify: bool, profile: Profile = Profile.SERVER) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certify,
        content_commitment=not certify and profile in _SIGNING,
        key_encipherment=not certify and profile is Profile.SERVER,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certify,
        crl_sign=certify,
        encipher_only=False,
        decipher_only=False,
    )


def _aki(key: rsa.RSAPrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _alternative_names(profile: Profile, subject: Subject, hosts: Sequence[str]) -> list[x509.GeneralName]:
    if profile is not Profile.SERVER:
        return []
    wanted = dict.fromkeys((subject.common_name, *hosts, "localhost", "127.0.0.1", "::1"))
    return [name for host in wanted if (name := _general_name(host)) is not None]


def _general_name(host: str) -> x509.GeneralName | None:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host.strip().encode("idna").decode("ascii"))
    except (UnicodeError, ValueError):
        return None


def _crl_point(url: str) -> x509.CRLDistributionPoints:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.CRLDistributionPoints([point])


def _access(public_url: str) -> x509.AuthorityInformationAccess:
    places = (
        (AuthorityInformationAccessOID.CA_ISSUERS, public_url + CA_PATH),
        (AuthorityInformationAccessOID.OCSP, public_url + OCSP_PATH),
    )
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(oid, x509.UniformResourceIdentifier(url)) for oid, url in places]
    )
