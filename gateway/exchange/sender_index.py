"""What leaves by the submission door against the sender's own patient index (INS-072 to 074).

Asked only when a message carries an INS; a sender without a structure, and a patient its index does not hold, give no finding.
"""

from __future__ import annotations

from gateway.directory.model import Territory
from gateway.documents.build_record import ipp_oid
from gateway.exchange.indexed import index_of_address
from gateway.exchange.model import OpenedMessage, Submission
from gateway.exchange.received import ins_in
from gateway.identity.base_rules import BASE_RULES, Sent
from gateway.identity.local import Ins, LocalIdentity
from gateway.identity.matricule import canonical
from gateway.identity.model import IdentityView
from gateway.identity.reading import all_ins
from gateway.identity.records import local_of
from gateway.index_ports import IndexReader
from gateway.rules import Finding, RuleBook, RuleContext
from gateway.values import Door

_LOOKED_UP = 10  # INS and local ids of one message


async def sender_findings(
    reader: IndexReader,
    submission: Submission,
    opened: OpenedMessage,
    territory: Territory,
    book: RuleBook,
    ctx: RuleContext,
) -> list[Finding]:
    """The findings on what is sent. One indexed read. Raises StoreUnavailable."""
    if submission.door is not Door.SUBMISSION or submission.envelope is None:
        return []
    carried = ins_in(opened.views)
    structure = index_of_address(submission.envelope.mail_from, territory) if carried else ""
    if not structure:
        return []
    found: list[Finding] = []
    numbers = local_ids(opened.views, structure, territory)
    ins = [(i.matricule, i.oid) for i in carried[:_LOOKED_UP]]
    for row in await reader.identities_known_as(submission.workspace, structure, ins, numbers):
        record = local_of(row.record)
        views = tuple(view for view in opened.views if _is_about(view, record, numbers))
        found += book.judge(BASE_RULES, Sent(views, record, structure), ctx, opened.kind)
    return found


def local_ids(views: tuple[IdentityView, ...], structure: str, territory: Territory) -> tuple[str, ...]:
    """The IPP of that structure that the containers tell."""
    known = territory.structures.get(structure)
    if known is None:
        return ()
    oid = ipp_oid(known)
    told = (i.value for view in views for i in view.identifiers if i.oid == oid)
    return tuple(dict.fromkeys(told))[:_LOOKED_UP]


def _is_about(view: IdentityView, record: LocalIdentity, numbers: tuple[str, ...]) -> bool:
    """The container names this record: by its INS, or beside its IPP."""
    held = [Ins(canonical(i.value), i.oid) for i in all_ins(view)]
    return any(map(record.known_as, held)) or (bool(held) and record.ipp in numbers)
