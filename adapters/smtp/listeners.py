"""The ports: one reception for each operator played here, one submission door for all. Started and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from adapters.smtp.door import Role, Services, SessionLimits
from adapters.smtp.judge import Judge
from adapters.smtp.reception import PatientMode, Reception
from adapters.smtp.server import MssSmtp
from adapters.smtp.submission import PER_MINUTE, SubmissionDoor
from adapters.smtp.wire import SmtpWire

log = structlog.get_logger("smtp")

GRACE_S = 10.0
_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class ListenerPlan:
    """One port to open. `role` is what the door is for; `hostname` is what it calls itself. Port 0 takes a free one."""

    name: str
    role: Role
    judge: Judge
    hostname: str
    port: int

    @classmethod
    def reception(
        cls, services: Services, operator: str, hostname: str, port: int, patients: PatientMode = PatientMode.MES
    ) -> ListenerPlan:
        """The inter-operator port of one operator."""
        role = Reception.of(services, operator, patients)
        return cls(operator, role, role.judge, hostname, port)

    @classmethod
    def submission(cls, services: Services, hostname: str, port: int, per_minute: int = PER_MINUTE) -> ListenerPlan:
        """The clients' port, shared by all operators."""
        role = SubmissionDoor.of(services, per_minute)
        return cls("submission", role, role.judge, hostname, port)


class SmtpListeners:
    """All the SMTP ports of one gateway, in the running event loop. No thread, no other state than open connections."""

    def __init__(
        self, plans: Sequence[ListenerPlan], *, bind: str = "127.0.0.1", limits: SessionLimits = SessionLimits()
    ) -> None:
        self._plans = tuple(plans)
        self._bind = bind
        self._limits = limits
        self._servers: dict[str, asyncio.Server] = {}
        self._members: dict[str, set[SmtpWire]] = {plan.name: set() for plan in self._plans}

    async def start(self) -> Mapping[str, int]:
        """Open every port; the ports by name. Raises OSError naming the door when one is taken; then none stays open."""
        loop = asyncio.get_running_loop()
        try:
            for plan in self._plans:
                try:
                    server = await loop.create_server(
                        self._factory(plan), self._bind, plan.port, backlog=_BACKLOG, reuse_address=True
                    )
                except OSError as error:
                    raise OSError(
                        error.errno, f"SMTP {plan.name}, {self._bind}:{plan.port}: {error.strerror}"
                    ) from error
                self._servers[plan.name] = server
        except OSError:
            await self.stop(0)
            raise
        return self.ports

    def _factory(self, plan: ListenerPlan) -> Callable[[], MssSmtp]:
        members = self._members[plan.name]
        return lambda: MssSmtp(plan.role, plan.judge, self._limits, plan.hostname, members)

    @property
    def ports(self) -> Mapping[str, int]:
        """The port each door listens on, by name (operator id, or `submission`)."""
        return {name: server.sockets[0].getsockname()[1] for name, server in self._servers.items() if server.sockets}

    @property
    def connections(self) -> int:
        """Connections open now."""
        return sum(len(members) for members in self._members.values())

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Accept no more; let transactions end for `grace_s` seconds, then cut what is left."""
        for server in self._servers.values():
            server.close()
        open_now = [member for members in self._members.values() for member in members]
        for member in open_now:
            member.farewell()
        tasks = [m.task for m in open_now if m.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            if late:
                log.warning("connections cut at stop", count=len(late))
                await asyncio.wait(late)
        for server in self._servers.values():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), 1)
        self._servers.clear()
