"""One group of batches being written: its connection, the rows kept for its end, and what to announce after the commit.

Exchanges, labels and events are written last, because their sequence numbers lock the `counter` row until the commit:
another process of the same database waits for that end only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from adapters.storage import journal, schema
from adapters.storage.bulk import BulkInsert
from adapters.storage.driver import Prepared, run
from gateway.exchange.model import Event
from gateway.ports import Clock

EXCHANGE_COLUMNS = (
    "seq",
    "id",
    "workspace_id",
    "at",
    "parent_id",
    "correlation_id",
    "size_bytes",
    "sha256",
    "door",
    "outcome",
    "message_id",
    "summary",
    "findings",
)
_INSERT_EXCHANGES = BulkInsert(schema.exchange, *EXCHANGE_COLUMNS)
_INSERT_LABELS = BulkInsert(schema.exchange_label, "workspace_id", "kind", "value", "seq")
_c = schema.counter.c
_TAKE_NUMBERS = Prepared(
    update(schema.counter)
    .where(_c.id == 1)
    .values(exchange_seq=_c.exchange_seq + bindparam("exchanges"), event_seq=_c.event_seq + bindparam("events"))
)
_LAST_NUMBERS = Prepared(select(_c.exchange_seq, _c.event_seq).where(_c.id == 1))


@dataclass(slots=True)
class Notices:
    """What changed, for subscribers: newest event seq by workspace, folders (id → workspace, address, name), the outbox."""

    events: dict[str, int] = field(default_factory=dict)
    folders: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    outbox: bool = False

    def __bool__(self) -> bool:
        return bool(self.events or self.folders or self.outbox)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a savepoint stands."""

    exchanges: int
    labels: int
    events: int
    heads: dict[str, journal.Head]
    folders: dict[int, tuple[str, str, str]]
    outbox: bool
    newest: dict[str, int]
    swept: int


class Work:
    """The transaction of one group."""

    def __init__(
        self,
        connection: Connection,
        heads: dict[str, journal.Head],
        *,
        postgresql: bool,
        clock: Clock,
        signer: Callable[[bytes], bytes] | None,
        blob_limit: int,
    ) -> None:
        self.connection = connection
        self.postgresql = postgresql
        self.clock = clock
        self.signer = signer
        self.blob_limit = blob_limit
        self.heads = dict(heads)
        self.notices = Notices()
        self.swept: list[str] = []  # workspaces whose large files may have become useless
        self._exchanges: list[tuple[Any, ...]] = []
        self._labels: list[tuple[str, str, str, int]] = []  # last: rank of the exchange in this group
        self._events: list[journal.Written] = []

    # -------------------------------------------------------------------------------------------- rows kept for the end

    def add_exchange(self, row: tuple[Any, ...], labels: set[tuple[str, str]]) -> None:
        """Keep an exchange row (without seq) and its labels (kind, value)."""
        rank = len(self._exchanges)
        workspace = row[1]
        self._exchanges.append(row)
        self._labels += [(workspace, kind, value, rank) for kind, value in labels]

    def add_event(self, event: Event) -> None:
        """Keep an event for the journal."""
        self._events.append(journal.written(event))

    def flush(self) -> None:
        """Write what was kept. From here to the commit the order of the group among other processes is settled."""
        if not self._exchanges and not self._events:
            return
        last_exchange, last_event = self._take_numbers(len(self._exchanges), len(self._events))
        if self._exchanges:
            first = last_exchange - len(self._exchanges) + 1
            _INSERT_EXCHANGES(self.connection, [(first + rank, *row) for rank, row in enumerate(self._exchanges)])
            _INSERT_LABELS(self.connection, [(ws, kind, value, first + rank) for ws, kind, value, rank in self._labels])
        if self._events:
            self.notices.events |= journal.append(self.connection, self._events, last_event, self.heads)
        self._exchanges, self._labels, self._events = [], [], []

    def _take_numbers(self, exchanges: int, events: int) -> tuple[int, int]:
        _TAKE_NUMBERS(self.connection, {"exchanges": exchanges, "events": events})
        last_exchange, last_event = _LAST_NUMBERS(self.connection, {}).fetchone()
        return last_exchange, last_event

    # ------------------------------------------------------------------------------------------------------- savepoints

    def savepoint(self) -> Mark:
        """Begin what may be undone alone."""
        run(self.connection, "SAVEPOINT batch")
        return Mark(
            len(self._exchanges),
            len(self._labels),
            len(self._events),
            dict(self.heads),
            dict(self.notices.folders),
            self.notices.outbox,
            dict(self.notices.events),
            len(self.swept),
        )

    def release(self) -> None:
        """Keep what was done since the savepoint."""
        run(self.connection, "RELEASE SAVEPOINT batch")

    def undo(self, mark: Mark) -> None:
        """Forget what was done since the savepoint, in the database and here."""
        run(self.connection, "ROLLBACK TO SAVEPOINT batch")
        run(self.connection, "RELEASE SAVEPOINT batch")
        del self._exchanges[mark.exchanges :]
        del self._labels[mark.labels :]
        del self._events[mark.events :]
        del self.swept[mark.swept :]
        self.heads = mark.heads
        self.notices = Notices(mark.newest, mark.folders, mark.outbox)
