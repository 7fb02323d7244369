"""The authority's directory on disk: an index in JSON, certificates and keys as PEM files, all written atomically.

Layout (directory 0700, files 0600): `index.json`, `<authority>.pem` and `.key`, `issued/<fingerprint>.pem` (leaf, then its
chain) and `.key`, `crl.der`, `crl.pem`. A writer holds `index.lock`; readers never do, as every file is replaced whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.pki.model import Fault, Issued, Profile

_PRIVATE = 0o600


class DamagedIndex(Exception):
    """The index cannot be read. The message names the file: move it away to begin a new authority."""


@dataclass(frozen=True, slots=True)
class Index:
    """What was issued, oldest first, and the number of the last CRL."""

    issued: tuple[Issued, ...] = ()
    crl_number: int = 0
    stamp: tuple[int, int, int] = field(default=(0, 0, 0), compare=False)


def stamp_of(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced: modification time (ns), size, inode; zeros when absent."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def read_index(path: Path) -> Index:
    """The index as it stands; empty when there is none yet."""
    stamp = stamp_of(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        issued = tuple(_issued(entry) for entry in document["certificates"])
        return Index(issued, int(document["crl_number"]), stamp)
    except FileNotFoundError:
        return Index()
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedIndex(f"{path}: {error!r}") from error


def write_index(path: Path, index: Index) -> Index:
    """Replace the index; it is on disk when this returns."""
    document = {
        "version": 1,
        "crl_number": index.crl_number,
        "certificates": [_entry(issued) for issued in index.issued],
    }
    write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8"))
    return Index(index.issued, index.crl_number, stamp_of(path))


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside, fsync, rename, fsync the directory. The file is readable by its owner alone."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock on `path`: one writer at a time, threads and processes alike."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _entry(issued: Issued) -> dict[str, Any]:
    return {
        "key": issued.key,
        "profile": issued.profile.value,
        "workspace": issued.workspace,
        "dn": issued.dn,
        "serial": f"{issued.serial:x}",
        "fingerprint": issued.fingerprint,
        "not_before": issued.not_before.isoformat(),
        "not_after": issued.not_after.isoformat(),
        "hosts": list(issued.hosts),
        "fault": issued.fault.value,
        "issuer": issued.issuer,
        "revoked_at": issued.revoked_at.isoformat() if issued.revoked_at else None,
    }


def _issued(entry: Mapping[str, Any]) -> Issued:
    revoked = entry["revoked_at"]
    return Issued(
        key=entry["key"],
        profile=Profile(entry["profile"]),
        dn=entry["dn"],
        serial=int(entry["serial"], 16),
        fingerprint=entry["fingerprint"],
        not_before=datetime.fromisoformat(entry["not_before"]),
        not_after=datetime.fromisoformat(entry["not_after"]),
        workspace=entry["workspace"],
        hosts=tuple(entry["hosts"]),
        fault=Fault(entry["fault"]),
        issuer=entry["issuer"],
        revoked_at=datetime.fromisoformat(revoked) if revoked else None,
    )
