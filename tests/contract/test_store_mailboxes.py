# ruff: noqa: F401, F811
"""Mailboxes: usual folders, uids that are never given twice, flags that persist."""

from __future__ import annotations

import asyncio

from adapters.storage import SqlStore
from gateway.ports import AppendMail, ChangeFolder, CopyMail, ExpungeMail, NewMail, ResetWorkspace, SetFlags
from tests.support.stores import BAL, NOW, WS, Place, exchange, mail, payload, place, store


def appended(data: bytes = b"draft", folder: str = "INBOX", flags: tuple[str, ...] = ()) -> AppendMail:
    body = payload(data)
    return AppendMail(NewMail(WS, BAL, folder, body.sha256, body.size_bytes, NOW, flags), body)


async def names(store: SqlStore) -> list[str]:
    return [folder.name for folder in await store.folders(WS, BAL)]


async def test_a_mailbox_has_its_usual_folders_the_first_time_it_is_opened(store: SqlStore) -> None:
    folders = await store.folders(WS, BAL.upper())
    assert [(folder.name, folder.special_use) for folder in folders] == [
        ("INBOX", ""),
        ("Envoyés", "\\Sent"),
        ("Brouillons", "\\Drafts"),
        ("Corbeille", "\\Trash"),
        ("Indésirables", "\\Junk"),
    ]
    assert all(folder.subscribed and folder.uid_next == 1 and folder.messages == 0 for folder in folders)
    assert len({folder.uid_validity for folder in folders}) == 5


async def test_a_folder_may_be_named_by_its_use(store: SqlStore) -> None:
    await store.commit(appended(folder="\\Sent"))
    assert [row.uid for row in await store.mails(WS, BAL, "Envoyés")] == [1]
    assert [row.uid for row in await store.mails(WS, BAL, "\\Sent")] == [1]


async def test_flags_and_uids_are_the_same_after_a_restart(place: Place) -> None:
    store = await place.open()
    body = payload(b"hello")
    await store.commit(exchange("e1", body, mails=(mail(body), mail(body))))
    assert await store.commit(appended(flags=("\\Draft", "\\Seen"))) == (3,)
    new_flags = {1: ("\\Seen", "$Quarantaine", "$Quarantaine"), 3: (), 9: ("\\Seen",)}
    assert await store.commit(SetFlags(WS, BAL, "inbox", new_flags)) == ((1, 3),)
    before = await store.folders(WS, BAL)
    await store.close()
    store = await place.open()
    assert await store.folders(WS, BAL) == before
    assert [(row.uid, row.flags) for row in await store.mails(WS, BAL, "INBOX")] == [
        (1, ("\\Seen", "$Quarantaine")),
        (2, ()),
        (3, ()),
    ]
    assert (before[0].messages, before[0].unseen, before[0].uid_next) == (3, 2, 4)
    assert [row.uid for row in await store.mails(WS, BAL, "INBOX", after_uid=2)] == [3]
    await store.close()


async def test_a_uid_is_never_given_twice(store: SqlStore) -> None:
    assert await store.commit(appended()) == (1,)
    assert await store.commit(ExpungeMail(WS, BAL, "INBOX", (1, 7))) == ((1,),)
    assert await store.commit(appended()) == (2,)
    uids = await asyncio.gather(*(store.commit(appended(b"%d" % n)) for n in range(30)))
    assert sorted(uid for (uid,) in uids) == list(range(3, 33))


async def test_copy_keeps_the_mail_and_move_does_not(store: SqlStore) -> None:
    await store.commit(appended(flags=("\\Flagged",)))
    assert await store.commit(CopyMail(WS, BAL, "INBOX", 1, "Corbeille")) == (1,)
    assert await store.commit(CopyMail(WS, BAL, "INBOX", 1, "Corbeille", move=True)) == (2,)
    assert await store.mails(WS, BAL, "INBOX") == ()
    copies = await store.mails(WS, BAL, "Corbeille")
    assert [(row.uid, row.flags, row.received_at) for row in copies] == [
        (1, ("\\Flagged",), NOW),
        (2, ("\\Flagged",), NOW),
    ]
    assert await store.commit(CopyMail(WS, BAL, "INBOX", 1, "Corbeille")) == (None,)
    assert await store.commit(CopyMail(WS, BAL, "Corbeille", 1, "nowhere")) == (None,)


async def test_folders_are_created_renamed_and_deleted_with_what_is_below(store: SqlStore) -> None:
    async def change(folder: str, change: str, to: str = "") -> bool:
        return bool((await store.commit(ChangeFolder(WS, BAL, folder, change, to)))[0])

    assert await change("Dossiers", "create")
    assert not await change("Dossiers", "create")
    assert await change("Dossiers/2026", "create")
    await store.commit(appended(folder="Dossiers/2026"))
    assert await change("Dossiers", "rename", "Archives")
    assert not await change("Dossiers", "rename", "X")
    assert not await change("Archives", "rename", "INBOX")
    assert (await names(store))[5:] == ["Archives", "Archives/2026"]
    assert len(await store.mails(WS, BAL, "Archives/2026")) == 1
    assert await change("Archives", "unsubscribe")
    assert not await change("Archives", "unsubscribe")
    assert not {f.name: f.subscribed for f in await store.folders(WS, BAL)}["Archives"]
    old = {f.name: f.uid_validity for f in await store.folders(WS, BAL)}
    assert await change("Archives/2026", "delete")
    assert not await change("INBOX", "delete")
    assert await change("Archives/2026", "create")
    assert {f.name: f.uid_validity for f in await store.folders(WS, BAL)}["Archives/2026"] > old["Archives/2026"]
    assert await store.mails(WS, BAL, "Archives/2026") == ()


async def test_renaming_inbox_moves_its_mails_and_leaves_it_empty(store: SqlStore) -> None:
    await store.commit(appended(), appended(b"two"))
    assert await store.commit(ChangeFolder(WS, BAL, "INBOX", "rename", "Ancien")) == (True,)
    assert [row.uid for row in await store.mails(WS, BAL, "Ancien")] == [1, 2]
    assert await store.mails(WS, BAL, "INBOX") == ()
    assert await store.commit(appended(b"three")) == (3,)
    assert await store.commit(appended(b"four", folder="Ancien")) == (3,)


async def test_delivery_to_a_folder_that_is_gone_makes_it_again(store: SqlStore) -> None:
    body = payload(b"m")
    (recorded,) = await store.commit(exchange("e1", body, mails=(mail(body, folder="Suivi"),)))
    assert recorded.uids == (1,)
    assert "Suivi" in await names(store)


async def test_a_reset_mailbox_tells_clients_that_its_uids_changed(store: SqlStore) -> None:
    await store.commit(appended())
    before = (await store.folders(WS, BAL))[0].uid_validity
    await store.commit(ResetWorkspace(WS, NOW))
    after = (await store.folders(WS, BAL))[0]
    assert (after.messages, after.uid_next) == (0, 1)
    assert after.uid_validity > before
