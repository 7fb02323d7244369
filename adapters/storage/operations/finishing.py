"""FinishDelivery: the end of an attempt, the exchanges it makes (notices to a sender) or completes: all or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.storage.operations import exchanges, integration, outbox
from adapters.storage.work import Work
from gateway.ports import FinishDelivery


def finish(work: Work, operations: Sequence[FinishDelivery]) -> list[bool]:
    """End attempts. One whose lease was lost changes nothing, tells nothing and makes nothing."""
    held = outbox.finish(work, operations)
    made = [record for op, kept in zip(operations, held, strict=True) if kept for record in op.records]
    if made:
        exchanges.record(work, made)
    integration.record(
        work, [one for op, kept in zip(operations, held, strict=True) if kept for one in op.integrations]
    )
    return held
