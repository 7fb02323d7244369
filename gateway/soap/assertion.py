"""The signature of a SAML assertion: made with a seal, and verified so that the signed element is the one that is read.

Enveloped, one reference to the assertion's own ID, exclusive C14N, RSA with SHA-256 (SHA-1 of the official samples is
still read). Verification never looks an element up by its ID: the assertion under `wsse:Security` is taken, its own
signature is checked over its own octets, and those octets are handed out. An ID that occurs twice is a wrapping attack.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from gateway.soap.c14n import (
    CANONICAL,
    DIGEST_URI,
    DIGESTS,
    ENVELOPED,
    EXCLUSIVE,
    SIGNATURE_URI,
    SIGNATURES,
    NotCanonical,
    base64_text,
    canonical,
    digest,
    ds,
    without_signature,
)
from gateway.soap.certificates import verify_rsa
from gateway.soap.names import DS, SAML, WSSE, qname
from gateway.soap.signing import Seal
from gateway.values import Text

_ASSERTION = qname(SAML, "Assertion")
_MAX_CERTIFICATES = 5
_EVERY_ID = etree.XPath("//@ID | //@Id | //@id | //@AssertionID | //@xml:id")


class SealFault(StrEnum):
    """What is wrong with the signature itself. Certificates are judged apart."""

    NONE = ""
    NO_VIHF = "no-vihf"
    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    WRAPPED = "wrapped"
    ALGORITHM = "algorithm"
    DIGEST = "digest"
    SIGNATURE = "signature"

    @property
    def words(self) -> Text:
        """The reason, for a reader."""
        return _SEAL_WORDS[self.value]


_SEAL_WORDS = {
    "": Text("aucun défaut", "no fault"),
    "no-vihf": Text("aucune assertion", "no assertion"),
    "unsigned": Text("assertion non signée", "unsigned assertion"),
    "malformed": Text("signature mal formée", "malformed signature"),
    "wrapped": Text("la signature désigne autre chose", "the signature designates something else"),
    "algorithm": Text("algorithme hors profil", "algorithm outside the profile"),
    "digest": Text("empreinte fausse", "wrong digest"),
    "signature": Text("valeur de signature fausse", "wrong signature value"),
}


@dataclass(frozen=True, slots=True)
class SealReport:
    """What a verification found. `signed` are the canonical octets of the assertion (signed only when `fault` is NONE).

    `certificates` are those of X509Data, the signer's first; `algorithm` is `sha1` or `sha256`; `detail` explains.
    """

    fault: SealFault
    detail: str = ""
    certificates: tuple[bytes, ...] = ()
    algorithm: str = ""
    signed: bytes = b""


def verify_assertion(header: etree._Element | None) -> SealReport:
    """Verify the one assertion of a SOAP header's `wsse:Security`. The tree is changed and put back as it was."""
    security = header.findall(qname(WSSE, "Security")) if header is not None else []
    assertions = [child for one in security for child in one.iterchildren(_ASSERTION)]
    if len(assertions) != 1:
        fault = SealFault.WRAPPED if assertions else SealFault.NO_VIHF
        return SealReport(fault, f"{len(assertions)} saml2:Assertion")
    assertion = assertions[0]
    signatures = list(assertion.iterchildren(ds("Signature")))
    if len(signatures) != 1:
        fault = SealFault.MALFORMED if signatures else SealFault.UNSIGNED
        return SealReport(fault, f"{len(signatures)} ds:Signature", signed=_octets(assertion))
    report = _shape(assertion, signatures[0])
    if isinstance(report, SealReport):
        return report
    try:
        return _verify(signatures[0], report)
    except NotCanonical as error:
        return SealReport(SealFault.MALFORMED, str(error), report.certificates, report.signature_digest)


