"""Time, identifiers, workers, couriers, INSi, keys, workspaces: what the core never reaches for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from gateway.directory.model import Territory
from gateway.exchange.model import Payload
from gateway.insi.model import CardData, Ins, LocalIdentity, SearchResult, VerifyResult
from gateway.ports.rows import Delivery
from gateway.sandbox.model import Policy

T = TypeVar("T")


class Clock(Protocol):
    """Time. `now` is real, timezone-aware UTC; `today` and `virtual_now` follow the workspace's virtual clock."""

    def now(self) -> datetime: ...

    def virtual_now(self, workspace: str) -> datetime: ...


class Ids(Protocol):
    """Identifiers that nobody can guess and that sort by time (UUIDv7 as 32 hex digits)."""

    def new(self) -> str: ...


class Offload(Protocol):
    """Runs a pure, picklable function out of the event loop (worker process), for messages too large to open inline."""

    async def run(self, function: Callable[..., T], *args: Any) -> T: ...

    async def open(self, function: Callable[..., T], payload: Payload, *args: Any) -> T:
        """`function(octets of the payload, *args)`: here when it is small and in memory, else in a worker process."""
        ...


class Courier(Protocol):
    """Sends one delivery over its wire."""

    async def deliver(self, delivery: Delivery, raw: bytes) -> Delivered: ...


@dataclass(frozen=True, slots=True)
class RecipientOutcome:
    """What became of one recipient of a mail: accepted, refused for good, or to be tried again."""

    address: str
    accepted: bool
    permanent: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The native answer of the other side. `permanent` failures are not tried again.

    `recipients` tells them apart when there are several: `accepted` then means that nobody is left to try again and
    somebody was reached; those refused for good are owed a notification. `notifies`: the other side took over the duty
    to tell of success (RFC 3461 §5.2.2).
    """

    accepted: bool
    permanent: bool
    answer: str
    reason: str = ""
    recipients: tuple[RecipientOutcome, ...] = ()
    notifies: bool = False


class InsRegistry(Protocol):
    """INSi, as those who need it see it. A failure is an answer (`Unavailable`, `Refused`), never an exception."""

    async def search(self, person: LocalIdentity) -> SearchResult:
        """Search by traits, trying the given names as the CNDA asks."""
        ...

    async def search_card(self, card: CardData) -> SearchResult:
        """Search with what a carte Vitale told."""
        ...

    async def verify(self, ins: Ins, person: LocalIdentity) -> VerifyResult:
        """Whether an INS and traits agree with the national base."""
        ...


class Signer(Protocol):
    """Signs with a key that never leaves its adapter; `certificate` is DER."""

    @property
    def certificate(self) -> bytes: ...

    def sign(self, data: bytes, digest: str) -> bytes:
        """RSA PKCS#1 v1.5 signature over `data`; digest is `sha256` or `sha1`."""
        ...


class Sandboxes(Protocol):
    """The live workspaces: their policy and their actors, always whole and in memory."""

    def policy(self, workspace: str) -> Policy: ...

    def territory(self, workspace: str) -> Territory: ...

    def workspace_of_domain(self, domain: str) -> str:
        """The workspace whose territory holds a mail domain; the default one when nobody does."""
        ...

    def workspace_of_certificate(self, fingerprint: str) -> str:
        """The workspace a certificate (SHA-256, hex) was issued for; '' when unknown."""
        ...
