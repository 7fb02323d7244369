"""What a DMP request leaves behind: its exchange, its events, and the lot to register. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.answers.soap import SoapReply
from gateway.documents.model import Issue
from gateway.exchange.deposit_checking import Judgement
from gateway.exchange.intake import correlation_of
from gateway.exchange.model import Event, Payload, Submission
from gateway.ports import Ids, NewEntry, RecordExchange, RegisterLot
from gateway.sharing.case import Case
from gateway.sharing.lot import LotDocument, author_ids, entry_facts, set_facts
from gateway.sharing.opening import Endpoint
from gateway.sharing.registry import UNIQUE_ID
from gateway.sharing.registry_answer import bare

SUBJECT = {"repository": "Dépôt DMP", "patients": "Test d'existence DMP", "registry": "Recherche DMP"}


@dataclass(frozen=True, slots=True)
class DmpRequest:
    """One HTTP request at the DMP door. `peer_der` is the TLS client's certificate (b'' when it showed none).

    `broken` says what went wrong while the body was received (too large, too slow); the payload then holds what came.
    """

    submission: Submission
    endpoint: Endpoint
    content_type: str
    peer_der: bytes = b""
    broken: Issue | None = None


def record_of(
    request: DmpRequest, case: Case, judgement: Judgement, reply: SoapReply, exchange_id: str, ids: Ids
) -> RecordExchange:
    """The exchange of one request, with the lot when it was accepted."""
    submission, decision, lot = request.submission, judgement.decision, case.request.lot
    at, workspace = submission.received_at, submission.workspace
    rules = list(dict.fromkeys(f.rule for f in decision.findings))
    told = {"outcome": decision.outcome.value, "integration": decision.integration.value, "rules": rules}
    received = {"door": submission.door.value, "operator": "dmp", "size_bytes": submission.payload.size_bytes}
    event = partial(Event, at=at, workspace=workspace, exchange_id=exchange_id)
    events = [event("received", data=received), event("decided", data={**told, "answer": reply.subcode or "response"})]
    lots = (lot_of(case, submission, ids),) if lot is not None and not judgement.refusing else ()
    if lots:
        events.append(event("registered", data={"documents": len(lots[0].entries), "set": lots[0].set_unique_id}))
    return RecordExchange(
        workspace=workspace,
        exchange_id=exchange_id,
        at=at,
        payload=submission.payload,
        summary={**_summary(request, case), **told, "answer": reply.summary, "status": reply.status},
        findings=[finding.to_json() for finding in decision.findings],
        parent_id=submission.parent_id,
        correlation_id=submission.correlation_id or correlation_of(workspace, _document_id(case), exchange_id),
        events=tuple(events),
        lots=lots,
    )


def _document_id(case: Case) -> str:
    """The document a request is about: what deposits and look-ups of one document have in common; '' when none."""
    lot, query = case.request.lot, case.request.query
    if lot is not None and lot.clinical:
        return lot.clinical[0].unique_id
    asked = query.any(UNIQUE_ID) if query is not None else ()
    return asked[0] if asked else ""


def lot_of(case: Case, submission: Submission, ids: Ids) -> RegisterLot:
    """An accepted lot, ready for the registry. Raises ValueError for one that was not judged good."""
    lot, vihf = case.request.lot, case.request.vihf
    if lot is None or vihf is None or vihf.patient is None:
        raise ValueError("only a lot that was judged good is registered")
    targets = {source: bare(target) for source, target in lot.replaced}
    return RegisterLot(
        workspace=submission.workspace,
        matricule=vihf.patient[0],
        oid=vihf.patient[1],
        set_uuid=dashed(ids.new()),
        set_unique_id=lot.set_unique_id,
        at=submission.received_at,
        metadata=set_facts(lot),
        entries=tuple(_entry(d, targets.get(d.entry.entry_id, ""), dashed(ids.new())) for d in lot.documents),
        documents=tuple(Payload(d.size_bytes, d.sha256, d.content) for d in lot.documents),
    )


def _entry(document: LotDocument, replaces: str, identifier: str) -> NewEntry:
    entry = document.entry
    return NewEntry(
        entry_uuid=identifier,
        logical_id=identifier,
        unique_id=document.unique_id,
        document_sha256=document.sha256,
        size_bytes=document.size_bytes,
        status="Approved",
        type_code=entry.type_code.code if entry.type_code else "",
        author_ids=author_ids(entry),
        service_start=entry.service_start,
        metadata=entry_facts(document),
        replaces=replaces,
        masked=document.masked,
    )


def dashed(hexadecimal: str) -> str:
    """32 hex digits written as a UUID."""
    h = hexadecimal
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def _summary(request: DmpRequest, case: Case) -> dict[str, Any]:
    """The searchable part. Holds no trait and no matricule."""
    submission, opened = request.submission, case.request
    told = opened.vihf or opened.told
    named = told.name_id if told is not None and len(told.name_id) != 15 else ""  # 15 characters: it might be an INS
    return {
        "door": submission.door.value,
        "operator": "dmp",
        "sender": submission.sender.name,
        "sender_kind": submission.sender.kind,
        "fingerprint": submission.sender.fingerprint,
        "peer": submission.peer,
        "mail_from": "",
        "recipients": ["dmp"],
        "message_id": opened.message_id,
        "subject": SUBJECT[opened.endpoint.value],
        "kind": opened.kind,
        "transaction": opened.operation.value,
        "vihf_mode": told.mode if told else "",
        "structure": told.structure_id if told else "",
        "professional": named,
        "documents": [_document(d) for d in (opened.lot.clinical if opened.lot is not None else ())],
        "attributes": dict(submission.attributes),
    }


def _document(document: LotDocument) -> dict[str, Any]:
    cda, code = document.cda, document.entry.type_code
    return {
        "label": cda.label if cda else f"document:{document.entry.entry_id}",
        "type": code.code if code else "",
        "type_label": code.label if code else "",
        "level": cda.body.level if cda and cda.body else 0,
    }
