"""The road of a mail: open, check, decide, commit. Only then does the door answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gateway.answers.smtp import SmtpReply, reply_for
from gateway.exchange.decision import decide
from gateway.exchange.emitters import emitter_findings, told_used_names
from gateway.exchange.integration import integrations_for
from gateway.exchange.judging import Case, Judged, judge_mail, unjudged
from gateway.exchange.model import Envelope, Event, OpenedMessage, Submission
from gateway.exchange.notices import Taken, notices_for
from gateway.exchange.routing import addressees_of, mails_for, relays_for, without
from gateway.exchange.sender_index import sender_findings
from gateway.identity.profiles import profile_overrides
from gateway.messaging.envelope_rules import SIZE_RULES, SizeSaid
from gateway.messaging.shown_subject import masked_subject
from gateway.ports import Clock, Ids, NewDelivery, NewMail, Offload, Recorded, RecordExchange, Sandboxes, Store
from gateway.rules import Finding, RuleBook, RuleContext
from gateway.rules.masking import shown_address
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.sandbox.model import Policy
from gateway.values import Direction, Door

_NOBODY = Envelope("", ())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a door must answer: the exchange is durable, the decision is taken."""

    exchange_id: str
    decision: Decision
    recorded: Recorded
    submission: Submission


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes mails from the doors. Holds no state of its own: the store does."""

    store: Store
    sandboxes: Sandboxes
    clock: Clock
    ids: Ids
    offload: Offload
    book: RuleBook

    async def take(self, submission: Submission) -> Verdict:
        """Judge one mail and make its fate durable. Raises StoreUnavailable: then nothing happened."""
        policy = self.sandboxes.policy(submission.workspace)
        territory = self.sandboxes.territory(submission.workspace)
        envelope = submission.envelope or _NOBODY
        case = Case(
            envelope=envelope,
            limits=policy.limits,
            ctx=context_of(submission, policy, self.clock),
            overrides=book_for(self.book, policy).overrides,
            addressees=addressees_of(envelope, territory),
        )
        judged = await self._judged(submission, case)
        judged.findings.extend(submission.bypassed)
        opened = judged.opened
        book = self.book.with_overrides(case.overrides)
        judged.findings.extend(
            await sender_findings(self.store, submission, judged.carriers, territory, book, case.ctx)
        )
        judged.findings.extend(await emitter_findings(self.store, submission, judged.used_names, book, case.ctx))
        decision = decide(judged.findings, submission.door, policy, envelope.recipients)
        exchange_id, due = self.ids.new(), self.clock.now()
        message_id = opened.mail.message_id if opened.mail else ""
        told_of = (opened.mail.about if opened.mail else "") or message_id
        mails: tuple[NewMail, ...] = ()
        deliveries: tuple[NewDelivery, ...] = ()
        if not decision.refused:
            going = without(submission, decision.excluded)
            mails = mails_for(going, exchange_id, message_id, territory, decision.integration)
            relays = relays_for(going, exchange_id, message_id, territory, due)
            taken = Taken(submission, exchange_id, opened, decision, mails, due)
            owed = integrations_for(submission, judged, decision, mails, territory, policy, due)
            deliveries = (*relays, *notices_for(taken, territory), *owed)
        record = RecordExchange(
            workspace=submission.workspace,
            exchange_id=exchange_id,
            at=submission.received_at,
            payload=submission.payload,
            summary={
                **summary_of(submission, opened, decision, reply_for(decision, exchange_id).wire()),
                **told_used_names(judged.used_names),
            },
            findings=[finding.to_json() for finding in decision.findings],
            parent_id=submission.parent_id,
            correlation_id=submission.correlation_id or correlation_of(submission.workspace, told_of, exchange_id),
            events=events_of(submission, exchange_id, decision, tuple(m.address for m in mails)),
            mails=mails,
            deliveries=deliveries,
        )
        (recorded,) = await self.store.commit(record)
        return Verdict(exchange_id, decision, recorded, submission)

    async def _judged(self, submission: Submission, case: Case) -> Judged:
        try:
            judged = await self.offload.open(judge_mail, submission.payload, case)
        except Exception as error:
            judged = unjudged(error, case)
        declared = submission.attributes.get("declared_size", "")
        if declared.isdecimal():
            said = SizeSaid(int(declared), submission.payload.size_bytes)
            judged.findings.extend(self.book.with_overrides(case.overrides).judge(SIZE_RULES, said, case.ctx, "smtp"))
        return judged

    async def refuse(self, submission: Submission, findings: tuple[Finding, ...], reply: SmtpReply) -> Verdict:
        """Write down a mail its door refused before the end: oversize, cut short. Its payload is only its first octets.

        Raises StoreUnavailable.
        """
        decision = Decision(Outcome.REJECT, Integration.STOPPED, findings)
        exchange_id = self.ids.new()
        record = RecordExchange(
            workspace=submission.workspace,
            exchange_id=exchange_id,
            at=submission.received_at,
            payload=submission.payload,
            summary=summary_of(submission, OpenedMessage("mail"), decision, reply.wire()),
            findings=[finding.to_json() for finding in findings],
            correlation_id=exchange_id,
            events=events_of(submission, exchange_id, decision),
        )
        (recorded,) = await self.store.commit(record)
        return Verdict(exchange_id, decision, recorded, submission)


def book_for(book: RuleBook, policy: Policy) -> RuleBook:
    """The book under the workspace's profile, then its own overrides."""
    overrides = {**profile_overrides(policy.profile), **policy.overrides}
    return book.with_overrides(overrides) if overrides else book


