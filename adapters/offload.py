"""Heavy CPU work away from the event loop: worker processes that start at first use.

Each worker is a fresh interpreter at the other end of a socket pair: length, pickled call; length, pickled outcome; in
order. The loop writes and reads these sockets itself, so that a call costs no thread, no queue and no lock: a tenth of
what an executor's does. A worker ends when its socket does, hence with the gateway, however that ends.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog

from adapters.worker import LENGTH
from gateway.exchange.model import Payload

T = TypeVar("T")

LIGHT_BYTES = 24 * 1024
_BUFFER = 1024 * 1024
_MOST = 4
_THREAD_FROM = 128 * 1024  # a result from which reading it back is no work for the loop
# What a small text does not hold: parts, encodings that hide files, archives, markup.
_HEAVY = (b"multipart/", b"message/", b"base64", b"quoted-printable", b"pk\x03\x04", b"<?xml", b"<!")
log = structlog.get_logger("offload")


class WorkerDied(Exception):
    """The worker ended before it answered: killed, or brought down by what it was given."""


class WorkerPool:
    """Worker processes of one gateway: at most `workers`, 0 for one on each processor up to four. For one event loop."""

    def __init__(self, workers: int = 0) -> None:
        self._workers = workers or min(_MOST, os.cpu_count() or 1)
        self._lines: list[_Line] = []
        self._starting: asyncio.Lock | None = None

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """`function(*args)` in a worker. Both must be picklable. A worker that dies is replaced, once.

        Raises what the function raises; `WorkerDied` when two workers in a row died of it.
        """
        call = pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL)
        try:
            result: T = await self._asked(call)
        except WorkerDied:
            log.warning("a worker died and is replaced", function=getattr(function, "__name__", "?"))
            result = await self._asked(call)
        return result

    async def open(self, function: Callable[..., T], payload: Payload, *args: Any) -> T:
        """`function(octets, *args)`: here when they are a small plain text, in a worker otherwise."""
        if payload.data is not None and is_light(payload.data):
            return function(payload.data, *args)
        if payload.spool_path:
            return await self.run(_from_file, function, payload.spool_path, *args)
        return await self.run(function, payload.data, *args)

    def under_way(self) -> int:
        """Calls given to workers and not answered yet."""
        return sum(len(line.waiting) for line in self._lines)

    def close(self) -> None:
        """End the workers."""
        lines, self._lines = self._lines, []
        for line in lines:
            line.end()

    async def _asked(self, call: bytes) -> Any:
        line = await self._free()
        frame = await line.ask(call)
        if len(frame) < _THREAD_FROM:
            succeeded, outcome = pickle.loads(frame)  # noqa: S301  # written by our own process
        else:
            succeeded, outcome = await asyncio.get_running_loop().run_in_executor(None, pickle.loads, frame)
        if succeeded:
            return outcome
        raise outcome

    async def _free(self) -> _Line:
        """The worker with the least to do; a new one while all are busy and more are allowed."""
        best = self._least_busy()
        if best is not None and (not best.waiting or len(self._lines) >= self._workers):
            return best
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            best = self._least_busy()
            if best is None or (best.waiting and len(self._lines) < self._workers):
                best = await _Line.started()
                self._lines.append(best)
        return best

    def _least_busy(self) -> _Line | None:
        self._lines = [line for line in self._lines if line.alive]
        return min(self._lines, key=lambda line: len(line.waiting), default=None)


class _Line(asyncio.Protocol):
    """One worker, and the calls it has not answered yet, oldest first."""

    def __init__(self) -> None:
        self.alive = True
        self.waiting: deque[asyncio.Future[bytes]] = deque()
        self._transport: asyncio.Transport
        self._process: subprocess.Popen[bytes]
        self._pieces: list[bytes] = []
        self._have = 0
        self._need = LENGTH.size
        self._in_head = True

    @classmethod
    async def started(cls) -> _Line:
        """Start a worker. Its imports take a second; calls wait in its socket meanwhile."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-P", "-m", "adapters.worker", str(number)]
            folders = os.pathsep.join(folder or "." for folder in sys.path)
            process = subprocess.Popen(  # noqa: ASYNC220  # returns at once: posix_spawn or vfork
                command, pass_fds=(number,), stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": folders}
            )
        ours.setblocking(False)
        _, line = await asyncio.get_running_loop().create_connection(cls, sock=ours)
        line._process = process
        return line

    async def ask(self, call: bytes) -> bytes:
        """The frame that answers a call. Raises WorkerDied."""
        if not self.alive:
            raise WorkerDied
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        self._transport.writelines((LENGTH.pack(len(call)), call))
        return await answer

    def end(self) -> None:
        """Close the socket: the worker leaves as soon as it has finished."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket pair is open."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Octets of answers."""
        self._pieces.append(data)
        self._have += len(data)
        while self._have >= self._need:
            whole = b"".join(self._pieces) if len(self._pieces) > 1 else self._pieces[0]
            frame, rest = whole[: self._need], whole[self._need :]
            self._pieces, self._have = ([rest], len(rest)) if rest else ([], 0)
            if self._in_head:
                (self._need,) = LENGTH.unpack(frame)
            else:
                self._need = LENGTH.size
                answer = self.waiting.popleft()
                if not answer.done():
                    answer.set_result(frame)
            self._in_head = not self._in_head

    def connection_lost(self, error: Exception | None) -> None:
        """The worker is gone, or we let it go: who waits is told."""
        self.alive = False
        for answer in self.waiting:
            if not answer.done():
                answer.set_exception(WorkerDied())
        self.waiting.clear()
        asyncio.get_running_loop().run_in_executor(None, self._reap)

    def _reap(self) -> None:
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def is_light(octets: bytes) -> bool:
    """A small plain text, opened and judged in a fraction of a millisecond whatever it says."""
    if len(octets) > LIGHT_BYTES:
        return False
    lower = octets.lower()
    return not any(sign in lower for sign in _HEAVY)


def _from_file(function: Callable[..., T], path: str, *args: Any) -> T:
    return function(Path(path).read_bytes(), *args)
