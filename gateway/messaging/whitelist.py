"""The whitelist (liste blanche) of the trust space: written and signed as the production one, read with suspicion.

Format read on the production list: root `ListeBlancheMSSante` in one default namespace, `DateDeGeneration`,
`ListeDomaines` of `Domaine` with six children, and an enveloped XML signature as last child (exclusive C14N,
RSA-SHA256, one empty-URI reference, one certificate, base64 folded with carriage-return references).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from xml.sax.saxutils import escape

from lxml import etree

from gateway.directory.model import Listing

NS = "https://listeblanche.mssante.fr/schema"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

_FOLD = 76


class Seal(Protocol):
    """What signs the list: a `gateway.ports.Signer`, by its shape."""

    @property
    def certificate(self) -> bytes:
        """DER."""
        ...

    def sign(self, data: bytes, digest: str) -> bytes:
        """RSA PKCS#1 v1.5 over `data`."""
        ...


@dataclass(frozen=True, slots=True)
class WhitelistEntry:
    """One `Domaine`: a mail domain (lower case) and one certificate DN allowed for it, CN first."""

    domain: str
    dn: str
    description: str = ""
    manager_contact: str = ""
    support_contact: str = ""
    updated_at: str = ""  # DateMAJ as written: 2025-01-27T15:49:34Z


def entries_of(
    listings: Iterable[Listing],
    *,
    updated_at: datetime,
    contact: str = "01 99 00 00 00, espace-de-confiance@example.org",
) -> tuple[WhitelistEntry, ...]:
    """The entries of a territory's listings, sorted by domain then DN, exact duplicates dropped."""
    stamp = _stamp(updated_at)
    found = {
        (listing.domain.lower(), listing.dn): WhitelistEntry(
            listing.domain.lower(), listing.dn, listing.description[:255], contact, contact, stamp
        )
        for listing in listings
    }
    return tuple(found[key] for key in sorted(found))


def build_whitelist(entries: Sequence[WhitelistEntry], *, generated_at: datetime, seal: Seal | None) -> bytes:
    """The list as bytes (UTF-8, LF), signed by `seal`; unsigned when it is None (to show what a reader must refuse)."""
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?><ListeBlancheMSSante xmlns="{NS}">\n'
        f"    <DateDeGeneration>{_stamp(generated_at)}</DateDeGeneration>\n"
        "    <ListeDomaines>\n"
    )
    body = "".join(_domaine(entry) for entry in entries)
    tail = "    </ListeDomaines>\n"
    end = "</ListeBlancheMSSante>"
    unsigned = f"{head}{body}{tail}{end}"
    if seal is None:
        return unsigned.encode("utf-8")
    digest = hashlib.sha256(_canonical(etree.fromstring(unsigned.encode("utf-8")))).digest()
    return f"{head}{body}{tail}{_signature(digest, seal)}{end}".encode()


def _domaine(entry: WhitelistEntry) -> str:
    children = (
        ("Nom", entry.domain),
        ("Description", entry.description),
        ("DNCertificatOperateur", entry.dn),
        ("ResponsableContact", entry.manager_contact),
        ("SupportContact", entry.support_contact),
        ("DateMAJ", entry.updated_at),
    )
    lines = "".join(f"            <{name}>{_text(value)}</{name}>\n" for name, value in children)
    return f"        <Domaine>\n{lines}        </Domaine>\n"


def _text(value: str) -> str:
    """Text fit for XML 1.0: markup escaped, characters XML cannot carry left out."""
    kept = "".join(c for c in value if c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff")
    return escape(kept)


def _signature(digest: bytes, seal: Seal) -> str:
    signed_info = (
        f"<SignedInfo>"
        f'<CanonicalizationMethod Algorithm="{EXC_C14N}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{RSA_SHA256}"></SignatureMethod>'
        f'<Reference URI=""><Transforms><Transform Algorithm="{ENVELOPED}"></Transform>'
        f'<Transform Algorithm="{EXC_C14N}"></Transform></Transforms>'
        f'<DigestMethod Algorithm="{SHA256}"></DigestMethod>'
        f"<DigestValue>{base64.b64encode(digest).decode()}</DigestValue></Reference></SignedInfo>"
    )
    canonical = signed_info.replace("<SignedInfo>", f'<SignedInfo xmlns="{DS}">', 1)
    value = seal.sign(canonical.encode("utf-8"), "sha256")
    return (
        f'<Signature xmlns="{DS}">{signed_info}<SignatureValue>{_folded(value)}</SignatureValue>'
        f"<KeyInfo><X509Data><X509Certificate>{_folded(seal.certificate)}</X509Certificate></X509Data></KeyInfo></Signature>"
    )


def _folded(data: bytes) -> str:
    """Base64 folded the way the production signer does: carriage-return reference, then line feed."""
    text = base64.b64encode(data).decode("ascii")
    return "&#13;\n".join(text[at : at + _FOLD] for at in range(0, len(text), _FOLD))


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
