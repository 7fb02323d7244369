"""What a call of INSi leaves behind: its exchange and its events. Pure; holds no trait and no matricule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.answers.soap import SoapReply
from gateway.documents.model import Issue
from gateway.exchange.intake import correlation_of
from gateway.exchange.model import Event, Submission
from gateway.insi.case import Case
from gateway.insi.model import Operation
from gateway.insi.names import KINDS
from gateway.ports import RecordExchange
from gateway.rules.verdict import Decision

SUBJECTS = {
    "insi-traits": "Recherche INSi par traits",
    "insi-card": "Recherche INSi par carte Vitale",
    "insi-verify": "Vérification INSi",
    "insi-lot": "Dépôt d'un lot de vérification INSi",
    "insi-lot-result": "Consultation d'un lot de vérification INSi",
    "insi": "Appel INSi",
}


@dataclass(frozen=True, slots=True)
class InsiRequest:
    """One HTTP request at the INSi door. `peer_der` is the TLS client's certificate (b'' when it showed none).

    `broken` says what went wrong while the body was received; the payload then holds what came.
    """

    submission: Submission
    content_type: str
    peer_der: bytes = b""
    broken: Issue | None = None


def kind_of(operation: Operation | None) -> str:
    """The kind of an exchange, for lists and filters."""
    return KINDS[operation] if operation is not None else "insi"


def record_of(
    request: InsiRequest,
    case: Case,
    decision: Decision,
    reply: SoapReply,
    exchange_id: str,
    kind: str,
    more: Mapping[str, Any] | None = None,
    parent_id: str = "",
) -> RecordExchange:
    """The exchange of one call. `more` is added to its summary."""
    submission = request.submission
    at, workspace = submission.received_at, submission.workspace
    rules = list(dict.fromkeys(f.rule for f in decision.findings))
    told = {"outcome": decision.outcome.value, "integration": decision.integration.value, "rules": rules}
    received = {"door": submission.door.value, "operator": "insi", "size_bytes": submission.payload.size_bytes}
    event = partial(Event, at=at, workspace=workspace, exchange_id=exchange_id)
    answer = reply.subcode or reply.summary
    message_id = case.call.message_id
    return RecordExchange(
        workspace=workspace,
        exchange_id=exchange_id,
        at=at,
        payload=submission.payload,
        summary={
            **_summary(submission, case, kind),
            **told,
            "answer": reply.summary,
            "status": reply.status,
            **(more or {}),
        },
        findings=[finding.to_json() for finding in decision.findings],
        parent_id=parent_id or submission.parent_id,
        correlation_id=submission.correlation_id or parent_id or correlation_of(workspace, message_id, exchange_id),
        events=(event("received", data=received), event("decided", data={**told, "answer": answer})),
    )


def _summary(submission: Submission, case: Case, kind: str) -> dict[str, Any]:
    caller, claims = case.call.caller, case.call.claims
    named = (
        claims.name_id if claims is not None and len(claims.name_id) != 15 else ""
    )  # 15 characters: it might be an INS
    return {
        "door": submission.door.value,
        "operator": "insi",
        "sender": submission.sender.name,
        "sender_kind": submission.sender.kind,
        "fingerprint": submission.sender.fingerprint,
        "peer": submission.peer,
        "mail_from": "",
        "recipients": ["insi"],
        "message_id": case.call.message_id,
        "subject": SUBJECTS[kind],
        "kind": kind,
        "transaction": case.call.operation.value if case.call.operation else "",
        "software": f"{caller.software} {caller.version}".strip(),
        "professional": named[:40],
        "documents": [],
        "attributes": dict(submission.attributes),
    }
