"""What leaves by the submission door against the sender's own patient index (INS-072 to 074).

Asked only when a message carries an INS; a sender without a structure, and a patient its index does not hold, give no finding.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.directory.model import Territory
from gateway.documents.build_record import ipp_oid
from gateway.exchange.indexed import index_of_address
from gateway.exchange.model import Submission
from gateway.identity.base_rules import BASE_RULES, Carrier, Sent
from gateway.identity.records import local_of
from gateway.index_ports import IndexReader
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
    """The findings on what is sent. One indexed read. Raises StoreUnavailable."""
    if not carriers or submission.door is not Door.SUBMISSION or submission.envelope is None:
        return []
    structure = index_of_address(submission.envelope.mail_from, territory)
    known = territory.structures.get(structure)
    if not structure:
        return []
    oid = ipp_oid(known) if known is not None else ""
    own = {c: tuple(value for value, under in c.numbers if oid and under == oid) for c in carriers}
    numbers = tuple(dict.fromkeys(number for told in own.values() for number in told))[:_LOOKED_UP]
    ins = tuple(dict.fromkeys((c.ins.matricule, c.ins.oid) for c in carriers))[:_LOOKED_UP]
    found: list[Finding] = []
    for row in await reader.identities_known_as(submission.workspace, structure, ins, numbers):
        record = local_of(row.record)
        about = tuple(c for c in carriers if record.known_as(c.ins) or record.ipp in own[c])
        found += book.judge(BASE_RULES, Sent(about, record, structure), ctx, "mail")
    return found
