"""One authenticated session: pymap's `SessionInterface` over a mailbox of the store.

Deviations from pymap 0.36.7's base session: each command reads and writes once, whatever the number of mails; COPY, MOVE,
STORE and a multiple APPEND are all or nothing; a client whose folder is deleted elsewhere is told BYE instead of NO.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC

from pymap.concurrent import Event
from pymap.exceptions import MailboxConflict, MailboxNotFound, MailboxReadOnly, NotAllowedError
from pymap.flags import FlagOp, PermanentFlags, SessionFlags
from pymap.interfaces.session import SessionInterface
from pymap.listtree import ListTree
from pymap.parsing.message import AppendMessage
from pymap.parsing.response.code import AppendUid, CopyUid
from pymap.parsing.specials import ObjectId, SearchKey, SequenceSet
from pymap.parsing.specials.flag import Deleted, Flag, Recent, Seen, Wildcard
from pymap.selected import SelectedMailbox

from adapters.imap.mails import BATCH, FolderView, Mail, flags_of, names_of
from adapters.imap.names import DELIMITER, valid_name
from adapters.imap.postbox import INBOX, Appended, Postbox
from adapters.imap.search import Candidate, criterion_of
from adapters.imap.snapshot import PERMANENT, Snapshot, mailbox_id_of
from gateway.ports import FolderRow, MailRow

_READ_AGAIN_S = 60.0
_PAUSE_EVERY = 200  # mails examined between two turns of the event loop


class Session(SessionInterface):
    """What one client may do with its mailbox."""

    def __init__(self, postbox: Postbox) -> None:
        self.postbox = postbox
        self._view: FolderView | None = None
        self._changed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def opened(cls, postbox: Postbox) -> AsyncIterator[Session]:
        """A session that hears of changes until it ends."""
        session = cls(postbox)
        watch = asyncio.create_task(session._watch())
        # let the subscription begin before anything is read, so that no change falls between
        await asyncio.sleep(0)
        try:
            with postbox.watched(session._changed_in):
                await postbox.prepare()
                yield session
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _watch(self) -> None:
        async for folder in self.postbox.changes():
            self._changed_in(folder)

    def _changed_in(self, folder: str) -> None:
        if self._view is not None and folder == self._view.name:
            self._view.stale = True
            self._changed.set()

    @property
    def owner(self) -> str:
        return self.postbox.address

    @property
    def filter_set(self) -> None:
        return None

    def close(self) -> None:
        self._view = None

    async def cleanup(self) -> None:
        """Nothing is held between commands."""

    # --------------------------------------------------------------------------------------------------------- folders

    async def _folder(self, name: str, *, try_create: bool = False) -> FolderRow:
        row = (await self.postbox.folders()).get(name)
        if row is None:
            raise MailboxNotFound(name, try_create=try_create)
        return row

    async def list_mailboxes(
        self, ref_name: str, filter_: str, subscribed: bool = False, selected: SelectedMailbox | None = None
    ) -> tuple[Iterable[tuple[str, str | None, Sequence[bytes]]], SelectedMailbox | None]:
        if not filter_:
            return [("", DELIMITER, [b"Noselect"])], await self._told(selected)
        folders = await self.postbox.folders()
        tree = ListTree(DELIMITER).update(*(row.name for row in folders.values() if row.subscribed or not subscribed))
        found: list[tuple[str, str | None, Sequence[bytes]]] = []
        for entry in tree.list_matching(ref_name, filter_):
            attributes = list(entry.attributes)
            row = folders.get(entry.name)
            if row is not None and row.special_use:
                attributes.append(row.special_use.removeprefix("\\").encode("ascii"))
            found.append((entry.name, DELIMITER, attributes))
        return found, await self._told(selected)

    async def get_mailbox(
        self, name: str, selected: SelectedMailbox | None = None
    ) -> tuple[Snapshot, SelectedMailbox | None]:
        row = await self._folder(name)
        unclaimed = row.uid_next - 1 > self._claimed(row.name, row.uid_validity)
        return Snapshot(self.owner, row, (), row.unseen if unclaimed else 0), await self._told(selected)

    async def create_mailbox(
        self, name: str, selected: SelectedMailbox | None = None
    ) -> tuple[ObjectId, SelectedMailbox | None]:
        name = name.rstrip(DELIMITER)
        if not valid_name(name):
            raise NotAllowedError("This name cannot be given to a folder.")
        if len(await self.postbox.folders()) >= self.postbox.shared.limits.folders:
            raise NotAllowedError("This mailbox has as many folders as it may.")
        if not await self.postbox.change((name, "create", "")):
            raise MailboxConflict(name)
        return mailbox_id_of(self.owner, await self._folder(name)), await self._told(selected)

    async def delete_mailbox(self, name: str, selected: SelectedMailbox | None = None) -> SelectedMailbox | None:
        if not await self.postbox.change((name, "delete", "")):
            raise MailboxNotFound(name)
        return await self._told(selected, reread=True)

    async def rename_mailbox(
        self, before_name: str, after_name: str, selected: SelectedMailbox | None = None
    ) -> SelectedMailbox | None:
        if not valid_name(after_name) or after_name.startswith(before_name + DELIMITER):
            raise NotAllowedError("This name cannot be given to a folder.")
        async with self.postbox.lock:
            folders = await self.postbox.folders()
            tree = ListTree(DELIMITER).update(*folders)
            if tree.get(before_name) is None:
                raise MailboxNotFound(before_name)
            if tree.get(after_name) is not None:
                raise MailboxConflict(after_name)
            # INBOX gives its mails and stays (RFC 3501 § 6.3.5); others take their inferiors with them, also when they
            # are themselves but a level without mails
            renames = [(INBOX, after_name)] if before_name == INBOX else tree.get_renames(before_name, after_name)
            await self.postbox.change(*((before, "rename", after) for before, after in renames))
            if self._view is not None and self._view.name != INBOX:
                self._view.name = dict(renames).get(self._view.name, self._view.name)
        return await self._told(selected, reread=True)

    async def subscribe(self, name: str, selected: SelectedMailbox | None = None) -> SelectedMailbox | None:
        await self._folder(name)
        await self.postbox.change((name, "subscribe", ""))
        return await self._told(selected)

    async def unsubscribe(self, name: str, selected: SelectedMailbox | None = None) -> SelectedMailbox | None:
        await self.postbox.change((name, "unsubscribe", ""))
        return await self._told(selected)

    # ------------------------------------------------------------------------------------------------- selected folder

    def _claimed(self, name: str, uid_validity: int) -> int:
        """The newest uid that some session was told is recent."""
        key = (self.postbox.workspace, self.postbox.address, name, uid_validity)
        return self.postbox.shared.claimed.get(key, 0)

    def _claim(self, view: FolderView, selected: SelectedMailbox, after: int) -> None:
        """Tell this session that the unseen mails above uid `after` are recent, and no other session again."""
        if selected.readonly:
            return
        newest = view.newest
        for uid, mail in view.mails.items():
            if uid > after and Seen not in mail.permanent_flags:
                selected.session_flags.add_recent(uid)
        key = (self.postbox.workspace, self.postbox.address, view.name, view.uid_validity)
        self.postbox.shared.claimed[key] = max(newest, self.postbox.shared.claimed.get(key, 0))

    async def select_mailbox(self, name: str, readonly: bool = False) -> tuple[Snapshot, SelectedMailbox]:
        row = await self._folder(name)
        view = self._view = FolderView(name, row.uid_validity)
        await self._read(view)
        selected = SelectedMailbox(
            mailbox_id_of(self.owner, row),
            readonly,
            PermanentFlags(PERMANENT),
            SessionFlags({Recent}),
            lookup=name,
        )
        self._claim(view, selected, self._claimed(name, row.uid_validity))
        await view.tell(selected)
        # counted from the mails just read: one may have come since the folder's own row was
        seen = [Seen in mail.permanent_flags for mail in view.mails.values()]
        row = replace(
            row,
            messages=len(seen),
            unseen=seen.count(False),
            uid_next=max(row.uid_next, view.newest + 1),
        )
        return Snapshot(self.owner, row, view.mails.values(), selected.session_flags.recent), selected

    async def check_mailbox(
        self, selected: SelectedMailbox, *, wait_on: Event | None = None, housekeeping: bool = False
    ) -> SelectedMailbox:
        """NOOP, CHECK, IDLE: what came, and now and then the whole folder, in case a notification was lost."""
        view = self._open_view()
        if housekeeping or asyncio.get_running_loop().time() - view.read_at > _READ_AGAIN_S:
            view.stale = True
        return await self.caught_up(selected)

    async def caught_up(self, selected: SelectedMailbox) -> SelectedMailbox:
        """What came since the client was last told, also when the notification of it is still on its way."""
        view = self._open_view()
        if not view.stale:
            known = view.newest
            for row in (await self.postbox.mails(view.name, known)).values():
                view.put(row)
            if view.newest > known:
                self._claim(view, selected, known)
        await self._told(selected)
        return selected

    async def something_new(self) -> None:
        """Wait until the selected folder may have changed."""
        await self._changed.wait()

    async def _told(self, selected: SelectedMailbox | None, *, reread: bool = False) -> SelectedMailbox | None:
        """Bring the client's picture up to date: from the store when it changed there, or when asked."""
        view = self._view
        if selected is None or view is None:
            return selected
        if reread or view.stale:
            known = view.newest
            await self._read(view)
            if not view.mails and not await self._still_there(view):
                selected.set_deleted()
                return selected
            if view.newest > known:
                self._claim(view, selected, known)
        await view.tell(selected)
        return selected

    async def _read(self, view: FolderView) -> None:
        """Read the whole folder again."""
        self._changed.clear()
        view.stale = False
        view.read_at = asyncio.get_running_loop().time()
        await view.refresh(await self.postbox.mails(view.name))

    async def _still_there(self, view: FolderView) -> bool:
        row = (await self.postbox.folders()).get(view.name)
        return row is not None and row.uid_validity == view.uid_validity

    def _open_view(self) -> FolderView:
        if self._view is None:
            raise MailboxNotFound("")
        return self._view

    def mails_of(self, selected: SelectedMailbox, wanted: SequenceSet) -> list[tuple[int, Mail]]:
        """The mails a set names, with their sequence numbers. One that is gone is given as last known, `expunged`."""
        present = self._open_view().mails
        found: list[tuple[int, Mail]] = []
        for seq, cached in selected.messages.get_all(wanted):
            mail = present.get(cached.uid)
            if mail is None and isinstance(cached, Mail):
                mail = Mail(cached.row, cached.permanent_flags, expunged=True)
            if mail is not None:
                found.append((seq, mail))
        return found

    # ------------------------------------------------------------------------------------------------- reading mails

    async def fetch_messages(
        self, selected: SelectedMailbox, sequence_set: SequenceSet, set_seen: bool
    ) -> tuple[Iterable[tuple[int, Mail]], SelectedMailbox]:
        if set_seen:
            await self._store_flags(selected, sequence_set, frozenset({Seen}), FlagOp.ADD)
        found = self.mails_of(selected, sequence_set)
        await self._told(selected)
        return found, selected

    async def search_mailbox(
        self, selected: SelectedMailbox, keys: frozenset[SearchKey]
    ) -> tuple[Iterable[tuple[int, Mail]], SelectedMailbox]:
        wanted = criterion_of(keys, selected.messages.exists, selected.messages.max_uid)
        found: list[tuple[int, Mail]] = []
        for count, (seq, mail) in enumerate(self.mails_of(selected, SequenceSet.all()), 1):
            candidate = Candidate(seq, mail, selected.session_flags)
            matches = wanted.judge(candidate, None)
            if matches is None and (opened := await self.postbox.opened(mail.row)) is not None:
                matches = await opened.ask(lambda octets, asked=candidate: wanted.judge(asked, octets))  # type: ignore[misc]
            if matches:
                found.append((seq, mail))
            if count % _PAUSE_EVERY == 0:
                await asyncio.sleep(0)
        return found, selected

    # ------------------------------------------------------------------------------------------------- changing mails

    async def append_messages(
        self, name: str, messages: Sequence[AppendMessage], selected: SelectedMailbox | None = None
    ) -> tuple[AppendUid, SelectedMailbox | None]:
        row = await self._folder(name, try_create=True)
        now = self.postbox.clock.now()
        appended = [
            Appended(
                memoryview(message.literal),
                names_of(self._bounded(message.flag_set)),
                message.when.astimezone(UTC) if message.when else now,
            )
            for message in messages
        ]
        uids = await self.postbox.append(name, appended)
        return AppendUid(row.uid_validity, uids), await self._told(selected, reread=self._shows(name))

    def _shows(self, name: str) -> bool:
        return self._view is not None and self._view.name == name

    def _bounded(self, flags: Iterable[Flag]) -> frozenset[Flag]:
        kept = frozenset(flags) - {Recent, Wildcard}
        if len(kept) > self.postbox.shared.limits.keywords or any(len(bytes(flag)) > 100 for flag in kept):
            raise NotAllowedError("Too many keywords, or too long.")
        return kept

    async def update_flags(
        self,
        selected: SelectedMailbox,
        sequence_set: SequenceSet,
        flag_set: frozenset[Flag],
        mode: FlagOp = FlagOp.REPLACE,
    ) -> tuple[Iterable[tuple[int, Mail]], SelectedMailbox]:
        if selected.readonly:
            raise MailboxReadOnly
        await self._store_flags(selected, sequence_set, flag_set - {Recent, Wildcard}, mode)
        found = self.mails_of(selected, sequence_set)
        await self._told(selected)
        return found, selected

    async def _store_flags(
        self, selected: SelectedMailbox, wanted: SequenceSet, flags: frozenset[Flag], mode: FlagOp
    ) -> None:
        """Apply a flag operation to the flags as they are now in the store, all mails at once."""
        view = self._open_view()
        uids = [uid for _, uid in selected.messages.get_uids(wanted)]
        if mode is FlagOp.ADD and flags and all(self._has(view, uid, flags) for uid in uids):
            return
        if not uids:
            return
        below = min(uids) - 1
        async with self.postbox.lock:
            rows = await self.postbox.mails(view.name, below)
            changed: dict[int, tuple[MailRow, tuple[str, ...]]] = {}
            results: dict[tuple[str, ...], tuple[str, ...]] = {}
            for count, row in enumerate((rows[uid] for uid in uids if uid in rows), 1):
                if count % BATCH == 0:
                    await asyncio.sleep(0)
                new = results.get(row.flags)
                if new is None:
                    new = results[row.flags] = names_of(self._bounded(mode.apply(flags_of(row.flags), flags)))
                if set(new) != set(row.flags):
                    changed[row.uid] = (row, new)
            await self.postbox.set_flags(view.name, changed)
            now = rows | {uid: replace(row, flags=new) for uid, (row, new) in changed.items()}
            await view.refresh(now, below)

    @staticmethod
    def _has(view: FolderView, uid: int, flags: frozenset[Flag]) -> bool:
        mail = view.mails.get(uid)
        return mail is None or flags <= mail.permanent_flags

    async def expunge_mailbox(self, selected: SelectedMailbox, uid_set: SequenceSet | None = None) -> SelectedMailbox:
        if selected.readonly:
            raise MailboxReadOnly
        view = self._open_view()
        await self._told(selected)
        wanted = SequenceSet.all(uid=True) if uid_set is None else uid_set
        doomed = [m.uid for _, m in self.mails_of(selected, wanted) if Deleted in m.permanent_flags and not m.expunged]
        await self.postbox.expunge(view.name, doomed)
        for uid in doomed:
            view.drop(uid)
        await self._told(selected)
        return selected

    async def copy_messages(
        self, selected: SelectedMailbox, sequence_set: SequenceSet, mailbox: str
    ) -> tuple[CopyUid | None, SelectedMailbox]:
        return await self._transfer(selected, sequence_set, mailbox, move=False)

    async def move_messages(
        self, selected: SelectedMailbox, sequence_set: SequenceSet, mailbox: str
    ) -> tuple[CopyUid | None, SelectedMailbox]:
        if selected.readonly:
            raise MailboxReadOnly
        return await self._transfer(selected, sequence_set, mailbox, move=True)

    async def _transfer(
        self, selected: SelectedMailbox, wanted: SequenceSet, to: str, *, move: bool
    ) -> tuple[CopyUid | None, SelectedMailbox]:
        view = self._open_view()
        destination = await self._folder(to, try_create=True)
        uids = [uid for _, uid in selected.messages.get_uids(wanted)]
        pairs = await self.postbox.copy(view.name, uids, to, move=move)
        if move:
            for uid, _ in pairs:
                view.drop(uid)
        code = CopyUid(destination.uid_validity, pairs) if pairs else None
        await self._told(selected, reread=self._shows(to))
        return code, selected
