"""What leaves against the sender's own patient index (INS-072 to 074, 191, 193, 195), by the submission door or in a DMP deposit.

Asked only when a message carries an INS; a sender without a structure, and a patient its index does not hold, give no finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.directory.model import Territory
from gateway.documents.build_record import ipp_oid
from gateway.exchange.indexed import index_of_address
from gateway.exchange.model import Submission
from gateway.identity.base_rules import BASE_RULES, Carrier, Sent
from gateway.identity.local import LocalIdentity
from gateway.identity.record_rules import RECORD_RULES, ReliedOn
from gateway.identity.records import local_of
from gateway.ports import IndexReader
from gateway.rules import Finding, RuleBook, RuleContext
from gateway.values import Door

_LOOKED_UP = 10  # INS and local numbers of one message


async def sender_findings(
    reader: IndexReader,
    submission: Submission,
    carriers: Sequence[Carrier],
    territory: Territory,
    book: RuleBook,
    ctx: RuleContext,
) -> list[Finding]:
    """The findings on a mail that is sent. One indexed read. Raises StoreUnavailable."""
    if not carriers or submission.door is not Door.SUBMISSION or submission.envelope is None:
        return []
    structure = index_of_address(submission.envelope.mail_from, territory)
    records = await held_by(reader, submission.workspace, structure, carriers, territory)
    subjects = sent_of(carriers, records, structure, territory)
    return [finding for sent in subjects for finding in judged_sent(sent, book, ctx, "mail")]


def judged_sent(sent: Sent, book: RuleBook, ctx: RuleContext, container: str) -> list[Finding]:
    """The findings on one patient's INS: may it leave, and if so, is the record that it leaves from what INSi answered?"""
    found = book.judge(BASE_RULES, sent, ctx, container)
    if found or not sent.carriers or not sent.record.sends_ins:
        return found
    first = sent.carriers[0]
    return book.judge(RECORD_RULES, ReliedOn(sent.record, sent.structure, first.label, first.where), ctx, container)


async def held_by(
    reader: IndexReader, workspace: str, structure: str, carriers: Sequence[Carrier], territory: Territory
) -> tuple[LocalIdentity, ...]:
    """The records of the sender's index that hold, or held, what the message carries; none without a structure.

    Raises StoreUnavailable.
    """
    if not structure or not carriers:
        return ()
    own = _own_numbers(carriers, structure, territory)
    numbers = tuple(dict.fromkeys(number for told in own.values() for number in told))[:_LOOKED_UP]
    ins = tuple(dict.fromkeys((c.ins.matricule, c.ins.oid) for c in carriers))[:_LOOKED_UP]
    return tuple(local_of(row.record) for row in await reader.identities_known_as(workspace, structure, ins, numbers))


def sent_of(
    carriers: Sequence[Carrier], records: Sequence[LocalIdentity], structure: str, territory: Territory
) -> Iterator[Sent]:
    """One subject for each record: the containers that speak of its patient, by the INS or by the number beside it."""
    own = _own_numbers(carriers, structure, territory)
    for record in records:
        yield Sent(tuple(c for c in carriers if record.known_as(c.ins) or record.ipp in own[c]), record, structure)


def _own_numbers(carriers: Sequence[Carrier], structure: str, territory: Territory) -> dict[Carrier, tuple[str, ...]]:
    """The numbers beside each INS that are the sender's own."""
    known = territory.structures.get(structure)
    oid = ipp_oid(known) if known is not None else ""
    return {c: tuple(value for value, under in c.numbers if oid and under == oid) for c in carriers}
