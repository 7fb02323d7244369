"""Submission by clients: passwords, certificates, whose name one may write in, where mail may go."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from gateway.values import Door
from tests.support.smtp_client import RawClient
from tests.support.smtp_world import ALICE, APPLI, BOB, CH, SECRET, Doors, World, open_doors

pytest_plugins = ("tests.support.smtp_fixtures",)


async def enter(doors: Doors, certificate: str | None = None) -> RawClient:
    return await RawClient.secured(doors.ports["submission"], doors.world.pki, certificate)


async def test_an_application_password_lets_a_mailbox_send_in_its_own_name(doors: Doors) -> None:
    client = await enter(doors)
    reply = await client.plain(ALICE, SECRET)
    assert (reply.code, reply.enhanced) == (235, "2.7.0")
    assert [r.code for r in await client.mail(ALICE, BOB)] == [250, 250]
    assert (await client.data()).code == 250
    (taken,) = doors.world.taken
    assert (taken.door, taken.operator) == (Door.SUBMISSION, "nord")
    assert (taken.sender.kind, taken.sender.name, taken.sender.operator) == ("mailbox", ALICE, "nord")
    assert taken.attributes["auth"] == "PLAIN"


async def test_auth_is_announced_only_under_tls_and_external_only_with_a_certificate(doors: Doors) -> None:
    client = await RawClient.connect(doors.ports["submission"])
    assert not any("AUTH" in line for line in (await client.say("EHLO a")).lines)
    assert (await client.plain(ALICE, SECRET)).code == 503
    assert "AUTH PLAIN LOGIN" in (await (await enter(doors)).say("EHLO a")).lines
    assert "AUTH PLAIN LOGIN EXTERNAL" in (await (await enter(doors, "appli")).say("EHLO a")).lines


async def test_login_asks_for_name_and_password_one_by_one_and_mechanisms_have_no_case(doors: Doors) -> None:
    client = await enter(doors)
    assert (await client.say("auth login")).lines == ["VXNlcm5hbWU6"]
    assert (await client.say(b64encode(ALICE.encode()).decode())).lines == ["UGFzc3dvcmQ6"]
    assert (await client.say(b64encode(SECRET.encode()).decode())).code == 235


async def test_plain_without_initial_response_is_challenged(doors: Doors) -> None:
    client = await enter(doors)
    assert (await client.say("AUTH PLAIN")).code == 334
    assert (await client.say(b64encode(f"\0{ALICE}\0{SECRET}".encode()).decode())).code == 235


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("AUTH PLAIN ***", 501),
        ("AUTH PLAIN " + b64encode(b"sans zero").decode(), 501),
        ("AUTH PLAIN " + b64encode(b"\0\xff\xfe\0x").decode(), 501),
        ("AUTH PLAIN " + b64encode(f"{BOB}\0{ALICE}\0{SECRET}".encode()).decode(), 501),
        ("AUTH CRAM-MD5", 504),
        ("AUTH", 504),
    ],
)
async def test_a_malformed_auth_is_refused_and_the_session_goes_on(doors: Doors, line: str, code: int) -> None:
    client = await enter(doors)
    assert (await client.say(line)).code == code
    assert (await client.plain(ALICE, SECRET)).code == 235


async def test_auth_may_be_abandoned(doors: Doors) -> None:
    client = await enter(doors)
    await client.say("AUTH LOGIN")
    assert (await client.say("*")).code == 501


async def test_wrong_passwords_are_refused_journalled_without_the_secret_and_end_the_session(doors: Doors) -> None:
    client = await enter(doors)
    for address in (ALICE, f"inconnu@{CH}", ALICE):
        reply = await client.plain(address, "mauvais-secret")
        assert (reply.code, reply.enhanced) == (535, "5.7.8")
        assert "GW-ENV-11" in reply.text
    assert (await client.reply()).code == 421
    assert await client.closed()
    assert doors.world.refused_rules == [["GW-ENV-11"]] * 3
    assert "mauvais-secret" not in repr(doors.world.events)


async def test_nobody_submits_without_a_name(doors: Doors) -> None:
    client = await enter(doors)
    reply = await client.say(f"MAIL FROM:<{ALICE}>")
    assert (reply.code, reply.enhanced) == (530, "5.7.0")
    assert "GW-ENV-09" in reply.text


async def test_nobody_submits_in_the_name_of_another(doors: Doors) -> None:
    client = await enter(doors)
    await client.plain(ALICE, SECRET)
    reply = await client.say(f"MAIL FROM:<collegue@{CH}>")
    assert (reply.code, reply.enhanced) == (550, "5.7.1")
    assert "GW-ENV-10" in reply.text


async def test_an_acknowledgement_may_have_the_null_sender(doors: Doors) -> None:
    client = await enter(doors)
    await client.plain(ALICE, SECRET)
    assert (await client.say("MAIL FROM:<>")).code == 250


async def test_a_suspended_mailbox_does_not_send(doors: Doors) -> None:
    client = await enter(doors)
    assert (await client.plain(f"suspendu@{CH}", SECRET)).code == 235
    assert "GW-ENV-12" in (await client.say(f"MAIL FROM:<suspendu@{CH}>")).text


async def test_recipients_outside_the_trust_space_are_refused_one_by_one(doors: Doors) -> None:
    client = await enter(doors)
    await client.plain(ALICE, SECRET)
    replies = await client.mail(
        ALICE, "x@messagerie.example", f"x@service.{CH}", f"inconnu@{CH}", f"collegue@{CH}", BOB
    )
    assert [r.code for r in replies] == [250, 550, 550, 550, 250, 250]
    assert "GW-ENV-05" in replies[1].text
    assert "GW-ENV-05" in replies[2].text
    assert "GW-ENV-02" in replies[3].text
    assert (await client.data()).code == 250
    assert doors.world.taken[0].envelope is not None
    assert doors.world.taken[0].envelope.recipients == (f"collegue@{CH}", BOB)


async def test_the_certificate_of_its_structure_opens_an_application_mailbox(doors: Doors) -> None:
    client = await enter(doors, "appli")
    assert (await client.say("AUTH EXTERNAL " + b64encode(APPLI.encode()).decode())).code == 235
    assert [r.code for r in await client.mail(APPLI, BOB)] == [250, 250]
    assert (await client.data()).code == 250
    taken = doors.world.taken[0]
    assert (taken.sender.name, taken.attributes["auth"]) == (APPLI, "EXTERNAL")
    assert taken.sender.fingerprint == doors.world.pki.issued["appli"].fingerprint


async def test_external_without_a_name_takes_the_only_mailbox_of_the_certificate(doors: Doors) -> None:
    client = await enter(doors, "appli")
    assert (await client.say("AUTH EXTERNAL =")).code == 235
    assert (await client.say(f"MAIL FROM:<{APPLI}>")).code == 250


async def test_the_certificate_alone_is_enough_to_write_as_its_application_mailbox(doors: Doors) -> None:
    client = await enter(doors, "appli")
    assert (await client.say(f"MAIL FROM:<{APPLI}>")).code == 250
    await client.say("RSET")
    assert (await client.say(f"MAIL FROM:<{ALICE}>")).code == 530


@pytest.mark.parametrize("certificate", ["sud", "expired", "other-bal"])
async def test_the_certificate_of_another_structure_or_mailbox_or_a_bad_one_opens_nothing(
    doors: Doors, certificate: str
) -> None:
    client = await enter(doors, certificate)
    reply = await client.say("AUTH EXTERNAL " + b64encode(APPLI.encode()).decode())
    assert reply.code in (535, 554)
    assert (await client.say(f"MAIL FROM:<{APPLI}>")).code == 530


async def test_a_mailbox_that_sends_too_fast_is_slowed_down(world: World, tmp_path: Path) -> None:
    opened = await open_doors(world, tmp_path, per_minute=2)
    try:
        client = await RawClient.secured(opened.ports["submission"], world.pki)
        await client.plain(ALICE, SECRET)
        codes = []
        for _ in range(3):
            codes.append((await client.say(f"MAIL FROM:<{ALICE}>")).code)
            await client.say("RSET")
        assert codes[:2] == [250, 250]
        assert codes[2] in (451, 250)  # 250 only when the minute turned in between
    finally:
        await opened.listeners.stop(1)


async def test_too_many_recipients_are_put_off(doors: Doors) -> None:
    doors.world.limit(recipients=2)
    client = await enter(doors)
    await client.plain(ALICE, SECRET)
    replies = await client.mail(ALICE, BOB, f"a@{CH}", f"collegue@{CH}", BOB, "x@patient.mssante.fr")
    assert [r.code for r in replies] == [250, 250, 550, 250, 250, 452]
    assert "GW-ENV-06" in replies[5].text
