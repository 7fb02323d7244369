"""A real Postfix as the relay of a foreign operator: mandatory TLS with its client certificate, DSN, refusals, retries.

Its own configuration, queue and data folders, loopback only; started and stopped by the test, by its own instance.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.postfix import Postfix, keep_tls, postfix_folder, running_postfix
from tests.support.smtp_world import ALICE, AWAY, BOB, EHPAD, Doors

pytest_plugins = ("tests.support.smtp_fixtures",)


@pytest.fixture
async def postfix(doors: Doors) -> AsyncIterator[Postfix]:
    """An instance that relays everything to one port of ours."""
    async with postfix_folder() as folder:
        chain, key = doors.world.pki.files("nord")
        own = keep_tls(folder, Path(chain), Path(key), Path(doors.world.pki.ca))
        settings = {
            "myhostname": "smtp.nord.mssante.fr",
            "relayhost": f"[127.0.0.1]:{doors.ports['sud']}",
            "smtp_tls_security_level": "secure",
            "smtp_tls_secure_cert_match": "smtp.sud.mssante.fr",
            "smtp_tls_CAfile": own / "ca.pem",
            "smtp_tls_cert_file": own / "chain.pem",
            "smtp_tls_key_file": own / "key.pem",
        }
        async with running_postfix(folder, settings) as instance:
            yield instance


async def hand_over(postfix: Postfix, *recipients: str, dsn: bool = False, subject: str = "lettre") -> None:
    """Give Postfix a mail to relay, as an application would."""
    import smtplib

    def give() -> None:
        with smtplib.SMTP("127.0.0.1", postfix.port, "localhost", timeout=10) as client:
            options = ["NOTIFY=SUCCESS,FAILURE"] if dsn else []
            body = f"Message-ID: <{subject}@postfix>\r\nSubject: {subject}\r\n\r\n.point\r\nfin\r\n"
            client.sendmail(ALICE, list(recipients), body, rcpt_options=options)

    await asyncio.to_thread(give)


async def test_postfix_relays_to_an_operator_with_its_client_certificate(doors: Doors, postfix: Postfix) -> None:
    await hand_over(postfix, BOB, dsn=True)
    line = await postfix.logged("status=sent")
    assert "250 2.0.0" in line
    assert "Verified TLS connection established to 127.0.0.1" in postfix.log()
    (taken,) = doors.world.taken
    assert taken.sender.fingerprint == doors.world.pki.issued["nord"].fingerprint
    assert taken.envelope is not None
    assert set(taken.envelope.dsn[BOB].notify) == {"SUCCESS", "FAILURE"}
    assert taken.envelope.dsn[BOB].orcpt.lower() == f"rfc822;{BOB}"
    assert doors.world.bytes_taken[0].endswith(b"\r\n\r\n.point\r\nfin\r\n")


async def test_postfix_bounces_what_we_refuse_for_good_and_defers_the_rest_with_our_words(
    doors: Doors, postfix: Postfix
) -> None:
    await hand_over(postfix, BOB, AWAY, f"inconnu@{EHPAD}")
    await postfix.logged("status=bounced", "GW-ENV-02")
    await postfix.logged("status=deferred", "GW-ENV-03")
    await postfix.logged("status=sent", BOB)
    assert doors.world.taken[0].envelope is not None
    assert doors.world.taken[0].envelope.recipients == (BOB,)


async def test_postfix_keeps_a_mail_that_we_cannot_store_and_sends_it_again(doors: Doors, postfix: Postfix) -> None:
    doors.world.unavailable = True
    await hand_over(postfix, BOB)
    assert "4.3.0" in await postfix.logged("status=deferred")
    doors.world.unavailable = False
    await postfix.run("postqueue", "-f")
    await postfix.logged("status=sent")
    assert len(doors.world.taken) == 1
