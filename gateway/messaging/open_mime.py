"""The leaves of a MIME tree, each decoded, whatever the tree is made of.

fast-mail-parser first; when it refuses (no header at all, nesting beyond its own cap) the standard library reads what
it can. The depth and the number of parts are ours to limit (RFC 2046 limits neither).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree

from gateway.documents.model import Issue
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits
from gateway.values import PlaceKind, Text, Where

# Both readers have costs that grow with the square of a header of a part: encoded words that never end for the first,
# quoted parameters for the second. Neither is left alone with one.
_WORDS, _WORDS_FROM = 2000, 32 * 1024
_FALLBACK = 128 * 1024

_CHARSET = re.compile(r"""charset\s*=\s*"?([^";\s]{1,40})""", re.IGNORECASE)
_KNOWN = frozenset(
    {
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
        "content-id",
        "content-description",
        "content-language",
        "content-location",
        "content-md5",
        "content-base",
        "content-class",
        "content-duration",
        "content-features",
        "content-identifier",
        "content-return",
        "content-translation-type",
        "content-alternative",
    }
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf, with the octets it decodes to (None when it does not, `fault` says why).

    `path` numbers parts as IMAP does (`1`, `2.1`). `enclosing` is the content type of the multipart around it.
    """

    path: str
    content_type: str
    charset: str
    filename: str
    disposition: str
    transfer_encoding: str
    misspelt: tuple[str, ...]
    enclosing: str
    quoted: bool
    content: bytes | None
    fault: str = ""


_UNREADABLE = Text("arbre MIME illisible", "unreadable MIME tree")


def mime_leaves(raw: bytes, limits: Limits, *, automatic: bool = False) -> tuple[list[Leaf], list[Issue]]:
    """The leaves in order, and what refuses the tree: ABU-09 too deep or too many parts, ABU-10 too many encoded words.

    Messages attached to a report, or to any `automatic` answer, are quoted. A refused tree has no leaf. Never raises.
    """
    if len(raw) > _WORDS_FROM and raw.count(b"?") > _WORDS and (words := raw.count(b"=?")) > _WORDS:
        hit = Hit(Where(PlaceKind.MIME, "message"), _encoded_words(f"{words}"), _encoded_words(f"<= {_WORDS}"))
        return [], [Issue("ABU-10", hit)]
    try:
        root = parse_email_tree(raw, mode="lazy")
    except ParseError as error:
        if "depth" in str(error).lower() or "nest" in str(error).lower():
            return [], [_too_deep(limits)]
        if len(raw) > _FALLBACK:
            return [], [Issue("ECO-17", Hit(Where(PlaceKind.MIME, "message"), _UNREADABLE, "MIME"))]
        return _by_the_standard_library(raw, limits, automatic)
    return _walked(root, limits, automatic)


def _walked(root: PyLazyMimePart, limits: Limits, automatic: bool) -> tuple[list[Leaf], list[Issue]]:
    leaves: list[Leaf] = []
    stack: list[tuple[PyLazyMimePart, str, str, bool, int]] = [(root, "", "", False, 1)]
    seen = 0
    while stack:
        part, path, enclosing, quoted, depth = stack.pop()
        seen += 1
        if depth > limits.mime_depth:
            return [], [_too_deep(limits)]
        if seen > limits.mime_parts:
            return [], [_too_many(limits)]
        children = part.children
        kind = part.content_type.lower()
        if not children:
            leaves.append(_leaf(part, kind, path or "1", enclosing, quoted))
            continue
        inside = quoted or (part.is_message and (automatic or enclosing == "multipart/report"))
        for number in range(len(children), 0, -1):
            step = path if part.is_message and path else f"{path}.{number}" if path else str(number)
            stack.append((children[number - 1], step, kind, inside, depth + 1))
    return leaves, []


