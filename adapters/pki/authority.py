"""The TEST authority of one data directory: made at first start, re-opened after, issuing and revoking.

Keys never leave the directory except when exported on purpose. Opening a directory that exists reads two certificates and
the index, nothing else: private keys are loaded at first need, without OpenSSL's consistency check (43 ms a key).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from adapters.pki import leaves, revocation
from adapters.pki.index import Index, locked, read_index, stamp_of, write_atomically, write_index
from adapters.pki.model import Fault, Issued, Profile, Subject
from adapters.pki.signer import KeySigner
from gateway.messaging.trust import PeerCertificate, Standing, dn_of_name, parse_certificate

__all__ = ["ORG_NAME", "ROOT_NAME", "Authority", "KeySigner", "UnknownCertificate"]

ROOT_NAME = "TEST AC RACINE IGC-SANTE ELEMENTAIRE"
ORG_NAME = "TEST AC IGC-SANTE ELEMENTAIRE ORGANISATIONS"
_FOREIGN = {Fault.OTHER_CA: "foreign-other-ca", Fault.LOOKALIKE: "foreign-lookalike"}
_RENEW_BEFORE = timedelta(days=30)
_CRL_MARGIN = timedelta(days=1)
_RETRY = timedelta(minutes=1)
_REMEMBERED = 4096


class UnknownCertificate(LookupError):
    """No certificate of this authority bears the key, fingerprint or serial asked for."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Authority:
    """A TEST root and a TEST organisations authority, and all they issued. Safe to use from several threads.

    `public_url` is where the sandbox serves `publication(path)`; it is written into the certificates issued from now on.
    """

    def __init__(self, directory: Path, public_url: str, now: Callable[[], datetime]) -> None:
        self._dir = directory
        self._public_url = public_url.rstrip("/")
        self._now = now
        self._lock = threading.RLock()
        self._index = Index()
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._trusted: dict[str, bool] = {}
        self._revoked: frozenset[int] = frozenset()
        self._by_fingerprint: dict[str, Issued] = {}
        self._crl = (-1, now(), b"")  # number, when it must be signed again, DER
        self.crl_stale = False  # incident: the only CRL at hand is out of date

    @classmethod
    def open(
        cls, directory: Path, *, public_url: str = "http://127.0.0.1:8080", now: Callable[[], datetime] = _utc_now
    ) -> Authority:
        """The authority of `directory`, made there when it is new. Raises `DamagedIndex` when its index cannot be read."""
        (directory / "issued").mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        authority = cls(directory, public_url, now)
        if not (directory / "org.pem").exists():
            authority._found()
        authority._root = authority._certificate_of("root")
        authority._org = authority._certificate_of("org")
        authority._adopt(read_index(authority._index_path))
        return authority

    _root: x509.Certificate
    _org: x509.Certificate

    def _found(self) -> None:
        with locked(self._dir / "index.lock"):
            if (self._dir / "org.pem").exists():
                return  # another process was first
            moment = self._now()
            root_key, org_key = leaves.new_key(), leaves.new_key()
            root_name, org_name = leaves.authority_name(ROOT_NAME), leaves.authority_name(ORG_NAME)
            root = leaves.make_authority(root_name, root_key, None, moment, path_length=1)
            issuer = leaves.Issuer(root, root_key, self._public_url)
            org = leaves.make_authority(org_name, org_key, issuer, moment, path_length=0)
            self._keep(self._dir / "root.pem", [root], root_key)
            self._keep(self._dir / "org.pem", [org], org_key)

    # ------------------------------------------------------------------------------------------------------- issuing

    def issue(
        self,
        profile: Profile,
        subject: Subject,
        *,
        key: str,
        workspace: str = "",
        hosts: Sequence[str] = (),
        fault: Fault = Fault.NONE,
    ) -> Issued:
        """A new certificate with its own key pair; it takes the place of an earlier one of the same `key`."""
        pair = leaves.new_key()  # outside the lock: the slow part
        issuer_name = _FOREIGN.get(fault, "org")
        with self._writing():
            issuer = self._issuer(issuer_name)
            moment = self._now().replace(microsecond=0)
            leaf = leaves.make_leaf(profile, subject, pair, issuer, moment, hosts=hosts, fault=fault)
            seen = parse_certificate(leaf.public_bytes(serialization.Encoding.DER))
            issued = Issued(
                key=key,
                profile=profile,
                dn=seen.dn,
                serial=seen.serial,
                fingerprint=seen.fingerprint,
                not_before=seen.not_before,
                not_after=seen.not_after,
                workspace=workspace,
                hosts=tuple(hosts),
                fault=fault,
                issuer=issuer_name,
                revoked_at=moment if fault is Fault.REVOKED else None,
            )
            self._keep(self.chain_path(issued), [leaf, issuer.certificate], pair)
            self._commit((*self._index.issued, issued), sign_crl=fault is Fault.REVOKED)
        return issued

    def ensure(
        self,
        profile: Profile,
        subject: Subject,
        *,
        key: str,
        workspace: str = "",
        hosts: Sequence[str] = (),
        fault: Fault = Fault.NONE,
    ) -> Issued:
        """The certificate of this `key` when it still says the same and is good for a month, else a new one."""
        dn = self._dn_of(profile, subject, fault)
        found = self.find(key)
        if (
            found is not None
            and (found.profile, found.fault, found.workspace, found.dn) == (profile, fault, workspace, dn)
            and set(hosts) <= set(found.hosts)
            and (fault is not Fault.NONE or self._good(found))
        ):
            return found
        return self.issue(profile, subject, key=key, workspace=workspace, hosts=hosts, fault=fault)

    def _good(self, issued: Issued) -> bool:
        return issued.revoked_at is None and issued.not_after - self._now() > _RENEW_BEFORE

    @staticmethod
    def _dn_of(profile: Profile, subject: Subject, fault: Fault) -> str:
        return dn_of_name(leaves.subject_name(profile, subject, fault))

    # ------------------------------------------------------------------------------------------------------- reading

    def issued(self, workspace: str | None = None) -> tuple[Issued, ...]:
        """All that was issued, oldest first; of one workspace when named."""
        self._refresh()
        return tuple(i for i in self._index.issued if workspace is None or i.workspace == workspace)

    def find(self, key: str) -> Issued | None:
        """The latest certificate of a key."""
        self._refresh()
        return next((i for i in reversed(self._index.issued) if i.key == key), None)

    def of_fingerprint(self, fingerprint: str) -> Issued | None:
        """The certificate with this SHA-256 (hex)."""
        self._refresh()
        return self._by_fingerprint.get(fingerprint.lower())

    def workspace_of(self, fingerprint: str) -> str:
        """The workspace a certificate was issued for; '' when it is not one of ours."""
        found = self.of_fingerprint(fingerprint)
        return found.workspace if found else ""

    @property
    def generation(self) -> tuple[int, int]:
        """Changes when a TLS context must be made anew: a CRL signed again, or a foreign root that appeared."""
        self._fresh_crl()
        return self._index.crl_number, sum(path.exists() for path in self._foreign_paths())

    def standing(self, peer: PeerCertificate) -> Standing:
        """Issued under our organisations authority, revoked, and whether a CRL in force can tell."""
        self._refresh()
        trusted = self._trusted.get(peer.fingerprint)
        if trusted is None:
            trusted = _issued_by(self._org, peer.der)
            if len(self._trusted) >= _REMEMBERED:
                self._trusted.clear()
            self._trusted[peer.fingerprint] = trusted
        return Standing(trusted, trusted and peer.serial in self._revoked, not self.crl_stale)

    # ------------------------------------------------------------------------------------------------------- exports

    def chain_path(self, issued: Issued) -> Path:
        """PEM file: the certificate, then its issuer. What `SSLContext.load_cert_chain` wants."""
        return self._dir / "issued" / f"{issued.fingerprint}.pem"

    def key_path(self, issued: Issued) -> Path:
        """PEM file (PKCS#8) of the private key."""
        return self._dir / "issued" / f"{issued.fingerprint}.key"

    def certificate_pem(self, issued: Issued) -> bytes:
        """Leaf and chain, PEM."""
        return self.chain_path(issued).read_bytes()

    def certificate_der(self, issued: Issued) -> bytes:
        """The leaf alone, DER."""
        leaf = x509.load_pem_x509_certificates(self.certificate_pem(issued))[0]
        return leaf.public_bytes(serialization.Encoding.DER)

    def key_pem(self, issued: Issued) -> bytes:
        """The private key, PEM, not encrypted."""
        return self.key_path(issued).read_bytes()

    def pkcs12(self, issued: Issued, password: str) -> bytes:
        """Key, certificate and whole chain as a .p12 file."""
        leaf, *chain = x509.load_pem_x509_certificates(self.certificate_pem(issued))
        chain = [self._org, self._root] if issued.issuer == "org" else chain
        name = issued.key.encode("utf-8")
        encryption = serialization.BestAvailableEncryption(password.encode("utf-8"))
        return pkcs12.serialize_key_and_certificates(name, self.private_key(issued), leaf, chain, encryption)

    def bundle_pem(self) -> bytes:
        """What a partner must trust: the root, then the organisations authority."""
        return _pem(self._root) + _pem(self._org)

    @property
    def root_der(self) -> bytes:
        """The TEST root, DER."""
        return self._root.public_bytes(serialization.Encoding.DER)

    @property
    def org_der(self) -> bytes:
        """The TEST organisations authority, DER."""
        return self._org.public_bytes(serialization.Encoding.DER)

    @property
    def bundle_path(self) -> Path:
        """PEM file of `bundle_pem`, for programs that want a file."""
        path = self._dir / "bundle.pem"
        if not path.exists():
            write_atomically(path, self.bundle_pem())
        return path

    def foreign_roots_pem(self) -> bytes:
        """The foreign authorities this sandbox made to play incidents; empty when it made none."""
        return b"".join(path.read_bytes() for path in self._foreign_paths() if path.exists())

    def _foreign_paths(self) -> tuple[Path, ...]:
        return tuple(self._dir / f"{name}.pem" for name in _FOREIGN.values())

    def private_key(self, issued: Issued) -> rsa.RSAPrivateKey:
        """The key object, loaded once."""
        return self._load_key(self.key_path(issued))

    def signer(self, issued: Issued) -> KeySigner:
        """What signs with this certificate's key."""
        return KeySigner(self.certificate_der(issued), self.private_key(issued))

    def publication(self, path: str) -> tuple[str, bytes] | None:
        """What is served over HTTP under `path` (those of `adapters.pki.leaves`): media type and bytes."""
        if path == leaves.CRL_PATH:
            return "application/pkix-crl", self.crl()
        if path == leaves.ROOT_CRL_PATH:
            return "application/pkix-crl", self.root_crl()
        if path == leaves.CA_PATH:
            return "application/pkix-cert", self.org_der
        if path == leaves.ROOT_PATH:
            return "application/pkix-cert", self.root_der
        return None

    # ---------------------------------------------------------------------------------------------------- revocation

    def revoke(self, issued: Issued) -> Issued:
        """Put a certificate on the CRL, now. Idempotent. Raises `UnknownCertificate` when it is not in the index."""
        with self._writing():
            found = self._by_fingerprint.get(issued.fingerprint)
            if found is None:
                raise UnknownCertificate(issued.key)
            if found.revoked_at is not None:
                return found
            gone = replace(found, revoked_at=self._now().replace(microsecond=0))
            kept = tuple(gone if i.fingerprint == gone.fingerprint else i for i in self._index.issued)
            self._commit(kept, sign_crl=True)
        return gone

    def crl(self) -> bytes:
        """The list of what the organisations authority revoked, DER, in force for a week (out of date in `crl_stale`)."""
        data = self._fresh_crl()
        if not self.crl_stale:
            return data
        past = self._now() - timedelta(days=30)
        return revocation.sign_crl(self._issuer("org"), _revocations(self._index.issued), self._index.crl_number, past)

    def _fresh_crl(self) -> bytes:
        """The CRL on disk, signed again a day before its end; read and checked once for each number."""
        self._refresh()
        number, until, data = self._crl
        if number == self._index.crl_number and self._now() < until:
            return data
        with self._writing():
            path = self._dir / "crl.der"
            data = path.read_bytes() if path.exists() else b""
            until = self._now() + _RETRY
            if not revocation.in_force(data, self._now() + _CRL_MARGIN):
                try:
                    self._commit(self._index.issued, sign_crl=True)
                    data = path.read_bytes()
                except OSError:  # disk full: the list at hand serves as long as it is in force
                    if not revocation.in_force(data, self._now()):
                        raise
            until = max(until, revocation.end_of(data) - _CRL_MARGIN)
            self._crl = (self._index.crl_number, until, data)
        return data

    @property
    def crl_path(self) -> Path:
        """PEM file of both CRLs in force, for OpenSSL stores."""
        self._fresh_crl()
        return self._dir / "crl.pem"

    def root_crl(self) -> bytes:
        """The root's own list, DER: empty, as the organisations authority is never revoked."""
        return revocation.sign_crl(self._issuer("root"), [], 1, self._now())

    def ocsp(self, request: bytes) -> bytes:
        """The answer (DER) to an OCSP request about certificates of the organisations authority."""
        self._refresh()
        known = {i.serial: i.revoked_at for i in self._index.issued if i.issuer == "org"}
        return revocation.answer_ocsp(request, self._issuer("org"), known, self._now())

    # ------------------------------------------------------------------------------------------------------- inside

    @property
    def _index_path(self) -> Path:
        return self._dir / "index.json"

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, locked(self._dir / "index.lock"):
            self._refresh()
            yield

    def _refresh(self) -> None:
        """Another process (a command, a second gateway) may have issued or revoked: a stat tells."""
        if stamp_of(self._index_path) != self._index.stamp:
            with self._lock:
                self._adopt(read_index(self._index_path))

    def _adopt(self, index: Index) -> None:
        self._by_fingerprint = {i.fingerprint: i for i in index.issued}
        self._revoked = frozenset(i.serial for i in index.issued if i.revoked_at and i.issuer == "org")
        self._index = index

    def _commit(self, issued: tuple[Issued, ...], *, sign_crl: bool) -> None:
        number = self._index.crl_number + 1 if sign_crl else self._index.crl_number
        self._adopt(write_index(self._index_path, Index(issued, number)))
        if sign_crl:
            der = revocation.sign_crl(self._issuer("org"), _revocations(issued), number, self._now())
            write_atomically(self._dir / "crl.pem", revocation.pem(der) + revocation.pem(self.root_crl()))
            write_atomically(self._dir / "crl.der", der)

    def _issuer(self, name: str) -> leaves.Issuer:
        path = self._dir / f"{name}.pem"
        if not path.exists():  # a foreign authority, at first need
            fault = next(fault for fault, known in _FOREIGN.items() if known == name)
            key = leaves.new_key()
            subject = leaves.foreign_name(fault)
            certificate = leaves.make_authority(subject, key, None, self._now(), path_length=0)
            self._keep(path, [certificate], key)
        certificate = self._certificate_of(name)
        public_url = self._public_url if name == "org" else ""
        return leaves.Issuer(certificate, self._load_key(path.with_suffix(".key")), public_url)

    def _certificate_of(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self._dir / f"{name}.pem").read_bytes())

    def _keep(self, path: Path, chain: Sequence[x509.Certificate], key: rsa.RSAPrivateKey) -> None:
        """The key first: a certificate on disk always has its key beside it."""
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_atomically(path.with_suffix(".key"), pem)
        write_atomically(path, b"".join(_pem(certificate) for certificate in chain))
        self._keys[str(path.with_suffix(".key"))] = key

    def _load_key(self, path: Path) -> rsa.RSAPrivateKey:
        key = self._keys.get(str(path))
        if key is None:
            loaded = serialization.load_pem_private_key(
                path.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True
            )
            if not isinstance(loaded, rsa.RSAPrivateKey):
                raise TypeError(f"{path}: an RSA key was expected")
            key = self._keys[str(path)] = loaded
        return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _revocations(issued: Sequence[Issued]) -> list[tuple[int, datetime | None]]:
    return [(i.serial, i.revoked_at) for i in issued if i.revoked_at and i.issuer == "org"]


def _issued_by(issuer: x509.Certificate, der: bytes) -> bool:
    """The signature is the issuer's, whatever the names say."""
    try:
        x509.load_der_x509_certificate(der).verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
