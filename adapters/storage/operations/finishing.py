"""FinishDelivery: the end of an attempt, and the exchanges it makes (notices to a sender), both or neither."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.storage.operations import exchanges, outbox
from adapters.storage.work import Work
from gateway.ports import FinishDelivery


def finish(work: Work, operations: Sequence[FinishDelivery]) -> list[bool]:
    """End attempts. One whose lease was lost changes nothing, tells nothing and makes nothing."""
    held = outbox.finish(work, operations)
    made = [record for op, kept in zip(operations, held, strict=True) if kept for record in op.records]
    if made:
        exchanges.record(work, made)
    return held
