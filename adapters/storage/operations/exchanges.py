"""RecordExchange and AppendEvent: the hot path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, select

from adapters.storage import schema
from adapters.storage.blobs import store_rows
from adapters.storage.bulk import BulkInsert
from adapters.storage.codec import address_key, key, micros, to_json
from adapters.storage.driver import Prepared
from adapters.storage.operations import mailboxes, outbox, sharing
from adapters.storage.work import Work
from gateway.exchange.model import Event
from gateway.ports import AppendEvent, NewDelivery, NewMail, Recorded, RecordExchange

_INSERT_DEDUP = BulkInsert(schema.dedup, "key", "sha256", "workspace_id", "exchange_id")
_KNOWN = select(schema.dedup.c.key, schema.dedup.c.sha256, schema.dedup.c.exchange_id).where(
    schema.dedup.c.key.in_(bindparam("keys", expanding=True))
)
_KNOWN_ONE = Prepared(
    select(schema.dedup.c.sha256, schema.dedup.c.exchange_id).where(schema.dedup.c.key == bindparam("key"))
)
_CHUNK = 500
_FEW = 3  # as many statements cost less than one of a new shape


class Seen:
    """The dedup keys of a group: what was accepted before, and what this group accepts as it goes."""

    def __init__(self, work: Work, keys: set[bytes]) -> None:
        self._work = work
        self._known: dict[bytes, dict[str, str]] = {}
        self._fresh: list[tuple[bytes, str, str, str]] = []
        wanted = list(keys)
        if len(wanted) <= _FEW:
            for one in wanted:
                for digest, exchange_id in _KNOWN_ONE(work.connection, {"key": one}).fetchall():
                    self._known.setdefault(one, {})[digest] = exchange_id
            return
        for start in range(0, len(wanted), _CHUNK):
            for found, digest, exchange_id in work.connection.execute(_KNOWN, {"keys": wanted[start : start + _CHUNK]}):
                self._known.setdefault(bytes(found), {})[digest] = exchange_id

    def judge(self, digest_key: bytes, digest: str, workspace: str, exchange_id: str) -> tuple[str | None, bool]:
        """(exchange that already delivered these octets, or None; whether the key was used with other octets)."""
        known = self._known.setdefault(digest_key, {})
        if digest in known:
            return known[digest], False
        conflict = bool(known)
        known[digest] = exchange_id
        self._fresh.append((digest_key, digest, workspace, exchange_id))
        return None, conflict

    def write(self) -> None:
        """Remember what was accepted."""
        _INSERT_DEDUP(self._work.connection, sorted(self._fresh))


def _digest_key(workspace: str, purpose: str, dedup_key: str) -> bytes:
    """Mails and each kind of delivery have their own keys: relaying a message does not forbid receiving it."""
    return sha256(f"{workspace}\0{purpose}\0{dedup_key}".encode("utf-8", "surrogatepass")).digest()


def _mail_key(mail: NewMail) -> bytes:
    return _digest_key(mail.workspace, "mail", mail.dedup_key)


def _delivery_key(delivery: NewDelivery) -> bytes:
    return _digest_key(delivery.workspace, f"delivery {delivery.kind}", delivery.dedup_key)


def record(work: Work, operations: Sequence[RecordExchange]) -> list[Recorded]:
    """Exchanges with their octets, mails, deliveries, lots and events, several at once."""
    store_rows(work, ((op.workspace, op.payload) for op in operations))
    keys = {_mail_key(mail) for op in operations for mail in op.mails if mail.dedup_key}
    keys |= {_delivery_key(one) for op in operations for one in op.deliveries if one.dedup_key}
    seen = Seen(work, keys)
    mails: list[tuple[NewMail, str]] = []
    deliveries: list[tuple[NewDelivery, str, int]] = []
    outcomes = [_sort_out(op, seen, mails, deliveries) for op in operations]
    if keys:
        seen.write()
    uids = mailboxes.append_rows(work, mails)
    outbox.append_rows(work, deliveries)
    results: list[Recorded] = []
    taken = 0
    for op, (skipped, conflicts, duplicate_of, appended) in zip(operations, outcomes, strict=True):
        for lot in op.lots:
            sharing.register(work, lot, op.exchange_id)
        _keep_exchange(work, op, duplicate_of)
        for event in op.events:
            work.add_event(event)
        if skipped:
            work.add_event(_flag("duplicate", op, {"of": duplicate_of, "skipped": len(skipped)}))
        if conflicts:
            work.add_event(_flag("reused", op, {"conflicts": len(conflicts)}))
        results.append(Recorded(tuple(skipped), tuple(conflicts), duplicate_of, tuple(uids[taken : taken + appended])))
        taken += appended
    return results


def _sort_out(
    op: RecordExchange, seen: Seen, mails: list[tuple[NewMail, str]], deliveries: list[tuple[NewDelivery, str, int]]
) -> tuple[list[str], list[str], str, int]:
    """Keep what is new of an exchange: (keys skipped, keys in conflict, exchange that delivered first, mails kept)."""
    skipped: list[str] = []
    conflicts: list[str] = []
    duplicate_of = ""
    before = len(mails)
    for mail in op.mails:
        if mail.dedup_key:
            first, conflict = seen.judge(_mail_key(mail), mail.sha256, mail.workspace, op.exchange_id)
            if first is not None:
                skipped.append(mail.dedup_key)
                duplicate_of = duplicate_of or first
                continue
            if conflict:
                conflicts.append(mail.dedup_key)
        mails.append((mail, mail.exchange_id or op.exchange_id))
    for one in op.deliveries:
        if one.dedup_key:
            first, conflict = seen.judge(_delivery_key(one), op.payload.sha256, one.workspace, op.exchange_id)
            if first is not None:
                skipped.append(one.dedup_key)
                duplicate_of = duplicate_of or first
                continue
            if conflict:
                conflicts.append(one.dedup_key)
        deliveries.append((one, one.exchange_id or op.exchange_id, micros(op.at)))
    return skipped, conflicts, duplicate_of, len(mails) - before


def _flag(kind: str, op: RecordExchange, data: Mapping[str, Any]) -> Event:
    return Event(kind, op.at, op.workspace, op.exchange_id, data)


def _keep_exchange(work: Work, op: RecordExchange, duplicate_of: str) -> None:
    summary = dict(op.summary)
    if duplicate_of:
        summary["duplicate_of"] = duplicate_of
    labels = {("participant", address_key(name)) for name in _participants(summary)}
    labels |= {("rule", key(str(finding["rule"]))) for finding in op.findings if "rule" in finding}
    work.add_exchange(
        (
            op.exchange_id,
            op.workspace,
            micros(op.at),
            op.parent_id,
            key(op.correlation_id),
            op.payload.size_bytes,
            op.payload.sha256,
            str(summary.get("door", "")),
            str(summary.get("outcome", "")),
            key(str(summary.get("message_id") or "")),
            to_json(summary),
            to_json(op.findings) if op.findings else "[]",
        ),
        labels,
    )


def _participants(summary: Mapping[str, Any]) -> list[str]:
    recipients = summary.get("recipients") or ()
    named = [recipients] if isinstance(recipients, str) else [str(one) for one in recipients]
    senders = (str(summary.get(name) or "") for name in ("sender", "mail_from"))  # a certificate, and an address
    return [name for name in (*named, *senders) if name]


def append_events(work: Work, operations: Sequence[AppendEvent]) -> list[None]:
    """Events by themselves."""
    for op in operations:
        work.add_event(op.event)
    return [None] * len(operations)
