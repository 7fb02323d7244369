"""The signature of a lot: XAdES 1.1.1 over an IHE manifest (DSG profile), made and verified.

Two signed references, to the manifest and to the signed properties; the manifest names the submission set (its digest is
the constant `AA==`) and each document by URN. XML documents are digested over their canonical form, others over
their octets. Source: GIE SESAM-Vitale sample `TD2.1-SignatureXades`; IHE ITI DSG. SHA-1 of the samples is still read.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from xml.sax.saxutils import escape

from lxml import etree

from gateway.documents.xml import parse_xml
from gateway.sandbox.model import Limits
from gateway.sharing.constants import XADES
from gateway.soap.c14n import (
    CANONICAL,
    DIGEST_URI,
    DIGESTS,
    INCLUSIVE,
    SIGNATURE_URI,
    SIGNATURES,
    NotCanonical,
    base64_text,
    canonical,
    digest,
    ds,
)
from gateway.soap.certificates import issuer_written, verify_rsa
from gateway.soap.names import DS, qname
from gateway.soap.signing import Seal
from gateway.values import Text, Words

PURPOSE_SOURCE = "1.2.840.10065.1.12.1.14"
SET_DIGEST = "AA=="
_WITH_COMMENTS = f"{INCLUSIVE}#WithComments"
_MANIFEST_TYPE = f"{DS}Manifest"
_PROPERTIES_TYPE = f"{XADES}SignedProperties"
_EVERY_ID = etree.XPath("//@Id | //@ID | //@id | //@xml:id")


class LotSealFault(StrEnum):
    """What is wrong with a lot's signature. Certificates are judged apart."""

    NONE = ""
    UNREADABLE = "unreadable"
    SHAPE = "shape"
    ALGORITHM = "algorithm"
    MANIFEST = "manifest-digest"
    PROPERTIES = "properties-digest"
    SIGNATURE = "signature"
    DOCUMENT = "document-digest"
    SET = "submission-set"

    @property
    def words(self) -> Text:
        """The reason, for a reader."""
        return _FAULT_WORDS[self.value]


_FAULT_WORDS = {
    "": Text("aucun défaut", "no fault"),
    "unreadable": Text("XML illisible", "unreadable XML"),
    "shape": Text("forme inattendue", "unexpected shape"),
    "algorithm": Text("algorithme hors profil", "algorithm outside the profile"),
    "manifest-digest": Text("empreinte du manifeste fausse", "wrong digest of the manifest"),
    "properties-digest": Text("empreinte des propriétés fausse", "wrong digest of the properties"),
    "signature": Text("valeur de signature fausse", "wrong signature value"),
    "document-digest": Text("empreinte d'un document fausse", "wrong digest of a document"),
    "submission-set": Text("le lot désigné n'est pas celui-ci", "the lot named is not this one"),
}


@dataclass(frozen=True, slots=True)
class LotSealReport:
    """What was found; `certificates` are those of X509Data, the signer's first; `algorithm` is `sha1` or `sha256`."""

    fault: LotSealFault
    detail: Words = ""
    certificates: tuple[bytes, ...] = ()
    algorithm: str = ""


