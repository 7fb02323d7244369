"""How values lie in the columns: JSON as ASCII text, instants as integer microseconds, keys as bounded text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import sha256
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
KEY_LENGTH = 255


def _plain(value: object) -> object:
    """What the JSON encoder does not know: read-only mappings, sets, instants (UTC), enumerations."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{type(value).__name__} does not belong in a JSON record")


# ASCII: a NUL or a lone surrogate of a sender's 8-bit header stays escaped, so both engines take it and give it back.
_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=_plain)


def to_json(value: Any) -> str:
    """A JSON text that both engines store; raises TypeError for what JSON cannot say."""
    return _ENCODER.encode(value if type(value) is dict or type(value) is list else _top(value))


def _top(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value)


def from_json(text: str | None) -> Any:
    """The value of a JSON text; an absent or purged one is an empty record."""
    return json.loads(text) if text else {}


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC. A naive datetime is refused (TypeError): it names no instant."""
    return (at - EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The instant (UTC) of a column."""
    return EPOCH + timedelta(microseconds=value)


def key(value: str) -> str:
    """A value written by someone else, fit for an index of both engines: no NUL, no lone surrogate, at most 255 characters.

    A longer one keeps its beginning and gains its digest, so two different long values stay different.
    """
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    if "\0" in value:
        value = value.replace("\0", "?")
    if len(value) > KEY_LENGTH:
        return value[: KEY_LENGTH - 65] + "~" + sha256(value.encode()).hexdigest()
    return value


def address_key(value: str) -> str:
    """An address as it is compared: lower case."""
    return key(value.lower())
