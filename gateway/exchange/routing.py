"""Where an accepted mail goes: a mailbox of ours, or another operator's door; and who would read what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.directory.model import MailboxKind, MailboxState, Structure, Territory
from gateway.directory.nature import nature_of
from gateway.exchange.model import Envelope, Integration, OpenedMessage, Submission
from gateway.partners.rights import Addressee, RoutedDocument, Routing
from gateway.ports import NewDelivery, NewMail
from gateway.values import Door, PlaceKind, Where

QUARANTINE_KEYWORD = "$Quarantaine"
WITHOUT_INS_KEYWORD = "$SansINS"
CONSENT_HEADER = "X-Passerelle-Consentement"


def routing_of(opened: OpenedMessage, envelope: Envelope, territory: Territory) -> Routing:
    """The subject of the rights rules: recipients with their class, documents with their nature."""
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
    return Routing(_addressees(envelope, territory), documents, consent)


def _addressees(envelope: Envelope, territory: Territory) -> tuple[Addressee, ...]:
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
                where=Where(PlaceKind.SMTP, f"RCPT TO:<{address}>"),
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
        for address in _recipients(submission)
        if _is_here(address, submission, territory)
    )


_KEYWORDS: Mapping[Integration, tuple[str, ...]] = {
    Integration.ALLOWED: (),
    Integration.WITHOUT_INS: (WITHOUT_INS_KEYWORD,),
    Integration.STOPPED: (QUARANTINE_KEYWORD,),
}


def _recipients(submission: Submission) -> tuple[str, ...]:
    envelope = submission.envelope
    return tuple(dict.fromkeys(a.casefold() for a in envelope.recipients)) if envelope else ()


def _is_here(address: str, submission: Submission, territory: Territory) -> bool:
    """On reception every recipient is ours (RCPT refused the others); on submission those of the same operator."""
    if submission.door is Door.RECEPTION:
        return True
    operator = territory.operator_of_domain(address.rpartition("@")[2])
    return operator is not None and operator.id == submission.operator and _alive(address, territory)


def _alive(address: str, territory: Territory) -> bool:
    mailbox = territory.mailboxes.get(address)
    return mailbox is not None and mailbox.state is not MailboxState.DELETED


def relays_for(
    submission: Submission, exchange_id: str, message_id: str, territory: Territory, due: datetime
) -> tuple[NewDelivery, ...]:
    """One relay for each other domain of the recipients; its mails leave in the order they came."""
    envelope = submission.envelope
    if envelope is None or submission.door is not Door.SUBMISSION:
        return ()
    by_domain: dict[str, list[str]] = {}
    for address in _recipients(submission):
        if not _is_here(address, submission, territory):
            by_domain.setdefault(address.rpartition("@")[2], []).append(address)
    return tuple(
        NewDelivery(
            workspace=submission.workspace,
            kind="relay",
            destination=domain,
            payload={
                "mail_from": envelope.mail_from,
                "recipients": addresses,
                "operator": submission.operator,
                "domain": domain,
                "sha256": submission.payload.sha256,
                "size_bytes": submission.payload.size_bytes,
                "ret": envelope.ret,
                "envid": envelope.envid,
                "dsn": {a: {"notify": d.notify, "orcpt": d.orcpt} for a, d in envelope.dsn.items() if a in addresses},
            },
            due=due,
            exchange_id=exchange_id,
            dedup_key=dedup_key(submission, message_id, ",".join(sorted(addresses))),
        )
        for domain, addresses in by_domain.items()
    )
