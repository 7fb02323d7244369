"""Safe XML: the only place where bytes of strangers become a tree.

Before the parser sees a byte: size, encoding and DOCTYPE are judged (a document type is where entities, external files
and expansion bombs live, and no health document needs one). After it: depth. What is refused comes back as an `Issue`.

The parser never touches the network, never resolves an entity, and is made anew for each call (a shared one holds a
lock). Comments and processing instructions are dropped by default, so that a comment cannot cut a value in two.
Elements never leave the `documents` room: `xpath_of` and `where_of` turn them into places.
"""

from __future__ import annotations

import re
from functools import cache

from lxml import etree

from gateway.documents.model import Issue
from gateway.documents.xml_faults import told
from gateway.rules.model import Hit
from gateway.rules.unreadable import undecodable
from gateway.sandbox.model import Limits
from gateway.values import PlaceKind, Text, Where, Words

# A text node above ten million characters (a PDF of 7.5 MB in base64) needs libxml2's wide limits; below, its own
# limits stay as a second fence. Documents at least this large get them, behind our own size cap.
_HUGE_FROM = 8_000_000

_DECLARED = re.compile(rb"""^<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._\-]{0,40})["']""")
_DECLARATION = re.compile(r"^<\?xml[^>]{0,400}\?>")

# Encodings whose ASCII characters are ASCII bytes: a DOCTYPE cannot hide in them. UTF-7 and EBCDIC are left out for that.
_ASCII_SAFE = frozenset(
    {
        "utf-8",
        "utf8",
        "us-ascii",
        "ascii",
        "iso-8859-1",
        "iso8859-1",
        "latin1",
        "latin-1",
        "iso-8859-15",
        "windows-1252",
        "cp1252",
    }
)
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_BARE = (  # the first character of a document without a mark is `<`
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)


def parse_xml(
    data: bytes, limits: Limits, where: Where = Where(PlaceKind.FILE, ""), *, keep_comments: bool = False
) -> tuple[etree._Element | None, Issue | None]:
    """The root element, or the issue that says why there is none (ABU-01, 07, 08, 11: abuse; CDA-01: not well-formed).

    `where` is the place of the document in its message. `keep_comments` keeps comments and processing instructions,
    which a signature over the tree may cover. Never raises.
    """
    if len(data) > limits.xml_bytes:
        return None, _issue("ABU-08", where, f"{len(data)} octets", f"<= {limits.xml_bytes} octets")
    encoding = encoding_of(data)
    if encoding.startswith(("utf-16", "utf-32")):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            return None, _issue("CDA-01", where, undecodable(error), "XML 1.0")
        data = _DECLARATION.sub("", text.lstrip("\ufeff"), count=1).encode("utf-8", "surrogatepass")
    elif encoding not in _ASCII_SAFE:
        return None, _issue("ABU-11", where, encoding, "UTF-8, UTF-16, ISO-8859-1")
    if has_doctype(data):
        return None, _issue("ABU-01", where, "<!DOCTYPE", "<ClinicalDocument, <SubmitObjectsRequest…")
    if (tags := data.count(b"<")) > 2 * limits.xml_elements:
        return None, _issue("ABU-07", where, _tags(f"{tags}"), _tags(f"<= {2 * limits.xml_elements}"))
    return _parsed(data, limits, where, keep_comments)


def _parsed(
    data: bytes, limits: Limits, where: Where, keep_comments: bool
) -> tuple[etree._Element | None, Issue | None]:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        recover=False,
        remove_comments=not keep_comments,
        remove_pis=not keep_comments,
        huge_tree=len(data) >= _HUGE_FROM,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        if "depth" in str(error).lower():
            return None, _issue("ABU-07", where, "> 256", f"<= {limits.xml_depth}")
        return None, _issue("CDA-01", Where(where.kind, where.path, line), told(error), "XML 1.0")
    if root.getroottree().docinfo.internalDTD is not None:
        return None, _issue("ABU-01", where, "<!DOCTYPE", "<ClinicalDocument, <SubmitObjectsRequest…")
    if _deeper_than(limits.xml_depth)(root):
        return None, _issue("ABU-07", where, f"> {limits.xml_depth}", f"<= {limits.xml_depth}")
    return root, None


@cache
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath("boolean(" + "/*" * (min(depth, 250) + 1) + ")")


def encoding_of(data: bytes) -> str:
    """The encoding a document announces: by its mark, by its first character, by its declaration, else `utf-8`.

    Lower case; `ebcdic` for a declaration in EBCDIC.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    for first, name in _BARE:
        if data.startswith(first):
            return name
    if data.startswith(b"\x4c\x6f\xa7\x94"):
        return "ebcdic"
    declared = _DECLARED.match(data)
    return declared[1].decode("ascii").lower() if declared else "utf-8"


def has_doctype(data: bytes) -> bool:
    """A document type stands in the prolog (ASCII-compatible bytes). Linear: each comment and instruction is jumped over.

    Only the prolog is read: `<!DOCTYPE html>` quoted inside a CDATA section is text, and harmless.
    """
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while True:
        at = data.find(b"<", at)
        if at < 0:
            return False
        if data.startswith(b"<?", at):
            end = data.find(b"?>", at + 2)
        elif data.startswith(b"<!--", at):
            end = data.find(b"-->", at + 4)
        else:
            return data.startswith(b"<!", at)
        if end < 0:
            return False  # unfinished: the parser says so
        at = end + 2


def local(element: etree._Element) -> str:
    """The name of an element without its namespace; '' for a comment or an instruction."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    return tag.rpartition("}")[2]


def namespace(element: etree._Element) -> str:
    """The namespace of an element; '' when it has none."""
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def xpath_of(element: etree._Element) -> str:
    """The short path of an element: `/ClinicalDocument/recordTarget/patientRole/id[1]`.

    No namespaces; a position only where the element has brothers of the same name.
    """
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None:
        steps.append(local(node) + _position(node))
        node = node.getparent()
    return "/" + "/".join(reversed(steps))


def _position(node: etree._Element) -> str:
    tag = str(node.tag)
    before = sum(1 for _ in node.itersiblings(tag, preceding=True))
    if before == 0 and next(iter(node.itersiblings(tag)), None) is None:
        return ""
    return f"[{before + 1}]"


def where_of(element: etree._Element, attribute: str = "") -> Where:
    """The place of an element, or of one of its attributes, with its line."""
    path = xpath_of(element)
    return Where(PlaceKind.XPATH, f"{path}/@{attribute}" if attribute else path, element.sourceline)


def _tags(count: str) -> Text:
    return Text(f"{count} balises", f"{count} tags")


def _issue(rule_id: str, where: Where, received: Words, expected: Words) -> Issue:
    return Issue(rule_id, Hit(where=where, received=received, expected=expected))
