"""SOAP 1.2 envelopes with WS-Addressing: opened into facts, and written.

Sources: W3C SOAP 1.2 part 1, WS-Addressing 1.0 SOAP binding; DMP samples, where `wsa:To` may be empty and `mustUnderstand`
may lack its prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from lxml import etree

from gateway.documents.xml import local
from gateway.rules.masking import mask_text
from gateway.soap.names import SOAP, SOAP_11, WSA, WSA_ANONYMOUS, WSSE, qname


@dataclass(frozen=True, slots=True)
class Envelope:
    """The facts of one envelope. `body_name` is the local name of the body's only element, '' when there is none.

    `version` is `1.2`, `1.1` or '' (not an envelope). `not_understood` are mandatory headers nobody here knows.
    """

    version: str
    action: str
    message_id: str
    body_name: str
    body_count: int
    not_understood: tuple[str, ...] = ()


@dataclass(slots=True)
class OpenEnvelope:
    """An envelope with its tree, for this room alone."""

    facts: Envelope
    header: etree._Element | None
    body: etree._Element | None


def open_envelope(root: etree._Element) -> OpenEnvelope:
    """Read an envelope; never raises. What is missing shows as empty facts."""
    version = {qname(SOAP, "Envelope"): "1.2", qname(SOAP_11, "Envelope"): "1.1"}.get(str(root.tag), "")
    space = SOAP_11 if version == "1.1" else SOAP
    header, holder = root.find(qname(space, "Header")), root.find(qname(space, "Body"))
    children = [c for c in holder if isinstance(c.tag, str)] if holder is not None else []
    body = children[0] if len(children) == 1 else None
    facts = Envelope(
        version=version,
        action=_header(header, "Action"),
        message_id=_header(header, "MessageID"),
        body_name=local(body) if body is not None else "",
        body_count=len(children),
        not_understood=_not_understood(header, space),
    )
    return OpenEnvelope(facts, header, body)


def _header(header: etree._Element | None, name: str) -> str:
    found = header.find(qname(WSA, name)) if header is not None else None
    return (found.text or "").strip() if found is not None else ""


def _not_understood(header: etree._Element | None, space: str) -> tuple[str, ...]:
    if header is None:
        return ()
    return tuple(
        str(child.tag)
        for child in header
        if isinstance(child.tag, str)
        and child.get(qname(space, "mustUnderstand"), child.get("mustUnderstand", "false")) in ("true", "1")
        and not child.tag.startswith((f"{{{WSA}}}", f"{{{WSSE}}}"))
    )


def write_request(action: str, message_id: str, assertion: bytes, body: bytes) -> bytes:
    """A request: WS-Addressing headers, the VIHF in `wsse:Security`, the body. The assertion's octets are not touched."""
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{WSA}"><soap:Header>'
        f"<wsa:MessageID>{escape(message_id)}</wsa:MessageID><wsa:To/>"
        f'<wsa:ReplyTo soap:mustUnderstand="true"><wsa:Address>{WSA_ANONYMOUS}</wsa:Address></wsa:ReplyTo>'
        f'<wsa:Action soap:mustUnderstand="true">{escape(action)}</wsa:Action>'
        f'<wsse:Security xmlns:wsse="{WSSE}" soap:mustUnderstand="true">'
    )
    return head.encode() + assertion + b"</wsse:Security></soap:Header><soap:Body>" + body + _END


def write_answer(action: str, message_id: str, relates_to: str, body: bytes) -> bytes:
    """An answer: WS-Addressing headers and the body. `relates_to` is the request's MessageID, '' when it had none.

    It goes back unchanged unless it holds a matricule, key and all: an identifier has no business with one.
    """
    related = f"<wsa:RelatesTo>{escape(mask_text(relates_to, sure=True))}</wsa:RelatesTo>" if relates_to else ""
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{WSA}"><soap:Header>'
        f"<wsa:Action>{escape(action)}</wsa:Action><wsa:MessageID>{escape(message_id)}</wsa:MessageID>"
        f"<wsa:To>{WSA_ANONYMOUS}</wsa:To>{related}</soap:Header><soap:Body>"
    )
    return head.encode() + body + _END


_END = b"</soap:Body></soap:Envelope>"
