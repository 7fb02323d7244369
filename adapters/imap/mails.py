"""Mails of a folder as a client sees them: flags as pymap objects, sequence sets as spans, and what changed since last told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime

from pymap.flags import SessionFlags
from pymap.interfaces.message import LoadedMessageInterface
from pymap.message import BaseLoadedMessage
from pymap.parsing.specials import FetchRequirement, ObjectId, SequenceSet
from pymap.parsing.specials.flag import Flag
from pymap.parsing.specials.sequenceset import MaxValue
from pymap.selected import SelectedMailbox

from gateway.ports import MailRow

BATCH = 1000  # mails handled between two turns of the event loop


def flags_of(names: Iterable[str]) -> frozenset[Flag]:
    """Flags and keywords by name."""
    return frozenset(Flag(name.encode("ascii", "replace")) for name in names)


def names_of(flags: Iterable[Flag]) -> tuple[str, ...]:
    """Names of flags and keywords, sorted, as the store keeps them."""
    return tuple(sorted(str(flag) for flag in flags))


class Mail:
    """One mail, without its octets: what pymap calls a message, and a cached one. Light: a folder may hold thousands."""

    __slots__ = ("expunged", "flags_key", "permanent_flags", "row")

    def __init__(self, row: MailRow, flags: frozenset[Flag], *, expunged: bool = False) -> None:
        self.row = row
        self.permanent_flags = flags
        self.flags_key = (row.uid, flags)
        self.expunged = expunged

    @property
    def uid(self) -> int:
        return self.row.uid

    @property
    def internal_date(self) -> datetime:
        return self.row.received_at

    @property
    def email_id(self) -> ObjectId:
        return ObjectId(b"M" + self.row.sha256[:32].encode("ascii"))

    @property
    def thread_id(self) -> ObjectId:
        return ObjectId(None)

    def get_flags(self, session_flags: SessionFlags) -> frozenset[Flag]:
        return self.permanent_flags | session_flags.get(self.row.uid)

    async def load_content(self, requirement: FetchRequirement) -> LoadedMessageInterface:
        """pymap's way to a mail's octets. Our FETCH and SEARCH open mails themselves, so it holds none."""
        return BaseLoadedMessage(self, requirement, None)


class FolderView:
    """A selected folder as last read, and what the client has not been told yet."""

    __slots__ = ("_changed", "_flags", "_gone", "mails", "name", "read_at", "stale", "uid_validity")

    def __init__(self, name: str, uid_validity: int) -> None:
        self.name = name
        self.uid_validity = uid_validity
        self.stale = False
        self.read_at = 0.0  # time of the event loop when it was last read whole
        self.mails: dict[int, Mail] = {}
        self._changed: dict[int, Mail] = {}
        self._gone: set[int] = set()
        self._flags: dict[tuple[str, ...], frozenset[Flag]] = {}

    async def refresh(self, rows: Mapping[int, MailRow], after: int = 0) -> None:
        """Take the mails above a uid as they are now."""
        for count, (uid, row) in enumerate(rows.items(), 1):
            known = self.mails.get(uid)
            if known is None or known.row != row:
                self.put(row)
            if count % BATCH == 0:
                await asyncio.sleep(0)
        for uid in [uid for uid in self.mails if uid > after and uid not in rows]:
            self.drop(uid)

    def put(self, row: MailRow) -> None:
        """A mail arrived, or its flags changed."""
        flags = self._flags.get(row.flags)
        if flags is None:
            flags = self._flags[row.flags] = flags_of(row.flags)
        self.mails[row.uid] = self._changed[row.uid] = Mail(row, flags)

    def drop(self, uid: int) -> None:
        """A mail is gone."""
        self.mails.pop(uid, None)
        self._changed.pop(uid, None)
        self._gone.add(uid)

    @property
    def newest(self) -> int:
        """The highest uid; 0 when there is none."""
        return max(self.mails, default=0)

    async def tell(self, selected: SelectedMailbox) -> None:
        """Hand what changed to the client's own picture of the folder."""
        changed, self._changed = list(self._changed.values()), {}
        gone, self._gone = self._gone, set()
        for at in range(0, len(changed), BATCH):
            selected.add_updates(changed[at : at + BATCH], ())
            if len(changed) > BATCH:
                await asyncio.sleep(0)
        selected.add_updates((), gone)


def spans_of(wanted: SequenceSet, last: int) -> tuple[tuple[int, int], ...]:
    """A sequence set as merged, ascending spans within 1..last; `*` is `last`. `n:*` above `last` holds `last` itself."""
    spans = []
    for element in wanted.value:
        ends = element if isinstance(element, tuple) else (element, element)
        low, high = sorted(last if isinstance(end, MaxValue) else end for end in ends)
        if low <= last and high >= 1:
            spans.append((low, min(high, last)))
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def within(wanted: SequenceSet, selected: SelectedMailbox) -> SequenceSet:
    """The same set, merged and bounded by the folder, so that expanding it costs no more than the folder has mails.

    Deviation from pymap 0.36.7, which expands every range as written: `1:*` repeated ten thousand times would block.
    """
    last = selected.messages.max_uid if wanted.uid else selected.messages.exists
    return SequenceSet(spans_of(wanted, last), wanted.uid)
