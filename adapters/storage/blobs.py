"""The octets: small ones in a row of the same transaction, large ones in content-addressed files written before the row.

`blobs/ab/cd/abcd…` is named by its SHA-256. A file is complete before it has its name: written or hard-linked under a
temporary one, fsynced, renamed, and its directory fsynced. On PostgreSQL, whose gateways may share no disk, rows hold
up to 32 MiB.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, select

from adapters.storage import schema
from adapters.storage.bulk import BulkInsert
from adapters.storage.work import Work
from gateway.exchange.model import Payload

ROW_LIMIT = 256 * 1024
SHARED_ROW_LIMIT = 32 * 1024 * 1024
_CHUNK = 1024 * 1024
_INSERT = BulkInsert(schema.blob, "workspace_id", "sha256", "size_bytes", "data", ignore=True)
_SELECT = select(schema.blob.c.data, schema.blob.c.size_bytes)
_LOG = logging.getLogger("passerelle.storage")


class BlobFiles:
    """The folder of large payloads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where the octets of a digest are, or would be."""
        return self._folder / digest[:2] / digest[2:4] / digest

    def keep(self, payload: Payload) -> None:
        """Make the payload's octets durable under their digest. Raises OSError; then the name does not exist."""
        target = self.path(payload.sha256)
        if target.exists():
            os.utime(target)  # young again, so that a sweep under way leaves it for the row about to be written
            return
        missing = [folder for folder in (target.parent, target.parent.parent, self._folder) if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f".{uuid4().hex}"
        try:
            self._fill(temporary, payload)
            temporary.rename(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(target.parent)
        for folder in missing:
            _sync_directory(folder.parent)

    def _fill(self, temporary: Path, payload: Payload) -> None:
        if payload.data is None:
            try:
                os.link(payload.spool_path, temporary)
            except OSError:  # another file system, or one without hard links
                with Path(payload.spool_path).open("rb") as source, temporary.open("xb") as copy:
                    while chunk := source.read(_CHUNK):
                        copy.write(chunk)
        else:
            temporary.write_bytes(payload.data)
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            if os.fstat(descriptor).st_size != payload.size_bytes:
                raise OSError(f"{payload.size_bytes} octets expected in the spooled payload")
            os.fsync(descriptor)
            os.utime(temporary)
        finally:
            os.close(descriptor)

    def read(self, digest: str) -> bytes | None:
        """The octets as they are on the disk; None when the file is not there."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def names(self) -> Iterator[str]:
        """The digests that have a file."""
        for path in self._folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/[0-9a-f]*"):
            yield path.name

    def sweep(self, used: Iterable[str], candidates: Iterable[str], older_than_s: float) -> int:
        """Remove the candidates that nothing uses and that are old enough for no commit to be about to use them."""
        keep = set(used)
        limit = time.time() - older_than_s
        removed = 0
        for digest in candidates:
            path = self.path(digest)
            if digest not in keep and path.exists() and path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
                removed += 1
        return removed


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def store_rows(work: Work, payloads: Iterable[tuple[str, Payload]]) -> None:
    """The rows of payloads (workspace, payload); the file of a large one is already there."""
    rows: dict[tuple[str, str], tuple[str, str, int, bytes | None]] = {}
    for workspace, payload in payloads:
        place = (workspace, payload.sha256)
        if place not in rows:
            data = None
            if payload.size_bytes <= work.blob_limit:
                data = payload.data if payload.data is not None else Path(payload.spool_path).read_bytes()
            rows[place] = (workspace, payload.sha256, payload.size_bytes, data)
    # One order for all processes: two that store the same octets wait for each other, never in a circle.
    _INSERT(work.connection, [rows[place] for place in sorted(rows)] if work.postgresql else list(rows.values()))


def read_verified(connection: Connection, files: BlobFiles, workspace: str, digest: str) -> bytes | None:
    """The octets of a digest, verified; None when unknown, purged, or no longer what their digest says (logged)."""
    row = connection.execute(
        _SELECT.where(schema.blob.c.workspace_id == workspace, schema.blob.c.sha256 == digest)
    ).first()
    if row is None:
        return None
    data = bytes(row.data) if row.data is not None else files.read(digest)
    if data is None:
        _LOG.error("the file of a payload is missing: %s", digest)
        return None
    if sha256(data).hexdigest() != digest:
        _LOG.error("a payload no longer matches its digest: %s (%d octets)", digest, len(data))
        return None
    return data
