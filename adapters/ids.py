"""Identifiers: UUIDv7 as 32 hex digits, so that they sort by time and cannot be guessed."""

from __future__ import annotations

import os
import time


class UuidSeven:
    """RFC 9562 version 7: 48 bits of milliseconds, then random."""

    def new(self) -> str:
        """One new identifier."""
        head = time.time_ns() // 1_000_000
        tail = int.from_bytes(os.urandom(10), "big")
        value = (head & ((1 << 48) - 1)) << 80 | tail
        value = value & ~(0xF << 76) | 0x7 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        return f"{value:032x}"
