"""Canonical XML and digests, by the algorithm names of XML-Signature. Only what a VIHF and a DMP lot need is accepted."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error
from itertools import chain
from urllib.parse import urlsplit

from lxml import etree

from gateway.soap.names import DS, qname

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

# algorithm -> (exclusive, with comments)
CANONICAL = {
    EXCLUSIVE: (True, False),
    f"{EXCLUSIVE}WithComments": (True, True),
    INCLUSIVE: (False, False),
    f"{INCLUSIVE}#WithComments": (False, True),
}
DIGESTS = {"http://www.w3.org/2000/09/xmldsig#sha1": "sha1", "http://www.w3.org/2001/04/xmlenc#sha256": "sha256"}
SIGNATURES = {
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": "sha256",
}
DIGEST_URI = {name: uri for uri, name in DIGESTS.items()}
SIGNATURE_URI = {name: uri for uri, name in SIGNATURES.items()}


class NotCanonical(ValueError):
    """Well-formed XML that has no canonical form; its message cites the declaration to mend, as `xmlns:a="b"`, in no language."""


def canonical(
    element: etree._Element | etree._ElementTree[etree._Element], algorithm: str, prefixes: tuple[str, ...] = ()
) -> bytes:
    """The canonical octets of an element where it stands, or of a whole document.

    KeyError for an unknown algorithm; NotCanonical for a namespace told by a relative URI (Canonical XML 1.0, section 1.3).
    """
    exclusive, comments = CANONICAL[algorithm]
    try:
        return etree.tostring(
            element,
            method="c14n",
            exclusive=exclusive,
            with_comments=comments,
            inclusive_ns_prefixes=list(prefixes) if exclusive and prefixes else None,
        )
    except etree.C14NError as error:
        raise NotCanonical(f"C14N 1.0 § 1.3: {_relative_namespace(element)}") from error


def without_signature(
    signature: etree._Element, algorithm: str, prefixes: tuple[str, ...] = (), *, whole_document: bool = False
) -> bytes:
    """The enveloped-signature transform: the parent's canonical octets as if the signature were not there; text around it stays.

    `whole_document` takes the document with its instructions. The tree is put back as it was. Errors: those of `canonical`.
    """
    parent = signature.getparent()
    if parent is None:
        raise ValueError("an enveloped signature stands in an element")
    index, tail = parent.index(signature), signature.tail
    before = parent[index - 1] if index else None
    kept = before.tail if before is not None else parent.text
    merged = (kept or "") + (tail or "")
    parent.remove(signature)
    _set_text(parent, before, merged)
    try:
        return canonical(parent.getroottree() if whole_document else parent, algorithm, prefixes)
    finally:
        _set_text(parent, before, kept)
        signature.tail = tail
        parent.insert(index, signature)


def _set_text(parent: etree._Element, before: etree._Element | None, text: str | None) -> None:
    if before is not None:
        before.tail = text
    else:
        parent.text = text


def _relative_namespace(element: etree._Element | etree._ElementTree[etree._Element]) -> str:
    """The first declaration by a relative URI, each read once: `nsmap` on every element costs elements times prefixes."""
    root = element.getroot() if isinstance(element, etree._ElementTree) else element
    declared = (told for _, told in etree.iterwalk(element, events=("start-ns",)) if told is not None)
    for prefix, uri in chain(root.nsmap.items(), declared):
        if not _has_scheme(uri):
            return f'xmlns:{prefix}="{uri}"' if prefix else f'xmlns="{uri}"'
    return "xmlns"


def _has_scheme(uri: str) -> bool:
    try:
        return bool(urlsplit(uri).scheme)
    except ValueError:
        return False


def digest(data: bytes, name: str) -> bytes:
    """SHA-1 or SHA-256. SHA-1 stays because the DMP's own samples use it."""
    return hashlib.sha256(data).digest() if name == "sha256" else hashlib.sha1(data, usedforsecurity=False).digest()


def base64_text(element: etree._Element | None) -> bytes:
    """The octets an element holds in base64; b'' when absent or not base64."""
    if element is None:
        return b""
    try:
        return b64decode("".join((element.text or "").split()), validate=True)
    except (Error, ValueError):
        return b""


def ds(local: str) -> str:
    """A name of XML-Signature in Clark notation."""
    return qname(DS, local)
