"""What tests of the faces share: samples sent to a live gateway, and its API asked as a stranger would."""

from __future__ import annotations

import re
import uuid

import httpx

from adapters.testing.clients import Reply
from adapters.testing.running import RunningGateway
from gateway.samples import Sample, sample_named

LETTER = "valide-mail-lettre-de-liaison"
TWIN = "identite-jumelle-metadonnees-d-une-autre"
SENDER = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"
NURSING_HOME = "soins@ehpad-les-tilleuls.val-de-brume.mssante.fr"
MATRICULE = "239034890101755"


def plain_mail(
    subject: str = "Essai", *, sender: str = SENDER, to: str = NURSING_HOME, body: str = "Bonjour."
) -> bytes:
    """A small mail without a document, accepted as it is."""
    lines = (
        f'From: "CH de Brumeval" <{sender}>',
        f"To: <{to}>",
        f"Subject: {subject}",
        f"Message-ID: <{uuid.uuid4().hex}@{sender.rpartition('@')[2]}>",
        "Date: Mon, 17 Mar 2025 10:30:00 +0100",
        "X-MSS-NIL: DEV000000",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "",
        body,
        "",
    )
    return "\r\n".join(lines).encode()


def as_new(raw: bytes) -> bytes:
    """The same mail under another Message-ID, so that it is no duplicate."""
    fresh = f"Message-ID: <{uuid.uuid4().hex}@exemple.mssante.fr>".encode()
    return re.sub(rb"(?im)^Message-ID:[^\r\n]*", fresh, raw, count=1)


def send_sample(gateway: RunningGateway, name: str) -> Reply:
    """Submit one sample as its envelope says."""
    chosen: Sample = sample_named(name)
    envelope = chosen.envelope
    assert envelope is not None
    return gateway.submit(as_new(chosen.build()), envelope.mail_from, *envelope.recipients)


def raw_api(gateway: RunningGateway, **headers: str) -> httpx.Client:
    """A client with the given headers only, for those who do not hold the token."""
    return httpx.Client(base_url=gateway.url, headers=headers, timeout=30)


def api(gateway: RunningGateway) -> httpx.Client:
    """A client that holds the token and looks at answers itself."""
    return raw_api(gateway, **gateway.headers)
