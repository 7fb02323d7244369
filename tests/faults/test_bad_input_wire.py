"""Bad input at the SMTP doors of a live gateway: the native refusal and its reason, an exchange when octets came,
nothing half-stored, and the neighbours of the hostile connection served meanwhile."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from adapters.testing.running import RunningGateway, launch
from gateway.directory.territory import demo_passwords
from gateway.documents.build_cda import build_cda
from gateway.documents.build_xdm import METADATA
from gateway.messaging.compose import Draft
from gateway.samples.parts import SECRETARIAT, TILLEULS, Bench, in_metadata, in_utf16, plus, without
from tests.bench.load import Line, connect, leave, send
from tests.bench.mails import Mail, Source, on_the_wire, small_mail
from tests.bench.reach import Reach

GLYCINES = "soins@ehpad-les-glycines.val-de-brume.mssante.fr"
BYSTANDER = "soins@ehpad-la-source.val-de-brume.mssante.fr"
LIMIT = 2_000_000
SETTLE_S = 60.0
BENCH = Bench(datetime(2025, 3, 17, 10, 30, tzinfo=timezone(timedelta(hours=1))))


@dataclass
class House:
    """A live gateway and the ways in."""

    gateway: RunningGateway
    reach: Reach

    async def operator(self) -> Line:
        """A connection of the hospital's operator to that of the nursing homes."""
        return await connect(self.reach.reception(self.gateway))

    async def secretariat(self) -> Line:
        """A connection of the secretariat at the submission door."""
        line = await connect(self.reach.door(self.gateway.port("submission"), None))
        word = b64encode(f"\0{SECRETARIAT}\0{demo_passwords()[SECRETARIAT]}".encode())
        assert (await line.say(b"AUTH PLAIN " + word + b"\r\n"))[0] == 235
        return line

    def mails_in(self, address: str) -> int:
        return len(self.gateway.post("/mailboxes/messages", {"address": address}))

    def exchange(self, message_id: str, door: str) -> Mapping[str, Any]:
        """What the journal kept of a mail, with its findings."""
        found = self.gateway.get("/exchanges", message_id=message_id, door=door)["exchanges"]
        assert len(found) == 1, message_id
        exchange: Mapping[str, Any] = self.gateway.get(f"/exchanges/{found[0]['id']}")
        return exchange

    def refusals(self) -> list[Mapping[str, Any]]:
        return [e["data"] for e in self._events() if e["kind"] == "refused"]

    def _events(self) -> list[Mapping[str, Any]]:
        events: list[Mapping[str, Any]] = []
        while page := self.gateway.get("/journal", since=events[-1]["seq"] if events else 0, limit=1000)["events"]:
            events += page
        return events

    @property
    def spooled(self) -> list[str]:
        """Files left by messages under way."""
        return [p.name for p in (self.gateway.data / "spool").iterdir()]

    def deliveries(self) -> int:
        return len(self.gateway.get("/deliveries"))

    @asynccontextmanager
    async def neighbour(self) -> AsyncIterator[Callable[[], Any]]:
        """Another connection; calling it sends a sound mail, which must be taken, whatever happens elsewhere."""
        line = await self.operator()
        source = replace(Source.of("small"), recipient=BYSTANDER)

        async def still_served() -> None:
            code, text = await send(line, source.next())
            assert code == 250, text

        await still_served()
        yield still_served
        await still_served()
        await leave(line)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("gateway")
    gateway = launch(data, {"PASSERELLE_POLICY__MAIL_BYTES": str(LIMIT), "PASSERELLE_LANG": "en"}, 120)
    try:
        yield House(gateway, Reach.of(data))
    finally:
        gateway.stop()


def _letter(name: str, **how: Any) -> bytes:
    return BENCH.mail(name, BENCH.record(name), **how)


def _repacked(name: str, change: Any) -> bytes:
    return _letter(name, package=BENCH.repacked(name, BENCH.record(name), change))


def _with_document(name: str, document: bytes) -> bytes:
    return _letter(name, package=BENCH.package(name, BENCH.record(name), document))


def _typed(data: bytes) -> bytes:
    """The same XML behind a document type that defines an entity."""
    end = data.index(b"?>") + 2
    return data[:end] + b'\n<!DOCTYPE x [<!ENTITY e "boum">]>' + data[end:]


def _no_package(draft: Draft) -> Draft:
    return replace(draft, attachments=draft.attachments[1:])


def _two_packages(draft: Draft) -> Draft:
    return replace(draft, attachments=(draft.attachments[0], *draft.attachments))


def _long_line(name: str) -> bytes:
    raw = small_mail(sender=SECRETARIAT).replace(b"\r\n\r\n", b"\r\n\r\n" + b"mot " * 400, 1)
    return raw.replace(b"a-remplacer@", f"{name}@".encode(), 1)


def _eight_bit_header(name: str) -> bytes:
    return re.sub(
        rb"(?m)^MIME-Version", "X-Service: Gériatrie aiguë\r\nMIME-Version".encode("latin-1"), _letter(name), count=1
    )