def sign_lot(
    set_unique_id: str,
    documents: Sequence[tuple[str, bytes]],
    seal: Seal,
    at: datetime,
    limits: Limits,
    *,
    algorithm: str = "sha256",
) -> bytes:
    """The signature document of a lot. `documents` are (uniqueId, octets) pairs; `at` is the signing time, UTC."""
    references = _reference(f"urn:oid:{set_unique_id}", SET_DIGEST, algorithm, transform=False)
    for unique_id, content in documents:
        root, _ = parse_xml(content, limits, keep_comments=True)
        octets = canonical(root.getroottree(), INCLUSIVE) if root is not None else content
        value = b64encode(digest(octets, algorithm)).decode()
        references += _reference(f"urn:oid:{unique_id}", value, algorithm, transform=root is not None)
    issuer, serial = issuer_written(seal.certificate)
    certificate_digest = b64encode(digest(seal.certificate, algorithm)).decode()
    instant = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    told = (
        f'<ds:Signature xmlns:ds="{DS}" Id="S0"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{_WITH_COMMENTS}"/>'
        f'<ds:SignatureMethod Algorithm="{SIGNATURE_URI[algorithm]}"/>'
        + _info_reference("#IHEManifest", _MANIFEST_TYPE, algorithm)
        + _info_reference("#S0-SignedProperties", _PROPERTIES_TYPE, algorithm)
        + '</ds:SignedInfo><ds:SignatureValue Id="S0-SignatureValue"/><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
        f"{b64encode(seal.certificate).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        f'<ds:Object><xad:QualifyingProperties xmlns:xad="{XADES}" Target="#S0">'
        '<xad:SignedProperties Id="S0-SignedProperties"><xad:SignedSignatureProperties>'
        f"<xad:SigningTime>{instant}</xad:SigningTime>"
        f'<xad:SigningCertificate><xad:Cert><xad:CertDigest><xad:DigestMethod Algorithm="{DIGEST_URI[algorithm]}"/>'
        f"<xad:DigestValue>{certificate_digest}</xad:DigestValue></xad:CertDigest><xad:IssuerSerial>"
        f"<ds:X509IssuerName>{escape(issuer)}</ds:X509IssuerName><ds:X509SerialNumber>{serial}</ds:X509SerialNumber>"
        "</xad:IssuerSerial></xad:Cert></xad:SigningCertificate>"
        "<xad:SignaturePolicyIdentifier><xad:SignaturePolicyImplied/></xad:SignaturePolicyIdentifier>"
        "</xad:SignedSignatureProperties></xad:SignedProperties></xad:QualifyingProperties></ds:Object>"
        f'<ds:Object><ds:SignatureProperties><ds:SignatureProperty Id="purposeOfSignature" Target="#S0">'
        f"{PURPOSE_SOURCE}</ds:SignatureProperty></ds:SignatureProperties></ds:Object>"
        f'<ds:Object><ds:Manifest Id="IHEManifest">{references}</ds:Manifest></ds:Object></ds:Signature>'
    )
    empty = etree.fromstring(told.encode())
    info, slot = empty[0], empty[1]
    for reference, target in zip(info.findall(ds("Reference")), _targets(empty), strict=True):
        value_slot = reference.find(ds("DigestValue"))
        if target is not None and value_slot is not None:
            value_slot.text = b64encode(digest(canonical(target, INCLUSIVE), algorithm)).decode()
    slot.text = b64encode(seal.sign(canonical(info, _WITH_COMMENTS), algorithm)).decode()
    return etree.tostring(empty, encoding="UTF-8", xml_declaration=True)


def _reference(uri: str, value: str, algorithm: str, *, transform: bool) -> str:
    transforms = f'<ds:Transforms><ds:Transform Algorithm="{INCLUSIVE}"/></ds:Transforms>' if transform else ""
    return (
        f'<ds:Reference URI="{escape(uri)}">{transforms}<ds:DigestMethod Algorithm="{DIGEST_URI[algorithm]}"/>'
        f"<ds:DigestValue>{value}</ds:DigestValue></ds:Reference>"
    )


def _info_reference(uri: str, kind: str, algorithm: str) -> str:
    return (
        f'<ds:Reference URI="{uri}" Type="{kind}"><ds:DigestMethod Algorithm="{DIGEST_URI[algorithm]}"/>'
        "<ds:DigestValue/></ds:Reference>"
    )


def _targets(signature: etree._Element) -> tuple[etree._Element | None, etree._Element | None]:
    """The manifest and the signed properties, where the profile puts them: inside the signature's own ds:Object."""
    manifest = signature.find(f"{ds('Object')}/{ds('Manifest')}")
    properties = signature.find(
        f"{ds('Object')}/{qname(XADES, 'QualifyingProperties')}/{qname(XADES, 'SignedProperties')}"
    )
    return manifest, properties


