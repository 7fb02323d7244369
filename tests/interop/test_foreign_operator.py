"""A real Postfix as the server of a foreign operator, added by the API: mails and refusals both ways, under mutual TLS."""

from __future__ import annotations

import asyncio
import os
import pwd
import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from adapters.testing.running import launch
from tests.support.correspondents import GERIATRICS, TILLEULS, Letter, Town
from tests.support.postfix import Postfix, free_port, keep_tls, postfix_folder, running_postfix

DOMAIN = "clinique-etrangere.mssante.fr"
ADMISSIONS = f"admissions@{DOMAIN}"
EHPAD = TILLEULS.rpartition("@")[2]


@dataclass
class Foreign:
    """The gateway's town, the foreign operator's Postfix, and what it was given."""

    town: Town
    postfix: Postfix
    mail: Path
    given: dict[str, Any]

    @property
    def delivered(self) -> list[bytes]:
        """The mails Postfix put in its own mailboxes."""
        return [p.read_bytes() for p in sorted(self.mail.rglob("new/*"))]

    async def received(self, count: int = 1) -> list[bytes]:
        for _ in range(200):
            if len(self.delivered) >= count:
                return self.delivered
            await asyncio.sleep(0.1)
        raise AssertionError(f"{len(self.delivered)} of {count} mails\n{self.postfix.log()[-4000:]}")

    async def submit(self, letter: Letter, *recipients: str, dsn: tuple[str, ...] = ()) -> None:
        """An application of the foreign clinic writes, through its own server."""

        def give() -> None:
            with smtplib.SMTP("127.0.0.1", self.postfix.port, "localhost", timeout=10) as client:
                client.sendmail(ADMISSIONS, list(recipients), letter.raw, rcpt_options=list(dsn))

        await asyncio.to_thread(give)

    def letter(self) -> Letter:
        letter = self.town.write(ADMISSIONS, TILLEULS)
        return Letter(letter.message_id, letter.raw)


def add_operator(town: Town, name: str, domain: str, port: int, host: str = f"smtp.{DOMAIN}") -> dict[str, Any]:
    """POST /actors; the certificate that the answer holds."""
    fields = [f"id={name}", f"name={name}", f"host={host}", f"domains={domain}", f"address=127.0.0.1:{port}"]
    answer = town.gateway.post("/actors", {"kind": "operator", "fields": fields})
    (issued,) = answer["certificates"].values()
    return dict(issued)


@asynccontextmanager
async def foreign_postfix(town: Town, folder: Path, issued: dict[str, Any], door: int) -> AsyncIterator[Postfix]:
    """Both directions: `door` takes mail from operators under mutual TLS; what applications hand over leaves the same way."""
    own = keep_tls(
        folder, issued["certificate_pem"].encode(), issued["key_pem"].encode(), town.gateway.data / "pki" / "bundle.pem"
    )
    mail = folder / "mail"
    mail.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(mail, nobody.pw_uid, nobody.pw_gid)
    settings = {
        "myhostname": f"smtp.{DOMAIN}",
        "transport_maps": f"inline:{{ {{ {EHPAD} = smtp:[127.0.0.1]:{town.gateway.port('smtp:op-brume')} }},"
        f" {{ ch-brumeval.val-de-brume.mssante.fr = smtp:[127.0.0.1]:{town.gateway.port('smtp:op-plateau')} }} }}",
        "virtual_mailbox_domains": DOMAIN,
        "virtual_mailbox_base": mail,
        "virtual_mailbox_maps": f"inline:{{ {{ {ADMISSIONS} = admissions/ }} }}",
        "virtual_uid_maps": f"static:{nobody.pw_uid}",
        "virtual_gid_maps": f"static:{nobody.pw_gid}",
        "smtp_tls_security_level": "encrypt",
        "smtp_tls_CAfile": own / "ca.pem",
        "smtp_tls_cert_file": own / "chain.pem",
        "smtp_tls_key_file": own / "key.pem",
        "smtpd_tls_CAfile": own / "ca.pem",
        "smtpd_tls_cert_file": own / "chain.pem",
        "smtpd_tls_key_file": own / "key.pem",
        "smtpd_tls_received_header": "yes",
        "notify_classes": "",
    }
    options = (
        "tls_security_level=encrypt",
        "tls_req_ccert=yes",
        "relay_restrictions=reject_unauth_destination",
    )
    inter = f"127.0.0.1:{door} inet n - n - - smtpd " + " ".join(f"-o smtpd_{o}" for o in options)
    async with running_postfix(folder, settings, (inter,)) as instance:
        yield instance


@pytest.fixture
async def foreign(tmp_path: Path) -> AsyncIterator[Foreign]:
    async with postfix_folder() as folder:
        gateway = launch(tmp_path / "gateway", {"PASSERELLE_RETRY_SPEED": "3600"}, 120)
        try:
            town, door = Town(gateway), free_port()
            issued = add_operator(town, "op-etranger", DOMAIN, door)
            async with foreign_postfix(town, folder, issued, door) as instance:
                yield Foreign(town, instance, folder / "mail", issued)
        finally:
            gateway.stop()


