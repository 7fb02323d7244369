"""What is sent to one client: small writes gathered, large ones cut, and a client that does not read is let go.

Deviation from pymap 0.36.7, which hands each response to the transport whole: a mail of 30 MB would be copied several times
and encrypted in one callback.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamWriter

from pymap.bytes import WriteStream

PIECE_BYTES = 64 * 1024


class Outlet(WriteStream):
    """A buffer in front of a stream."""

    def __init__(self, writer: StreamWriter, stall_s: float) -> None:
        self._writer = writer
        self._stall_s = stall_s
        self._gathered = bytearray()

    def write(self, data: bytes) -> None:
        """Gather; nothing leaves before `pause` or `drain`."""
        self._gathered += data

    async def send(self, octets: memoryview) -> None:
        """Send octets of any size in pieces, letting other clients speak in between."""
        if len(octets) <= PIECE_BYTES:
            self._gathered += octets
            await self.pause()
            return
        await self.drain()
        for at in range(0, len(octets), PIECE_BYTES):
            self._gathered += octets[at : at + PIECE_BYTES]
            await self.drain()

    async def pause(self) -> None:
        """Send what was gathered if it is much."""
        if len(self._gathered) >= PIECE_BYTES:
            await self.drain()

    async def drain(self) -> None:
        """Send what was gathered. Raises ConnectionError when the client does not take it in time."""
        if not self._gathered:
            return
        gathered, self._gathered = memoryview(self._gathered), bytearray()
        for at in range(0, len(gathered), PIECE_BYTES):
            self._writer.write(bytes(gathered[at : at + PIECE_BYTES]))
            try:
                async with asyncio.timeout(self._stall_s):
                    await self._writer.drain()
            except TimeoutError:
                self._writer.transport.abort()
                raise ConnectionError("the client does not read") from None
            if len(gathered) >= PIECE_BYTES:
                await asyncio.sleep(0)
