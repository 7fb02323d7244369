"""What a sender's last messages say together, beside what each says alone (INS-050).

Each submission leaves in its summary, for each patient whose used name it tells, one byte and whether the name is a copy. They
are read again only when a message copies: a software that asks its patients never pays for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from gateway.exchange.model import Submission
from gateway.identity.used_names import MESSAGES, USED_NAME_RULES, Emitter, UsedName
from gateway.ports import ExchangeFilter, ExchangeRow
from gateway.rules import Finding, RuleBook, RuleContext
from gateway.rules.masking import shown_address
from gateway.values import Door

FACT = "used_names"  # entry of the summary


class Exchanges(Protocol):
    """What is asked of the store."""

    async def exchanges(self, wanted: ExchangeFilter) -> tuple[ExchangeRow, ...]: ...


def told_used_names(names: Sequence[UsedName]) -> Mapping[str, Any]:
    """What the summary keeps; nothing when no used name is told."""
    return {FACT: [[one.patient, one.copied] for one in names]} if names else {}


async def emitter_findings(
    reader: Exchanges, submission: Submission, names: Sequence[UsedName], book: RuleBook, ctx: RuleContext
) -> list[Finding]:
    """The findings on a sender's habits, on the first patient of this message that shows them. Raises StoreUnavailable."""
    now = next((one for one in names if one.copied), None)
    if now is None or submission.door is not Door.SUBMISSION or submission.envelope is None:
        return []
    sender = submission.envelope.mail_from
    if not sender:
        return []
    wanted = ExchangeFilter(submission.workspace, Door.SUBMISSION.value, participant=sender, limit=MESSAGES)
    rows = await reader.exchanges(wanted)
    before = _told(row.summary for row in rows if row.summary.get("mail_from") == shown_address(sender))
    told = (*before, *((one.patient, one.copied) for one in names))
    return book.judge(USED_NAME_RULES, Emitter(now, told), ctx, now.container)


def _told(summaries: Iterable[Mapping[str, Any]]) -> list[tuple[int, bool]]:
    return [(int(patient), bool(copied)) for summary in summaries for patient, copied in summary.get(FACT, ())]
