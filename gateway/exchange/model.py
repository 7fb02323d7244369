"""The nouns of the road: submission, opened message, decision, exchange, delivery, event.

One exchange = one door crossing. `parent_id` and `correlation_id` link hops and notifications into one story.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway.documents.model import CdaDocument, Issue, XdmPackage, XdsMetadata
from gateway.hl7v2.model import Hl7Message
from gateway.identity.model import IdentityView
from gateway.messaging.model import MailMessage
from gateway.partners.fhir import FhirMessage
from gateway.rules.masking import mask_json
from gateway.rules.model import Finding
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.values import Door

__all__ = [
    "Decision",
    "DeliveryState",
    "DsnRequest",
    "Envelope",
    "Event",
    "Integration",
    "OpenedMessage",
    "Outcome",
    "Payload",
    "Sender",
    "Submission",
    "shown_summary",
]


CONTENT_TYPE = "content_type"  # the attribute of a submission


@dataclass(frozen=True, slots=True)
class Sender:
    """Who is at the door, as authenticated: a certificate (its DN and SHA-256), a mailbox, a token, or nobody."""

    kind: str  # certificate | mailbox | token | facility | anonymous
    name: str = ""  # DN, address, label
    fingerprint: str = ""  # SHA-256 of the certificate, hex
    operator: str = ""  # id of the operator it belongs to, when known


@dataclass(frozen=True, slots=True)
class DsnRequest:
    """RFC 3461 parameters of one recipient."""

    notify: tuple[str, ...] = ()
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """SMTP envelope. `mail_from` is '' for the null sender. `ret` and `envid` are RFC 3461."""

    mail_from: str
    recipients: tuple[str, ...]
    ret: str = ""
    envid: str = ""
    dsn: Mapping[str, DsnRequest] = field(default_factory=dict)
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """The octets received: in memory, or spooled to a file when large. Never rewritten.

    Exactly one of `data` and `spool_path` is set. `sha256` is hex.
    """

    size_bytes: int
    sha256: str
    data: bytes | None = None
    spool_path: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """What an adapter hands to the road."""

    workspace: str
    door: Door
    operator: str  # the local operator, service or structure whose door it is ('' outside mail)
    sender: Sender
    payload: Payload
    received_at: datetime
    peer: str  # ip:port
    envelope: Envelope | None = None
    parent_id: str = ""
    correlation_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)  # content type, SOAP action, TLS version, ...
    bypassed: tuple[Finding, ...] = ()  # INS-204: rules of the door itself that a derogation kept silent


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """What was found inside. Everything is frozen and picklable; what failed to open is in `issues`."""

    kind: str  # mail | xdm | cda | metadata | hl7v2 | fhir | iti-41 | iti-18 | td0.2 | soap | whitelist | unknown…
    mail: MailMessage | None = None
    packages: tuple[XdmPackage, ...] = ()
    metadata: tuple[XdsMetadata, ...] = ()
    documents: tuple[CdaDocument, ...] = ()
    views: tuple[IdentityView, ...] = ()
    issues: tuple[Issue, ...] = ()
    hl7: Hl7Message | None = None
    fhir: FhirMessage | None = None


class DeliveryState(StrEnum):
    """Life of a delivery in the outbox."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Event:
    """One journal event before it is stored. `data` is small, JSON and masked: never a matricule or a trait in clear.

    Whatever looks like a matricule in it is masked as the event is made, so that no door has to think of it.
    """

    kind: str  # received | decided | delivered | relayed | deferred | dead | read | refused | fault | ...
    at: datetime
    workspace: str
    exchange_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", mask_json(self.data))


def shown_summary(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """The summary of an exchange with its matricules masked: addresses, Message-ID, EHLO name, certificate, labels.

    The content type stays as it came, whatever digits its boundary is made of: the octets are opened again with it.
    """
    shown: dict[str, Any] = mask_json(summary)
    attributes = summary.get("attributes")
    if isinstance(attributes, Mapping) and CONTENT_TYPE in attributes:
        shown["attributes"][CONTENT_TYPE] = attributes[CONTENT_TYPE]
    return shown
