"""A folder as SELECT and STATUS tell it: counts, flags, identifier."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pymap.mailbox import MailboxSnapshot
from pymap.parsing.specials import ObjectId
from pymap.parsing.specials.flag import Flag, Recent, Seen, Wildcard, get_system_flags

from adapters.imap.mails import Mail
from gateway.ports import FolderRow

PERMANENT = get_system_flags() - {Recent} | {Wildcard}


class Snapshot(MailboxSnapshot):
    """A folder at SELECT or STATUS. FLAGS lists what exists; `\\*` belongs to PERMANENTFLAGS alone."""

    __slots__ = ("keywords",)

    def __init__(self, owner: str, row: FolderRow, mails: Iterable[Mail], recent: int) -> None:
        mails = list(mails)
        first_unseen = next((seq for seq, mail in enumerate(mails, 1) if Seen not in mail.permanent_flags), None)
        super().__init__(
            mailbox_id_of(owner, row),
            False,
            row.uid_validity,
            PERMANENT,
            frozenset({Recent}),
            row.messages,
            recent,
            row.unseen,
            first_unseen,
            row.uid_next,
        )
        self.keywords = frozenset(flag for mail in mails for flag in mail.permanent_flags)

    @property
    def flags(self) -> frozenset[Flag]:
        """System flags, and the keywords in use."""
        return (get_system_flags() | self.keywords) - {Wildcard}


def mailbox_id_of(owner: str, row: FolderRow) -> ObjectId:
    """An identifier of a folder that other folders do not bear."""
    named = f"{owner}|{row.name}|{row.uid_validity}"
    return ObjectId(b"F" + hashlib.sha256(named.encode()).hexdigest()[:32].encode())
