"""A gateway inside the test process, in a thread with an event loop of its own, and a watch on that loop."""

from __future__ import annotations

import asyncio
import threading
import time
from asyncio import events
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from adapters.app import Gateway
from adapters.settings import PortSettings, load_settings
from tests.bench.load import Door, client_tls
from tests.bench.mails import RECIPIENT_OPERATOR, SENDER_OPERATOR
from tests.bench.reach import HOST

T = TypeVar("T")
FREE_PORTS = PortSettings(smtp=0, submission=0, imap=0, imaps=0, https=0, http=0)


class Hosted:
    """A gateway that runs until `stop`. Use it from any other thread."""

    def __init__(self, data: Path, **settings: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.gateway = Gateway(load_settings(None, data=data, ports=FREE_PORTS, **settings))
        self._thread = threading.Thread(target=self.loop.run_forever, name=f"gateway {data.name}", daemon=True)
        self._thread.start()
        self.call(self.gateway.start())

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 120) -> T:
        """Run a coroutine in the gateway's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def stop(self) -> None:
        """Close every door and end the thread."""
        self.call(self.gateway.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(30)
        self.loop.close()

    def reception(self) -> Door:
        """The recipient's operator, as the sender's operator."""
        authority = self.gateway.authority
        issued = authority.find(f"operator:{SENDER_OPERATOR}")
        assert issued is not None
        tls = client_tls(authority.bundle_path, authority.chain_path(issued), authority.key_path(issued))
        return Door(HOST, self.gateway.ports[f"smtp:{RECIPIENT_OPERATOR}"], tls)

    @property
    def api(self) -> tuple[str, dict[str, str]]:
        """The base of the control API, and the headers it asks for."""
        base = f"http://{HOST}:{self.gateway.ports['http']}/api/v1"
        return base, {"Authorization": f"Bearer {self.gateway.token}"}


@dataclass(slots=True)
class Watch:
    """Processor time that each callback of a loop used at most, in seconds, by its name."""

    worst_s: dict[str, float] = field(default_factory=dict)

    def above(self, limit_s: float) -> dict[str, float]:
        """Those that held the loop longer than `limit_s`."""
        return {name: used for name, used in self.worst_s.items() if used > limit_s}


@contextmanager
def watched(loop: asyncio.AbstractEventLoop) -> Iterator[Watch]:
    """Measure every callback of `loop`: the time of its thread, so that a busy machine accuses nobody."""
    watch, run = Watch(), events.Handle._run

    def measured(handle: events.Handle) -> None:
        if handle._loop is not loop:  # type: ignore[attr-defined]
            run(handle)
            return
        callback = handle._callback  # type: ignore[attr-defined]
        before = _suspended_at(callback)
        started = time.thread_time()
        run(handle)
        used = time.thread_time() - started
        if used > watch.worst_s.get(before, 0.0):
            watch.worst_s[before] = used

    setattr(events.Handle, "_run", measured)  # noqa: B010  # a private name, patched on purpose
    try:
        yield watch
    finally:
        setattr(events.Handle, "_run", run)  # noqa: B010


def _suspended_at(callback: Callable[..., object]) -> str:
    """The name of a callback; for a task, the chain of coroutines it is inside of."""
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return getattr(callback, "__qualname__", None) or repr(callback)
    names: list[str] = []
    inner: Any = task.get_coro()
    while inner is not None and len(names) < 12:
        name = getattr(inner, "__qualname__", "")
        if name:
            names.append(name)
        inner = getattr(inner, "cr_await", None) or getattr(inner, "ag_await", None)
    return " > ".join(names)
