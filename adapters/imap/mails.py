"""Mails of a folder as a client sees them: flags as pymap objects, sequence sets as spans, and what changed since last told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pymap.interfaces.message import LoadedMessageInterface
from pymap.message import BaseLoadedMessage, BaseMessage
from pymap.parsing.specials import FetchRequirement, ObjectId, SequenceSet
from pymap.parsing.specials.flag import Flag
from pymap.parsing.specials.sequenceset import MaxValue
from pymap.selected import SelectedMailbox

from gateway.ports import MailRow


def flags_of(names: Iterable[str]) -> frozenset[Flag]:
    """Flags and keywords by name."""
    return frozenset(Flag(name.encode("ascii", "replace")) for name in names)


def names_of(flags: Iterable[Flag]) -> tuple[str, ...]:
    """Names of flags and keywords, sorted, as the store keeps them."""
    return tuple(sorted(str(flag) for flag in flags))


class Mail(BaseMessage):
    """One mail, without its octets."""

    __slots__ = ("row",)

    def __init__(self, row: MailRow, *, expunged: bool = False) -> None:
        email_id = ObjectId(b"M" + row.sha256[:32].encode("ascii")) if row.sha256 else None
        super().__init__(row.uid, row.received_at, flags_of(row.flags), email_id=email_id, expunged=expunged)
        self.row = row

    async def load_content(self, requirement: FetchRequirement) -> LoadedMessageInterface:
        """pymap's way to a mail's octets. Our FETCH and SEARCH open mails themselves, so it holds none."""
        return BaseLoadedMessage(self, requirement, None)


class FolderView:
    """A selected folder as last read, and what the client has not been told yet."""

    __slots__ = ("_changed", "_gone", "mails", "name", "stale", "uid_validity")

    def __init__(self, name: str, uid_validity: int, rows: Mapping[int, MailRow]) -> None:
        self.name = name
        self.uid_validity = uid_validity
        self.stale = False
        self.mails = {uid: Mail(row) for uid, row in rows.items()}
        self._changed: dict[int, Mail] = dict(self.mails)
        self._gone: set[int] = set()

    def refresh(self, rows: Mapping[int, MailRow]) -> None:
        """Take the folder as it is now."""
        for uid, row in rows.items():
            known = self.mails.get(uid)
            if known is None or known.row != row:
                self.put(row)
        for uid in self.mails.keys() - rows.keys():
            self.drop(uid)

    def put(self, row: MailRow) -> None:
        """A mail arrived, or its flags changed."""
        self.mails[row.uid] = self._changed[row.uid] = Mail(row)

    def drop(self, uid: int) -> None:
        """A mail is gone."""
        self.mails.pop(uid, None)
        self._changed.pop(uid, None)
        self._gone.add(uid)

    def tell(self, selected: SelectedMailbox) -> None:
        """Hand what changed to the client's own picture of the folder."""
        changed, self._changed = self._changed, {}
        gone, self._gone = self._gone, set()
        selected.add_updates(changed.values(), gone)


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
