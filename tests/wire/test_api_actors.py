"""One's own actors, end to end: a structure, its operator with its own server, its mailboxes; then a mail for them."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.serialization import pkcs12

from adapters.testing.running import RunningGateway
from tests.support.live import NURSING_HOME, SENDER, api, plain_mail

DOMAIN = "clinique-neuve.exemple.mssante.fr"
BOX = f"secretariat@{DOMAIN}"


class Inbox:
    """What somebody's own server received: the mails, and the certificate that brought them."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.arrived = asyncio.Event()
        self.peer: dict[str, Any] = {}

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert server.transport is not None
        self.peer = server.transport.get_extra_info("peercert") or {}
        self.mails.append(envelope)
        self.arrived.set()
        return "250 2.0.0 pris"


@asynccontextmanager
async def own_server(certificate: Path, key: Path, ca: Path, port: int = 0) -> AsyncIterator[tuple[Inbox, int]]:
    """The SMTP server of a software under test, with the certificate the sandbox gave to its operator."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ca))
    tls.load_cert_chain(certificate, key)
    tls.verify_mode = ssl.CERT_REQUIRED
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    made = await loop.create_server(
        lambda: SMTP(inbox, tls_context=tls, require_starttls=True, hostname="smtp.exemple", loop=loop),
        "127.0.0.1",
        port,
    )
    try:
        yield inbox, made.sockets[0].getsockname()[1]
    finally:
        made.close()
        await made.wait_closed()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def actors_file(address: str) -> str:
    return f"""
