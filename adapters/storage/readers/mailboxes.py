"""Folders and mails."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from adapters.storage import schema
from adapters.storage.codec import address_key, from_json, instant
from adapters.storage.operations.mailboxes import DEFAULT_FOLDERS, place_of
from gateway.ports import FolderRow, MailRow

_f = schema.folder.c
_m = schema.mail.c


def folders(connection: Connection, workspace: str, address: str) -> tuple[FolderRow, ...]:
    """The folders of a mailbox: the usual ones first, then by name."""
    counts = (
        select(
            _f.id,
            _f.name,
            _f.uid_validity,
            _f.uid_next,
            _f.subscribed,
            _f.special_use,
            func.count(_m.uid).label("messages"),
            func.coalesce(func.sum(1 - _m.seen), 0).label("unseen"),
        )
        .join_from(schema.folder, schema.mail, _m.folder_id == _f.id, isouter=True)
        .where(_f.workspace_id == workspace, _f.address == address_key(address))
        .group_by(_f.id, _f.name, _f.uid_validity, _f.uid_next, _f.subscribed, _f.special_use)
    )
    usual = list(DEFAULT_FOLDERS)
    rows = sorted(
        connection.execute(counts).all(),
        key=lambda row: (usual.index(row.name) if row.name in DEFAULT_FOLDERS else len(usual), row.name),
    )
    return tuple(
        FolderRow(
            name=row.name,
            uid_validity=row.uid_validity,
            uid_next=row.uid_next,
            messages=row.messages,
            unseen=int(row.unseen),
            subscribed=bool(row.subscribed),
            special_use=row.special_use,
        )
        for row in rows
    )


def mails(connection: Connection, workspace: str, address: str, folder: str, after_uid: int) -> tuple[MailRow, ...]:
    """The mails of a folder in the order of their uids."""
    place = place_of(workspace, address, folder)
    named = _f.special_use if place[2].startswith("\\") else _f.name
    query = (
        select(_m.uid, _m.received_at, _m.flags, _m.size_bytes, _m.sha256, _m.exchange_id)
        .join_from(schema.folder, schema.mail, _m.folder_id == _f.id)
        .where(_f.workspace_id == place[0], _f.address == place[1], named == place[2], _m.uid > after_uid)
        .order_by(_m.uid)
    )
    return tuple(
        MailRow(
            uid=row.uid,
            received_at=instant(row.received_at),
            flags=tuple(from_json(row.flags)),
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            exchange_id=row.exchange_id,
        )
        for row in connection.execute(query)
    )
