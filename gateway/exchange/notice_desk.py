"""Writes the notices: composes the mail, and makes the exchange that carries it to the sender.

A sender whose mailbox is here finds it in his INBOX; another's is handed to his operator, with the null sender.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from gateway.exchange.model import DsnRequest, Envelope, Event, Payload
from gateway.exchange.notices import Form, asking
from gateway.exchange.routing import RELAY, relay_payload, takes_mail
from gateway.messaging.citizen import (
    CitizenNotice,
    NotDelivered,
    build_answer,
    build_undelivered,
    sender_of,
    subject_of,
)
from gateway.messaging.dsn import SUBJECTS, Fate, Report, Told, build_report
from gateway.messaging.failures import Failure, failure_of, without_repeats
from gateway.messaging.mdn import Disposition, build_mdn
from gateway.messaging.mdn import subject_of as mdn_subject
from gateway.messaging.open_headers import read_headers
from gateway.messaging.report_parts import headers_of
from gateway.messaging.service_addresses import ANSWERS_ALL, NO_REPLY
from gateway.ports import (
    Clock,
    Delivered,
    Delivery,
    ExchangeRow,
    Ids,
    NewDelivery,
    NewMail,
    RecipientOutcome,
    RecordExchange,
    RecordIntegration,
    Sandboxes,
)
from gateway.rules import RuleBook, RuleCard
from gateway.rules.masking import DOT, shown_address
from gateway.sandbox.model import MdnMode
from gateway.values import Door, Text

_HEADER_BYTES, _HEADERS = 256 * 1024, 1000
INTEGRATED, NOT_INTEGRATED = "integrated", "not-integrated"  # kinds of the notices that are MDN
MDN_ROOM = 64 * 1024  # what a notification adds to the original it quotes

_FROM_THE_PEER = frozenset({"mail", "rcpt", "data", "greeting", "partial", ""})


@dataclass(frozen=True, slots=True)
class NoticeDesk:
    """Holds no state: the store does. Each method returns the exchange to record, None when there is nobody to tell."""

    sandboxes: Sandboxes
    clock: Clock
    ids: Ids
    book: RuleBook

    def after_attempt(
        self,
        delivery: Delivery,
        result: Delivered,
        fates: Mapping[Fate, Sequence[RecipientOutcome]],
        raw: bytes,
        original: ExchangeRow | None,
        until: datetime | None = None,
    ) -> tuple[RecordExchange, ...]:
        """The reports on one attempt, by fate. Recipients whose sender asked for none are left out."""
        records = []
        for fate, outcomes in fates.items():
            told = tuple(self._told(delivery, result, o, fate) for o in asking(delivery, fate, outcomes))
            if told:
                late = until if fate is Fate.DELAYED else None
                records.append(self._report(delivery, fate, told, raw, original, late))
        return tuple(r for r in records if r is not None)

    def owed(self, delivery: Delivery, raw: bytes, original: ExchangeRow | None) -> RecordExchange | None:
        """The notice that a delivery of kind `notice` stands for."""
        form = Form(delivery.payload["form"])
        if form is Form.REPORT:
            told = tuple(self._told_at_the_door(delivery, a) for a in delivery.payload["recipients"])
            return self._report(delivery, Fate(delivery.payload["fate"]), told, raw, original)
        return self._citizen(delivery, form, raw, original)

    # ----------------------------------------------------------------------------------------------------------- reports

    def _told(self, delivery: Delivery, result: Delivered, outcome: RecipientOutcome, fate: Fate) -> Told:
        answer = without_repeats(outcome.answer)
        failure = failure_of(answer, result.reason, permanent=outcome.permanent)
        explained = fate in (Fate.FAILED, Fate.DELAYED)
        cause, cure = self._explained(failure, result.reason) if explained else (_NOTHING, _NOTHING)
        operator = self.sandboxes.territory(delivery.workspace).operator_of_domain(outcome.address.rpartition("@")[2])
        return Told(
            address=outcome.address,
            status=failure.status if explained else "2.0.0",
            answer=answer,
            cause=cause,
            cure=cure,
            label=failure.label if explained else "",
            orcpt=_orcpt(delivery, outcome.address),
            remote=operator.host if operator and result.reason in _FROM_THE_PEER else "",
        )

    def _explained(self, failure: Failure, reason: str) -> tuple[Text, Text]:
        """Cause and cure: of the rule that refused when its card is known here, else of the status.

        The cure of a temporary refusal speaks to the server that tries again; its sender needs the other one.
        """
        for rule in (reason, *failure.rules):
            if rule in self.book.catalogue:
                card = self.book.catalogue[rule]
                unfit = failure.status.startswith("4") or "{" in card.cure.fr
                return card.title, failure.cure if unfit else card.cure
        return failure.cause, failure.cure

    def _told_at_the_door(self, delivery: Delivery, address: str) -> Told:
        facts: Mapping[str, Any] = delivery.payload["told"][address]
        failed = delivery.payload["fate"] == Fate.FAILED
        failure = failure_of(facts["answer"])
        return Told(
            address=address,
            status=failure.status,
            answer=facts["answer"],
            cause=_text(facts, "cause", failure.cause if failed else _NOTHING),
            cure=_text(facts, "cure", failure.cure if failed else _NOTHING),
            label=failure.label if failed else "",
            orcpt=_orcpt(delivery, address),
        )

    def _report(
        self,
        delivery: Delivery,
        fate: Fate,
        told: tuple[Told, ...],
        raw: bytes,
        original: ExchangeRow | None,
        until: datetime | None = None,
    ) -> RecordExchange | None:
        payload = delivery.payload
        operator = self.sandboxes.territory(delivery.workspace).operators.get(str(payload["operator"]))
        if operator is None:
            return None
        to, exchange_id = str(payload["mail_from"]), self.ids.new()
        # the postmaster of the domain the sender knows: his own when this operator serves it, else the recipient's
        domain = to.rpartition("@")[2]
        domain = domain if domain in operator.domains else told[0].address.rpartition("@")[2]
        now = self.clock.now()
        report = Report(
            fate=fate,
            told=told,
            to=to,
            postmaster=f"postmaster@{domain}",
            postmaster_name=operator.name,
            reporting=operator.host,
            message_id=f"{exchange_id}@{domain}",
            at=now,
            arrived_at=original.at if original else delivery.created_at,
            about=_message_id(original, raw),
            ret=str(payload.get("ret") or ""),
            envid=str(payload.get("envid") or ""),
            until=until,
        )
        rules = [r for a in told for r in failure_of(a.answer).rules if r in self.book.catalogue]
        mail = build_report(report, raw)
        made = _Made(exchange_id, mail, report.postmaster, report.message_id, SUBJECTS[fate], fate.value, now)
        about = [{"recipient": shown_address(t.address), "status": t.status, "label": t.label} for t in told]
        return self._record(delivery, made, original, about, rules)

    # ------------------------------------------------------------------------------------------------------- integration

    def after_integration(
        self, delivery: Delivery, made: RecordIntegration, raw: bytes, original: ExchangeRow | None
    ) -> RecordExchange | None:
        """The MDN owed to a sender who asked for one, by the mailbox whose structure's index was met.

        None when nobody asked, and for a success where the workspace tells failures only.
        """
        to, policy = str(delivery.payload.get("mail_from") or ""), self.sandboxes.policy(delivery.workspace)
        stopped = bool(made.quarantined)
        if not to or not (stopped or (policy.mdn is MdnMode.ALL and made.records)):
            return None
        code = made.quarantined[0].ack if stopped else ""
        card = self._card_of(code, made.quarantined[0].record["rules"]) if stopped else None
        address, exchange_id, now = str(delivery.payload["addresses"][0]), self.ids.new(), self.clock.now()
        known = self.sandboxes.territory(delivery.workspace).structures.get(str(delivery.payload["structure"]))
        told = Disposition(
            recipient=address,
            recipient_name=known.name if known is not None else "",
            asked_by=to,
            message_id=f"{exchange_id}@{address.rpartition('@')[2]}",
            at=now,
            about=_message_id(original, raw),
            subject=read_headers(raw, _HEADER_BYTES, _HEADERS).first("subject"),
            code=code,
            rule=card.id if card is not None else "",
            cause=card.title if card is not None else _NOTHING,
            cure=card.cure if card is not None and "{" not in card.cure.fr else _NOTHING,
        )
        mail = build_mdn(told, raw, whole=len(raw) + MDN_ROOM <= policy.limits.mail_bytes)
        shown = mdn_subject(code, str(original.summary.get("subject") or "") if original else "")
        rules = (told.rule,) if told.rule else ()
        kind = NOT_INTEGRATED if code else INTEGRATED
        about = [{"recipient": shown_address(address), "code": code, "label": told.label.fr}]
        return self._record(
            delivery, _Made(exchange_id, mail, address, told.message_id, shown, kind, now), original, about, rules
        )

    def _card_of(self, code: str, rules: Sequence[str]) -> RuleCard | None:
        """The rule that explains a code: the first that bears it, else the first of all."""
        cards = [self.book.catalogue[rule] for rule in rules if rule in self.book.catalogue]
        return next((card for card in cards if card.hl7_error == code), cards[0] if cards else None)

    # ----------------------------------------------------------------------------------------------------------- citizens

    def _citizen(
        self, delivery: Delivery, form: Form, raw: bytes, original: ExchangeRow | None
    ) -> RecordExchange | None:
        payload = delivery.payload
        (recipient,) = payload["recipients"]
        exchange_id, now = self.ids.new(), self.clock.now()
        sender = sender_of(ANSWERS_ALL if form is Form.ANSWER else NO_REPLY, recipient)
        message_id = f"{exchange_id}@{sender.rpartition('@')[2]}"
        notice = CitizenNotice(
            recipient=recipient,
            to=str(payload["mail_from"]),
            message_id=message_id,
            at=now,
            about=_message_id(original, raw),
            subject=str(payload.get("subject") or ""),
        )
        if form is Form.ANSWER:
            mail = build_answer(notice, int(payload["size_bytes"]))
        else:
            mail = build_undelivered(notice, NotDelivered(payload["cause"]), raw)
        made = _Made(exchange_id, mail, sender, message_id, subject_of(form.value), form.value, now)
        about = [{"recipient": shown_address(recipient), "cause": str(payload.get("cause") or "")}]
        return self._record(delivery, made, original, about, ())

    # ---------------------------------------------------------------------------------------------------------- exchange

    def _record(
        self,
        delivery: Delivery,
        made: _Made,
        original: ExchangeRow | None,
        about: Sequence[Mapping[str, str]],
        rules: Sequence[str],
    ) -> RecordExchange | None:
        workspace, to = delivery.workspace, str(delivery.payload["mail_from"])
        operator = str(delivery.payload["operator"])
        payload = Payload(len(made.mail), sha256(made.mail).hexdigest(), made.mail)
        mails, deliveries = self._way(workspace, operator, to, payload, made)
        if not mails and not deliveries:
            return None
        told = {"notice": made.kind, "to": shown_address(to), "about": list(about)}
        events = [Event("notified", made.at, workspace, made.exchange_id, told)]
        if mails:
            events.append(Event("delivered", made.at, workspace, made.exchange_id, {"mailboxes": [shown_address(to)]}))
        return RecordExchange(
            workspace=workspace,
            exchange_id=made.exchange_id,
            at=made.at,
            payload=payload,
            summary={
                "door": Door.NOTICE.value,
                "operator": operator,
                "sender": made.sender,
                "sender_kind": "gateway",
                "mail_from": "",
                "recipients": [shown_address(to)],
                "message_id": made.message_id,
                "subject": made.subject,
                "kind": "mail",
                "documents": [],
                "outcome": "accept",
                "integration": "",
                "rules": list(dict.fromkeys(rules)),
                "answer": "",
                "attributes": {},
                **told,
            },
            findings=(),
            parent_id=delivery.exchange_id,
            correlation_id=original.correlation_id if original else delivery.exchange_id,
            events=tuple(events),
            mails=mails,
            deliveries=deliveries,
        )

    def _way(
        self, workspace: str, operator: str, to: str, payload: Payload, made: _Made
    ) -> tuple[tuple[NewMail, ...], tuple[NewDelivery, ...]]:
        """The sender's mailbox when this operator serves it, a relay to his operator otherwise."""
        territory = self.sandboxes.territory(workspace)
        domain = to.rpartition("@")[2]
        serving = territory.operator_of_domain(domain)
        if serving is None or serving.id != operator:
            envelope = Envelope("", (to,), dsn={to: DsnRequest(("NEVER",))})
            relay = NewDelivery(
                workspace=workspace,
                kind=RELAY,
                destination=domain,
                payload=relay_payload(operator, envelope, (to,), payload),
                due=made.at,
                exchange_id=made.exchange_id,
            )
            return (), (relay,)
        if not takes_mail(to, territory):
            return (), ()
        mail = NewMail(
            workspace=workspace,
            address=to,
            folder="INBOX",
            sha256=payload.sha256,
            size_bytes=payload.size_bytes,
            received_at=made.at,
            exchange_id=made.exchange_id,
        )
        return (mail,), ()


@dataclass(frozen=True, slots=True)
class _Made:
    """A notice, composed."""

    exchange_id: str
    mail: bytes
    sender: str
    message_id: str
    subject: str
    kind: str
    at: datetime


_NOTHING = Text("", "")


def _text(facts: Mapping[str, Any], name: str, otherwise: Text) -> Text:
    given = facts.get(name)
    return Text(given["fr"], given["en"]) if given else otherwise


def _orcpt(delivery: Delivery, address: str) -> str:
    return str(((delivery.payload.get("dsn") or {}).get(address) or {}).get("orcpt") or "")


_MESSAGE_ID = re.compile(rb"^message-id:\s*<([^<>\s]{1,900})>", re.IGNORECASE | re.MULTILINE)


def _message_id(original: ExchangeRow | None, raw: bytes) -> str:
    """The Message-ID of the original. A summary keeps it masked when it holds a matricule: threads want it as written."""
    told = str(original.summary.get("message_id") or "") if original else ""
    if DOT not in told:
        return told
    found = _MESSAGE_ID.search(headers_of(raw))
    return found[1].decode("ascii", "replace") if found else ""
