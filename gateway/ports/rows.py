"""What the store gives back: rows, and the filters that ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.exchange.model import DeliveryState


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """A stored exchange. `summary` is as recorded, plus `duplicate_of` when it was one."""

    id: str
    seq: int
    workspace: str
    at: datetime
    parent_id: str
    correlation_id: str
    size_bytes: int
    sha256: str
    summary: Mapping[str, Any]
    findings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """What to list. Empty fields do not filter. `participant` matches sender or recipient, `rule` a finding's id."""

    workspace: str
    door: str = ""
    outcome: str = ""
    participant: str = ""
    rule: str = ""
    message_id: str = ""
    correlation_id: str = ""
    after_seq: int = 0
    before_seq: int = 0
    newest_first: bool = True
    limit: int = 50


@dataclass(frozen=True, slots=True)
class EventRow:
    """A stored journal event, with its link in the chain (`digest` covers the previous digest and this event)."""

    seq: int
    workspace: str
    exchange_id: str
    kind: str
    at: datetime
    data: Mapping[str, Any]
    chain: str
    digest: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as leased or listed. `attempt` counts from 1 at the first lease."""

    id: str
    workspace: str
    kind: str
    destination: str
    payload: Mapping[str, Any]
    exchange_id: str
    state: DeliveryState
    attempt: int
    due: datetime
    created_at: datetime
    last_answer: str = ""


@dataclass(frozen=True, slots=True)
class FolderRow:
    """One IMAP folder."""

    name: str
    uid_validity: int
    uid_next: int
    messages: int
    unseen: int
    subscribed: bool = True
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class MailRow:
    """One mail of a folder, without its bytes."""

    uid: int
    received_at: datetime
    flags: tuple[str, ...]
    size_bytes: int
    sha256: str
    exchange_id: str


@dataclass(frozen=True, slots=True)
class DmpRow:
    """A patient's DMP."""

    matricule: str
    oid: str
    state: str
    authorisations: Mapping[str, str]
    treating_doctors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A registered document."""

    entry_uuid: str
    logical_id: str
    unique_id: str
    set_uuid: str
    status: str
    version: int
    masked: bool
    registered_at: datetime
    author_ids: tuple[str, ...]
    document_sha256: str
    size_bytes: int
    metadata: Mapping[str, Any]
