"""SEARCH: which mails match. What the row already tells is asked first; a mail is opened only when it must be.

Deviations from pymap 0.36.7, whose evaluation this replaces: BODY looks in bodies only, encoded words and transfer
encodings are read, letters match whatever their case (accented ones too), and sequence sets are never expanded.
Source: RFC 3501 § 6.4.4.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime

from pymap.exceptions import SearchNotAllowed
from pymap.flags import SessionFlags
from pymap.parsing.specials import SearchKey, SequenceSet
from pymap.parsing.specials.flag import Answered, Deleted, Draft, Flag, Flagged, Recent, Seen

from adapters.imap.mails import Mail, spans_of
from adapters.imap.opened import OpenedMail

_FLAGS = {
    b"ANSWERED": Answered,
    b"DELETED": Deleted,
    b"DRAFT": Draft,
    b"FLAGGED": Flagged,
    b"RECENT": Recent,
    b"SEEN": Seen,
}
_WITHOUT = {b"UN" + name: flag for name, flag in _FLAGS.items()} | {b"OLD": Recent}
_ADDRESSED = (b"BCC", b"CC", b"FROM", b"SUBJECT", b"TO")
_INTERNAL = {b"BEFORE": "<", b"ON": "=", b"SINCE": ">"}
_SENT = {b"SENTBEFORE": "<", b"SENTON": "=", b"SENTSINCE": ">"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One mail under examination: its sequence number, itself, the session's flags."""

    seq: int
    mail: Mail
    session_flags: SessionFlags

    @property
    def flags(self) -> frozenset[Flag]:
        """Permanent and session flags."""
        return self.mail.get_flags(self.session_flags)


Shallow = Callable[[Candidate], bool]
Deep = Callable[[OpenedMail], bool]


@dataclass(frozen=True, slots=True)
class Criterion:
    """A tree of conditions. Exactly one of `shallow`, `deep`, `every`, `either`, `negated` is given."""

    shallow: Shallow | None = None
    deep: Deep | None = None
    every: tuple[Criterion, ...] = ()
    either: tuple[Criterion, ...] = ()
    negated: Criterion | None = None

    def judge(self, candidate: Candidate, opened: OpenedMail | None) -> bool | None:
        """Whether it matches; None when the mail must be opened to know."""
        if self.shallow is not None:
            return self.shallow(candidate)
        if self.deep is not None:
            return None if opened is None else self.deep(opened)
        if self.negated is not None:
            inner = self.negated.judge(candidate, opened)
            return None if inner is None else not inner
        decisive = not self.every  # True ends an `either`, False ends an `every`
        unknown = False
        for part in self.every or self.either:
            verdict = part.judge(candidate, opened)
            if verdict is decisive:
                return decisive
            unknown = unknown or verdict is None
        return None if unknown else not decisive


def criterion_of(keys: Iterable[SearchKey], last_seq: int, last_uid: int) -> Criterion:
    """All keys together. Raises SearchNotAllowed for a key this server does not know."""
    parts = tuple(_one(key, last_seq, last_uid) for key in keys)
    return Criterion(every=parts) if parts else Criterion(shallow=_always)


def _one(key: SearchKey, last_seq: int, last_uid: int) -> Criterion:
    if key.inverse:
        return Criterion(negated=_one(key.not_inverse, last_seq, last_uid))
    if key.value == b"KEYSET":
        return criterion_of(key.filter_key_set, last_seq, last_uid)
    if key.value == b"OR":
        return Criterion(either=tuple(_one(side, last_seq, last_uid) for side in key.filter_key_or))
    if key.value == b"SEQSET":
        return Criterion(shallow=_in_set(key.filter_sequence_set, last_seq, last_uid))
    shallow = _shallow(key)
    return Criterion(shallow=shallow) if shallow else Criterion(deep=_deep(key))


def _always(candidate: Candidate) -> bool:
    return True


def _in_set(wanted: SequenceSet, last_seq: int, last_uid: int) -> Shallow:
    spans = spans_of(wanted, last_uid if wanted.uid else last_seq)
    lows = [low for low, _ in spans]

    def holds(number: int) -> bool:
        at = bisect_right(lows, number)
        return at > 0 and number <= spans[at - 1][1]

    return (lambda c: holds(c.mail.uid)) if wanted.uid else (lambda c: holds(c.seq))


def _shallow(key: SearchKey) -> Shallow | None:
    name = key.value
    if name == b"ALL":
        return _always
    if name == b"NEW":
        return lambda c: Recent in c.flags and Seen not in c.flags
    if name in _FLAGS:
        return lambda c: _FLAGS[name] in c.flags
    if name in _WITHOUT:
        return lambda c: _WITHOUT[name] not in c.flags
    if name in (b"KEYWORD", b"UNKEYWORD"):
        keyword, present = bytes(key.filter_flag).lower(), name == b"KEYWORD"
        return lambda c: any(bytes(flag).lower() == keyword for flag in c.flags) is present
    if name in _INTERNAL:
        compare, day = _INTERNAL[name], key.filter_datetime.date()
        return lambda c: _compares(c.mail.internal_date.date(), compare, day)
    if name == b"LARGER":
        return lambda c: c.mail.row.size_bytes > key.filter_int
    if name == b"SMALLER":
        return lambda c: c.mail.row.size_bytes < key.filter_int
    if name == b"EMAILID":
        return lambda c: c.mail.email_id == key.filter_object_id
    if name == b"THREADID":
        return lambda c: False
    return None


def _deep(key: SearchKey) -> Deep:
    name = key.value
    if name in _ADDRESSED:
        return _in_field(name.lower(), key.filter_str)
    if name == b"HEADER":
        field, wanted = key.filter_header
        return _in_field(field.encode().lower(), wanted)
    if name in (b"BODY", b"TEXT"):
        return lambda mail: mail.mentions(key.filter_str, headers=name == b"TEXT")
    if name in _SENT:
        compare, day = _SENT[name], key.filter_datetime.date()
        return lambda mail: (sent := _sent_on(mail)) is not None and _compares(sent, compare, day)
    raise SearchNotAllowed(key)


def _in_field(field: bytes, wanted: str) -> Deep:
    folded = wanted.casefold()
    return lambda mail: any(folded in text.casefold() for text in mail.texts_of(field))


def _sent_on(mail: OpenedMail) -> date | None:
    for text in mail.texts_of(b"date"):
        try:
            return parsedate_to_datetime(text).date()
        except (ValueError, TypeError, IndexError):
            return None
    return None


def _compares(day: date, how: str, other: date) -> bool:
    if how == "<":
        return day < other
    return day == other if how == "=" else day >= other
