"""The outbox worker: leases deliveries, hands each to its courier, writes down what the other side answered.

At least once: a worker that dies leaves its lease to expire and another takes over. Per destination, a few deliveries
at a time, so that one dead peer never slows the others. The end of an attempt, who is left to try and the notices the sender is
owed for it are one commit: a kill loses none, and a worker that lost its lease makes none.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog

from gateway.exchange.integration import INTEGRATE, Integrator
from gateway.exchange.model import DeliveryState, Event
from gateway.exchange.notice_desk import NoticeDesk
from gateway.exchange.notices import NOTICE, asking, left_to_try, settle, told_late
from gateway.exchange.retry import RetryPolicy
from gateway.messaging.dsn import Fate
from gateway.ports import (
    Clock,
    Courier,
    Delivered,
    Delivery,
    ExchangeRow,
    FinishDelivery,
    LeaseDeliveries,
    RecipientOutcome,
    RecordExchange,
    RecordIntegration,
    Store,
    StoreUnavailable,
)
from gateway.rules.masking import mask_text, shown_address
from gateway.sandbox.model import DEFAULT_WORKSPACE

T = TypeVar("T")

log = structlog.get_logger("outbox")

LEASE_S = 120.0
POLL_S = 1.0
AT_ONCE = 48
PER_DESTINATION = 8
BATCH = 8
INTEGRATION_ATTEMPTS = 4  # then its documents wait for a human
LARGE = 512 * 1024  # octets


@dataclass(frozen=True, slots=True)
class Outbox:
    """What the worker needs. `couriers` maps a delivery's kind to who carries it; notices are written here.

    `integrator` decides what becomes of received documents in patient indexes; without one that work waits for a worker
    that has it.
    """

    store: Store
    clock: Clock
    couriers: Mapping[str, Courier]
    retry: RetryPolicy
    notices: NoticeDesk
    worker: str
    lease_s: float = LEASE_S
    integrator: Integrator | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        running: set[asyncio.Task[None]] = set()
        busy: Counter[str] = Counter()
        wake = asyncio.Event()
        listener = asyncio.create_task(self._listen(wake))
        try:
            while True:
                wake.clear()
                taken = await self._lease(min(BATCH, AT_ONCE - len(running)), busy)
                for delivery in taken:
                    busy[delivery.destination] += 1
                    task = asyncio.create_task(self._one(delivery, busy))
                    running.add(task)
                    task.add_done_callback(running.discard)
                    task.add_done_callback(lambda _: wake.set())
                if not taken:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(wake.wait(), POLL_S)
        finally:
            listener.cancel()
            for task in running:
                task.cancel()
            await asyncio.gather(listener, *running, return_exceptions=True)

    async def _listen(self, wake: asyncio.Event) -> None:
        async for _ in self.store.subscribe("outbox"):
            wake.set()

    async def _lease(self, limit: int, busy: Counter[str]) -> tuple[Delivery, ...]:
        if limit <= 0:
            return ()
        lease = LeaseDeliveries(
            worker=self.worker,
            now=self.clock.virtual_now(DEFAULT_WORKSPACE),
            lease_s=self.lease_s,
            limit=limit,
            kinds=(*self.couriers, NOTICE, *((INTEGRATE,) if self.integrator else ())),
            busy_destinations=tuple(d for d, n in busy.items() if n >= PER_DESTINATION),
        )
        try:
            (taken,) = await self.store.commit(lease)
        except StoreUnavailable:
            return ()
        leased: tuple[Delivery, ...] = taken
        return leased

    async def _one(self, delivery: Delivery, busy: Counter[str]) -> None:
        try:
            if delivery.kind == INTEGRATE and self.integrator is not None:
                integrated = await self._integrated(delivery, self.integrator)
                await self._patiently(lambda: self.store.commit(integrated))
                return
            raw = await self._patiently(lambda: self._raw(delivery))
            if delivery.kind == NOTICE:
                end = await self._noticed(delivery, raw or b"")
            else:
                end = await self._ended(delivery, await self._attempt(delivery, raw), raw or b"")
            await self._patiently(lambda: self.store.commit(end))
        finally:
            busy[delivery.destination] -= 1
            if not busy[delivery.destination]:
                del busy[delivery.destination]

    async def _patiently(self, step: Callable[[], Awaitable[T]]) -> T:
        """Try until the store is there again: what the other side answered is not lost meanwhile."""
        while True:
            try:
                return await step()
            except StoreUnavailable:
                await asyncio.sleep(POLL_S)

    async def _raw(self, delivery: Delivery) -> bytes | None:
        return await self.store.blob(delivery.workspace, str(delivery.payload.get("sha256", "")))

    async def _original(self, delivery: Delivery) -> ExchangeRow | None:
        return await self._patiently(lambda: self.store.exchange(delivery.workspace, delivery.exchange_id))

    async def _attempt(self, delivery: Delivery, raw: bytes | None) -> Delivered:
        if raw is None:
            return Delivered(False, permanent=True, answer="the stored message is missing or damaged", reason="blob")
        try:
            return await self.couriers[delivery.kind].deliver(delivery, raw)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("delivery failed", delivery=delivery.id, kind=delivery.kind)
            return Delivered(False, permanent=False, answer=f"{type(error).__name__}: {error}", reason="error")

    async def _integrated(self, delivery: Delivery, integrator: Integrator) -> FinishDelivery:
        """What a recipient's patient index makes of received documents: one commit with the end of the work.

        Work that fails is tried again; given up, its documents wait for a human: nobody looked at them.
        """
        try:
            made = await self._patiently(lambda: integrator.integrate(delivery))
        except Exception as error:
            log.exception("integration failed", delivery=delivery.id)
            return await self._not_integrated(delivery, integrator, type(error).__name__)
        answer = f"row {made.summary['integration_row']}" if made else "no patient index"
        integrations = (made,) if made else ()
        records = await self._acknowledged(delivery, made) if made else ()
        return FinishDelivery(
            delivery.id, self.worker, DeliveryState.DONE, answer, records=records, integrations=integrations
        )

    async def _acknowledged(self, delivery: Delivery, made: RecordIntegration) -> tuple[RecordExchange, ...]:
        """The MDN its sender asked for. A fault in writing it must not keep the integration from ending."""
        if not delivery.payload.get("mail_from"):
            return ()
        raw = await self._patiently(lambda: self._raw(delivery)) or b""
        original = await self._original(delivery)
        try:
            told = await self._written(raw, lambda: self.notices.after_integration(delivery, made, raw, original))
        except Exception:
            log.exception("disposition not written", delivery=delivery.id)
            return ()
        return (told,) if told is not None else ()

    async def _not_integrated(self, delivery: Delivery, integrator: Integrator, error: str) -> FinishDelivery:
        now = self.clock.virtual_now(delivery.workspace)
        due = None
        if delivery.attempt < INTEGRATION_ATTEMPTS:
            due = self.retry.next_attempt(delivery.attempt, delivery.created_at, now)
        told = {"destination": delivery.destination, "attempt": delivery.attempt, "answer": error}
        told |= {"due": due.isoformat()} if due is not None else {}
        kind, at = "deferred" if due is not None else "dead", self.clock.now()
        event = Event(kind, at, delivery.workspace, delivery.exchange_id, told)
        if due is not None:
            return FinishDelivery(delivery.id, self.worker, DeliveryState.READY, error, due, (event,))
        made = integrator.failed(delivery, error)
        return FinishDelivery(
            delivery.id,
            self.worker,
            DeliveryState.DEAD,
            error,
            events=(event,),
            records=await self._acknowledged(delivery, made),
            integrations=(made,),
        )

    async def _noticed(self, delivery: Delivery, raw: bytes) -> FinishDelivery:
        """A notice owed since the door: written, and on its way."""
        original = await self._original(delivery)
        try:
            made = await self._written(raw, lambda: self.notices.owed(delivery, raw, original))
        except Exception as error:
            log.exception("notice not written", delivery=delivery.id)
            answer = shown_answer(f"{type(error).__name__}: {error}")
            return FinishDelivery(delivery.id, self.worker, DeliveryState.DEAD, answer)
        answer = made.exchange_id if made else "nobody to tell"
        records = (made,) if made else ()
        return FinishDelivery(delivery.id, self.worker, DeliveryState.DONE, answer, records=records)

    async def _written(self, raw: bytes, write: Callable[[], T]) -> T:
        """Large originals are copied and digested off the loop."""
        return await asyncio.to_thread(write) if len(raw) > LARGE else write()

    async def _ended(self, delivery: Delivery, result: Delivered, raw: bytes) -> FinishDelivery:
        """What an attempt leads to: done, dead, or again for those who wait; and what the sender is told."""
        now = self.clock.virtual_now(delivery.workspace)
        settled = settle(delivery, result)
        due = None
        if settled.waiting:
            due = self.retry.next_attempt(delivery.attempt, delivery.created_at, now)
        lost = settled.refused if due else (*settled.refused, *settled.waiting)
        late = due is not None and not told_late(delivery) and self.retry.owes_delay_notice(delivery.created_at, now)
        fates: dict[Fate, Sequence[RecipientOutcome]] = {Fate.FAILED: lost}
        if late:
            fates[Fate.DELAYED] = settled.waiting
        if not result.notifies:
            fates[Fate.RELAYED] = settled.reached
        records = await self._told(delivery, result, fates, raw)
        events = self._events(delivery, result, settled.reached, lost, due)
        answer = shown_answer(result.answer)
        if due is not None:
            left = left_to_try(delivery, settled.waiting, late=late or told_late(delivery))
            return FinishDelivery(delivery.id, self.worker, DeliveryState.READY, answer, due, events, left, records)
        state = DeliveryState.DONE if settled.reached else DeliveryState.DEAD
        return FinishDelivery(delivery.id, self.worker, state, answer, events=events, records=records)

    async def _told(
        self, delivery: Delivery, result: Delivered, fates: Mapping[Fate, Sequence[RecipientOutcome]], raw: bytes
    ) -> tuple[RecordExchange, ...]:
        """The reports on an attempt. A fault in writing one must not keep the delivery from ending."""
        if not any(asking(delivery, fate, outcomes) for fate, outcomes in fates.items()):
            return ()
        original = await self._original(delivery)
        until = self.retry.gives_up_at(delivery.created_at)
        try:
            return await self._written(
                raw, lambda: self.notices.after_attempt(delivery, result, fates, raw, original, until)
            )
        except Exception:
            log.exception("report not written", delivery=delivery.id)
            return ()

    def _events(
        self,
        delivery: Delivery,
        result: Delivered,
        reached: Sequence[RecipientOutcome],
        lost: Sequence[RecipientOutcome],
        due: datetime | None,
    ) -> tuple[Event, ...]:
        """What the journal keeps of an attempt: one event for those reached, lost, and left."""
        data: dict[str, Any] = {
            "destination": delivery.destination,
            "attempt": delivery.attempt,
            "answer": shown_answer(result.answer)[:500],
            "reason": result.reason,
        }
        kinds: list[tuple[str, dict[str, Any]]] = []
        if reached:
            kinds.append(("relayed", {"answer": _answers(reached)} if lost or due else {}))
        if lost or not (reached or due):
            kinds.append(("dead", {"answer": _answers(lost), "recipients": [shown_address(o.address) for o in lost]}))
        if due is not None:
            kinds.append(("deferred", {"due": due.isoformat()}))
        at = self.clock.now()
        return tuple(Event(k, at, delivery.workspace, delivery.exchange_id, {**data, **more}) for k, more in kinds)


def _answers(outcomes: Sequence[RecipientOutcome]) -> str:
    return shown_answer(" | ".join(dict.fromkeys(o.answer for o in outcomes)))[:500]


def shown_answer(answer: str) -> str:
    """An answer fit for the journal: other servers write the address they refuse, and a citizen's holds a matricule."""
    return mask_text(answer)
