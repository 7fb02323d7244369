"""Mailboxes: folders, mails, flags. A mailbox gets its usual folders the first time anything touches it.

A folder may be named by its special use (`\\Sent`, `\\Trash`, …, RFC 6154) instead of its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from types import MappingProxyType

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from adapters.storage import schema
from adapters.storage.blobs import store_rows
from adapters.storage.bulk import BulkInsert
from adapters.storage.codec import address_key, key, micros, to_json
from adapters.storage.driver import Prepared
from adapters.storage.work import Work
from gateway.ports import AppendMail, ChangeFolder, CopyMail, ExpungeMail, NewMail, SetFlags

INBOX = "INBOX"
DEFAULT_FOLDERS = MappingProxyType(
    {INBOX: "", "Envoyés": "\\Sent", "Brouillons": "\\Drafts", "Corbeille": "\\Trash", "Indésirables": "\\Junk"}
)
DELIMITER = "/"

Place = tuple[str, str, str]  # workspace, address, folder name

_f = schema.folder.c
_m = schema.mail.c
_CHUNK = 400
_FEW = 3  # as many statements cost less than one of a new shape
_INSERT = BulkInsert(
    schema.mail, "folder_id", "uid", "received_at", "flags", "seen", "size_bytes", "sha256", "exchange_id"
)
_INSERT_FOLDERS = BulkInsert(
    schema.folder,
    "workspace_id",
    "address",
    "name",
    "uid_validity",
    "uid_next",
    "subscribed",
    "special_use",
    ignore=True,
)
_LOCATE_MANY = (
    select(_f.id, _f.address, _f.name, _f.uid_next)
    .where(
        _f.workspace_id == bindparam("of"),
        _f.address.in_(bindparam("addresses", expanding=True)),
        _f.name.in_(bindparam("names", expanding=True)),
    )
    .order_by(_f.id)
    .with_for_update()
)
_LOCATE_ONE = Prepared(
    select(_f.id, _f.uid_next)
    .where(_f.workspace_id == bindparam("of"), _f.address == bindparam("at"), _f.name == bindparam("called"))
    .with_for_update()
)
_GIVE_UIDS_ONE = Prepared(
    update(schema.folder).where(_f.id == bindparam("one")).values(uid_next=_f.uid_next + bindparam("given"))
)
_GIVE_UIDS = (
    update(schema.folder)
    .where(_f.id.in_(bindparam("ids", expanding=True)))
    .values(uid_next=_f.uid_next + bindparam("given"))
)


def place_of(workspace: str, address: str, folder: str) -> Place:
    """A folder as it is keyed: address in lower case, INBOX in capitals whatever its case (RFC 3501 §5.1)."""
    return workspace, address_key(address), INBOX if folder.upper() == INBOX else key(folder)


# --------------------------------------------------------------------------------------------------------------- appending


def append_rows(work: Work, mails: Sequence[tuple[NewMail, str]]) -> list[int]:
    """Append mails (each with the id of its exchange) whose octets are stored; returns their uids in the same order."""
    if not mails:
        return []
    places = [_named(work, place_of(mail.workspace, mail.address, mail.folder)) for mail, _ in mails]
    next_uid = _reserve(work, Counter(places))
    rows: list[tuple[object, ...]] = []
    uids: list[int] = []
    for (mail, exchange_id), place in zip(mails, places, strict=True):
        folder_id, uid = next_uid[place]
        next_uid[place] = (folder_id, uid + 1)
        flags = _clean(mail.flags)
        rows.append(
            (
                folder_id,
                uid,
                micros(mail.received_at),
                to_json(flags) if flags else "[]",
                _seen(flags),
                mail.size_bytes,
                mail.sha256,
                exchange_id,
            )
        )
        uids.append(uid)
    _INSERT(work.connection, rows)
    return uids


def _reserve(work: Work, wanted: Counter[Place]) -> dict[Place, tuple[int, int]]:
    """Reserve uids: (folder id, first uid) of each folder, which is created when it does not exist."""
    found = _locate(work, wanted)
    missing = [place for place in wanted if place not in found]
    if missing:
        for place in sorted(missing):
            _create(work, place)
        found |= _locate(work, missing)
    by_count: dict[int, list[int]] = {}
    for place, count in wanted.items():
        by_count.setdefault(count, []).append(found[place][0])
        work.notices.folders[found[place][0]] = place
    for count, ids in by_count.items():
        if len(ids) <= _FEW:
            for one in ids:
                _GIVE_UIDS_ONE(work.connection, {"one": one, "given": count})
            continue
        for start in range(0, len(ids), _CHUNK):
            work.connection.execute(_GIVE_UIDS, {"ids": ids[start : start + _CHUNK], "given": count})
    return found


def _locate(work: Work, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
    wanted_places = list(places)
    if len(wanted_places) <= _FEW:
        return _locate_few(work, sorted(wanted_places))
    by_workspace: dict[str, list[Place]] = {}
    for place in wanted_places:
        by_workspace.setdefault(place[0], []).append(place)
    found: dict[Place, tuple[int, int]] = {}
    for workspace, of_workspace in by_workspace.items():
        names = sorted({name for _, _, name in of_workspace})
        addresses = sorted({address for _, address, _ in of_workspace})
        for start in range(0, len(addresses), _CHUNK):
            wanted = {"of": workspace, "addresses": addresses[start : start + _CHUNK], "names": names}
            for folder_id, address, name, uid_next in work.connection.execute(_LOCATE_MANY, wanted):
                found[workspace, address, name] = (folder_id, uid_next)
    return found


def _locate_few(work: Work, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
    found: dict[Place, tuple[int, int]] = {}
    for place in places:
        row = _LOCATE_ONE(work.connection, {"of": place[0], "at": place[1], "called": place[2]}).fetchone()
        if row is not None:
            found[place] = (row[0], row[1])
    return found


def _named(work: Work, place: Place) -> Place:
    """A folder named by its special use, under its name."""
    workspace, address, folder = place
    if not folder.startswith("\\"):
        return place
    name = work.connection.execute(
        select(_f.name).where(_f.workspace_id == workspace, _f.address == address, _f.special_use == folder)
    ).scalar()
    if name is None:
        name = next((usual for usual, use in DEFAULT_FOLDERS.items() if use == folder), INBOX)
    return workspace, address, name


def _clean(flags: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(flags))


def _seen(flags: Iterable[str]) -> int:
    return int(any(flag.lower() == "\\seen" for flag in flags))


def append(work: Work, operations: Sequence[AppendMail]) -> list[int]:
    """Mails brought by a client, octets and all."""
    store_rows(work, ((op.mail.workspace, op.payload) for op in operations))
    return append_rows(work, [(op.mail, op.mail.exchange_id) for op in operations])


# ----------------------------------------------------------------------------------------------------------------- folders


def _create(work: Work, place: Place) -> bool:
    """Create a folder, and the usual ones when the mailbox has none. False when it is there already."""
    workspace, address, name = place
    here = (_f.workspace_id == workspace, _f.address == address)
    present = set(work.connection.execute(select(_f.name).where(*here)).scalars())
    wanted = {} if present else dict(DEFAULT_FOLDERS)
    wanted.setdefault(name, DEFAULT_FOLDERS.get(name, ""))
    rows = [(workspace, address, one, 0, 1, 1, use) for one, use in wanted.items() if one not in present]
    _INSERT_FOLDERS(work.connection, rows)
    # Numbers of rows are never used twice, so a folder deleted and made again has another, greater, UIDVALIDITY.
    started = int(work.clock.now().timestamp())
    work.connection.execute(
        update(schema.folder).where(*here, _f.uid_validity == 0).values(uid_validity=_f.id + started)
    )
    return bool(rows)


def _folder_id(work: Work, workspace: str, address: str, folder: str) -> tuple[int | None, Place]:
    place = _named(work, place_of(workspace, address, folder))
    found = work.connection.execute(
        select(_f.id).where(_f.workspace_id == place[0], _f.address == place[1], _f.name == place[2])
    ).scalar()
    return found, place


def change_folder(work: Work, operations: Sequence[ChangeFolder]) -> list[bool]:
    """Create, rename, delete, subscribe, unsubscribe."""
    return [_change(work, op) for op in operations]


def _change(work: Work, op: ChangeFolder) -> bool:
    if op.change == "create":
        return _create(work, place_of(op.workspace, op.address, op.folder))
    folder_id, place = _folder_id(work, op.workspace, op.address, op.folder)
    if folder_id is None:
        return False
    match op.change:
        case "delete":
            changed = place[2] != INBOX and _delete(work, folder_id)
        case "rename":
            changed = _rename(work, folder_id, place, place_of(op.workspace, op.address, op.to))
        case "subscribe" | "unsubscribe":
            wanted = int(op.change == "subscribe")
            result = work.connection.execute(
                update(schema.folder).where(_f.id == folder_id, _f.subscribed != wanted).values(subscribed=wanted)
            )
            changed = result.rowcount == 1
        case _:
            raise ValueError(f"unknown change of a folder: {op.change}")
    if changed:
        work.notices.folders[folder_id] = place
    return changed


def _delete(work: Work, folder_id: int) -> bool:
    work.connection.execute(delete(schema.mail).where(_m.folder_id == folder_id))
    work.connection.execute(delete(schema.folder).where(_f.id == folder_id))
    return True


def _rename(work: Work, folder_id: int, place: Place, to: Place) -> bool:
    taken, _ = _folder_id(work, *to)
    if taken is not None or not to[2]:
        return False
    if place[2] == INBOX:  # RFC 3501 §6.3.5: its mails move to the new folder, INBOX stays, empty
        _create(work, to)
        new_id, _ = _folder_id(work, *to)
        uid_next = select(_f.uid_next).where(_f.id == folder_id).scalar_subquery()
        work.connection.execute(update(schema.folder).where(_f.id == new_id).values(uid_next=uid_next))
        work.connection.execute(update(schema.mail).where(_m.folder_id == folder_id).values(folder_id=new_id))
        return True
    prefix = place[2] + DELIMITER
    rows = work.connection.execute(
        select(_f.id, _f.name).where(
            _f.workspace_id == place[0],
            _f.address == place[1],
            or_(_f.id == folder_id, func.substr(_f.name, 1, len(prefix)) == prefix),
        )
    ).all()
    for one, name in rows:
        renamed = to[2] + name[len(place[2]) :]
        work.connection.execute(update(schema.folder).where(_f.id == one).values(name=key(renamed)))
    return True


# ------------------------------------------------------------------------------------------------------- flags and copies


def set_flags(work: Work, operations: Sequence[SetFlags]) -> list[tuple[int, ...]]:
    """Replace flags and keywords."""
    return [_set_flags(work, op) for op in operations]


def _set_flags(work: Work, op: SetFlags) -> tuple[int, ...]:
    folder_id, place = _folder_id(work, op.workspace, op.address, op.folder)
    if folder_id is None:
        return ()
    present = _present(work, folder_id, op.flags)
    same: dict[tuple[str, ...], list[int]] = {}
    for uid in present:
        same.setdefault(tuple(_clean(op.flags[uid])), []).append(uid)
    for flags, uids in same.items():
        values = {"flags": to_json(flags), "seen": _seen(flags)}
        for start in range(0, len(uids), _CHUNK):
            work.connection.execute(
                update(schema.mail)
                .where(_m.folder_id == folder_id, _m.uid.in_(uids[start : start + _CHUNK]))
                .values(values)
            )
    if present:
        work.notices.folders[folder_id] = place
    return tuple(present)


def _present(work: Work, folder_id: int, uids: Iterable[int]) -> list[int]:
    wanted = sorted(set(uids))
    found: list[int] = []
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        found += work.connection.execute(
            select(_m.uid).where(_m.folder_id == folder_id, _m.uid.in_(chunk)).order_by(_m.uid)
        ).scalars()
    return found


def expunge(work: Work, operations: Sequence[ExpungeMail]) -> list[tuple[int, ...]]:
    """Remove mails for good; their octets stay with their exchange."""
    return [_expunge(work, op) for op in operations]


def _expunge(work: Work, op: ExpungeMail) -> tuple[int, ...]:
    folder_id, place = _folder_id(work, op.workspace, op.address, op.folder)
    if folder_id is None:
        return ()
    present = _present(work, folder_id, op.uids)
    for start in range(0, len(present), _CHUNK):
        chunk = present[start : start + _CHUNK]
        work.connection.execute(delete(schema.mail).where(_m.folder_id == folder_id, _m.uid.in_(chunk)))
    if present:
        work.notices.folders[folder_id] = place
    return tuple(present)


def copy(work: Work, operations: Sequence[CopyMail]) -> list[int | None]:
    """Copy or move inside a mailbox. None when the mail or the target folder is not there."""
    return [_copy(work, op) for op in operations]


def _copy(work: Work, op: CopyMail) -> int | None:
    source, place = _folder_id(work, op.workspace, op.address, op.folder)
    target, target_place = _folder_id(work, op.workspace, op.address, op.to_folder)
    if source is None or target is None:
        return None
    row = work.connection.execute(
        select(_m.received_at, _m.flags, _m.seen, _m.size_bytes, _m.sha256, _m.exchange_id).where(
            _m.folder_id == source, _m.uid == op.uid
        )
    ).first()
    if row is None:
        return None
    _, uid = _reserve(work, Counter([target_place]))[target_place]
    work.connection.execute(insert(schema.mail).values(folder_id=target, uid=uid, **row._asdict()))
    if op.move:
        work.connection.execute(delete(schema.mail).where(_m.folder_id == source, _m.uid == op.uid))
        work.notices.folders[source] = place
    return uid