async def test_mails_go_both_ways_under_mutual_tls_with_their_notifications(foreign: Foreign) -> None:
    town = foreign.town

    # to Postfix: it asks for our certificate, verifies it, and delivers the same octets below its own headers
    letter = town.write(GERIATRICS, ADMISSIONS)
    asked = {ADMISSIONS: ["NOTIFY=SUCCESS,FAILURE"]}
    sent = await asyncio.to_thread(town.send, letter, GERIATRICS, [ADMISSIONS], dsn=asked, options=["ENVID=E1"])
    assert sent[0] == 250
    (kept,) = await foreign.received()
    assert kept.endswith(letter.raw.replace(b"\r\n", b"\n"))
    assert b"Client CN" in kept
    assert b"smtp.plateau.val-de-brume.mssante.fr" in kept
    assert "Trusted TLS connection established from" in foreign.postfix.log()
    # Postfix's own report of success comes back to our sender, from the null sender of a listed operator
    (report,) = await asyncio.to_thread(town.wait, lambda: reports_in(town, GERIATRICS), len)
    assert b"Action: delivered" in report or b"Action: relayed" in report
    assert b"Original-Envelope-Id: E1" in report
    assert [h["summary"]["door"] for h in town.story(letter)] == ["smtp-submission", "smtp-reception"]

    # from Postfix: accepted because its DN is listed for its domain
    back = foreign.letter()
    await foreign.submit(back, TILLEULS, dsn=("NOTIFY=SUCCESS",))
    assert "250 2.0.0" in await foreign.postfix.logged(f"to=<{TILLEULS}>")
    found = await asyncio.to_thread(
        town.wait, lambda: [f for f in town.inbox(TILLEULS) if f.mail["Message-ID"] == f"<{back.message_id}>"], len
    )
    assert found[0].raw.endswith(back.raw)
    (arrived,) = town.exchanges(back, "smtp-reception")
    assert arrived["summary"]["sender"].startswith(f"CN=smtp.{DOMAIN},")
    # our report of success reaches the clinic, through its own door
    kept_then = await foreign.received(2)
    told = next(m for m in kept_then if b"Action: delivered" in m)
    assert b"Auto-Submitted: auto-replied" in told
    assert f"In-Reply-To: <{back.message_id}>".encode() in told
    assert message_from_bytes(told, policy=default).get_content_type() == "multipart/report"


async def test_what_postfix_refuses_is_reported_to_our_sender(foreign: Foreign) -> None:
    town, unknown = foreign.town, f"inconnu@{DOMAIN}"
    letter = town.write(GERIATRICS, unknown)
    await asyncio.to_thread(town.send, letter, GERIATRICS, [unknown])
    (found,) = await asyncio.to_thread(town.about, letter, GERIATRICS)
    assert b"Status: 5.1.1" in found.raw
    assert f"Final-Recipient: rfc822; {unknown}".encode() in found.raw
    assert f"Remote-MTA: dns; smtp.{DOMAIN}".encode() in found.raw
    assert foreign.delivered == []


async def test_a_revoked_operator_is_refused_with_the_reason(foreign: Foreign) -> None:
    authority = foreign.town.world.authority
    issued = authority.find("operator:op-etranger")
    assert issued is not None
    authority.revoke(issued)
    await foreign.submit(foreign.letter(), TILLEULS)
    line = await foreign.postfix.logged("status=bounced")
    assert "554 5.7.1" in line
    assert "GW-TLS-04" in line
    # and nothing is sent to it
    town = foreign.town
    letter = town.write(GERIATRICS, ADMISSIONS)
    await asyncio.to_thread(town.send, letter, GERIATRICS, [ADMISSIONS])
    (found,) = await asyncio.to_thread(town.about, letter, GERIATRICS)
    assert b"GW-TLS-04" in found.raw
    bounced = await foreign.received()  # Postfix tells its own sender
    assert all(letter.message_id.encode() not in mail for mail in bounced)


async def test_a_server_whose_certificate_is_not_listed_for_the_domain_gets_nothing_and_the_sender_is_told(
    tmp_path: Path,
) -> None:
    async with postfix_folder() as folder:
        gateway = launch(tmp_path / "gateway", {"PASSERELLE_RETRY_SPEED": "3600"}, 120)
        try:
            town, door = Town(gateway), free_port()
            add_operator(town, "op-etranger", DOMAIN, door)
            # the server shows a certificate of the trust space, for the right host, of an operator of another domain
            other = add_operator(town, "op-voisin", "voisin.mssante.fr", free_port())
            async with foreign_postfix(town, folder, other, door) as instance:
                letter = town.write(GERIATRICS, ADMISSIONS)
                assert (await asyncio.to_thread(town.send, letter, GERIATRICS, [ADMISSIONS]))[0] == 250
                (found,) = await asyncio.to_thread(town.about, letter, GERIATRICS)
                assert b"Status: 5.7." in found.raw
                assert b"GW-TLS-06" in found.raw
                assert "from=<" not in instance.log()
                assert not list((folder / "mail").rglob("new/*"))
                sent = town.story(letter)[0]
                assert sent["deliveries"][0]["state"] == "dead"
        finally:
            gateway.stop()


def reports_in(town: Town, address: str) -> list[bytes]:
    return [f.raw for f in town.inbox(address) if f.mail.get_content_type() == "multipart/report"]
