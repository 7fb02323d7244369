"""The integration step: what becomes of a delivered mail's documents in each recipient structure's patient index.

It runs right after the commit of the reception, as outbox work of kind `integrate`: the door answers without waiting for
the index, and a kill between the two loses nothing. What it decides, the findings, the quarantine entry, the keyword on
the mail and the journal events are one commit with the end of that work. The mail itself was delivered and stays readable.

    reception ─▶ told_by (one identity out of all containers) ─▶ outbox ─▶ index read ─▶ decision table ─▶ record
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from gateway.directory.model import Territory
from gateway.exchange.indexed import Snapshot, index_of_address, snapshot_of
from gateway.exchange.judging import Judged
from gateway.exchange.model import Event, Submission
from gateway.exchange.received import Told, told_by, told_of, told_record
from gateway.exchange.routing import QUARANTINE_KEYWORD
from gateway.identity.base_rules import MATCHING_RULES, Matched
from gateway.identity.local import Traits
from gateway.identity.matching import Match, Outcome, Received, match
from gateway.identity.profiles import profile_overrides
from gateway.identity.record_rules import RECORD_RULES, ReliedOn
from gateway.messaging.mdn import asked_by
from gateway.ports import (
    Clock,
    Delivery,
    IdentityFilter,
    IndexReader,
    MarkMail,
    NewDelivery,
    NewMail,
    NewQuarantine,
    RecordIntegration,
    Sandboxes,
)
from gateway.rules import Finding, RuleBook, RuleContext
from gateway.rules.model import Hit
from gateway.rules.verdict import Decision, Integration
from gateway.sandbox.model import MdnMode, Policy, Vigilance
from gateway.values import Direction, Door, PlaceKind, Where

_TELLS_OTHERWISE = frozenset({3, 4, 5, 6, 7})  # rows where a record that INSi verified is contradicted
_NOT_ASKED: Mapping[str, str] = MappingProxyType({})
INTEGRATE = "integrate"  # kind of the outbox work


def integrations_for(
    submission: Submission,
    judged: Judged,
    decision: Decision,
    mails: Sequence[NewMail],
    territory: Territory,
    policy: Policy,
    due: datetime,
) -> tuple[NewDelivery, ...]:
    """The work owed by an accepted reception: one piece for each structure whose mailboxes it reached."""
    mail = judged.opened.mail
    if submission.door is not Door.RECEPTION or judged.said is None or mail is None or not mail.documents:
        return ()
    structures: dict[str, list[str]] = {}
    for one in mails:
        structure = index_of_address(one.address, territory)
        if structure:
            structures.setdefault(structure, []).append(one.address)
    if not structures:
        return ()
    sender = submission.envelope.mail_from if submission.envelope else ""
    asked = asked_by(mail, sender) if policy.mdn is not MdnMode.OFF else ""
    mdn = {"mail_from": asked, "operator": submission.operator, "sha256": submission.payload.sha256} if asked else {}
    received = told_record(told_by(judged.said, decision.findings, decision.integration, policy.profile))
    return tuple(
        work_for(
            submission.workspace,
            structure,
            addresses,
            received,
            due,
            _dedup(submission, mail.message_id, structure, addresses),
            mdn,
        )
        for structure, addresses in structures.items()
    )


def work_for(
    workspace: str,
    structure: str,
    addresses: Sequence[str],
    received: Mapping[str, Any],
    due: datetime,
    dedup_key: str = "",
    mdn: Mapping[str, str] = _NOT_ASKED,
) -> NewDelivery:
    """One piece of work. `mdn` says whom to tell what becomes of it (`mail_from`), and for which operator; empty: nobody."""
    payload = {"structure": structure, "addresses": list(addresses), "received": received, **mdn}
    return NewDelivery(workspace, INTEGRATE, f"index:{structure}", payload, due, dedup_key=dedup_key)


def _dedup(submission: Submission, message_id: str, structure: str, addresses: Sequence[str]) -> str:
    """The same mail received twice in the same mailboxes is integrated once; a copy in another mailbox is judged too."""
    return f"{submission.operator}|{message_id}|{structure}|{','.join(sorted(addresses))}" if message_id else ""


@dataclass(frozen=True, slots=True)
class Integrator:
    """Does the work. Holds no state: the store does."""

    reader: IndexReader
    sandboxes: Sandboxes
    clock: Clock
    book: RuleBook

    async def integrate(self, delivery: Delivery) -> RecordIntegration | None:
        """What to record for one piece of work; None when that structure keeps no patient index."""
        workspace, structure = delivery.workspace, str(delivery.payload["structure"])
        if not await self.reader.identities(IdentityFilter(workspace, structure, limit=1)):
            return None
        policy = self.sandboxes.policy(workspace)
        told = told_of(delivery.payload["received"])
        snapshot = await snapshot_of(self.reader, workspace, structure, told.received)
        found = match(told.received, snapshot, profile=policy.profile)
        matched = matched_of(told, found, structure)
        findings = self._judged(matched, workspace, policy)
        if policy.vigilance is Vigilance.OBSERVE:
            return _recorded(delivery, self.clock.now(), matched, findings, snapshot, told, stopped=False)
        stopped = found.outcome is Outcome.QUARANTINE or told.merges
        return _recorded(delivery, self.clock.now(), matched, findings, snapshot, told, stopped=stopped)

    def failed(self, delivery: Delivery, error: str) -> RecordIntegration:
        """What to record for work that could not be done: nobody looked, so that a human must (INS-205)."""
        workspace, structure = delivery.workspace, str(delivery.payload["structure"])
        told = _told_or_nothing(delivery.payload.get("received"))
        policy = self.sandboxes.policy(workspace)
        book = self.book.with_overrides({**profile_overrides(policy.profile), **policy.overrides})
        hit = Hit(told.where, error, "integration", params={"rule": "integration"})
        finding = book.found("INS-205", hit, self._context(workspace, policy), f"index:{structure}")
        found = Match(0, Outcome.QUARANTINE, "906", ("INS-205",))
        told = replace(told, stopped_by=tuple(dict.fromkeys((*told.stopped_by, "INS-205"))))
        matched = matched_of(told, found, structure)
        findings = () if finding is None else (finding,)
        stopped = policy.vigilance is not Vigilance.OBSERVE
        return _recorded(delivery, self.clock.now(), matched, findings, Snapshot(), told, stopped=stopped)

    def _context(self, workspace: str, policy: Policy) -> RuleContext:
        today = self.clock.virtual_now(workspace).date()
        return RuleContext(Direction.RECEPTION, Door.RECEPTION, today, policy.profile, policy.ins_environment)

    def _judged(self, matched: Matched, workspace: str, policy: Policy) -> list[Finding]:
        overrides = {**profile_overrides(policy.profile), **policy.overrides}
        ctx = replace(self._context(workspace, policy), verification_days=policy.insi_verification_days)
        book = self.book.with_overrides(overrides)
        findings = book.judge(MATCHING_RULES, matched, ctx, matched.container)
        for relied in relied_on(matched):
            findings += book.judge(RECORD_RULES, relied, ctx, matched.container)
        return findings


def _told_or_nothing(received: Any) -> Told:
    """What the message says of its patient; nothing when even that cannot be read."""
    try:
        return told_of(received)
    except Exception:
        nobody = Received(Traits(), None, complete=False, contradicted=True)
        return Told(nobody, "mail", Where(PlaceKind.MIME, "message"))


def matched_of(told: Told, found: Match, structure: str) -> Matched:
    """The subject of the matching rules."""
    received = told.received
    return Matched(
        received.traits, received.ins, told.container, told.where, found, structure, told.document_date, told.merges
    )


def relied_on(matched: Matched) -> tuple[ReliedOn, ...]:
    """The one record of whose patient the message tells another INS, or other traits, than it holds."""
    found = matched.match
    if found.row not in _TELLS_OTHERWISE or len(found.candidates) != 1:
        return ()
    return (ReliedOn(found.candidates[0], matched.structure, matched.container, matched.where),)


def entry_name(exchange_id: str, structure: str) -> str:
    """The name of the queue's entry for one exchange and one structure: the same if the work is done twice."""
    return sha256(f"{exchange_id}\0{structure}".encode()).hexdigest()[:32]


