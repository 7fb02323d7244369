"""What the other processes of a PostgreSQL database wrote: LISTEN, and a look each second in case a notification was lost.

A notification carries ids only (process, workspace, sequence numbers, folder numbers), one per group, under the 8,000
octets PostgreSQL allows; a group that changed too much says only that much changed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from adapters.storage.changes import Hub
from adapters.storage.work import Notices

if TYPE_CHECKING:
    import psycopg

_LIMIT = 7_500
_POLL_S = 1.0
_STOP_S = 0.2  # how soon a stop is noticed
_LOG = logging.getLogger("passerelle.storage")


def told_by(notices: Notices) -> dict[str, tuple[str, ...]]:
    """Topics and values of what was written."""
    told: dict[str, tuple[str, ...]] = {f"events:{ws}": (str(seq),) for ws, seq in notices.events.items()}
    for workspace, address, name in notices.folders.values():
        topic = f"mail:{workspace}:{address}"
        told[topic] = (*told.get(topic, ()), name)
    if notices.outbox:
        told["outbox"] = ("",)
    return told


def channel_text(process: str, notices: Notices) -> str:
    """One notification for a group."""
    text = json.dumps(
        {"p": process, "e": notices.events, "f": list(notices.folders), "o": notices.outbox}, separators=(",", ":")
    )
    return text if len(text) < _LIMIT else json.dumps({"p": process, "many": True})


class Listener:
    """A thread with its own connection; it tells the hub and never writes."""

    def __init__(self, dsn: str, process: str, hub: Hub) -> None:
        self._dsn, self._process, self._hub = dsn, process, hub
        self._seen: int | None = None
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-listener", daemon=True)
        self._thread.start()

    def wait_ready(self, timeout_s: float) -> None:
        """Until the first LISTEN is in force, or the time is over."""
        self._ready.wait(timeout_s)

    def close(self) -> None:
        """End the thread; at most one poll later."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        import psycopg

        while not self._stop.is_set():
            try:
                with psycopg.connect(self._dsn, autocommit=True, connect_timeout=5) as connection:
                    connection.execute("LISTEN passerelle")
                    self._ready.set()
                    self._listen(connection)
            except psycopg.Error as error:
                _LOG.warning("listening to the database stopped: %s", str(error).partition("\n")[0])
                self._stop.wait(_POLL_S)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        looked_at = 0.0
        while not self._stop.is_set():
            if time.monotonic() - looked_at >= _POLL_S:
                self._poll(connection)
                looked_at = time.monotonic()
            # A list, because the connection answers nothing else while its notifications are being iterated over.
            for notification in list(connection.notifies(timeout=_STOP_S, stop_after=1)):
                self._hear(connection, notification.payload)

    def _hear(self, connection: psycopg.Connection[Any], payload: str) -> None:
        heard: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            heard = json.loads(payload)
        if heard.get("p") == self._process:
            self._seen = max([self._seen or 0, *heard.get("e", {}).values()])
            return
        if "e" not in heard:
            self._everything(connection)
            return
        notices = Notices(events=heard["e"], outbox=bool(heard["o"]))
        if heard["f"] and self._hub.topics("mail:"):
            rows = connection.execute(
                "SELECT id, workspace_id, address, name FROM folder WHERE id = ANY(%s)", (heard["f"],)
            )
            notices.folders = {row[0]: (row[1], row[2], row[3]) for row in rows}
        self._seen = max([self._seen or 0, *notices.events.values()])
        self._hub.publish(told_by(notices))

    def _poll(self, connection: psycopg.Connection[Any]) -> None:
        row = connection.execute("SELECT event_seq FROM counter WHERE id = 1").fetchone()
        newest = row[0] if row else 0
        if self._seen is None:
            self._seen = newest
        elif newest > self._seen:
            self._everything(connection)

    def _everything(self, connection: psycopg.Connection[Any]) -> None:
        """Something was missed: every topic that somebody listens to is told to look."""
        told: dict[str, tuple[str, ...]] = dict.fromkeys(self._hub.topics("mail:"), ("INBOX",))
        told["outbox"] = ("",)
        for topic in self._hub.topics("events:"):
            row = connection.execute(
                "SELECT max(seq) FROM event WHERE workspace_id = %s", (topic.removeprefix("events:"),)
            ).fetchone()
            if row and row[0]:
                told[topic] = (str(row[0]),)
        row = connection.execute("SELECT event_seq FROM counter WHERE id = 1").fetchone()
        self._seen = max(self._seen or 0, row[0] if row else 0)
        self._hub.publish(told)
