"""Where an accepted mail goes: a mailbox of ours, or another operator's door; and who would read what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.directory.model import MailboxKind, MailboxState, Structure, Territory
from gateway.directory.nature import nature_of
from gateway.exchange.model import Envelope, Integration, OpenedMessage, Payload, Submission
from gateway.messaging.citizen import not_delivered
from gateway.partners.rights import Addressee, RoutedDocument, Routing, recipient_place
from gateway.ports import NewDelivery, NewMail
from gateway.rules.masking import is_patient_domain
from gateway.values import Door

RELAY = "relay"  # kind of the deliveries to other operators
QUARANTINE_KEYWORD = "$Quarantaine"
WITHOUT_INS_KEYWORD = "$SansINS"
CONSENT_HEADER = "X-Passerelle-Consentement"


def routing_of(opened: OpenedMessage, envelope: Envelope, territory: Territory) -> Routing:
    """The subject of the rights rules: recipients with their class, documents with their nature."""
    return routing_between(opened, addressees_of(envelope, territory))


def routing_between(opened: OpenedMessage, addressees: tuple[Addressee, ...]) -> Routing:
    """The same, when the recipients are known already."""
    mail = opened.mail
    documents = tuple(
        RoutedDocument(
            label=document.label,
            nature=nature_of(
                document.code.code if document.code else "", document.code.system if document.code else ""
            ),
            type_code=document.code.code if document.code else "?",
            carries_ins=document.identity is not None and document.identity.ins is not None,
            where=document.where,
        )
        for document in (mail.documents if mail else opened.documents)
    )
    consent = (mail.header(CONSENT_HEADER) or "").strip().upper() == "O" if mail else False
    return Routing(addressees, documents, consent)


def addressees_of(envelope: Envelope, territory: Territory) -> tuple[Addressee, ...]:
    """The recipients that the territory knows, each with the class of its structure."""
    found = []
    for address in envelope.recipients:
        mailbox = territory.mailboxes.get(address.casefold())
        if mailbox is None:
            continue
        holder = territory.holder_of(mailbox)
        if mailbox.kind is MailboxKind.PATIENT:
            routing_class, name = "USAGER", "Mon espace santé"
        elif isinstance(holder, Structure):
            routing_class, name = holder.routing_class.value, holder.name
        else:
            routing_class, name = _class_of_professional(mailbox.holder, territory), mailbox.holder
        found.append(
            Addressee(
                address=address,
                routing_class=routing_class,
                structure=name,
                personal=mailbox.kind is MailboxKind.PER,
                where=recipient_place(address),
            )
        )
    return tuple(found)


def _class_of_professional(key: str, territory: Territory) -> str:
    """A professional is judged as the first structure he works in; a liberal one as health care."""
    professional = territory.professionals.get(key)
    for name in professional.structures if professional else ():
        if (structure := territory.structures.get(name)) is not None:
            return structure.routing_class.value
    return "SAN"


def dedup_key(submission: Submission, message_id: str, recipient: str) -> str:
    """What makes two mails the same at one door; '' when the mail has no Message-ID and so cannot be told apart."""
    if not message_id:
        return ""
    return f"{submission.door.value}|{submission.operator}|{message_id}|{recipient}"


def mails_for(
    submission: Submission, exchange_id: str, message_id: str, territory: Territory, integration: Integration
) -> tuple[NewMail, ...]:
    """The appends to mailboxes of the operator whose door this is."""
    flags = _KEYWORDS[integration] if submission.door is Door.RECEPTION else ()
    return tuple(
        NewMail(
            workspace=submission.workspace,
            address=address,
            folder="INBOX",
            sha256=submission.payload.sha256,
            size_bytes=submission.payload.size_bytes,
            received_at=submission.received_at,
            flags=flags,
            exchange_id=exchange_id,
            dedup_key=dedup_key(submission, message_id, address),
        )
        for address in recipients_of(submission)
        if _is_here(address, submission, territory)
    )


_KEYWORDS: Mapping[Integration, tuple[str, ...]] = {
    Integration.ALLOWED: (),
    Integration.WITHOUT_INS: (WITHOUT_INS_KEYWORD,),
    Integration.STOPPED: (QUARANTINE_KEYWORD,),
}


def recipients_of(submission: Submission) -> tuple[str, ...]:
    """The addresses of the envelope, lower case, each once."""
    envelope = submission.envelope
    return tuple(dict.fromkeys(a.casefold() for a in envelope.recipients)) if envelope else ()


def without(submission: Submission, excluded: Sequence[str]) -> Submission:
    """The submission as it goes on: the recipients that may not receive it are left out."""
    if not excluded or submission.envelope is None:
        return submission
    kept = tuple(a for a in submission.envelope.recipients if a not in excluded)
    return replace(submission, envelope=replace(submission.envelope, recipients=kept))


def _is_here(address: str, submission: Submission, territory: Territory) -> bool:
    """A mailbox that takes mail, of the operator whose door this is. A reception relays nothing: it owes a notice instead."""
    if submission.door is not Door.RECEPTION:
        operator = territory.operator_of_domain(address.rpartition("@")[2])
        if operator is None or operator.id != submission.operator:
            return False
    return takes_mail(address, territory)


def takes_mail(address: str, territory: Territory) -> bool:
    """Whether a mailbox of this address (lower case) is there to deliver to."""
    mailbox = territory.mailboxes.get(address)
    if is_patient_domain(address.rpartition("@")[2]):
        return not_delivered(address, mailbox) is None
    return mailbox is not None and mailbox.state is not MailboxState.DELETED


def relays_for(
    submission: Submission, exchange_id: str, message_id: str, territory: Territory, due: datetime
) -> tuple[NewDelivery, ...]:
    """One relay for each other domain of the recipients; its mails leave in the order they came."""
    envelope = submission.envelope
    if envelope is None or submission.door is not Door.SUBMISSION:
        return ()
    by_domain: dict[str, list[str]] = {}
    for address in recipients_of(submission):
        if not _is_here(address, submission, territory):
            by_domain.setdefault(address.rpartition("@")[2], []).append(address)
    return tuple(
        NewDelivery(
            workspace=submission.workspace,
            kind=RELAY,
            destination=domain,
            payload=relay_payload(submission.operator, envelope, addresses, submission.payload),
            due=due,
            exchange_id=exchange_id,
            dedup_key=dedup_key(submission, message_id, ",".join(sorted(addresses))),
        )
        for domain, addresses in by_domain.items()
    )


def relay_payload(operator: str, envelope: Envelope, addresses: Sequence[str], payload: Payload) -> Mapping[str, Any]:
    """What the courier of relayed mail needs, for those of the envelope's recipients that share a domain."""
    return {
        "mail_from": envelope.mail_from,
        "recipients": list(addresses),
        "operator": operator,
        "domain": addresses[0].rpartition("@")[2],
        "sha256": payload.sha256,
        "size_bytes": payload.size_bytes,
        "ret": envelope.ret,
        "envid": envelope.envid,
        "dsn": {a: {"notify": d.notify, "orcpt": d.orcpt} for a, d in envelope.dsn.items() if a in addresses},
    }
