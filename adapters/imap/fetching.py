"""FETCH answers: one mail at a time in memory, its octets sent as views of what was received.

Deviations from pymap 0.36.7, whose evaluation this replaces: BODYSTRUCTURE gives the sizes of bodies without their headers,
a part does not hold the line break of the delimiter that follows it, RFC822.SIZE and FLAGS open no mail, and
`BINARY.PEEK` is answered as `BINARY`.
Sources: RFC 3501 § 7.4.2, RFC 3516 (BINARY).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from pymap.bytes import WriteStream
from pymap.flags import SessionFlags
from pymap.parsing.response import UntaggedResponse
from pymap.parsing.specials import FetchAttribute

from adapters.imap.mails import Mail
from adapters.imap.opened import OpenedMail
from adapters.imap.outlet import Outlet
from adapters.imap.postbox import Postbox

_WITHOUT_OCTETS = frozenset({b"UID", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"EMAILID", b"THREADID"})
_FROM_HEADER = frozenset({b"ENVELOPE", b"RFC822", b"RFC822.HEADER", b"RFC822.TEXT"})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PAUSE_EVERY = 200


class FetchAnswers(UntaggedResponse):
    """Every `* n FETCH (…)` of one command."""

    def __init__(
        self,
        postbox: Postbox,
        mails: Iterable[tuple[int, Mail]],
        attributes: Sequence[FetchAttribute],
        session_flags: SessionFlags,
    ) -> None:
        super().__init__()
        self._postbox = postbox
        self._mails = mails
        self._attributes = tuple({attribute.raw: attribute for attribute in attributes}.values())
        self._session_flags = session_flags

    @property
    def text(self) -> bytes:
        return b"FETCH"

    async def async_write(self, writer: WriteStream) -> None:
        """Write the answers. Mails that are gone, or whose octets were purged, are left out."""
        if not isinstance(writer, Outlet):
            raise TypeError(writer)
        needs_octets = any(a.value not in _WITHOUT_OCTETS for a in self._attributes)
        needs_tree = any(_needs_tree(a) for a in self._attributes)
        for count, (seq, mail) in enumerate(self._mails, 1):
            opened: OpenedMail | None = None
            if needs_octets and not mail.expunged:
                opened = await self._postbox.opened(mail.row)
                if opened is not None and needs_tree:
                    await opened.grown()
            if mail.expunged or (needs_octets and opened is None):
                continue
            writer.write(b"* %d FETCH (" % seq)
            for rank, attribute in enumerate(self._attributes):
                writer.write((b" " if rank else b"") + _label(attribute) + b" ")
                if opened is None or attribute.value in _WITHOUT_OCTETS:
                    writer.write(self._known(attribute, mail))
                else:
                    await _send(writer, attribute, opened)
            writer.write(b")\r\n")
            await writer.pause()
            if count % _PAUSE_EVERY == 0:
                await writer.drain()

    def _known(self, attribute: FetchAttribute, mail: Mail) -> bytes:
        """What the row tells."""
        return _KNOWN[attribute.value](mail, self._session_flags)


def _flags(mail: Mail, session_flags: SessionFlags) -> bytes:
    return b"(%b)" % b" ".join(bytes(flag) for flag in sorted(mail.get_flags(session_flags)))


_KNOWN: dict[bytes, Callable[[Mail, SessionFlags], bytes]] = {
    b"UID": lambda mail, _: b"%d" % mail.uid,
    b"FLAGS": _flags,
    b"INTERNALDATE": lambda mail, _: internal_date(mail.internal_date),
    b"RFC822.SIZE": lambda mail, _: b"%d" % mail.row.size_bytes,
    b"EMAILID": lambda mail, _: mail.email_id.parens,
    b"THREADID": lambda mail, _: b"NIL",
}


def internal_date(when: datetime) -> bytes:
    """`"02-Jan-2026 10:00:00 +0000"`, whatever the locale of the process."""
    return f'"{when.day:02d}-{_MONTHS[when.month - 1]}-{when:%Y %H:%M:%S %z}"'.encode("ascii")


def _needs_tree(attribute: FetchAttribute) -> bool:
    if attribute.value in _WITHOUT_OCTETS or attribute.value in _FROM_HEADER:
        return False
    return attribute.section is None or bool(attribute.section.parts)


def _label(attribute: FetchAttribute) -> bytes:
    label = bytes(attribute.for_response)
    return label.replace(b"BINARY.PEEK", b"BINARY", 1) if label.startswith(b"BINARY.PEEK") else label


async def _send(writer: Outlet, attribute: FetchAttribute, mail: OpenedMail) -> None:
    name = attribute.value
    if name == b"ENVELOPE":
        writer.write(await mail.enveloped())
    elif attribute.section is None:
        writer.write(mail.structure(extended=name == b"BODYSTRUCTURE"))
    elif name.startswith(b"BINARY"):
        path = tuple(attribute.section.parts)
        decoded = await mail.ask(lambda asked: asked.decoded(path))
        if name == b"BINARY.SIZE":
            writer.write(b"%d" % len(decoded))
        else:
            await _literal(writer, attribute, memoryview(decoded), b"~" if b"\0" in decoded else b"")
    else:
        await _literal(writer, attribute, mail.section(attribute.section), b"")


async def _literal(writer: Outlet, attribute: FetchAttribute, octets: memoryview, prefix: bytes) -> None:
    if attribute.partial is not None:
        start, length = attribute.partial.start, attribute.partial.length
        octets = octets[start : None if length is None else start + length]
    writer.write(b"%b{%d}\r\n" % (prefix, len(octets)))
    await writer.send(octets)