def _recorded(
    delivery: Delivery,
    at: datetime,
    matched: Matched,
    findings: Sequence[Finding],
    snapshot: Snapshot,
    told: Told,
    *,
    stopped: bool,
) -> RecordIntegration:
    found, structure = matched.match, matched.structure
    exchange_id, workspace = delivery.exchange_id, delivery.workspace
    addresses = tuple(map(str, delivery.payload["addresses"]))
    candidates = [snapshot.names[local.ipp] for local in found.candidates]
    ack = found.ack or ("906" if stopped else "")
    why = told.stopped_by if found.row == 0 else found.rules
    rules = list(dict.fromkeys([*why, *(f.rule for f in findings)]))
    entry = entry_name(exchange_id, structure)
    state = "quarantined" if stopped else "integrated" if found.outcome is not Outcome.QUARANTINE else "observed"
    about = {"structure": structure, "row": found.row, "ack": ack, "rules": rules}
    outcome: dict[str, Any] = {"row": found.row, "ack": ack, "state": state}
    if stopped:
        outcome["entry"] = about["entry"] = entry
    elif candidates:
        outcome["record"] = about["record"] = candidates[0]
    summary: dict[str, Any] = {
        "integrations": {structure: outcome},
        "integration_row": found.row,
        "integration_ack": ack,
    }
    if stopped:
        summary["integration"] = Integration.STOPPED.value
    record = {
        "received": told_record(told),
        "candidates": candidates,
        "rules": rules,
        "outcome": found.outcome.value,
        "addresses": list(addresses),
        "traits": {n: how.value for n, how in found.comparison.traits.items()} if found.comparison else {},
    }
    return RecordIntegration(
        workspace=workspace,
        exchange_id=exchange_id,
        at=at,
        summary=summary,
        findings=[finding.to_json() for finding in findings],
        quarantined=(NewQuarantine(entry, structure, found.row, ack, record),) if stopped else (),
        marks=tuple(MarkMail(address, QUARANTINE_KEYWORD) for address in addresses) if stopped else (),
        events=(Event(state, at, workspace, exchange_id, about),),
        records=(candidates[0],) if state == "integrated" and candidates else (),
    )
