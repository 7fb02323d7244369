"""Profiles: what a partner is judged by. Each is a set of overrides of the cards, read from `fixtures/profiles.yaml`.

The road applies them in one place: `book.with_overrides({**profile_overrides(profile), **policy.overrides})`, the
workspace's own changes last. Rules read `ctx.profile` only where an exception holds for an exact value (INS-004).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from gateway.rules.book import Override, Overrides
from gateway.rules.model import Severity
from gateway.tables import read_yaml

_STRICT: Overrides = MappingProxyType({})


@cache
def profiles() -> Mapping[str, Overrides]:
    """Every profile by name."""
    return MappingProxyType({name: MappingProxyType(_overrides(name, groups)) for name, groups in _read().items()})


def profile_overrides(profile: str) -> Overrides:
    """The overrides of one profile. A name nobody knows changes nothing: it judges as `strict`."""
    return profiles().get(profile, _STRICT)


def _read() -> Mapping[str, list[Mapping[str, Any]]]:
    read: Mapping[str, list[Mapping[str, Any]]] = read_yaml("profiles.yaml")
    return read


def _overrides(name: str, groups: list[Mapping[str, Any]]) -> dict[str, Override]:
    found: dict[str, Override] = {}
    for group in groups:
        for rule_id in group["rules"]:
            found[rule_id] = Override(Severity(group["severity"]), f"{name}: {group['reason']}")
    return found
