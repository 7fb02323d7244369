"""A workspace (bac à sable): its policy and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.rules.book import Override

DEFAULT_WORKSPACE = "demo"


class Vigilance(StrEnum):
    """What blocking identity and document findings do where the door may refuse."""

    REFUSE = "refuse"
    OBSERVE = "observe"


class TlsMode(StrEnum):
    """How a bad client certificate is refused: by an SMTP answer that explains, or by a TLS alert as in production."""

    APPLICATION = "application"
    PRODUCTION = "production"


class SignatureMode(StrEnum):
    """What is asked of the XAdES signature of a third party's DMP lot."""

    OFF = "off"
    PRESENT = "present"
    VERIFY = "verify"


class MdnMode(StrEnum):
    """When the integration of received documents is told to a sender who asked for it (MDN)."""

    OFF = "off"
    ERRORS = "errors"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, counts, seconds. Each is a workspace setting."""

    mail_bytes: int = 25 * 1024 * 1024
    dmp_document_bytes: int = 5 * 1024 * 1024
    recipients: int = 100
    zip_files: int = 200
    zip_total_bytes: int = 100 * 1024 * 1024
    zip_ratio: int = 200
    mime_depth: int = 20
    mime_parts: int = 1000
    header_bytes: int = 256 * 1024
    xml_bytes: int = 50 * 1024 * 1024
    xml_depth: int = 100
    xml_elements: int = 300_000
    header_count: int = 1000
    hl7_bytes: int = 32 * 1024 * 1024
    json_bytes: int = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Policy:
    """What a workspace asks of messages. Immutable: a change makes a new one and is journalled."""

    vigilance: Vigilance = Vigilance.REFUSE
    profile: str = "strict"
    ins_environment: str = "test"
    insi_verification_days: int = 0  # how long an answer of INSi holds (INS-195); 0: for ever
    partial: bool = (
        False  # a mail to several recipients of which one may not receive: refuse whole, or accept the others
    )
    tls_mode: TlsMode = TlsMode.APPLICATION
    dmp_signature: SignatureMode = SignatureMode.PRESENT
    mdn: MdnMode = MdnMode.ERRORS
    limits: Limits = Limits()
    overrides: Mapping[str, Override] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workspace:
    """One isolated bac à sable."""

    id: str
    title: str = ""
    policy: Policy = Policy()
