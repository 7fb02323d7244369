"""CRL and OCSP answers of an authority (RFC 5280 §5, RFC 6960)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from adapters.pki.leaves import Issuer

CRL_VALIDITY = timedelta(days=7)


def sign_crl(
    issuer: Issuer, revoked: Iterable[tuple[int, datetime | None]], number: int, this_update: datetime
) -> bytes:
    """A CRL in DER, in force for a week from `this_update`. `revoked` holds serials and dates."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(this_update + CRL_VALIDITY)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
    )
    for serial, date in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(date or this_update)
        reason = x509.CRLReason(x509.ReasonFlags.key_compromise)
        builder = builder.add_revoked_certificate(entry.add_extension(reason, critical=False).build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def end_of(der: bytes) -> datetime:
    """The next update a CRL announces. Raises ValueError when it cannot be read or announces none."""
    next_update = x509.load_der_x509_crl(der).next_update_utc
    if next_update is None:
        raise ValueError("a CRL without nextUpdate")
    return next_update


def in_force(der: bytes, moment: datetime) -> bool:
    """Whether a CRL can be read and still holds at `moment`."""
    try:
        return moment < end_of(der)
    except ValueError:
        return False


def pem(der: bytes) -> bytes:
    """The same CRL in PEM."""
    return x509.load_der_x509_crl(der).public_bytes(serialization.Encoding.PEM)


def answer_ocsp(request: bytes, issuer: Issuer, known: Mapping[int, datetime | None], now: datetime) -> bytes:
    """Good, revoked or unknown for the serial asked about; `malformedRequest` when the request cannot be read.

    `known` maps each serial the authority issued to its date of revocation, or None.
    """
    try:
        asked = ocsp.load_der_ocsp_request(request)
        serial, algorithm = asked.serial_number, asked.hash_algorithm
    except ValueError:
        return _failed(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    if not _asks_about(asked, issuer):
        return _failed(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    status, revoked_at = _status(serial, known)
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        issuer_name_hash=asked.issuer_name_hash,
        issuer_key_hash=asked.issuer_key_hash,
        serial_number=serial,
        algorithm=algorithm,
        cert_status=status,
        this_update=now,
        next_update=now + timedelta(hours=12),
        revocation_time=revoked_at,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked_at else None,
    )
    for extension in asked.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            builder = builder.add_extension(extension.value, critical=False)
    signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    return signed.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _status(serial: int, known: Mapping[int, datetime | None]) -> tuple[ocsp.OCSPCertStatus, datetime | None]:
    if serial not in known:
        return ocsp.OCSPCertStatus.UNKNOWN, None
    revoked_at = known[serial]
    return (ocsp.OCSPCertStatus.REVOKED if revoked_at else ocsp.OCSPCertStatus.GOOD), revoked_at


def _asks_about(asked: ocsp.OCSPRequest, issuer: Issuer) -> bool:
    digest = hashes.Hash(asked.hash_algorithm)
    digest.update(issuer.certificate.subject.public_bytes())
    return digest.finalize() == asked.issuer_name_hash


def _failed(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(serialization.Encoding.DER)