def context_of(submission: Submission, policy: Policy, clock: Clock) -> RuleContext:
    """What the rules may know of this door crossing. Only a reception judges as a recipient."""
    return RuleContext(
        direction=Direction.RECEPTION if submission.door is Door.RECEPTION else Direction.EMISSION,
        door=submission.door,
        today=clock.virtual_now(submission.workspace).date(),
        profile=policy.profile,
        ins_environment=policy.ins_environment,
        verification_days=policy.insi_verification_days,
    )


def correlation_of(workspace: str, message_id: str, exchange_id: str) -> str:
    """Hops of one mail share its Message-ID, hence their correlation; a mail without one stands alone."""
    if not message_id:
        return exchange_id
    return sha256(f"{workspace}|{message_id}".encode()).hexdigest()[:32]


def summary_of(submission: Submission, opened: OpenedMessage, decision: Decision, answer: str) -> Mapping[str, Any]:
    """The searchable part of an exchange. Holds no trait and no matricule."""
    envelope = submission.envelope or _NOBODY
    mail = opened.mail
    documents = mail.documents if mail else opened.documents
    return {
        "door": submission.door.value,
        "operator": submission.operator,
        "sender": submission.sender.name,
        "sender_kind": submission.sender.kind,
        "fingerprint": submission.sender.fingerprint,
        "peer": submission.peer,
        "mail_from": shown_address(envelope.mail_from),
        "recipients": [shown_address(a) for a in envelope.recipients],
        "message_id": mail.message_id if mail else "",
        "subject": masked_subject(mail.subject) if mail else "",
        "kind": opened.kind,
        "documents": [
            {
                "label": d.label,
                "type": d.code.code if d.code else "",
                "type_label": d.code.label if d.code else "",
                "level": d.body.level if d.body else 0,
            }
            for d in documents
        ],
        "outcome": decision.outcome.value,
        "integration": decision.integration.value,
        "rules": list(dict.fromkeys(f.rule for f in decision.findings)),
        "answer": answer,
        "attributes": dict(submission.attributes),
        **_excluded(decision),
    }


def _excluded(decision: Decision) -> Mapping[str, Any]:
    """The recipients left out of an accepted mail, when there are."""
    return {"excluded": [shown_address(a) for a in decision.excluded]} if decision.excluded else {}


def events_of(
    submission: Submission, exchange_id: str, decision: Decision, delivered: tuple[str, ...] = ()
) -> tuple[Event, ...]:
    """What the journal keeps of the crossing itself; `delivered` are the mailboxes reached at once."""
    at, workspace = submission.received_at, submission.workspace
    received = {
        "door": submission.door.value,
        "operator": submission.operator,
        "size_bytes": submission.payload.size_bytes,
    }
    decided = {
        "outcome": decision.outcome.value,
        "integration": decision.integration.value,
        "rules": list(dict.fromkeys(f.rule for f in decision.findings)),
        **_excluded(decision),
    }
    crossing = (
        Event("received", at, workspace, exchange_id, received),
        Event("decided", at, workspace, exchange_id, decided),
    )
    if not delivered:
        return crossing
    mailboxes = [shown_address(address) for address in delivered]
    return (*crossing, Event("delivered", at, workspace, exchange_id, {"mailboxes": mailboxes}))
