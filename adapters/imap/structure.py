"""ENVELOPE and BODYSTRUCTURE of a mail, written as IMAP sends them.

Strings are given as they stand in the header (encoded words are left to the client, RFC 3501 § 7.4.2); sizes are those
of the body alone, without the part's header.
"""

from __future__ import annotations

from email.utils import getaddresses

from adapters.imap.mime import Parameterised, Part, parameterised

_ADDRESS_BYTES = 32 * 1024  # of one address field: what a hostile header may make us parse
_QUOTABLE = frozenset(range(0x20, 0x7F))
_LONGEST_QUOTED = 1000

Address = tuple[bytes, bytes, bytes]  # display name, local part, domain


def text(value: bytes | None) -> bytes:
    """An nstring: NIL, quoted when it can be, a literal otherwise."""
    if value is None:
        return b"NIL"
    value = value.replace(b"\0", b"")
    if len(value) <= _LONGEST_QUOTED and _QUOTABLE.issuperset(value):
        return b'"%b"' % value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b"{%d}\r\n%b" % (len(value), value)


def addresses(value: bytes | None) -> tuple[Address, ...]:
    """The addresses of a field. What cannot be read as addresses gives none."""
    if not value:
        return ()
    try:
        pairs = getaddresses([value[:_ADDRESS_BYTES].decode("latin-1")])
    except Exception:  # the stdlib parser fails in many ways on hostile input
        return ()
    found = []
    for name, address in pairs:
        if address:
            local, _, domain = address.rpartition("@") if "@" in address else (address, "", "")
            found.append(tuple(piece.encode("latin-1", "replace") for piece in (name, local, domain)))
    return tuple((name, local, domain) for name, local, domain in found)


def _address_list(found: tuple[Address, ...]) -> bytes:
    if not found:
        return b"NIL"
    written = (
        b"(%b NIL %b %b)" % (text(name or None), text(local), text(domain or None)) for name, local, domain in found
    )
    return b"(%b)" % b"".join(written)


def envelope(message: Part) -> bytes:
    """The ENVELOPE of a message: ten fields; Sender and Reply-To default to From."""
    senders = addresses(message.field(b"from"))
    fields = (
        text(message.field(b"date")),
        text(message.field(b"subject")),
        _address_list(senders),
        _address_list(addresses(message.field(b"sender")) or senders),
        _address_list(addresses(message.field(b"reply-to")) or senders),
        _address_list(addresses(message.field(b"to"))),
        _address_list(addresses(message.field(b"cc"))),
        _address_list(addresses(message.field(b"bcc"))),
        text(message.field(b"in-reply-to")),
        text(message.field(b"message-id")),
    )
    return b"(%b)" % b" ".join(fields)


def _params(params: tuple[tuple[bytes, bytes], ...]) -> bytes:
    if not params:
        return b"NIL"
    return b"(%b)" % b" ".join(b"%b %b" % (text(name), text(value)) for name, value in params)


def _disposition(part: Part) -> bytes:
    read: Parameterised = parameterised(part.field(b"content-disposition"))
    return b"(%b %b)" % (text(read.value), _params(read.params)) if read.value else b"NIL"


def _tail(part: Part) -> bytes:
    """Disposition, language, location: the end of the extended form."""
    language = part.field(b"content-language")
    return b"%b %b %b" % (
        _disposition(part),
        text(language) if language else b"NIL",
        text(part.field(b"content-location")),
    )


def body_structure(data: bytes, part: Part, *, extended: bool) -> bytes:
    """BODYSTRUCTURE of a part, or BODY (the same without the extension data)."""
    main, _, sub = part.kind.partition(b"/")
    if part.multipart:
        children = b"".join(body_structure(data, child, extended=extended) for child in part.children)
        more = b" %b %b" % (_params(part.params), _tail(part)) if extended else b""
        return b"(%b %b%b)" % (children, text(sub), more)
    fields = [
        text(main),
        text(sub),
        _params(part.params or (((b"charset", b"us-ascii"),) if main == b"text" else ())),
        text(part.field(b"content-id")),
        text(part.field(b"content-description")),
        text(part.encoding or b"7bit"),
        b"%d" % (part.end - part.body),
    ]
    if (inner := part.embedded) is not None:
        fields += [envelope(inner), body_structure(data, inner, extended=extended)]
    if main == b"text" or part.embedded is not None:
        fields.append(b"%d" % data.count(b"\n", part.body, part.end))
    if extended:
        fields += [text(part.field(b"content-md5")), _tail(part)]
    return b"(%b)" % b" ".join(fields)