def _octets(assertion: etree._Element) -> bytes:
    """The octets of an assertion that nothing signs; b'' when it has no canonical form."""
    try:
        return canonical(assertion, EXCLUSIVE)
    except NotCanonical:
        return b""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Algorithms and values of a well-shaped signature."""

    info: etree._Element
    info_c14n: str
    info_prefixes: tuple[str, ...]
    signature_digest: str
    assertion_c14n: str
    assertion_prefixes: tuple[str, ...]
    reference_digest: str
    digest_value: bytes
    signature_value: bytes
    certificates: tuple[bytes, ...]


def _shape(assertion: etree._Element, signature: etree._Element) -> _Plan | SealReport:
    """The signature's plan, or what is wrong with its shape. Only the profile of the field is accepted."""
    info = signature.find(ds("SignedInfo"))
    references = info.findall(ds("Reference")) if info is not None else []
    if info is None or len(references) != 1:
        return SealReport(SealFault.MALFORMED, f"{len(references)} ds:Reference")
    reference = references[0]
    identifier = assertion.get("ID", "")
    if not identifier or reference.get("URI") != f"#{identifier}":
        return SealReport(SealFault.WRAPPED, f"Reference URI={reference.get('URI', '')!r}, Assertion ID={identifier!r}")
    if _ids(assertion).count(identifier) != 1:
        return SealReport(SealFault.WRAPPED, f"ID {identifier!r} x {_ids(assertion).count(identifier)}")
    transforms = reference.findall(f"{ds('Transforms')}/{ds('Transform')}")
    names = [t.get("Algorithm", "") for t in transforms]
    chosen = [t for t in transforms if t.get("Algorithm") in CANONICAL]
    if ENVELOPED not in names or len(chosen) > 1 or len(names) != 1 + len(chosen):
        return SealReport(SealFault.ALGORITHM, " ".join(names) or "0 Transform")
    info_method = info.find(ds("CanonicalizationMethod"))
    info_c14n = info_method.get("Algorithm", "") if info_method is not None else ""
    signature_method = _algorithm(info, "SignatureMethod")
    digest_method = _algorithm(reference, "DigestMethod")
    if info_method is None or info_c14n not in CANONICAL:
        return SealReport(SealFault.ALGORITHM, info_c14n or "0 CanonicalizationMethod")
    if signature_method not in SIGNATURES or digest_method not in DIGESTS:
        return SealReport(SealFault.ALGORITHM, f"{signature_method} {digest_method}")
    certificates = tuple(
        base64_text(c)
        for c in signature.findall(f"{ds('KeyInfo')}/{ds('X509Data')}/{ds('X509Certificate')}")[:_MAX_CERTIFICATES]
    )
    if not certificates:
        return SealReport(SealFault.MALFORMED, "0 ds:X509Certificate")
    return _Plan(
        info=info,
        info_c14n=info_c14n,
        info_prefixes=_prefixes(info_method),
        signature_digest=SIGNATURES[signature_method],
        # without a canonicalisation transform XML-Signature says inclusive C14N 1.0
        assertion_c14n=chosen[0].get("Algorithm", "") if chosen else "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        assertion_prefixes=_prefixes(chosen[0]) if chosen else (),
        reference_digest=DIGESTS[digest_method],
        digest_value=base64_text(reference.find(ds("DigestValue"))),
        signature_value=base64_text(signature.find(ds("SignatureValue"))),
        certificates=certificates,
    )


def _verify(signature: etree._Element, plan: _Plan) -> SealReport:
    info_octets = canonical(plan.info, plan.info_c14n, plan.info_prefixes)
    signed = without_signature(signature, plan.assertion_c14n, plan.assertion_prefixes)
    if digest(signed, plan.reference_digest) != plan.digest_value:
        return SealReport(SealFault.DIGEST, "DigestValue", plan.certificates, plan.signature_digest, signed)
    if not verify_rsa(plan.certificates[0], plan.signature_value, info_octets, plan.signature_digest):
        return SealReport(SealFault.SIGNATURE, "SignatureValue", plan.certificates, plan.signature_digest, signed)
    weakest = "sha1" if "sha1" in (plan.signature_digest, plan.reference_digest) else "sha256"
    return SealReport(SealFault.NONE, "", plan.certificates, weakest, signed)


def _ids(element: etree._Element) -> list[str]:
    """Every identifier of the whole document, under each name that some XML library takes for an ID."""
    found = _EVERY_ID(element.getroottree())
    return [str(value) for value in found] if isinstance(found, list) else []


def _algorithm(element: etree._Element, local: str) -> str:
    found = element.find(ds(local))
    return found.get("Algorithm", "") if found is not None else ""


def _prefixes(method: etree._Element) -> tuple[str, ...]:
    listed = method.find(qname(EXCLUSIVE, "InclusiveNamespaces"))
    return tuple(listed.get("PrefixList", "").split()) if listed is not None else ()


def sign_assertion(assertion_xml: str, seal: Seal, *, algorithm: str = "sha256") -> bytes:
    """A signed assertion (UTF-8), ready to stand in `wsse:Security`. Its whitespace is signed too: write it on one line."""
    assertion = etree.fromstring(assertion_xml.encode())
    value = b64encode(digest(canonical(assertion, EXCLUSIVE), algorithm)).decode()
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'<ds:SignatureMethod Algorithm="{SIGNATURE_URI[algorithm]}"/><ds:Reference URI="#{assertion.get("ID", "")}">'
        f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXCLUSIVE}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{DIGEST_URI[algorithm]}"/><ds:DigestValue>{value}</ds:DigestValue></ds:Reference>'
        "</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
        f"{b64encode(seal.certificate).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>".encode()
    )
    info, slot = signature[0], signature[1]
    slot.text = b64encode(seal.sign(canonical(info, EXCLUSIVE), algorithm)).decode()
    assertion.insert(1, signature)  # saml-core 2.3.3: after Issuer
    return etree.tostring(assertion, encoding="utf-8")