def _leaf(part: PyLazyMimePart, kind: str, path: str, enclosing: str, quoted: bool) -> Leaf:
    headers = {name.lower(): values for name, values in part.headers.items()}
    declared = headers.get("content-type", ("",))[0]
    charset = _CHARSET.search(declared)
    content: bytes | None = None
    fault = ""
    try:
        content = part.content or b""
    except ParseError as error:
        fault = str(error)[:120]
    return Leaf(
        path=path,
        content_type=kind,
        charset=charset[1].lower() if charset else "",
        filename=part.filename,
        disposition=(part.disposition or "").lower(),
        transfer_encoding=headers.get("content-transfer-encoding", ("",))[0].strip().lower(),
        misspelt=misspelt(tuple(part.headers)),
        enclosing=enclosing,
        quoted=quoted,
        content=content,
        fault=fault,
    )


def _by_the_standard_library(raw: bytes, limits: Limits, automatic: bool) -> tuple[list[Leaf], list[Issue]]:
    try:
        message = message_from_bytes(raw, policy=policy.compat32)
        return _walked_message(message, limits, automatic)
    # The standard parser is defensive, not proven: a message that breaks it is still only a message.
    except Exception as error:
        return [], [Issue("ECO-17", Hit(Where(PlaceKind.MIME, "message"), type(error).__name__, "MIME"))]


def _walked_message(root: Message, limits: Limits, automatic: bool) -> tuple[list[Leaf], list[Issue]]:
    leaves: list[Leaf] = []
    stack: list[tuple[Message, str, str, bool, int]] = [(root, "", "", False, 1)]
    seen = 0
    while stack:
        part, path, enclosing, quoted, depth = stack.pop()
        seen += 1
        if depth > limits.mime_depth:
            return [], [_too_deep(limits)]
        if seen > limits.mime_parts:
            return [], [_too_many(limits)]
        payload = part.get_payload()
        kind = part.get_content_type()
        if not isinstance(payload, list):
            leaves.append(_leaf_of_message(part, kind, path or "1", enclosing, quoted))
            continue
        embedded = kind == "message/rfc822"
        inside = quoted or (embedded and (automatic or enclosing == "multipart/report"))
        for number in range(len(payload), 0, -1):
            step = path if embedded and path else f"{path}.{number}" if path else str(number)
            child = payload[number - 1]
            if isinstance(child, Message):
                stack.append((child, step, kind, inside, depth + 1))
    return leaves, []


def _leaf_of_message(part: Message, kind: str, path: str, enclosing: str, quoted: bool) -> Leaf:
    content = part.get_payload(decode=True)
    return Leaf(
        path=path,
        content_type=kind,
        charset=str(part.get_content_charset() or ""),
        filename=str(part.get_filename() or ""),
        disposition=str(part.get_content_disposition() or ""),
        transfer_encoding=str(part.get("Content-Transfer-Encoding", "")).strip().lower(),
        misspelt=misspelt(tuple(part.keys())),
        enclosing=enclosing,
        quoted=quoted,
        content=content if isinstance(content, bytes) else b"",
    )


def misspelt(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names that begin like a MIME header and are none: `Content-Transfert-Encoding`."""
    return tuple(n for n in names if n[:8].lower() == "content-" and n.lower() not in _KNOWN)


def _too_deep(limits: Limits) -> Issue:
    return Issue("ABU-09", Hit(Where(PlaceKind.MIME, "message"), f"> {limits.mime_depth}", f"<= {limits.mime_depth}"))


def _too_many(limits: Limits) -> Issue:
    received, expected = _parts(f"> {limits.mime_parts}"), _parts(f"<= {limits.mime_parts}")
    return Issue("ABU-09", Hit(Where(PlaceKind.MIME, "message"), received, expected))


def _parts(count: str) -> Text:
    return Text(f"{count} parties", f"{count} parts")


def _encoded_words(count: str) -> Text:
    return Text(f"{count} mots encodés", f"{count} encoded words")
