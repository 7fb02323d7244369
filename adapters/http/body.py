"""The body of a request, read as it comes: never more than its door takes, nor longer than a patient server waits.

What went wrong on the wire is told as an issue under the rule its door gives it; the octets that came are kept as
evidence.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from gateway.documents.model import Issue
from gateway.exchange.model import Payload
from gateway.rules import Hit
from gateway.values import PlaceKind, Text, Where

KEPT_OF_REFUSED = 64 * 1024  # octets kept of a body refused for its size: the evidence, not the burden

_BODY = Where(PlaceKind.HTTP, "body")
_ENCODING = Where(PlaceKind.HTTP, "Content-Encoding")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a body may take, in seconds: between two chunks, and in all."""

    idle_s: float = 20.0
    whole_s: float = 300.0


@dataclass(frozen=True, slots=True)
class BodyRules:
    """The rules of a door for a body compressed, over the size, too slow, cut short."""

    encoded: str
    too_large: str
    too_slow: str
    cut: str


@dataclass(frozen=True, slots=True)
class Received:
    """What came: the octets, what broke if anything, and the size the client announced (0 when it did not)."""

    payload: Payload
    broken: Issue | None
    declared: int


async def receive(request: Request, limit: int, patience: Patience, rules: BodyRules) -> Received:
    """Read the body of one request, `limit` octets at most. Never raises for what the client does."""
    declared = request.headers.get("content-length", "")
    announced = int(declared) if declared.isdecimal() and len(declared) < 16 else 0
    if encoding := request.headers.get("content-encoding", ""):
        issue = Issue(rules.encoded, Hit(_ENCODING, encoding[:40], "identity"))
        return Received(_payload(b"", hashlib.sha256()), issue, announced)
    if announced > limit:
        return Received(_payload(b"", hashlib.sha256()), _over(rules, announced, limit), announced)
    body, digest, broken = await _read(request, limit, patience, rules, announced)
    if broken is not None and broken.rule_id == rules.too_large:
        body = body[:KEPT_OF_REFUSED]
        digest = hashlib.sha256(body)
    return Received(_payload(body, digest), broken, announced)


async def _read(
    request: Request, limit: int, patience: Patience, rules: BodyRules, announced: int
) -> tuple[bytes, hashlib._Hash, Issue | None]:
    chunks: list[bytes] = []
    digest = hashlib.sha256()  # fed as octets come: a large body hashed at once would hold the event loop
    size = 0
    broken: Issue | None = None
    expected = f"{announced or '?'} octets"
    stream = request.stream()
    try:
        async with asyncio.timeout(patience.whole_s):
            while True:
                async with asyncio.timeout(patience.idle_s):
                    chunk = await anext(stream, None)
                if chunk is None:
                    break
                size += len(chunk)
                if size > limit:
                    broken = _over(rules, size, limit)
                    break
                digest.update(chunk)
                chunks.append(chunk)
    except TimeoutError:
        broken = Issue(rules.too_slow, Hit(_BODY, f"{size} octets", expected))
    except ClientDisconnect:
        broken = Issue(rules.cut, Hit(_BODY, _cut_after(size), expected))
    return b"".join(chunks), digest, broken


def _cut_after(size: int) -> Text:
    return Text(f"connexion coupée après {size} octets", f"connection cut after {size} octets")


def _over(rules: BodyRules, size: int, limit: int) -> Issue:
    return Issue(rules.too_large, Hit(_BODY, f"{size} octets", f"{limit} octets"))


def _payload(body: bytes, digest: hashlib._Hash) -> Payload:
    return Payload(len(body), digest.hexdigest(), body)
