"""The live workspaces: policies and territories held in memory, changed only through the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from gateway.directory.model import Territory
from gateway.directory.territory import territory_from_records
from gateway.exchange.model import Event
from gateway.ports import AppendEvent, PutActors, PutWorkspace, Store
from gateway.rules import Override, Severity
from gateway.sandbox.model import DEFAULT_WORKSPACE, Limits, MdnMode, Policy, SignatureMode, TlsMode, Vigilance

ActorRecord = tuple[str, str, Mapping[str, Any]]


class LiveSandboxes:
    """Implements `gateway.ports.Sandboxes`. A change is committed first, then the whole territory is rebuilt."""

    def __init__(self, store: Store, default_policy: Policy) -> None:
        self._store = store
        self._default_policy = default_policy
        self._policies: dict[str, Policy] = {}
        self._territories: dict[str, Territory] = {}
        self._domains: dict[str, str] = {}
        self._certificates: dict[str, str] = {}

    async def load(self) -> None:
        """Read every workspace from the store."""
        self._policies[DEFAULT_WORKSPACE] = self._default_policy
        for workspace, record in await self._store.workspaces():
            self._policies[workspace] = policy_from_record(record.get("policy", {}), self._default_policy)
        for workspace in self._policies:
            await self.reload(workspace)

    async def reload(self, workspace: str) -> None:
        """Rebuild one territory from its records."""
        records = await self._store.actors(workspace)
        self._certificates.update((key, workspace) for kind, key, _ in records if kind == "certificate")
        territory = territory_from_records(r for r in records if r[0] != "certificate")
        self._territories[workspace] = territory
        for operator in territory.operators.values():
            for domain in operator.domains:
                self._domains.setdefault(domain, workspace)

    async def put(self, workspace: str, actors: Iterable[ActorRecord]) -> None:
        """Store actors durably, then make them live."""
        await self._store.commit(PutActors(workspace, tuple(actors)))
        await self.reload(workspace)

    async def create(self, workspace: str, title: str, policy: Policy) -> None:
        """Create or change a workspace."""
        await self._store.commit(PutWorkspace(workspace, {"title": title, "policy": policy_to_record(policy)}))
        self._policies[workspace] = policy
        await self.reload(workspace)

    async def set_overrides(self, workspace: str, policy: Policy, event: Event) -> None:
        """Make a workspace's changes to the rules durable, with what the journal says of them, then live.

        The rest of its policy stays where it comes from: a default workspace follows the settings.
        """
        records = dict(await self._store.workspaces())
        held = records.get(workspace, {}).get("policy", {})
        kept = {**held, "overrides": policy_to_record(policy)["overrides"]}
        await self._store.commit(PutWorkspace(workspace, {"policy": kept}), AppendEvent(event))
        self._policies[workspace] = policy

    def names(self) -> tuple[str, ...]:
        """Every workspace."""
        return tuple(self._policies)

    def policy(self, workspace: str) -> Policy:
        """The policy in force."""
        return self._policies.get(workspace, self._default_policy)

    def territory(self, workspace: str) -> Territory:
        """The actors, whole."""
        return self._territories.get(workspace, _EMPTY)

    def workspace_of_domain(self, domain: str) -> str:
        """Whose domain it is."""
        return self._domains.get(domain.casefold(), DEFAULT_WORKSPACE)

    def workspace_of_certificate(self, fingerprint: str) -> str:
        """Whose certificate it is; '' when unknown."""
        return self._certificates.get(fingerprint, "")


_NONE: Mapping[str, Any] = MappingProxyType({})
_EMPTY = Territory(_NONE, _NONE, _NONE, _NONE, _NONE, ())


def policy_to_record(policy: Policy) -> dict[str, Any]:
    """A policy as JSON."""
    overrides = {
        rule: {
            "severity": o.severity.value if o.severity else None,
            "reason": o.reason,
            "by": o.by,
            "at": o.at.isoformat() if o.at else "",
        }
        for rule, o in policy.overrides.items()
    }
    return {
        "vigilance": policy.vigilance.value,
        "profile": policy.profile,
        "ins_environment": policy.ins_environment,
        "insi_verification_days": policy.insi_verification_days,
        "partial": policy.partial,
        "tls_mode": policy.tls_mode.value,
        "dmp_signature": policy.dmp_signature.value,
        "mdn": policy.mdn.value,
        "limits": asdict(policy.limits),
        "overrides": overrides,
    }


def policy_from_record(record: Mapping[str, Any], default: Policy) -> Policy:
    """A policy from JSON; what it does not say stays as in `default`."""
    overrides = {
        rule: Override(
            Severity(o["severity"]) if o["severity"] else None,
            o["reason"],
            o.get("by") or "?",
            datetime.fromisoformat(o["at"]) if o.get("at") else None,
        )
        for rule, o in record.get("overrides", {}).items()
    }
    return replace(
        default,
        vigilance=Vigilance(record.get("vigilance", default.vigilance)),
        profile=record.get("profile", default.profile),
        ins_environment=record.get("ins_environment", default.ins_environment),
        insi_verification_days=record.get("insi_verification_days", default.insi_verification_days),
        partial=record.get("partial", default.partial),
        tls_mode=TlsMode(record.get("tls_mode", default.tls_mode)),
        dmp_signature=SignatureMode(record.get("dmp_signature", default.dmp_signature)),
        mdn=MdnMode(record.get("mdn", default.mdn)),
        limits=Limits(**{**asdict(default.limits), **record.get("limits", {})}),
        overrides=MappingProxyType(overrides or dict(default.overrides)),
    )
