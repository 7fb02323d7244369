"""The outbox worker: leases deliveries, hands each to its courier, writes down what the other side answered.

At least once: a worker that dies leaves its lease to expire and another takes over. Per destination, a few deliveries
at a time, so that one dead peer never slows the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from gateway.exchange.model import DeliveryState, Event
from gateway.exchange.retry import RetryPolicy
from gateway.ports import (
    Clock,
    Courier,
    Delivered,
    Delivery,
    FinishDelivery,
    LeaseDeliveries,
    Operation,
    Store,
    StoreUnavailable,
)
from gateway.sandbox.model import DEFAULT_WORKSPACE

log = structlog.get_logger("outbox")

LEASE_S = 120.0
POLL_S = 1.0
AT_ONCE = 48
PER_DESTINATION = 8
BATCH = 8


@dataclass(frozen=True, slots=True)
class Outbox:
    """What the worker needs. `couriers` maps a delivery's kind to who carries it."""

    store: Store
    clock: Clock
    couriers: Mapping[str, Courier]
    retry: RetryPolicy
    worker: str
    lease_s: float = LEASE_S

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
            kinds=tuple(self.couriers),
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
            result = await self._attempt(delivery)
            await self._finish(delivery, result)
        finally:
            busy[delivery.destination] -= 1
            if not busy[delivery.destination]:
                del busy[delivery.destination]

    async def _attempt(self, delivery: Delivery) -> Delivered:
        raw = await self.store.blob(delivery.workspace, str(delivery.payload.get("sha256", "")))
        if raw is None:
            return Delivered(False, permanent=True, answer="the stored message is missing or damaged", reason="blob")
        try:
            return await self.couriers[delivery.kind].deliver(delivery, raw)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("delivery failed", delivery=delivery.id, kind=delivery.kind)
            return Delivered(False, permanent=False, answer=f"{type(error).__name__}: {error}", reason="error")

    async def _finish(self, delivery: Delivery, result: Delivered) -> None:
        operations: tuple[Operation, ...] = (self._outcome(delivery, result),)
        while True:
            try:
                await self.store.commit(*operations)
                return
            except StoreUnavailable:
                await asyncio.sleep(POLL_S)

    def _outcome(self, delivery: Delivery, result: Delivered) -> FinishDelivery:
        now = self.clock.virtual_now(delivery.workspace)
        data = {
            "destination": delivery.destination,
            "attempt": delivery.attempt,
            "answer": result.answer[:500],
            "reason": result.reason,
        }

        def ended(state: DeliveryState, kind: str) -> FinishDelivery:
            event = Event(kind, self.clock.now(), delivery.workspace, delivery.exchange_id, data)
            return FinishDelivery(delivery.id, self.worker, state, result.answer, events=(event,))

        if result.accepted:
            return ended(DeliveryState.DONE, "relayed")
        due = None if result.permanent else self.retry.next_attempt(delivery.attempt, delivery.created_at, now)
        if due is None:
            return ended(DeliveryState.DEAD, "dead")
        data["due"] = due.isoformat()
        event = Event("deferred", self.clock.now(), delivery.workspace, delivery.exchange_id, data)
        return FinishDelivery(delivery.id, self.worker, DeliveryState.READY, result.answer, due, (event,))
