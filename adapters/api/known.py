"""What the API and the console stand on: the gateway's parts, handed in once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.api.streams import Streams
from gateway.directory.actors import ActorsRead
from gateway.exchange.insi import Insi
from gateway.exchange.model import Event
from gateway.ports import Clock, InsRegistry, Offload, Sandboxes, Store
from gateway.rules import RuleBook
from gateway.sandbox.model import Policy

AddActors = Callable[[str, ActorsRead], Awaitable[Mapping[str, Any]]]
Restore = Callable[[str, bool], Awaitable[None]]
SetOverrides = Callable[[str, Policy, Event], Awaitable[None]]
CallInsi = Callable[[str, str], Awaitable[InsRegistry]]


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Parts of one gateway.

    `hosts` are the Host values answered; `add_actors` also certifies; `restore` puts back what a reset takes away: the
    patients' DMPs and, when told so, the shipped actors; `ports` are the open doors; `closing` is set when the gateway
    stops, so that live streams end.
    """

    store: Store
    sandboxes: Sandboxes
    clock: Clock
    offload: Offload
    book: RuleBook
    token: str
    hosts: frozenset[str]
    add_actors: AddActors
    restore: Restore
    ports: Mapping[str, int] = field(default_factory=dict)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    streams: Streams = field(default_factory=Streams)
    insi: Insi | None = None  # whose incidents may be switched
    set_overrides: SetOverrides | None = None  # makes a workspace's changes to the rules durable, with their event
    registry: CallInsi | None = None  # INSi as a structure of a workspace calls it
