"""A message while it is being received: counted, hashed, kept in memory while small and in a private file when large."""

from __future__ import annotations

import contextlib
import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from gateway.exchange.model import Payload

MEMORY_LIMIT_BYTES = 1024 * 1024
EVIDENCE_BYTES = 64 * 1024  # kept of a message refused before its end: what it looked like, not its burden


class Body:
    """Octets received so far. Above `limit_bytes` nothing is kept any more and memory stays flat.

    A spooled body owns its file (mode 0600) until `discard`; whoever stores the payload copies or links it before that.
    Raises OSError when the spool cannot be written (disk full).
    """

    __slots__ = (
        "_abandoned",
        "_digest",
        "_evidence",
        "_file",
        "_limit",
        "_pieces",
        "_spool",
        "_spool_path",
        "size_bytes",
    )

    def __init__(self, limit_bytes: int, spool: Path) -> None:
        self._limit = limit_bytes
        self._abandoned = False
        self._evidence = b""
        self._spool = spool
        self._spool_path = ""
        self._file: BinaryIO | None = None
        self._pieces: list[bytes] = []
        self._digest = sha256()
        self.size_bytes = 0

    @property
    def too_large(self) -> bool:
        """More octets came than the limit allows."""
        return self.size_bytes > self._limit

    @property
    def overrun_bytes(self) -> int:
        """How far above the limit it went."""
        return max(0, self.size_bytes - self._limit)

    def add(self, octets: bytes) -> None:
        """Take the next octets."""
        self.size_bytes += len(octets)
        if self._abandoned or self.size_bytes > self._limit:
            self._evidence = self._evidence or self._first_octets()
            self.discard()
            return
        self._digest.update(octets)
        if self._file is not None:
            self._file.write(octets)
            return
        self._pieces.append(octets)
        if self.size_bytes > MEMORY_LIMIT_BYTES:
            self._to_file()

    def _to_file(self) -> None:
        self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, self._spool_path = tempfile.mkstemp(prefix="data-", suffix=".eml", dir=self._spool)
        self._file = os.fdopen(handle, "wb")
        self._file.writelines(self._pieces)
        self._pieces.clear()

    def payload(self) -> Payload:
        """The whole message. Only for a body that is complete and within its limit."""
        digest = self._digest.hexdigest()
        if self._file is None:
            return Payload(self.size_bytes, digest, data=b"".join(self._pieces))
        self._file.close()
        return Payload(self.size_bytes, digest, spool_path=self._spool_path)

    def evidence(self) -> Payload:
        """The first octets of a message that was refused or cut before its end."""
        octets = self._evidence or self._first_octets()
        return Payload(len(octets), sha256(octets).hexdigest(), data=octets)

    def _first_octets(self) -> bytes:
        if self._file is None:
            return b"".join(self._pieces)[:EVIDENCE_BYTES]
        with contextlib.suppress(OSError):  # the disk may be full: then there is nothing to show
            self._file.flush()
            with Path(self._spool_path).open("rb") as spooled:
                return spooled.read(EVIDENCE_BYTES)
        return b""

    def abandon(self) -> None:
        """Keep nothing more: what follows is only counted."""
        self._abandoned = True
        self.discard()

    def discard(self) -> None:
        """Forget every octet and remove the spool file, if it is still there."""
        self._pieces.clear()
        if self._file is not None:
            with contextlib.suppress(OSError):  # closing writes what is buffered: the disk may be full
                self._file.close()
            self._file = None
            Path(self._spool_path).unlink(missing_ok=True)
