"""One mailbox seen through the store: its folders and mails, and the only writes IMAP makes.

Writes that depend on what was read (flags, the first reading) are made under the mailbox's lock, so that two clients of
this process never undo each other. A change made elsewhere arrives through the store's notifications.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from adapters.imap.limits import ImapLimits
from adapters.imap.opened import LARGE_BYTES, OpenedMail
from gateway.exchange.model import Event, Payload
from gateway.ports import (
    AppendEvent,
    AppendMail,
    ChangeFolder,
    Clock,
    CopyMail,
    ExpungeMail,
    FolderRow,
    MailRow,
    NewMail,
    Operation,
    SetFlags,
    Store,
)
from gateway.rules.masking import shown_address

SEEN = "\\Seen"
INBOX = "INBOX"

_EVENTS_PAGE = 500


@dataclass(slots=True)
class Shared:
    """What the connections of one service share: locks of mailboxes, mails kept open, the newest uid announced as recent."""

    limits: ImapLimits
    locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = field(default_factory=WeakValueDictionary)
    claimed: dict[tuple[str, str, str, int], int] = field(default_factory=dict)
    sessions: dict[tuple[str, str], int] = field(default_factory=dict)
    watchers: dict[tuple[str, str], list[Callable[[str], None]]] = field(default_factory=dict)
    _opened: dict[tuple[str, str], OpenedMail] = field(default_factory=dict)
    _opened_bytes: int = 0

    def kept(self, workspace: str, sha256: str) -> OpenedMail | None:
        """A mail opened lately; asking for it makes it the last to go."""
        key = (workspace, sha256)
        mail = self._opened.pop(key, None)
        if mail is not None:
            self._opened[key] = mail
        return mail

    def keep(self, workspace: str, sha256: str, mail: OpenedMail) -> None:
        """Keep a mail open, letting the oldest go. A mail larger than the whole room is kept alone."""
        if self._opened.setdefault((workspace, sha256), mail) is mail:
            self._opened_bytes += len(mail.data)
        while self._opened_bytes > self.limits.opened_bytes and len(self._opened) > 1:
            oldest = next(iter(self._opened))
            self._opened_bytes -= len(self._opened.pop(oldest).data)


@dataclass(frozen=True, slots=True)
class Appended:
    """A message a client appends: the octets as received, its flags, its internal date."""

    octets: memoryview
    flags: tuple[str, ...]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Postbox:
    """One mailbox of one workspace."""

    store: Store
    clock: Clock
    shared: Shared
    workspace: str
    address: str

    @property
    def _key(self) -> tuple[str, str]:
        return (self.workspace, self.address)

    @property
    def lock(self) -> asyncio.Lock:
        """Held around a read followed by a write that depends on it."""
        lock = self.shared.locks.get(self._key)
        if lock is None:
            lock = self.shared.locks[self._key] = asyncio.Lock()
        return lock

    # --------------------------------------------------------------------------------------------------------- reading

    async def folders(self) -> dict[str, FolderRow]:
        """Every folder by name."""
        return {row.name: row for row in await self.store.folders(self.workspace, self.address)}

    async def mails(self, folder: str, after: int = 0) -> dict[int, MailRow]:
        """The mails of one folder above a uid, by uid, ascending."""
        rows = await self.store.mails(self.workspace, self.address, folder, after_uid=after)
        return {row.uid: row for row in rows}

    async def opened(self, row: MailRow) -> OpenedMail | None:
        """The octets of a mail; None when they were purged."""
        mail = self.shared.kept(self.workspace, row.sha256)
        if mail is None:
            octets = await self.store.blob(self.workspace, row.sha256)
            if octets is None:
                return None
            mail = OpenedMail(octets)
            self.shared.keep(self.workspace, row.sha256, mail)
        return mail

    def changes(self) -> AsyncIterator[str]:
        """Names of the folders that changed, as they do."""
        return self.store.subscribe(f"mail:{self.workspace}:{self.address}")

    @contextmanager
    def watched(self, changed: Callable[[str], None]) -> Iterator[None]:
        """Call `changed(folder)` for each change made through this service, before the one who made it is answered."""
        watchers = self.shared.watchers.setdefault(self._key, [])
        watchers.append(changed)
        try:
            yield
        finally:
            watchers.remove(changed)
            if not watchers:
                self.shared.watchers.pop(self._key, None)

    async def _write(self, operations: Sequence[Operation], *folders: str) -> tuple[Any, ...]:
        """Commit, then tell the sessions of this service which folders changed."""
        results = await self.store.commit(*operations)
        for changed in self.shared.watchers.get(self._key, ()):
            for folder in folders:
                changed(folder)
        return results

    # --------------------------------------------------------------------------------------------------------- folders

    async def prepare(self) -> None:
        """Give a new mailbox its first folders: the store makes the usual ones with the first."""
        if INBOX not in await self.folders():
            await self._write([self._change(INBOX, "create")])

    async def change(self, *changes: tuple[str, str, str]) -> bool:
        """Folder changes `(name, change, to)` in one step; whether each one changed something."""
        operations = [self._change(name, change, to) for name, change, to in changes]
        return all(await self._write(operations, *(name for name, _, _ in changes)))

    def _change(self, folder: str, change: str, to: str = "") -> ChangeFolder:
        return ChangeFolder(self.workspace, self.address, folder, change, to)

    # ----------------------------------------------------------------------------------------------------------- mails

    async def append(self, folder: str, messages: Sequence[Appended]) -> tuple[int, ...]:
        """Append messages together, or none. The uids given."""
        operations = [await self._append(folder, message) for message in messages]
        return await self._write(operations, folder)

    async def _append(self, folder: str, message: Appended) -> AppendMail:
        if len(message.octets) > LARGE_BYTES:
            octets, sha256 = await asyncio.to_thread(_copied, message.octets)
        else:
            octets, sha256 = _copied(message.octets)
        mail = NewMail(self.workspace, self.address, folder, sha256, len(octets), message.received_at, message.flags)
        return AppendMail(mail, Payload(len(octets), sha256, octets))

    async def copy(self, folder: str, uids: Iterable[int], to: str, *, move: bool) -> list[tuple[int, int]]:
        """Copy or move mails together; pairs (old uid, new uid) of those that still existed."""
        wanted = tuple(uids)
        if not wanted:
            return []
        operations = [CopyMail(self.workspace, self.address, folder, uid, to, move) for uid in wanted]
        results = await self._write(operations, to, *((folder,) if move else ()))
        return [(old, new) for old, new in zip(wanted, results, strict=True) if new is not None]

    async def expunge(self, folder: str, uids: Iterable[int]) -> None:
        """Remove mails for good."""
        wanted = tuple(uids)
        if wanted:
            await self._write([ExpungeMail(self.workspace, self.address, folder, wanted)], folder)

    async def set_flags(self, folder: str, changed: Mapping[int, tuple[MailRow, tuple[str, ...]]]) -> None:
        """Replace flags: uid → (the row as read, its new flags). Hold the lock.

        The first time a mail of an exchange is seen here, the journal says so, in the same step.
        """
        if not changed:
            return
        flags = {uid: new for uid, (_, new) in changed.items()}
        read = dict.fromkeys(
            row.exchange_id
            for row, new in changed.values()
            if row.exchange_id and SEEN in new and SEEN not in row.flags
        )
        events = [self._event("read", exchange) for exchange in read if not await self._was_read(exchange)]
        operation = SetFlags(self.workspace, self.address, folder, flags)
        await self._write([operation, *(AppendEvent(event) for event in events)], folder)

    async def _was_read(self, exchange_id: str) -> bool:
        """Whether the journal already tells that this mailbox read this exchange."""
        shown, after = shown_address(self.address), 0
        while rows := await self.store.events(
            self.workspace, after_seq=after, exchange_id=exchange_id, limit=_EVENTS_PAGE
        ):
            if any(row.kind == "read" and row.data.get("mailbox") == shown for row in rows):
                return True
            after = rows[-1].seq
        return False

    # --------------------------------------------------------------------------------------------------------- journal

    async def trace(self, kind: str, data: Mapping[str, Any]) -> None:
        """Journal something about this mailbox that belongs to no exchange."""
        await self.store.commit(AppendEvent(self._event(kind, "", data)))

    def _event(self, kind: str, exchange_id: str, data: Mapping[str, Any] | None = None) -> Event:
        told = {"door": "imap", "mailbox": shown_address(self.address), **(data or {})}
        return Event(kind, self.clock.now(), self.workspace, exchange_id, told)


def _copied(octets: memoryview) -> tuple[bytes, str]:
    return bytes(octets), hashlib.sha256(octets).hexdigest()
