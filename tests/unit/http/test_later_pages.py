"""Pages made after the doors open: health at once, everything else as soon as it is there, once."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters.http.later import LaterPages


def saying(words: str, *paths: str) -> Starlette:
    return Starlette(routes=[Route(path, lambda _: PlainTextResponse(words)) for path in paths])


def client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def test_health_answers_while_the_pages_are_made_and_the_others_wait_for_them() -> None:
    release, made = threading.Event(), []

    def make() -> ASGIApp:
        release.wait(30)
        made.append(1)
        return saying("whole", "/health/ready", "/console")

    pages = LaterPages(make, saying("early", "/health/ready"))
    pages.begin()
    async with client(pages) as http:
        waiting = [asyncio.create_task(http.get("/console")) for _ in range(3)]
        assert (await http.get("/health/ready")).text == "early"
        assert not any(task.done() for task in waiting)
        release.set()
        assert [(await task).text for task in waiting] == ["whole"] * 3
        assert (await http.get("/health/ready")).text == "whole"
    assert made == [1]


async def test_pages_that_cannot_be_made_are_an_error_for_each_request_and_not_for_the_stop() -> None:
    def make() -> ASGIApp:
        raise RuntimeError("no template")

    pages = LaterPages(make, saying("early", "/health/ready"))
    await pages.settled()
    async with client(pages) as http:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="no template"):
                await http.get("/console")
        assert (await http.get("/health/ready")).text == "early"


async def test_a_caller_who_leaves_does_not_take_the_pages_with_him() -> None:
    release = threading.Event()

    def make() -> ASGIApp:
        release.wait(30)
        return saying("whole", "/console")

    pages = LaterPages(make, saying("early", "/health/ready"))
    async with client(pages) as http:
        gone = asyncio.create_task(http.get("/console"))
        await asyncio.sleep(0)
        gone.cancel()
        release.set()
        assert (await http.get("/console")).text == "whole"
