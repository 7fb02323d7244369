"""The suspicious reader of a whitelist: findings for each way it can be wrong, and the list only when none blocks.

Policy: refuse, and keep the last good list, when the document is not well-formed (GW-LB-01), is something else (02), is
not signed (03) or not as the trust space signs (14), when digest or signature is wrong (04), when the signer is not the
expected one (05 to 08), or when the list is older than the one in force (09). A list that lost more than a fifth of its
entries (10) is not put in force without a person's word. What is read is the very tree whose digest was verified: it holds
no comment that could cut a signed value in two.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from gateway.documents.model import Issue
from gateway.documents.xml import parse_xml
from gateway.messaging.dn import parse_dn, value_in
from gateway.messaging.trust import PeerCertificate, parse_certificate
from gateway.messaging.whitelist import DS, ENVELOPED, EXC_C14N, NS, RSA_SHA256, SHA256, WhitelistEntry
from gateway.rules.catalogue import load_catalogue
from gateway.rules.model import Hit, Severity
from gateway.sandbox.model import Limits
from gateway.soap.c14n import NotCanonical, canonical, without_signature
from gateway.values import PlaceKind, Text, Where, Words

EXPECTED_SIGNER = "alb.mssante.fr"
_LIMITS = Limits(xml_bytes=50 * 1024 * 1024, xml_elements=2_000_000)

_DOMAIN = re.compile(r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")
_STRUCTURE = re.compile(r"^(1[0-9AB]{9}|3\d{14})$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
_CHILDREN = ("Nom", "Description", "DNCertificatOperateur", "ResponsableContact", "SupportContact", "DateMAJ")
_ROOT = f"{{{NS}}}ListeBlancheMSSante"
_SHRINK = 0.8
_STALE = timedelta(hours=24)
_MOST_SHOWN = 50  # entry findings of one kind: a broken list must not make thousands


@dataclass(frozen=True, slots=True)
class InForce:
    """What is remembered of the list in force: when it was generated, and how many distinct entries it holds."""

    generated_at: datetime
    entries: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """Who may sign the list. `issuers` are DER certificates of the authorities whose word counts.

    `issuers` None leaves chain and revocation unjudged (a file examined without knowing where it comes from).
    """

    issuers: tuple[bytes, ...] | None
    signer_cn: str = EXPECTED_SIGNER
    revoked_serials: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class WhitelistReading:
    """What was read. `accepted` says the list may be put in force; `entries` are told even when it may not.

    `generated_at` is None when absent or unreadable; `signer` when no certificate could be read.
    """

    entries: tuple[WhitelistEntry, ...]
    generated_at: datetime | None
    signer: PeerCertificate | None
    issues: tuple[Issue, ...]
    accepted: bool
    needs_confirmation: bool = False

    def dns_of(self, domain: str) -> tuple[str, ...]:
        """Every DN listed for a domain: exact match, case folded."""
        wanted = domain.casefold()
        return tuple(entry.dn for entry in self.entries if entry.domain == wanted)


def read_whitelist(
    data: bytes,
    *,
    anchor: Anchor,
    now: datetime,
    in_force: InForce | None = None,
    label: str = "listeblanchemssante.xml",
) -> WhitelistReading:
    """Judge a list as received. Never raises."""
    issues: list[Issue] = []
    root = _parsed(data, label, issues)
    if root is None:
        return WhitelistReading((), None, None, tuple(issues), accepted=False)
    instructions = data.count(b"<?") - data.removeprefix(b"\xef\xbb\xbf").startswith(b"<?xml ")
    if instructions:  # a signature of the whole document covers them, and this reader does not keep them
        issues.append(_issue("GW-LB-14", label, "/", f"{instructions} × <?…?>", "/ListeBlancheMSSante"))
    signer = _judge_signature(root, label, issues)
    if signer is not None:
        issues.extend(_judge_signer(signer, anchor, now, label))
    entries = tuple(_entries(root, label, issues))
    generated_at = _moment(root.findtext(f"{{{NS}}}DateDeGeneration") or "")
    if generated_at is None:
        issues.append(
            _issue(
                "GW-LB-11",
                label,
                "/ListeBlancheMSSante/DateDeGeneration",
                "∅",
                Text("AAAA-MM-JJThh:mm:ssZ", "YYYY-MM-DDThh:mm:ssZ"),
            )
        )
    issues.extend(_judge_progress(entries, generated_at, in_force, label))
    catalogue = load_catalogue()
    blocked = any(catalogue[issue.rule_id].emission is Severity.BLOCKING for issue in issues)
    doubtful = any(issue.rule_id == "GW-LB-10" for issue in issues)
    accepted = not blocked and not doubtful and generated_at is not None
    return WhitelistReading(entries, generated_at, signer, tuple(issues), accepted, doubtful and not blocked)


def judge_freshness(
    last_good_read: datetime, now: datetime, label: str = "listeblanchemssante.xml"
) -> tuple[Issue, ...]:
    """An alarm once no good list has been read for 24 hours; the last good one is still served."""
    if now - last_good_read <= _STALE:
        return ()
    return (_issue("GW-LB-15", label, "", last_good_read.isoformat(timespec="seconds"), "≤ 24 h"),)


# --------------------------------------------------------------------------------------------------------------- opening


_MOMENT_FORM = Text("AAAA-MM-JJThh:mm:ssZ", "YYYY-MM-DDThh:mm:ssZ")


def _parsed(data: bytes, label: str, issues: list[Issue]) -> etree._Element | None:
    root, refused = parse_xml(data, _LIMITS, Where(PlaceKind.FILE, label))
    if root is None:
        hit = refused.hit if refused else None
        line = hit.where.line if hit else None
        issues.append(
            _issue("GW-LB-01", label, "", hit.received if hit else "", hit.expected if hit else "XML 1.0", line=line)
        )
        return None
    if root.tag != _ROOT:
        issues.append(_issue("GW-LB-02", label, "/", str(root.tag), _ROOT))
        return None
    return root


def _moment(text: str) -> datetime | None:
    text = text.strip()
    try:
        return datetime.fromisoformat(text) if _MOMENT.match(text) else None
    except ValueError:
        return None


def _entries(root: etree._Element, label: str, issues: list[Issue]) -> Iterator[WhitelistEntry]:
    seen: set[tuple[str, str]] = set()
    shown: dict[str, int] = {}

    def tell(rule_id: str, at: int, line: int | None, received: str, expected: str) -> None:
        shown[rule_id] = shown.get(rule_id, 0) + 1
        if shown[rule_id] <= _MOST_SHOWN:
            path = f"/ListeBlancheMSSante/ListeDomaines/Domaine[{at}]"
            issues.append(_issue(rule_id, label, path, received, expected, line=line))

    for at, element in enumerate(root.iterfind(f"{{{NS}}}ListeDomaines/{{{NS}}}Domaine"), 1):
        line = element.sourceline
        names = tuple(etree.QName(child).localname for child in element if isinstance(child.tag, str))
        if names != _CHILDREN:
            tell("GW-LB-11", at, line, ", ".join(names) or "∅", ", ".join(_CHILDREN))
        values = {name: (element.findtext(f"{{{NS}}}{name}") or "") for name in _CHILDREN}
        domain, dn = values["Nom"].strip().casefold(), values["DNCertificatOperateur"].strip()
        if not _DOMAIN.match(domain):
            tell("GW-LB-11", at, line, f"Nom = {values['Nom']}", "x.mssante.fr")
            continue
        if not parse_dn(dn):
            tell("GW-LB-11", at, line, f"DNCertificatOperateur = {dn}", "CN=…,OU=…,O=…,ST=…,C=FR")
            continue
        if not _STRUCTURE.match(value_in(dn, "OU")):
            tell("GW-LB-11", at, line, f"OU = {value_in(dn, 'OU')}", "1 + FINESS | 3 + SIRET")
        if not domain.endswith(".mssante.fr"):
            tell("GW-LB-12", at, line, domain, ".mssante.fr")
        if (domain, dn) in seen:
            tell("GW-LB-13", at, line, f"{domain} / {dn}", "1 × Domaine")
            continue
        seen.add((domain, dn))
        yield WhitelistEntry(
            domain, dn, values["Description"], values["ResponsableContact"], values["SupportContact"], values["DateMAJ"]
        )


# ------------------------------------------------------------------------------------------------------------- signature


def _judge_signature(root: etree._Element, label: str, issues: list[Issue]) -> PeerCertificate | None:
    """The signer, when there is a signature with a certificate; every fault of the signature is told."""
    path = "/ListeBlancheMSSante/Signature"
    found = list(root.iter(f"{{{DS}}}Signature"))
    if not found:
        issues.append(_issue("GW-LB-03", label, path, "∅", "<Signature>"))
        return None
    signature = found[0]
    if len(found) > 1 or signature.getparent() is not root or signature.getnext() is not None:
        received = f"{len(found)} × Signature" if len(found) > 1 else root.getroottree().getpath(signature)
        issues.append(_issue("GW-LB-14", label, path, received, "/ListeBlancheMSSante/*[last()]"))
        return None
    shape = list(_unexpected_shape(signature))
    issues.extend(_issue("GW-LB-14", label, path, received, expected) for received, expected in shape)
    if shape:
        return None
    certificate = _decoded(signature.findtext(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate"))
    signer = parse_certificate(certificate)
    if signer.flaw:
        issues.append(_issue("GW-LB-04", label, f"{path}/KeyInfo", "X509Certificate: DER ?", "X.509"))
        return None
    wrong = _verified(signature, certificate)
    if wrong:
        issues.append(_issue("GW-LB-04", label, path, wrong, "RSA-SHA256"))
    return signer


def _unexpected_shape(signature: etree._Element) -> Iterator[tuple[str, str]]:
    """What the signature holds beside the one form the trust space uses: (found, expected)."""
    info = signature.find(f"{{{DS}}}SignedInfo")
    if info is None:
        yield "SignedInfo ∅", "SignedInfo"
        return
    references = info.findall(f"{{{DS}}}Reference")
    certificates = list(signature.iter(f"{{{DS}}}X509Certificate"))
    algorithms = [_algorithm(info.find(f"{{{DS}}}{name}")) for name in ("CanonicalizationMethod", "SignatureMethod")]
    for received, expected in zip(algorithms, (EXC_C14N, RSA_SHA256), strict=True):
        if received != expected:
            yield received, expected
    if len(references) != 1 or references[0].get("URI") != "":
        yield f"{len(references)} × Reference", '1 × Reference URI=""'
        return
    if len(certificates) != 1:
        yield f"{len(certificates)} × X509Certificate", "1 × X509Certificate"
    transforms = [_algorithm(t) for t in references[0].findall(f"{{{DS}}}Transforms/{{{DS}}}Transform")]
    if transforms != [ENVELOPED, EXC_C14N]:
        yield ", ".join(transforms) or "∅", f"{ENVELOPED}, {EXC_C14N}"
    digest = _algorithm(references[0].find(f"{{{DS}}}DigestMethod"))
    if digest != SHA256:
        yield digest, SHA256
    if next(info.iter(f"{{{EXC_C14N}}}InclusiveNamespaces"), None) is not None:
        yield "InclusiveNamespaces", "C14N ()"


def _algorithm(element: etree._Element | None) -> str:
    return "∅" if element is None else element.get("Algorithm", "∅")


def _verified(signature: etree._Element, certificate: bytes) -> str:
    """'' when digest and signature are right, else what is wrong. The tree is left as it was."""
    info = signature.find(f"{{{DS}}}SignedInfo")
    if info is None:
        return "SignedInfo ∅"
    try:
        signed = canonical(info, EXC_C14N)
        whole = without_signature(signature, EXC_C14N, whole_document=True)
    except NotCanonical as error:
        return str(error)
    stated = _decoded(info.findtext(f"{{{DS}}}Reference/{{{DS}}}DigestValue"))
    if hashlib.sha256(whole).digest() != stated:
        return "DigestValue ≠ SHA-256(document)"
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return "X509Certificate: RSA ?"
        value = _decoded(signature.findtext(f"{{{DS}}}SignatureValue"))
        key.verify(value, signed, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return "SignatureValue ≠ RSA-SHA256(SignedInfo)"
    return ""


def _decoded(text: str | None) -> bytes:
    """Base64 whose folding may hold carriage returns; b'' when it is not base64."""
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


# ---------------------------------------------------------------------------------------------------------------- policy


def _judge_signer(signer: PeerCertificate, anchor: Anchor, now: datetime, label: str) -> Iterator[Issue]:
    path = "/ListeBlancheMSSante/Signature/KeyInfo/X509Data/X509Certificate"
    if anchor.issuers is not None:
        if not any(_issued_by(der, signer.der) for der in anchor.issuers):
            expected = " | ".join(parse_certificate(der).dn for der in anchor.issuers) or "IGC-Santé"
            yield _issue("GW-LB-05", label, path, signer.issuer_dn, expected)
        elif signer.serial in anchor.revoked_serials:
            yield _issue("GW-LB-08", label, path, f"{signer.serial:x}", "∉ CRL")
    if anchor.signer_cn and signer.common_name.casefold() != anchor.signer_cn.casefold():
        yield _issue("GW-LB-06", label, path, signer.common_name, anchor.signer_cn)
    if not signer.not_before <= now <= signer.not_after:
        dates = f"{signer.not_before:%Y-%m-%d} → {signer.not_after:%Y-%m-%d}"
        yield _issue("GW-LB-07", label, path, dates, f"{now:%Y-%m-%d}")


def _issued_by(issuer: bytes, leaf: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(leaf).verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _judge_progress(
    entries: Sequence[WhitelistEntry], generated_at: datetime | None, in_force: InForce | None, label: str
) -> Iterator[Issue]:
    if in_force is None:
        return
    if generated_at is not None and generated_at < in_force.generated_at:
        received, expected = generated_at.isoformat(), in_force.generated_at.isoformat()
        yield _issue("GW-LB-09", label, "/ListeBlancheMSSante/DateDeGeneration", received, expected)
    if len(entries) < in_force.entries * _SHRINK:
        path = "/ListeBlancheMSSante/ListeDomaines"
        yield _issue("GW-LB-10", label, path, str(len(entries)), str(in_force.entries))


def _issue(rule_id: str, label: str, path: str, received: Words, expected: Words, *, line: int | None = None) -> Issue:
    where = Where(PlaceKind.XPATH, path, line) if path else Where(PlaceKind.FILE, label, line)
    return Issue(rule_id, Hit(where, received, expected, container=label))
