"""Kill a gateway under load, start it again, and hold it to its word.

The outside keeps a ledger: a Message-ID enters it, fsynced, when the gateway has answered 250. After each kill the
gateway comes back on the same data directory, the senders send again what they were never answered for, and then

* every mail of the ledger is there: an accepted exchange, its octets, one mail in the recipient's mailbox, not two;
* a mail that the gateway had made durable without being able to say so comes twice, and the second is flagged;
* what was submitted for another operator arrives there, once;
* the hash chain of the journal holds.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapters.testing.running import RunningGateway, launch
from tests.bench.load import Door, Ledger, Load, Tally, connect, leave, noted, send
from tests.bench.mails import RECIPIENT, Mail, Source, small_mail
from tests.bench.reach import DPI, Reach

RELAYED_TO = "soins@ehpad-les-glycines.val-de-brume.mssante.fr"
LARGE_BYTES = 600_000  # above what is kept in the row: the octets go through a file
SETTINGS = {"PASSERELLE_LEASE_S": "2", "PASSERELLE_RETRY_SPEED": "60", "PASSERELLE_WORKERS": "1"}
START_S = 120.0
SETTLE_S = 90.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one kill showed. `flagged` are mails that came twice; `links` the length of the journal."""

    acknowledged: int
    in_doubt: int
    flagged: int
    links: int


@dataclass(slots=True)
class Stream:
    """One flow of mails: by which door, to which mailbox, and its ledger."""

    name: str
    source: Source
    mailbox: str
    ledger: Ledger
    hop: str  # the door of the exchange that delivers

    def checked(self) -> list[str]:
        """The Message-IDs acknowledged."""
        return noted(self.ledger.path)


