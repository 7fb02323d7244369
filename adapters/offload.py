"""Heavy CPU work away from the event loop: worker processes that start at first use."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from gateway.exchange.model import Payload

T = TypeVar("T")

INLINE_BYTES = 1024 * 1024


class WorkerPool:
    """A pool of spawned processes. `forkserver` keeps start cheap and never copies this process's threads and locks."""

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """`function(*args)` in a worker. Both must be picklable. A worker that dies is replaced, once."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._started(), function, *args)
        except BrokenProcessPool:
            self.close()
            return await loop.run_in_executor(self._started(), function, *args)

    async def open(self, function: Callable[..., T], payload: Payload, *args: Any) -> T:
        """`function(octets, *args)`: here when small and in memory, in a worker otherwise."""
        if payload.data is not None and payload.size_bytes <= INLINE_BYTES:
            return function(payload.data, *args)
        if payload.spool_path:
            return await self.run(_from_file, function, payload.spool_path, *args)
        return await self.run(function, payload.data, *args)

    def close(self) -> None:
        """End the workers."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("forkserver")
            self._pool = ProcessPoolExecutor(self._workers, mp_context=context)
        return self._pool


def _from_file(function: Callable[..., T], path: str, *args: Any) -> T:
    return function(Path(path).read_bytes(), *args)
