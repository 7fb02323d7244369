"""The journal live: Server-Sent Events that resume, that end with their reader, and that never hold a stop back."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from adapters.api import streams
from adapters.api.live import sequence_of, stream
from adapters.api.problems import Problem
from adapters.api.streams import EventStream, Streams
from adapters.storage import open_store
from adapters.testing.running import RunningGateway, start_gateway
from gateway.exchange.model import Event
from gateway.ports import AppendEvent
from tests.support.live import NURSING_HOME, SENDER, api, plain_mail
from tests.support.reference import need_tool

# ------------------------------------------------------------------------------------------------- on a live gateway


def events_in(lines: Iterator[str]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(id, kind, data) of each event of a stream."""
    found: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            found[name] = value
        elif "data" in found:
            yield int(found["id"]), found["event"], json.loads(found["data"])
            found = {}


def test_events_come_as_they_happen_and_resume_where_a_reader_left(passerelle: RunningGateway) -> None:
    with api(passerelle) as client, client.stream("GET", "/events") as live:
        assert live.headers["content-type"].startswith("text/event-stream")
        assert live.headers["cache-control"] == "no-store"
        told = events_in(live.iter_lines())
        passerelle.submit(plain_mail(), SENDER, NURSING_HOME)
        seen = [next(told) for _ in range(6)]
    kinds = [kind for _, kind, _ in seen]
    assert kinds[:2] == ["received", "decided"]
    assert {"delivered", "relayed"} <= set(kinds)
    ids = [number for number, _, _ in seen]
    assert ids == sorted(ids)
    with api(passerelle) as client:
        resumed = {"Last-Event-ID": str(ids[2])}
        with client.stream("GET", "/events", headers=resumed, params={"since": 0}) as live:
            again = events_in(live.iter_lines())
            assert [next(again)[0] for _ in range(3)] == ids[3:]
        with client.stream("GET", "/events", params={"since": ids[0]}) as live:
            assert next(events_in(live.iter_lines()))[0] == ids[1]


def test_curl_follows_the_journal(passerelle: RunningGateway) -> None:
    curl = need_tool("curl", "apt-get install curl")
    passerelle.submit(plain_mail(), SENDER, NURSING_HOME)
    token = f"Authorization: Bearer {passerelle.run['token']}"
    done = subprocess.run(
        [curl, "-sSN", "--max-time", "2", "-H", token, f"{passerelle.url}/events?since=0"], capture_output=True
    )
    kinds = [kind for _, kind, _ in events_in(iter(done.stdout.decode().splitlines()))]
    assert kinds[:2] == ["received", "decided"]


def test_a_reader_who_never_reads_holds_nobody_else(passerelle: RunningGateway) -> None:
    asked = (
        f"GET /api/v1/events?since=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {passerelle.run['token']}\r\n\r\n"
    )
    slow = []
    try:
        for _ in range(8):
            one = socket.create_connection(("127.0.0.1", passerelle.port("http")))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.sendall(asked.encode())
            slow.append(one)
        with passerelle.smtp(SENDER) as session:
            for number in range(60):
                session.sendmail(SENDER, [SENDER], plain_mail(f"n° {number}", to=SENDER))
        assert passerelle.wait_for(door="smtp-submission")["summary"]["subject"] == "n° 0"
        with api(passerelle) as client, client.stream("GET", "/events", params={"since": 0}) as live:
            told = events_in(live.iter_lines())
            assert sum(1 for _, _ in zip(range(180), told, strict=False)) == 180
    finally:
        for one in slow:
            one.close()


def test_ctrl_c_ends_though_streams_are_open(tmp_path: Path) -> None:
    with start_gateway(tmp_path / "data") as gateway:
        with api(gateway) as client, client.stream("GET", "/events") as live, client.stream("GET", "/events") as other:
            lines = live.iter_lines()
            assert next(lines).startswith("retry:")
            assert next(other.iter_lines()).startswith("retry:")
            assert gateway.stop() == 0
            assert not [line for line in lines if line.startswith("data:")]
        log = (tmp_path / "data" / "gateway.log").read_text(encoding="utf-8")
    assert "graceful shutdown exceeded" not in log, "the streams were cut by force"
    assert "Traceback" not in log