Build = Callable[[str], bytes]
REFUSED: Mapping[str, tuple[Build, str]] = {
    "a zip bomb": (lambda n: _repacked(n, plus("IHE_XDM/SUBSET01/DOC0002.XML", bytes(60_000_000))), "ABU-02"),
    "a name that climbs": (lambda n: _repacked(n, plus("../../../etc/crontab", b"*")), "ABU-03"),
    "metadata cut in the middle": (lambda n: _repacked(n, in_metadata(lambda d: d[: len(d) // 2])), "XDM-02"),
    "no metadata": (lambda n: _repacked(n, without(METADATA)), "XDM-02"),
    "two packages": (lambda n: _letter(n, edit=_two_packages), "ECO-13"),
    "a document type in the metadata": (lambda n: _repacked(n, in_metadata(_typed)), "ABU-01"),
    "a document type in the document": (lambda n: _with_document(n, _typed(build_cda(BENCH.record(n)))), "ABU-01"),
}
ACCEPTED: Mapping[str, tuple[Build, str]] = {
    "a document in UTF-16": (lambda n: _with_document(n, in_utf16(build_cda(BENCH.record(n)))), ""),
    "a line of more than 1,000 octets": (_long_line, "ECO-11"),
    "an 8-bit header": (_eight_bit_header, "ECO-10"),
}


def _mail(raw: bytes, recipient: str = TILLEULS) -> Mail:
    found = re.search(rb"(?im)^Message-ID: <([^>]+)>", raw)
    return Mail.of(found[1].decode() if found else "", raw, SECRETARIAT, recipient)


def _name(case: str) -> str:
    return "mauvais-" + re.sub(r"[^a-z0-9]+", "-", case.lower())


@pytest.mark.parametrize("case", REFUSED)
async def test_a_submission_that_cannot_be_is_refused_with_its_rule_and_leaves_nothing(house: House, case: str) -> None:
    build, rule = REFUSED[case]
    mail = _mail(build(_name(case)))
    before, work = house.mails_in(TILLEULS), house.deliveries()
    async with house.neighbour() as still_served:
        line = await house.secretariat()
        code, _ = await send(line, mail)
        await still_served()
        assert code == 554
        assert (await line.say(b"NOOP\r\n"))[0] == 250, "the session goes on"
        await leave(line)
    exchange = house.exchange(mail.message_id, "smtp-submission")
    assert exchange["summary"]["outcome"] == "reject"
    assert rule in exchange["summary"]["rules"]
    assert rule in exchange["summary"]["answer"]
    spoken = next(f for f in exchange["findings"] if f["rule"] == rule)
    assert spoken["cure"]["en"]
    assert spoken["where"]["path"]
    assert (house.mails_in(TILLEULS), house.deliveries(), house.spooled) == (before, work, [])


@pytest.mark.parametrize("case", ACCEPTED)
async def test_what_is_only_clumsy_is_accepted_with_its_finding(house: House, case: str) -> None:
    build, rule = ACCEPTED[case]
    mail = _mail(build(_name(case)))
    async with house.neighbour():
        line = await house.secretariat()
        code, text = await send(line, mail)
        assert code == 250, text
        await leave(line)
    exchange = house.exchange(mail.message_id, "smtp-submission")
    assert rule in ("", *exchange["summary"]["rules"])
    assert house.spooled == []


async def test_a_regulated_subject_without_its_package_is_told(house: House) -> None:
    mail = _mail(_letter("mauvais-sans-archive", edit=_no_package))
    line = await house.secretariat()
    code, _ = await send(line, mail)
    await leave(line)
    exchange = house.exchange(mail.message_id, "smtp-submission")
    assert code == (554 if exchange["summary"]["outcome"] == "reject" else 250)
    assert exchange["findings"], "a subject that announces a package, and none"


@pytest.mark.parametrize("rule", ["ABU-01", "ABU-02", "ABU-03"])
async def test_abuse_is_refused_on_reception_too(house: House, rule: str) -> None:
    case = next(c for c, (_, r) in REFUSED.items() if r == rule)
    mail = _mail(REFUSED[case][0](_name(case)))
    before = house.mails_in(TILLEULS)
    line = await house.operator()
    code, text = await send(line, mail)
    assert (code, text[4:9]) == (554, "5.6.0")
    await leave(line)
    assert house.exchange(mail.message_id, "smtp-reception")["summary"]["outcome"] == "reject"
    assert (house.mails_in(TILLEULS), house.spooled) == (before, [])


async def test_a_message_cut_short_is_told_and_nothing_of_it_is_delivered(house: House) -> None:
    mail = _mail(
        _letter("mauvais-coupe", edit=lambda d: replace(d, message_id="coupe@ch-brumeval.val-de-brume.mssante.fr"))
    )
    before = house.mails_in(TILLEULS)
    async with house.neighbour() as still_served:
        line = await house.operator()
        for command in (mail.mail_from, mail.rcpt_to, b"DATA\r\n"):
            await line.say(command)
        line.transport.write(mail.data[: len(mail.data) // 2])
        await asyncio.sleep(0.2)
        line.transport.close()
        await still_served()
    await _until(lambda: bool(house.gateway.get("/exchanges", rule="GW-ENV-15")["exchanges"]))
    (cut,) = house.gateway.get("/exchanges", rule="GW-ENV-15")["exchanges"]
    assert (cut["summary"]["outcome"], cut["summary"]["door"]) == ("reject", "smtp-reception")
    assert (house.mails_in(TILLEULS), house.spooled) == (before, [])


async def _until(holds: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE_S
    while not await asyncio.to_thread(holds):
        assert loop.time() < deadline
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\n\n.\r\n", b"\r\n\x00.\r\n"]
)
async def test_only_crlf_dot_crlf_ends_a_message_and_nothing_is_smuggled_behind_another_end(
    house: House, end: bytes
) -> None:
    """The octets after a false end are content: no second mail, nothing in the mailbox they name."""
    raw = Source.of("small").next()
    smuggled = b"MAIL FROM:<" + SECRETARIAT.encode() + b">\r\nRCPT TO:<" + GLYCINES.encode() + b">\r\nDATA\r\nPasse\r\n"
    before, meanwhile = house.mails_in(TILLEULS), house.mails_in(GLYCINES)
    line = await house.operator()
    for command in (raw.mail_from, raw.rcpt_to, b"DATA\r\n"):
        await line.say(command)
    code, text = await line.say(raw.data.removesuffix(b"\r\n.\r\n") + end + smuggled + b"\r\n.\r\n")
    assert code == 250, text
    assert (await line.say(b"NOOP\r\n"))[0] == 250, "one message, one answer"
    await leave(line)
    assert (house.mails_in(TILLEULS), house.mails_in(GLYCINES)) == (before + 1, meanwhile)


async def test_without_its_end_a_message_is_never_taken(house: House) -> None:
    mail = Source.of("small").next()
    before = house.mails_in(TILLEULS)
    line = await house.operator()
    for command in (mail.mail_from, mail.rcpt_to, b"DATA\r\n"):
        await line.say(command)
    line.transport.write(mail.data.removesuffix(b"\r\n.\r\n") + b"\n.\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(line.reply(), 1.0)
    line.transport.close()
    await _until(lambda: house.spooled == [])
    assert house.mails_in(TILLEULS) == before


async def test_a_size_that_lies_changes_nothing_but_a_size_above_the_limit_is_refused_at_once(house: House) -> None:
    mail = Source.of("small").next()
    line = await house.operator()
    code, _ = await line.say(mail.mail_from.replace(b">\r\n", b"> SIZE=%d\r\n" % (LIMIT + 1)))
    assert code == 552
    assert (await send(line, replace(mail, mail_from=mail.mail_from.replace(b">\r\n", b"> SIZE=10\r\n"))))[0] == 250
    before = house.mails_in(TILLEULS)
    flood = on_the_wire(
        b"Message-ID: <enorme@ch-brumeval.val-de-brume.mssante.fr>\r\n\r\n" + (b"x" * 76 + b"\r\n") * 30_000
    )
    code, text = await send(
        line, replace(mail, mail_from=mail.mail_from.replace(b">\r\n", b"> SIZE=10\r\n"), data=flood)
    )
    assert (code, "GW-ENV-08" in text) == (552, True)
    assert (await line.say(b"NOOP\r\n"))[0] == 250
    await leave(line)
    assert (house.mails_in(TILLEULS), house.spooled) == (before, [])


async def test_an_unknown_mailbox_is_refused_alone_and_journalled(house: House) -> None:
    mail = Source.of("small").next()
    line = await house.operator()
    await line.say(mail.mail_from)
    code, text = await line.say(b"RCPT TO:<personne@ehpad-les-tilleuls.val-de-brume.mssante.fr>\r\n")
    assert (code, text[4:9]) == (550, "5.1.1")
    assert (await line.say(mail.rcpt_to))[0] == 250, "the others are kept"
    await leave(line)
    assert any("GW-ENV-02" in r["rules"] for r in house.refusals())


async def test_a_slow_client_holds_nobody_up(house: House) -> None:
    mail = Source.of("small").next()
    async with house.neighbour() as still_served:
        line = await house.operator()
        for command in (mail.mail_from, mail.rcpt_to, b"DATA\r\n"):
            await line.say(command)
        step = len(mail.data) // 20 + 1
        for start in range(0, len(mail.data), step):
            line.transport.write(mail.data[start : start + step])
            await still_served()
        assert (await line.reply())[0] == 250
        await leave(line)
    assert house.exchange(mail.message_id, "smtp-reception")["summary"]["outcome"] == "accept"


async def test_headers_of_eight_bits_and_no_header_at_all_are_no_reason_to_fail(house: House) -> None:
    line = await house.operator()
    for raw in (b"\xff\xfe\x00\x01", b"\r\n", b"Subject: \xe9t\xe9\r\n\r\n\xe9\r\n", b": \r\n:\r\n\r\n"):
        code, _ = await send(line, Mail.of("", raw))
        assert code in (250, 554)
    assert (await line.say(b"NOOP\r\n"))[0] == 250
    await leave(line)


def test_after_all_this_the_journal_holds(house: House) -> None:
    assert house.gateway.get("/journal/proof")["intact"]