operators:
- {{id: op-neuf, name: Opérateur neuf, host: smtp.exemple.mssante.fr, domains: [{DOMAIN}], address: "{address}"}}
structures:
- {{name: Clinique neuve, category: CLINIQUE, city: Brumeval, finess: auto}}
mailboxes:
- {{address: {BOX}, kind: ORG, holder: clinique-neuve, operator: op-neuf}}
"""


@pytest.fixture
def fresh(passerelle: RunningGateway) -> Any:
    yield passerelle
    passerelle.reset(actors=True)


def _written(certificate: dict[str, str], folder: Path) -> tuple[Path, Path]:
    chain, key = folder / "op.pem", folder / "op.key"
    chain.write_text(certificate["certificate_pem"])
    key.write_text(certificate["key_pem"])
    return chain, key


async def test_a_mail_reaches_the_server_of_an_operator_that_was_just_added(
    fresh: RunningGateway, tmp_path: Path
) -> None:
    port = free_port()
    added = fresh.post("/actors", {"filename": "acteurs.yaml", "text": actors_file(f"127.0.0.1:{port}")})
    assert added["added"] == ["operator op-neuf", "structure clinique-neuve", f"mailbox {BOX}"]
    keys = set(added["certificates"])
    assert {"operator:op-neuf", "structure:clinique-neuve:auth-client", "structure:clinique-neuve:sign"} <= keys
    mine = added["certificates"]["operator:op-neuf"]
    bundle = pkcs12.load_pkcs12(base64.b64decode(mine["pkcs12_base64"]), b"passerelle")
    assert bundle.cert is not None
    assert bundle.key is not None
    whitelist = httpx.get(f"http://127.0.0.1:{fresh.port('http')}/listeblanchemssante.xml").text
    assert DOMAIN in whitelist
    async with own_server(*_written(mine, tmp_path), fresh.ca_file, port) as (inbox, _):
        reply = await asyncio.to_thread(fresh.submit, plain_mail("Bienvenue", to=BOX), SENDER, BOX)
        assert reply.code == 250
        await asyncio.wait_for(inbox.arrived.wait(), 20)
        relayed = await asyncio.to_thread(fresh.wait_for, participant=BOX, until="delivered", timeout_s=20)
    (mail,) = inbox.mails
    assert (mail.mail_from, mail.rcpt_tos) == (SENDER, [BOX])
    assert b"Bienvenue" in (mail.content or b"")
    names = [value for rdn in inbox.peer["subject"] for _, value in rdn]
    assert "Messagerie hospitalière du Plateau" in names
    story = fresh.get(f"/exchanges/{relayed['id']}/story")
    assert story["hops"][0]["deliveries"][0]["state"] == "done"


async def test_a_mail_from_that_operator_is_taken_at_our_door(fresh: RunningGateway, tmp_path: Path) -> None:
    added = fresh.post("/actors", {"filename": "a.yaml", "text": actors_file("127.0.0.1:9")})
    certificate = _written(added["certificates"]["operator:op-neuf"], tmp_path)

    def sent() -> int:
        from adapters.testing.clients import send, smtp_session, tls_context

        tls = tls_context(fresh.ca_file, certificate)
        with smtp_session(fresh.port("smtp:op-brume"), tls) as client:
            raw = plain_mail("De l'extérieur", sender=BOX)
            return send(client, raw, BOX, [NURSING_HOME]).code

    assert await asyncio.to_thread(sent) == 250
    exchange = fresh.wait_for(door="smtp-reception", until="delivered")
    assert exchange["summary"]["mail_from"] == BOX


def test_an_address_outside_the_allow_list_is_never_called(fresh: RunningGateway) -> None:
    fresh.post("/actors", {"filename": "a.yaml", "text": actors_file("192.0.2.1:2525")})
    assert fresh.submit(plain_mail("Dehors", to=BOX), SENDER, BOX).code == 250
    deadline = 100
    while not (dead := fresh.get("/deliveries", state="dead")) and deadline:
        deadline -= 1
        with api(fresh) as client:
            client.get("/wait", params={"timeout_s": 0.1, "until": "read"})
    assert "hors de la liste" in dead[0]["last_answer"]


def test_what_cannot_be_an_actor_is_refused_with_every_fault(fresh: RunningGateway) -> None:
    text = "structures:\n- {name: '', finess: '123'}\nmailboxes:\n- {address: nowhere, holder: personne}\n"
    with api(fresh) as client:
        answer = client.post("/actors", json={"filename": "a.yaml", "text": text})
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "actors-refused"
    assert len(body["faults"]) >= 2
    assert all(fault["fr"] and fault["en"] and fault["severity"] for fault in body["faults"])
    with api(fresh) as client:
        assert client.post("/actors", json={}).status_code == 422
        assert client.post("/actors", json={"kind": "planet", "fields": ["name=x"]}).status_code == 422


def test_a_patient_of_ones_own_has_a_dmp_and_stays_masked(fresh: RunningGateway) -> None:
    fields = [
        "family=ESSAI",
        "given=LOUISE",
        "sex=F",
        "birth_date=1984-05-06",
        "birth_place=48901",
        "matricule=auto",
        "status=QUAL",
    ]
    added = fresh.post("/actors", {"kind": "patient", "fields": fields})
    assert added["added"][0].startswith("patient ")
    assert added["certificates"] == {}
    key = added["added"][0].removeprefix("patient ")
    assert key in [p["key"] for p in fresh.get("/patients")]


def test_a_reset_with_actors_brings_the_shipped_territory_back(fresh: RunningGateway) -> None:
    before = {kind: len(rows) for kind, rows in fresh.get("/actors").items()}
    fresh.post("/actors", {"filename": "a.yaml", "text": actors_file("127.0.0.1:9")})
    assert len(fresh.get("/actors")["operator"]) == before["operator"] + 1
    fresh.reset()
    assert len(fresh.get("/actors")["operator"]) == before["operator"] + 1
    fresh.reset(actors=True)
    assert {kind: len(rows) for kind, rows in fresh.get("/actors").items()} == before
    assert fresh.submit(plain_mail("Toujours là"), SENDER, NURSING_HOME).code == 250
    fresh.wait_for(door="smtp-reception", until="delivered")