# --------------------------------------------------------------------------------------------------- one stream alone


@dataclass
class Counted:
    """A store that counts who listens to it."""

    store: Any
    opened: int = 0
    closed: int = 0
    topics: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def subscribe(self, topic: str) -> AsyncIterator[str]:
        counted, inner = self, self.store.subscribe(topic)
        self.opened += 1
        self.topics.append(topic)

        class Listening:
            def __aiter__(self) -> AsyncIterator[str]:
                return self  # type: ignore[return-value]

            async def __anext__(self) -> str:
                return str(await anext(inner))

            async def aclose(self) -> None:
                counted.closed += 1
                await inner.aclose()

        return Listening()  # type: ignore[return-value]


@pytest.fixture
async def known(tmp_path: Path) -> AsyncIterator[Any]:
    store = Counted(await open_store(f"sqlite:///{tmp_path / 'x.sqlite'}", tmp_path))
    yield SimpleNamespace(store=store, closing=asyncio.Event(), streams=Streams())
    await store.store.close()


async def happen(known: Any, kind: str) -> None:
    await known.store.commit(AppendEvent(Event(kind, datetime.now(UTC), "demo")))


async def test_a_stream_that_its_reader_leaves_stops_listening(known: Any) -> None:
    lines = stream(known, "demo", 0)
    assert (await anext(lines)).startswith("retry:")
    await happen(known, "one")
    assert "event: one" in await anext(lines)
    await lines.aclose()  # type: ignore[attr-defined]
    assert (known.store.opened, known.store.closed) == (1, 1)


async def test_a_client_gone_while_too_slow_to_take_a_line_leaves_no_listener(known: Any) -> None:
    for number in range(20):
        await happen(known, f"n{number}")
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def stuck(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    response = EventStream(known.streams.one_more(stream(known, "demo", 0)))
    answering = asyncio.create_task(response({"type": "http"}, receive, stuck))
    while known.streams.open == 0:
        await asyncio.sleep(0.005)
    gone.set()
    await asyncio.wait_for(answering, 5)
    assert known.streams.open == 0
    assert known.store.opened == known.store.closed == 1


async def test_streams_end_when_the_gateway_closes_and_when_the_store_does(known: Any) -> None:
    for end in (known.closing.set, None):
        lines = stream(known, "demo", 0)
        await anext(lines)
        ending = asyncio.ensure_future(anext(lines, None))
        await asyncio.sleep(0.02)
        if end is None:
            known.closing.clear()
            await known.store.store.close()
        else:
            end()
        assert await asyncio.wait_for(ending, 5) in (None, ": still here\n\n")
        await lines.aclose()  # type: ignore[attr-defined]
    assert known.store.opened == known.store.closed


async def test_there_is_a_last_stream(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STREAMS", 2)
    opened = [known.streams.one_more(stream(known, "demo", 0)) for _ in range(2)]
    for lines in opened:
        await anext(lines)
    with pytest.raises(Problem) as refused:
        known.streams.one_more(stream(known, "demo", 0))
    assert (refused.value.status, refused.value.code) == (503, "too-many-streams")
    await opened[0].aclose()
    await anext(known.streams.one_more(stream(known, "demo", 0)))


@pytest.mark.parametrize(("header", "since", "start"), [("7", 3, 7), ("", 3, 3), ("", None, None), ("٣", 3, 3)])
def test_only_a_sequence_number_of_ours_is_a_place_to_resume(header: str, since: int | None, start: int | None) -> None:
    assert sequence_of(header, since) == start
    assert sequence_of("9" * 40, since) == since


def test_a_wait_does_not_outlive_its_client(passerelle: RunningGateway) -> None:
    with api(passerelle) as client, pytest.raises(httpx.ReadTimeout):
        client.get("/wait", params={"timeout_s": 120}, timeout=0.3)
    assert passerelle.get("/health")["status"] == "ready"