def verify_lot(octets: bytes, set_unique_id: str, documents: Mapping[str, bytes], limits: Limits) -> LotSealReport:
    """Verify a lot's signature against its submission set and its documents (uniqueId → octets). Never raises."""
    root, issue = parse_xml(octets, limits, keep_comments=True)
    if root is None:
        return LotSealReport(LotSealFault.UNREADABLE, issue.hit.received if issue else "")
    signature = root if root.tag == ds("Signature") else root.find(f".//{ds('Signature')}")
    if signature is None:
        return LotSealReport(LotSealFault.SHAPE, "0 ds:Signature")
    info = signature.find(ds("SignedInfo"))
    manifest, properties = _targets(signature)
    if info is None or manifest is None or properties is None:
        return LotSealReport(LotSealFault.SHAPE, "SignedInfo, Manifest, SignedProperties")
    certificates = tuple(
        base64_text(c) for c in signature.findall(f"{ds('KeyInfo')}/{ds('X509Data')}/{ds('X509Certificate')}")[:5]
    )
    method, info_c14n = _algorithm(info, "SignatureMethod"), _algorithm(info, "CanonicalizationMethod")
    if method not in SIGNATURES or info_c14n not in CANONICAL or not certificates:
        return LotSealReport(LotSealFault.ALGORITHM, f"{method} {info_c14n}", certificates)
    algorithm = SIGNATURES[method]
    try:
        fault, detail = _signed_parts(info, manifest, properties)
        value = base64_text(signature.find(ds("SignatureValue")))
        if not fault and not verify_rsa(certificates[0], value, canonical(info, info_c14n), algorithm):
            fault, detail = LotSealFault.SIGNATURE, "SignatureValue"
    except NotCanonical as error:
        fault, detail = LotSealFault.SHAPE, str(error)
    if not fault:
        fault, detail = _manifest(manifest, set_unique_id, documents, limits)
    return LotSealReport(fault, detail, certificates, algorithm)


def _signed_parts(
    info: etree._Element, manifest: etree._Element, properties: etree._Element
) -> tuple[LotSealFault, str]:
    """The two references of SignedInfo must be those two elements, each with an ID of its own, and their digests right."""
    ids = _EVERY_ID(info.getroottree())
    references = {r.get("URI", ""): r for r in info.findall(ds("Reference"))}
    for element, fault in ((manifest, LotSealFault.MANIFEST), (properties, LotSealFault.PROPERTIES)):
        identifier = element.get("Id", "")
        reference = references.get(f"#{identifier}")
        if not identifier or reference is None or (isinstance(ids, list) and ids.count(identifier) != 1):
            return LotSealFault.SHAPE, f"Reference #{identifier}"
        transforms = reference.findall(f"{ds('Transforms')}/{ds('Transform')}")
        names = [t.get("Algorithm", "") for t in transforms] or [INCLUSIVE]
        method = _algorithm(reference, "DigestMethod")
        if len(names) != 1 or names[0] not in CANONICAL or method not in DIGESTS:
            return LotSealFault.ALGORITHM, " ".join([*names, method])
        if digest(canonical(element, names[0]), DIGESTS[method]) != base64_text(reference.find(ds("DigestValue"))):
            return fault, identifier
    return LotSealFault.NONE, ""


def _manifest(
    manifest: etree._Element, set_unique_id: str, documents: Mapping[str, bytes], limits: Limits
) -> tuple[LotSealFault, str]:
    named = {r.get("URI", "").removeprefix("urn:oid:"): r for r in manifest.findall(ds("Reference"))}
    if set_unique_id not in named:
        return LotSealFault.SET, set_unique_id
    for unique_id, content in documents.items():
        reference = named.get(unique_id)
        if reference is None:
            return LotSealFault.DOCUMENT, unique_id
        transforms = [t.get("Algorithm", "") for t in reference.findall(f"{ds('Transforms')}/{ds('Transform')}")]
        method = _algorithm(reference, "DigestMethod")
        if method not in DIGESTS or len(transforms) > 1 or any(t not in CANONICAL for t in transforms):
            return LotSealFault.ALGORITHM, " ".join([*transforms, method])
        octets = content
        if transforms:
            root, _ = parse_xml(content, limits, keep_comments=True)
            if root is None:
                return LotSealFault.DOCUMENT, unique_id
            try:
                octets = canonical(root.getroottree(), transforms[0])  # the whole document, its instructions included
            except NotCanonical as error:
                return LotSealFault.DOCUMENT, f"{unique_id} {error}"
        if digest(octets, DIGESTS[method]) != base64_text(reference.find(ds("DigestValue"))):
            return LotSealFault.DOCUMENT, unique_id
    return LotSealFault.NONE, ""


def _algorithm(element: etree._Element, local: str) -> str:
    found = element.find(ds(local))
    return found.get("Algorithm", "") if found is not None else ""
