"""Reception from operators: who may speak for a domain, and which recipients are ours. Real sockets, real certificates."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from adapters.pki.model import Profile, Subject
from adapters.smtp.reception import PatientMode
from gateway.exchange.model import DsnRequest
from gateway.rules.model import Action, Family, Finding, Severity
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.values import Door, PlaceKind, Text, Where
from tests.support.smtp_client import MESSAGE, RawClient, client_tls
from tests.support.smtp_world import ALICE, AWAY, BOB, CH, EHPAD, FULL, GONE, MES, Doors, World, open_doors

pytest_plugins = ("tests.support.smtp_fixtures",)


async def sud(doors: Doors, certificate: str | None = "nord") -> RawClient:
    """Connected to the operator of the EHPAD, as the operator of the hospital."""
    return await RawClient.secured(doors.ports["sud"], doors.world.pki, certificate)


async def handshake_and_speak(client: RawClient, context: ssl.SSLContext) -> None:
    """TLS 1.3 tells a client that it was refused only at its first read."""
    await client.writer.start_tls(context, server_hostname="localhost")
    await client.say("EHLO a.example")


async def test_a_mail_between_operators_reaches_the_road_with_all_that_is_known_of_it(doors: Doors) -> None:
    client = await sud(doors)
    assert (await client.say(f"MAIL FROM:<{ALICE}> SIZE=60 RET=HDRS ENVID=QQ314")).code == 250
    assert (await client.say(f"RCPT TO:<{BOB.upper()}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y")).code == 250
    reply = await client.data()
    assert (reply.code, reply.text) == (250, "2.0.0 Accepte x1")
    (taken,) = doors.world.taken
    assert (taken.door, taken.operator, taken.workspace) == (Door.RECEPTION, "sud", "demo")
    assert taken.sender.kind == "certificate"
    assert taken.sender.name == doors.world.pki.issued["nord"].dn
    assert taken.sender.fingerprint == doors.world.pki.issued["nord"].fingerprint
    assert taken.sender.operator == "nord"
    assert taken.envelope is not None
    assert (taken.envelope.mail_from, taken.envelope.recipients) == (ALICE, (BOB,))
    assert (taken.envelope.ret, taken.envelope.envid) == ("HDRS", "QQ314")
    assert taken.envelope.dsn[BOB] == DsnRequest(("SUCCESS", "DELAY"), "rfc822;x@y")
    assert taken.attributes["tls"].startswith("TLSv1.")
    assert taken.attributes["helo"] == "essai.example"
    assert taken.payload.sha256 == hashlib.sha256(MESSAGE).hexdigest()
    assert doors.world.bytes_taken == [MESSAGE]


async def test_extensions_that_need_encryption_are_announced_only_under_it(doors: Doors) -> None:
    client = await RawClient.connect(doors.ports["sud"])
    before = (await client.say("EHLO a.example")).lines
    assert before[1:] == ["SIZE 26214400", "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS"]
    secured = await sud(doors)
    after = (await secured.say("EHLO a.example")).lines
    assert after[1:] == ["SIZE 26214400", "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"]


async def test_mail_before_starttls_is_refused_and_journalled(doors: Doors) -> None:
    client = await RawClient.connect(doors.ports["sud"])
    await client.say("EHLO a.example")
    reply = await client.say(f"MAIL FROM:<{ALICE}>")
    assert (reply.code, reply.enhanced) == (530, "5.7.0")
    assert "STARTTLS" in reply.text
    assert doors.world.refused_rules == [["GW-TLS-11"]]


@pytest.mark.parametrize(
    ("certificate", "code", "rule"),
    [
        (None, 554, "GW-TLS-01"),
        ("expired", 554, "GW-TLS-02"),
        ("revoked", 554, "GW-TLS-04"),
        ("sud", 550, "GW-TLS-06"),
        ("cn-diff", 550, "GW-TLS-07"),
        ("other-ca", 554, "GW-TLS-05"),
    ],
)
async def test_a_certificate_that_may_not_speak_for_the_domain_is_refused_at_mail_with_its_reason(
    doors: Doors, certificate: str | None, code: int, rule: str
) -> None:
    client = await sud(doors, certificate)
    reply = await client.say(f"MAIL FROM:<{ALICE}>")
    assert (reply.code, reply.enhanced) == (code, "5.7.1")
    assert rule in reply.text
    event = doors.world.events[-1]
    assert event.kind == "refused"
    assert rule in event.data["rules"]
    assert event.data["stage"] == "MAIL"
    assert event.data["operator"] == "sud"
    assert (await client.say("RCPT TO:<x@y.fr>")).code == 503


async def test_a_certificate_not_made_for_clients_dies_in_the_handshake_and_the_journal_says_so(doors: Doors) -> None:
    client = await RawClient.connect(doors.ports["sud"])
    await client.say("EHLO a.example")
    await client.say("STARTTLS")
    with pytest.raises(OSError):
        await handshake_and_speak(client, client_tls(doors.world.pki, "wrong-eku"))
    event = doors.world.events[-1]
    assert (event.kind, event.data["stage"]) == ("refused", "TLS")
    assert "GW-TLS-09" in event.data["rules"]


async def test_an_unlisted_sender_domain_is_refused(doors: Doors) -> None:
    client = await sud(doors)
    reply = await client.say("MAIL FROM:<x@inconnu.mssante.fr>")
    assert (reply.code, reply.enhanced) == (550, "5.7.1")
    assert "GW-TLS-08" in reply.text


async def test_a_child_of_a_listed_domain_is_not_listed(doors: Doors) -> None:
    client = await sud(doors)
    assert (await client.say(f"MAIL FROM:<x@service.{CH}>")).code == 550


async def test_the_null_sender_needs_only_a_listed_certificate(doors: Doors) -> None:
    client = await sud(doors)
    assert [r.code for r in await client.mail("", BOB)] == [250, 250]
    assert (await client.data()).code == 250
    assert doors.world.taken[0].envelope is not None
    assert doors.world.taken[0].envelope.mail_from == ""


async def test_a_revocation_acts_on_the_next_connection(doors: Doors) -> None:
    pki = doors.world.pki
    subject = Subject("smtp.nord.mssante.fr", "OPERATEUR NORD", "1990000011", "Lozère (48)")
    pki.issued["second"] = pki.authority.issue(Profile.SERVER, subject, key="second:nord")
    client = await sud(doors, "second")
    assert (await client.say(f"MAIL FROM:<{ALICE}>")).code == 250
    pki.authority.revoke(pki.issued["second"])
    client = await sud(doors, "second")
    assert "GW-TLS-04" in (await client.say(f"MAIL FROM:<{ALICE}>")).text


@pytest.mark.parametrize(
    ("recipient", "code", "enhanced", "rule"),
    [
        (f"inconnu@{EHPAD}", 550, "5.1.1", "GW-ENV-02"),
        (GONE, 550, "5.1.1", "GW-ENV-02"),
        (AWAY, 450, "4.2.1", "GW-ENV-03"),
        (FULL, 452, "4.2.2", "GW-ENV-04"),
        (f"collegue@{CH}", 550, "5.7.1", "GW-ENV-01"),
        ("x@ailleurs.example", 550, "5.7.1", "GW-ENV-01"),
    ],
)
async def test_a_recipient_is_refused_alone_with_its_reason_and_the_others_are_kept(
    doors: Doors, recipient: str, code: int, enhanced: str, rule: str
) -> None:
    client = await sud(doors)
    replies = await client.mail(ALICE, recipient, BOB)
    assert (replies[1].code, replies[1].enhanced) == (code, enhanced)
    assert rule in replies[1].text
    assert replies[2].code == 250
    assert (await client.data()).code == 250
    assert doors.world.taken[0].envelope is not None
    assert doors.world.taken[0].envelope.recipients == (BOB,)
    assert doors.world.refused_rules == [[rule]]


async def test_a_citizen_is_always_accepted_as_mon_espace_sante_does(doors: Doors) -> None:
    client = await sud(doors)
    replies = await client.mail(ALICE, f"279035121518989@{MES}", f"pas-un-matricule@{MES}")
    assert [r.code for r in replies] == [250, 250, 250]


async def test_in_strict_mode_a_malformed_citizen_address_is_refused_and_a_matricule_is_masked(
    world: World, tmp_path: Path
) -> None:
    opened = await open_doors(world, tmp_path, patients=PatientMode.STRICT)
    try:
        client = await RawClient.secured(opened.ports["sud"], world.pki, "nord")
        replies = await client.mail(ALICE, f"pas-un-matricule@{MES}", f"279035121518989@{MES}")
        assert (replies[1].code, replies[1].enhanced) == (553, "5.1.3")
        assert "GW-ENV-16" in replies[1].text
        assert (replies[2].code, replies[2].enhanced) == (550, "5.1.1")
        assert "279035121518989" not in replies[2].text
        assert "279035121518989" not in repr(world.events)
    finally:
        await opened.listeners.stop(1)


async def test_auth_is_not_offered_to_operators(doors: Doors) -> None:
    client = await sud(doors)
    assert (await client.plain(ALICE, "x")).code == 503


async def test_a_message_the_road_refuses_is_answered_with_its_rules(doors: Doors, world: World) -> None:
    card = Text("fr", "en")
    finding = Finding(
        "GW-RIGHTS-01", Family.RIGHTS, Severity.BLOCKING, Action.REJECT, "mail",
        Where(PlaceKind.SMTP, "RCPT"), "", "", (), card, card, card, "",
    )  # fmt: skip
    world.decide = lambda _: Decision(Outcome.REJECT, Integration.STOPPED, (finding,))
    client = await sud(doors)
    await client.mail(ALICE, BOB)
    reply = await client.data()
    assert (reply.code, reply.enhanced) == (554, "5.7.1")
    assert "GW-RIGHTS-01" in reply.text


async def test_many_mails_travel_on_one_connection(doors: Doors) -> None:
    client = await sud(doors)
    for n in range(20):
        await client.mail(ALICE, BOB)
        assert (await client.data(b"Subject: %d\r\n\r\n" % n)).code == 250
    assert [raw.split()[1] for raw in doors.world.bytes_taken] == [b"%d" % n for n in range(20)]


async def test_a_recipient_named_twice_receives_once(doors: Doors) -> None:
    client = await sud(doors)
    assert [r.code for r in await client.mail(ALICE, BOB, BOB)] == [250, 250, 250]
    await client.data()
    assert doors.world.taken[0].envelope is not None
    assert doors.world.taken[0].envelope.recipients == (BOB,)