@dataclass(slots=True)
class Arena:
    """A data directory, the gateway that lives and dies in it, and what the outside knows."""

    folder: Path
    storage_url: str = ""
    seed: int = 0
    gateway: RunningGateway = field(init=False)
    reach: Reach = field(init=False)
    streams: tuple[Stream, ...] = field(init=False)
    _random: random.Random = field(init=False)
    _seen: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)  # Message-ID -> exchanges
    _last_seq: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.gateway = self._launched()
        self.reach = Reach.of(self.data)
        flows = (
            ("received", Source.of("small"), RECIPIENT, "smtp-reception"),
            ("package", Source.of("xdm"), RECIPIENT, "smtp-reception"),
            ("large", Source.around(small_mail(LARGE_BYTES)), RECIPIENT, "smtp-reception"),
            (
                "submitted",
                Source.around(small_mail(sender=DPI, recipient=RELAYED_TO), DPI, RELAYED_TO),
                RELAYED_TO,
                "smtp-reception",
            ),
        )
        self.streams = tuple(
            Stream(name, source, mailbox, Ledger(self.folder / f"{name}.ledger"), hop)
            for name, source, mailbox, hop in flows
        )

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def _launched(self) -> RunningGateway:
        settings = {**SETTINGS, **({"PASSERELLE_STORAGE__URL": self.storage_url} if self.storage_url else {})}
        return launch(self.data, settings, START_S)

    def _door(self, stream: Stream) -> Door:
        of = self.reach.submission if stream.name == "submitted" else self.reach.reception
        return of(self.gateway)

    def close(self) -> None:
        """Stop what still runs."""
        self.gateway.stop()
        for stream in self.streams:
            stream.ledger.close()

    # ------------------------------------------------------------------------------------------------------------- rounds

    async def round(self) -> Round:
        """Load, kill at a random moment, start again, hold it to its word."""
        tallies = await self._until_killed(self._random.uniform(0.05, 0.9))
        self.gateway = await asyncio.to_thread(self._launched)
        for stream, tally in tallies.items():
            await self._send_again(self._door(self._named(stream)), self._named(stream), tally.in_doubt)
        links = await asyncio.to_thread(self.journal_links)
        flagged = await asyncio.to_thread(self.verify)
        acknowledged = sum(t.accepted for t in tallies.values())
        return Round(acknowledged, sum(len(t.in_doubt) for t in tallies.values()), flagged, links)

    def _named(self, name: str) -> Stream:
        return next(s for s in self.streams if s.name == name)

    async def _until_killed(self, after_s: float) -> dict[str, Tally]:
        killed = asyncio.Event()
        loads = {
            stream.name: asyncio.create_task(
                Load(
                    self._door(stream),
                    stream.source,
                    connections=1 if stream.name == "large" else 3,
                    ledger=stream.ledger,
                    stop=killed.is_set,
                    pause_s=0.05 if stream.name == "large" else 0.002,
                ).run()
            )
            for stream in self.streams
        }
        await asyncio.sleep(after_s)
        killed.set()  # a mail under way is cut; none begins any more
        self.gateway.kill()
        return {name: await task for name, task in loads.items()}

    async def _send_again(self, door: Door, stream: Stream, mails: list[Mail]) -> None:
        """As a real sender does with what it was never answered for."""
        if not mails:
            return
        line = await connect(door)
        for mail in mails:
            code, text = await send(line, mail)
            if code != 250:
                raise AssertionError(f"{stream.name}: {mail.message_id} sent again was answered {text}")
            stream.ledger.note(mail.message_id)
        await leave(line)

    # ------------------------------------------------------------------------------------------------------- verification

    def journal_links(self) -> int:
        """The length of the journal; AssertionError when its chain is broken."""
        proof = self.gateway.get("/journal/proof")
        if not proof["intact"]:
            raise AssertionError(f"the journal is broken: {proof}")
        return int(proof["links"])

    def verify(self) -> int:
        """Every acknowledged mail is there, once. Returns how many came twice. AssertionError names what is missing."""
        deadline = time.monotonic() + SETTLE_S
        while True:  # relays that a dead process had leased are taken over when their lease ends
            self._read_news()
            missing = [m for s in self.streams for m in s.checked() if not self._arrived(m, s.hop)]
            if not missing:
                break
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(missing)} acknowledged mails are not there, the first is {missing[0]}")
            time.sleep(0.2)
        self._verify_mailboxes()
        return sum(1 for rows in self._seen.values() for row in rows if row["summary"].get("duplicate_of"))

    def _read_news(self) -> None:
        last = self._last_seq
        before = 0
        while True:
            page = self.gateway.get("/exchanges", since=self._last_seq, before=before, limit=200)
            for row in page["exchanges"]:
                self._seen.setdefault(row["summary"]["message_id"], []).append(row)
                last = max(last, row["seq"])
            if not page["next"]:
                break
            before = page["next"]
        self._last_seq = last

    def _arrived(self, message_id: str, hop: str) -> bool:
        rows = self._seen.get(message_id, ())
        return any(r["summary"]["door"] == hop and r["summary"]["outcome"].startswith("accept") for r in rows)

    def _verify_mailboxes(self) -> None:
        """Each mail of the ledger is once in its mailbox; a crossing that delivered nothing names the one that did."""
        for mailbox in sorted({s.mailbox for s in self.streams}):
            mails = self.gateway.post("/mailboxes/messages", {"address": mailbox})
            holding = {m["exchange_id"] for m in mails}
            if len(holding) != len(mails):
                raise AssertionError(f"{mailbox}: one exchange delivered several mails")
            for message_id in self._of_mailbox(mailbox):
                crossings = [r for r in self._seen[message_id] if r["summary"]["door"] == "smtp-reception"]
                delivered = [r for r in crossings if r["id"] in holding]
                doubles = [r for r in crossings if r["summary"].get("duplicate_of")]
                if len(delivered) != 1 or len(delivered) + len(doubles) != len(crossings):
                    raise AssertionError(
                        f"{message_id}: {len(delivered)} mails, {len(doubles)} flagged, of {crossings}"
                    )
            self._verify_octets(mails)

    def _of_mailbox(self, mailbox: str) -> Iterator[str]:
        for stream in self.streams:
            if stream.mailbox == mailbox:
                yield from stream.checked()

    def _verify_octets(self, mails: list[Mapping[str, Any]]) -> None:
        """The newest mails, and one at random, are octet for octet what their digest says."""
        for mail in [*mails[-3:], *self._random.sample(mails, min(1, len(mails)))]:
            raw = _raw(self.gateway, mail["exchange_id"])
            if sha256(raw).hexdigest() != mail["sha256"] or len(raw) != mail["size_bytes"]:
                raise AssertionError(f"the octets of {mail['exchange_id']} are not those received")


def _raw(gateway: RunningGateway, exchange_id: str) -> bytes:
    import httpx

    answer = httpx.get(f"{gateway.url}/exchanges/{exchange_id}/raw", headers=gateway.headers, timeout=60)
    answer.raise_for_status()
    return answer.content
