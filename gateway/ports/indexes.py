"""The patient indexes and the quarantine queue, as the store keeps them: operations, rows, questions.

Part of `gateway.ports`, which gathers them in `Store`. Records are JSON made by `gateway.identity.records`; what is looked
up by stands beside it in columns, a matricule never without its OID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.exchange.model import Event, Payload


@dataclass(frozen=True, slots=True)
class HeldIns:
    """An INS of a record: its own (`active`), one it had, or one it only `received` with a message."""

    matricule: str
    oid: str
    active: bool
    received: bool = False


@dataclass(frozen=True, slots=True)
class PutIdentity:
    """Create or change one record of a structure's patient index. Result: its new version.

    `expected_version` is 0 for a new record, else the version that was read: when another change came first, `Conflict`
    names `version`; a new record whose id or IPP exists raises `Conflict` naming `ipp`. `Conflict` names `ins` for an active
    INS that another record of the structure holds, and for a new record made of a received INS that another knows in any
    way. `family` is folded, to search by.
    `answers` are octets of INSi, kept identical under their SHA-256.
    """

    workspace: str
    identity_id: str
    structure: str
    ipp: str
    expected_version: int
    at: datetime
    status: str
    record: Mapping[str, Any]
    ins: tuple[HeldIns, ...] = ()
    family: str = ""
    birth_date: str = ""
    sex: str = ""
    answers: tuple[Payload, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class NewQuarantine:
    """One document, or lot of documents, whose integration in one structure's records waits for a human.

    `line` is that of the decision table, 0 when the containers of the message disagree. One entry an exchange and a
    structure: written twice, it stays as it was.
    """

    entry_id: str
    structure: str
    line: int
    ack: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MarkMail:
    """Put a keyword on the mail that an exchange brought to a mailbox, or take it away; nothing when it is gone."""

    address: str
    keyword: str
    present: bool = True


@dataclass(frozen=True, slots=True)
class RecordIntegration:
    """What the integration of an exchange adds to it: entries of its summary, findings, quarantine, marks, events.

    The entry `integrations` of the summary is merged structure by structure. `records` are those the documents joined.
    `settles`: a human let them in; integration is allowed once no structure is left that keeps them out, as the exchange is
    when this is written.
    Result: False when the exchange is no longer there (reset): then nothing was written.
    """

    workspace: str
    exchange_id: str
    at: datetime
    summary: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]] = ()
    quarantined: tuple[NewQuarantine, ...] = ()
    marks: tuple[MarkMail, ...] = ()
    events: tuple[Event, ...] = ()
    records: tuple[str, ...] = ()
    settles: bool = False


@dataclass(frozen=True, slots=True)
class DecideQuarantine:
    """A human's decision on one entry. `Conflict` names `decided` when it is no longer open. `record` is merged in."""

    workspace: str
    entry_id: str
    state: str  # attached | created | refused | copied
    decided_by: str
    at: datetime
    record: Mapping[str, Any]


IndexOperation = PutIdentity | RecordIntegration | DecideQuarantine


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """One record of an index, as stored."""

    id: str
    structure: str
    ipp: str
    version: int
    status: str
    record: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class IdentityFilter:
    """What to list of one structure. Empty fields do not filter.

    `family` is the beginning of a folded name, `after` the id of the last record of the page before.
    """

    workspace: str
    structure: str
    status: str = ""
    family: str = ""
    birth_date: str = ""
    sex: str = ""
    ipp: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One entry of the queue."""

    id: str
    exchange_id: str
    structure: str
    line: int
    ack: str
    state: str
    record: Mapping[str, Any]
    at: datetime
    decided_by: str
    decided_at: datetime | None


class IndexReader(Protocol):
    """The patient indexes and the queue."""

    async def identity(self, workspace: str, identity_id: str) -> IdentityRow | None: ...

    async def identities(self, wanted: IdentityFilter) -> tuple[IdentityRow, ...]:
        """By IPP."""
        ...

    async def identities_known_as(
        self,
        workspace: str,
        structure: str,
        ins: Sequence[tuple[str, str]],
        ipps: Sequence[str] = (),
        *,
        received: bool = False,
    ) -> tuple[IdentityRow, ...]:
        """The records that hold, or held, one of these (matricule, OID), then those with one of these IPPs.

        `received`: those too that keep it aside, since a message told it.
        """
        ...

    async def identities_born(
        self, workspace: str, structure: str, birth_date: str, sex: str
    ) -> tuple[IdentityRow, ...]:
        """The records with this birth date, or beginning with it when it is shorter, and this sex ('' = any)."""
        ...

    async def exchanges_of_identity(
        self, workspace: str, identity_id: str, limit: int = 50, after: str = ""
    ) -> tuple[str, ...]:
        """The exchanges whose documents joined a record, newest first; `after` is the last one of the page before."""
        ...

    async def indexes(self, workspace: str) -> Mapping[str, int]:
        """How many records each structure has; a structure without any keeps no index."""
        ...

    async def quarantined(
        self,
        workspace: str,
        *,
        state: str = "",
        structure: str = "",
        exchange_id: str = "",
        oldest_first: bool = False,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> tuple[QuarantineRow, ...]:
        """Entries, newest first or oldest first; `after` is the instant and the id of the last one of the page before."""
        ...

    async def quarantine_entry(self, workspace: str, entry_id: str) -> QuarantineRow | None: ...
