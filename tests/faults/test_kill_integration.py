"""kill -9 between the commit of a reception and the end of its integration: a restart integrates it, once.

A random kill hardly ever falls there, so the process kills itself at a point told by its environment: once the decision is
taken and nothing of it is written (what a kill anywhere since the reception leaves), then just after it was written.
"""

from __future__ import annotations

import contextlib
import os
import smtplib
from pathlib import Path
from textwrap import dedent

from adapters.player.world import world_of
from adapters.testing.running import GatewayDidNotStart, RunningGateway, launch
from tests.support.correspondents import GERIATRICS, TILLEULS, Letter, Town
from tests.support.indexes import TILLEULS as HOME
from tests.support.indexes import act, integrated, record_of, waiting

CRASH = dedent(
    """
    import os, signal

    point = os.environ.get("CRASH_AT", "")
    if point:
        from adapters.outbox import Outbox
        from gateway.exchange.integration import INTEGRATE, Integrator

        def die():
            open(os.environ["CRASH_MARK"], "w").close()
            os.kill(os.getpid(), signal.SIGKILL)

        integrate, one = Integrator.integrate, Outbox._one

        async def dying_integrate(self, delivery):
            made = await integrate(self, delivery)
            if point == "decided":
                die()
            return made

        async def dying_one(self, delivery, busy):
            await one(self, delivery, busy)
            if point == "committed" and delivery.kind == INTEGRATE:
                die()

        Integrator.integrate, Outbox._one = dying_integrate, dying_one
    """
)


def start(folder: Path, crash_at: str = "") -> RunningGateway:
    """A gateway of one data directory that dies at a point."""
    path = os.pathsep.join(filter(None, (str(folder / "crash"), os.environ.get("PYTHONPATH", ""))))
    settings = {"PASSERELLE_LEASE_S": "0.5", "PASSERELLE_WORKERS": "1", "PYTHONPATH": path}
    crash = {"CRASH_AT": crash_at, "CRASH_MARK": str(folder / f"died-{crash_at}")}
    return launch(folder / "data", {**settings, **crash}, 120)


def died(gateway: RunningGateway) -> None:
    """Wait until it killed itself."""
    try:
        assert gateway.process.wait(60) == -9
    finally:
        gateway.kill()


def test_a_reception_that_was_committed_is_integrated_once_whatever_kills_fall_around_it(tmp_path: Path) -> None:
    (tmp_path / "crash").mkdir()
    (tmp_path / "crash" / "sitecustomize.py").write_text(CRASH, encoding="utf-8")
    gateway = start(tmp_path, "decided")
    act(gateway, record_of(gateway, HOME, "R0001"), "status", event="proof-invalidated")
    town, sent = Town(gateway), _letter(gateway)
    with contextlib.suppress(smtplib.SMTPException, OSError):  # it may die before it could answer
        town.send_as_operator("op-plateau", _operator(gateway), sent, GERIATRICS, [TILLEULS])
    died(gateway)
    with contextlib.suppress(GatewayDidNotStart):  # it may die before it is ready
        died(start(tmp_path, "committed"))
    assert {p.name for p in tmp_path.glob("died-*")} == {"died-decided", "died-committed"}
    gateway = start(tmp_path)
    try:
        town = Town(gateway)
        (reception,) = town.exchanges(sent, "smtp-reception")
        done = integrated(gateway, reception["id"])
        assert (done["summary"]["integration"], done["summary"]["integration_row"]) == ("stopped", 2)
        kinds = [e["kind"] for e in gateway.get(f"/exchanges/{reception['id']}/events")]
        assert kinds.count("quarantined") == 1
        assert [f["rule"] for f in done["findings"]].count("INS-178") == 1
        assert len(waiting(gateway)) == 1
        mine = [m for m in town.inbox(TILLEULS) if m.mail["Message-ID"] == f"<{sent.message_id}>"]
        assert [m.flags for m in mine] == [("$Quarantaine",)]
        town.about(sent, GERIATRICS)
        notices = [h for h in town.story(sent) if h["summary"]["door"] == "notice"]
        assert len(notices) == 1
        assert gateway.get("/journal/proof")["intact"]
    finally:
        gateway.stop()


def _letter(gateway: RunningGateway) -> Letter:
    """A letter of liaison whose sender asks to be told."""
    world = world_of(gateway)
    patient, author = world.patient("delmas-suzanne"), world.professional("vannier-claire")
    record = world.record("lettre-sortie", patient, world.structure("ch-brumeval"), author)
    mail = world.mail(GERIATRICS, TILLEULS, record)
    return Letter(mail.message_id, f"Disposition-Notification-To: <{GERIATRICS}>\r\n".encode() + mail.raw)


def _operator(gateway: RunningGateway) -> str:
    serving = world_of(gateway).territory.operator_of_domain(TILLEULS.rpartition("@")[2])
    assert serving is not None
    return serving.id
