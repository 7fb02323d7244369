"""Canonical XML and digests, by the algorithm names of XML-Signature. Only what a VIHF and a DMP lot need is accepted."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error

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


def canonical(
    element: etree._Element | etree._ElementTree[etree._Element], algorithm: str, prefixes: tuple[str, ...] = ()
) -> bytes:
    """The canonical octets of an element where it stands, or of a whole document. KeyError for an unknown algorithm."""
    exclusive, comments = CANONICAL[algorithm]
    return etree.tostring(
        element,
        method="c14n",
        exclusive=exclusive,
        with_comments=comments,
        inclusive_ns_prefixes=list(prefixes) if exclusive and prefixes else None,
    )


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
