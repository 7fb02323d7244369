"""The other side of INSi: a call written as a software writes it, and an answer read into what a client may conclude.

A fault is never a negative answer (INS-194): only `CR 01` says that nobody was found. What is not understood concludes
nothing. Pure: sockets and clocks are the adapter's.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from gateway.documents.xml import local, parse_xml
from gateway.identity.traits import LIGATURES, QUOTES
from gateway.insi.model import Code, Individual, LocalIdentity, Operation, Query
from gateway.insi.names import BAM, LPS, SIRAM, action_of
from gateway.insi.rules import heads, name_is_admitted
from gateway.insi.wire import read_result, write_query
from gateway.sandbox.model import Limits
from gateway.soap.envelope import open_envelope
from gateway.soap.names import SOAP, WSA, WSSE, qname
from gateway.values import in_lang

ANSWER_BYTES = 256 * 1024

_TABLE = str.maketrans({**LIGATURES, **dict.fromkeys(QUOTES - set('"\u201c\u201d\u00ab\u00bb'), "'")})


@dataclass(frozen=True, slots=True)
class Software:
    """Who calls: what ContexteLPS says. `idam` is the authorisation number, `emitter` the invoicing identifier."""

    idam: str
    name: str
    version: str
    emitter: str
    instance: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is new in each call. `at` is timezone-aware."""

    message_id: str
    context_id: str
    at: datetime


def write_call(
    operation: Operation, query: Query, software: Software, envelope: Envelope, assertion: bytes = b""
) -> bytes:
    """One call. The assertion's octets, signed, are not touched; b'' with a software certificate."""
    at = f"{envelope.at:%Y-%m-%dT%H:%M:%S}.000Z"
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{WSA}"><soap:Header>'
        f"<wsa:Action>{action_of(operation)}</wsa:Action><wsa:MessageID>{escape(envelope.message_id)}</wsa:MessageID>"
        f'<ctxbam:ContexteBAM xmlns:ctxbam="{BAM}" Nature="CTXBAM" Version="01_02">'
        f"<ctxbam:Id>{escape(envelope.context_id)}</ctxbam:Id><ctxbam:Temps>{at}</ctxbam:Temps>"
        f"<ctxbam:Emetteur>{escape(software.emitter)}</ctxbam:Emetteur><ctxbam:COUVERTURE/></ctxbam:ContexteBAM>"
        f'<ctxlps:ContexteLPS xmlns:ctxlps="{LPS}" Nature="CTXLPS" Version="01_00">'
        f"<ctxlps:Id>{escape(envelope.context_id)}</ctxlps:Id><ctxlps:Temps>{at}</ctxlps:Temps>"
        f"<ctxlps:Emetteur>{escape(software.emitter)}</ctxlps:Emetteur><ctxlps:LPS>"
        f"<ctxlps:IDAM R={quoteattr('4')}>{escape(software.idam)}</ctxlps:IDAM>"
        f"<ctxlps:Version>{escape(software.version)}</ctxlps:Version>"
        f"<ctxlps:Instance>{escape(software.instance)}</ctxlps:Instance>"
        f"<ctxlps:Nom>{escape(software.name)}</ctxlps:Nom></ctxlps:LPS></ctxlps:ContexteLPS>"
    ).encode()
    security = b'<wsse:Security xmlns:wsse="%s">%s</wsse:Security>' % (WSSE.encode(), assertion) if assertion else b""
    return (
        head + security + b"</soap:Header><soap:Body>" + write_query(operation, query) + b"</soap:Body></soap:Envelope>"
    )


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What one answer says. Exactly one of `code` and `fault` is set; `fault` is an INSi code or a word of ours.

    `sender` is whether the fault lies with the caller, so that the same call would fail again.
    """

    code: Code | None = None
    individual: Individual | None = None
    fault: str = ""
    reason: str = ""
    sender: bool = False


def read_answer(status: int, raw: bytes, message_id: str) -> ReadAnswer:
    """Read one HTTP answer. Never raises."""
    root, issue = parse_xml(raw, Limits(xml_bytes=ANSWER_BYTES))
    if root is None:
        told = in_lang(issue.hit.received, "en") if issue is not None and status == 200 else ""
        return ReadAnswer(fault="unreadable" if status == 200 else f"http-{status}", reason=told)
    opened = open_envelope(root)
    body = opened.body
    related = opened.header.findtext(qname(WSA, "RelatesTo")) if opened.header is not None else None
    if related is not None and related.strip() != message_id:
        return ReadAnswer(fault="unreadable", reason="RelatesTo: another call's answer")
    if body is None:
        return ReadAnswer(fault="unreadable", reason="no SOAP body")
    if local(body) == "Fault":
        return _fault(body)
    read = read_result(body)
    if read is None or status != 200:
        return ReadAnswer(fault="unreadable", reason=f"HTTP {status}, {local(body)}"[:80])
    return _concluded(*read)


def _concluded(code: str, individual: Individual | None) -> ReadAnswer:
    """CodeCR 00 with an individual, 01, 02; anything else is a technical failure."""
    known = next((c for c in Code if c.value == code), None)
    if known is None:
        return ReadAnswer(fault=f"CR-{code[:8]}", reason="CodeCR")
    return ReadAnswer(known, individual)


def _fault(fault: etree._Element) -> ReadAnswer:
    erreur = next(fault.iter(qname(SIRAM, "Erreur")), None)
    value = fault.findtext(f"{qname(SOAP, 'Code')}/{qname(SOAP, 'Value')}") or ""
    subcode = fault.findtext(f"{qname(SOAP, 'Code')}/{qname(SOAP, 'Subcode')}/{qname(SOAP, 'Value')}") or ""
    reason = fault.findtext(f"{qname(SOAP, 'Reason')}/{qname(SOAP, 'Text')}") or ""
    code = (erreur.get("code", "") if erreur is not None else "") or subcode.rpartition(":")[2] or "fault"
    return ReadAnswer(fault=code[:60], reason=reason[:1000], sender=value.strip().endswith(":Sender"))


def transliterated(value: str, *, given: bool) -> str | None:
    """A name as INSi admits it: upper case, no accent, ligatures in two letters, ASCII apostrophe.

    `given` is whether it is a given name (no `--` there). None when a character has no equivalent: it is never dropped, a
    person must decide.
    """
    upper = value.translate(_TABLE).upper()
    decomposed = unicodedata.normalize("NFD", upper)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    written = " ".join(plain.split())
    return written if written and name_is_admitted(written, given=given) else None


def differing(local_identity: LocalIdentity, told: Individual) -> tuple[str, ...]:
    """Which traits INSi tells otherwise than they were entered, letter for letter: the user confirms (INS-190)."""
    given = " ".join(local_identity.given_names)
    compared = {
        "family": local_identity.family == told.family,
        "given_names": heads(given, told.given_names),
        "sex": local_identity.sex == told.sex,
        "birth_date": local_identity.birth_date == told.birth_date,
        "birth_place": local_identity.birth_place in ("", told.birth_place),
    }
    return tuple(name for name, same in compared.items() if not same)
