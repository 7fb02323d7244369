"""Matricules planted in every field that a client controls, against a live gateway; then everything that came out is read.

Left out of what is read: the octets themselves (`/raw`, IMAP), and what a protocol answers to who asked by the matricule
(registry entries, RESULTAT of INSi). The matricules belong to nobody; one was born in the territory, one in Corsica.
"""

from __future__ import annotations

import contextlib
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from adapters.player.world import world_of
from adapters.testing.running import RunningGateway, start_gateway
from tests.support.live import NURSING_HOME
from tests.support.planting import PLANTED, seen_in, spaced
from tests.support.planting_mail import PATIENTS, Out, imap, reception, submission
from tests.support.planting_services import EHPAD, dmp, insi


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Out]:
    with start_gateway(tmp_path_factory.mktemp("planted"), {"PASSERELLE_RETRY_SPEED": "1000"}) as gateway:
        made = Out(gateway, world_of(gateway))
        for number in PLANTED:
            for plant in (submission, reception, dmp, insi, imap, api):
                plant(made, number)
        settle(made)
        look_back(made)
        for number in PLANTED:
            console(made, number)
        files_left(made)
        yield made


# ---------------------------------------------------------------------------------------------------------------- planting


def api(made: Out, m: str) -> None:
    """Paths, queries, bodies and headers of the control API."""
    gateway = made.gateway
    with httpx.Client(base_url=gateway.url, headers=gateway.headers, timeout=60) as http:
        for path in (
            f"/{m}",
            f"/exchanges/{m}",
            f"/exchanges/{m}/opened",
            f"/exchanges/x{m}/story",
            f"/{m}/{spaced(m)}",
        ):
            made.keep("api", http.get(path).text)
        filters = (
            "participant",
            "message_id",
            "rule",
            "door",
            "outcome",
            "workspace",
            "correlation_id",
            "since",
            "state",
            "kind",
            m,
        )
        for resource in ("/exchanges", "/wait", "/journal", "/deliveries", "/actors", "/mailboxes", "/insi/faults"):
            for name in filters:
                for value in (m, f"x{m}@x.fr"):
                    made.keep("api", http.get(resource, params={name: value, "timeout_s": "0.01"}).text)
        for resource in ("/exchanges/search", "/wait", "/mailboxes/messages", "/dmp/search", "/actors", "/reset/x"):
            for body in (
                {"participant": f"x{m}@x.fr", "timeout_s": 0.01},
                {"message_id": m, "timeout_s": 0.01},
                {"address": f"{m}@{PATIENTS}", "folder": m},
                {"address": NURSING_HOME, "folder": "INBOX"},
                {"matricule": m, "oid": m},
                {m: m, "door": m, "timeout_s": m},
                {"kind": m, "fields": [m]},
                {"kind": "structure", "fields": [f"key={m}", f"name=EHPAD {m}", f"{m}={m}"]},
                {
                    "kind": "bal",
                    "fields": [f"address=s.{m}@{NURSING_HOME.rpartition('@')[2]}", "kind=ORG", f"holder={EHPAD}"],
                },
                {"kind": "patient", "fields": [f"key=p{m}".lower(), f"matricule={m}", f"birth_date={m}"]},
                {"filename": f"{m}.yaml", "text": f"structures:\n- {{key: {m}, name: {m}}}\n"},
                {"filename": f"{m}.csv", "text": f"kind;{m}\nstructure;{m}\n"},
                {"filename": m, "text": m},
            ):
                made.keep("api", http.post(resource, json=body).text)
            made.keep("api", http.post(resource, content=f'{{"a": {m} {m}'.encode()).text)
        made.keep(
            "api", http.put("/insi/faults", json={"changes": [{"person": m, "trait": m, "value": m}], "outage": m}).text
        )
        made.keep("api", http.get("/health", headers={"Host": f"{m}.fr"}).text)
        made.keep("api", http.get("/health", headers={"Authorization": f"Bearer {m}"}).text)
        made.keep("api", http.post("/mailboxes/messages", json={"address": NURSING_HOME}).text)
    base = gateway.url.removesuffix("/api/v1")
    with httpx.Client(base_url=base, timeout=60) as http:
        for path in (f"/{m}", f"/health/{m}", "/metrics?x=" + m, f"/crl/{m}"):
            made.keep("public", http.get(path).text)


def console(made: Out, m: str) -> None:
    """Paths, filters and forms of the console."""
    base = made.gateway.url.removesuffix("/api/v1")
    with httpx.Client(base_url=base, headers={"Accept": "text/html"}, timeout=60) as http:
        made.keep("console", http.post("/entrer", data={"token": m}).text)
        http.post("/entrer", data={"token": made.gateway.run["token"]})
        for path in (
            f"/{m}",
            f"/echanges/{m}",
            f"/echanges/{m}/histoire",
            f"/regles/{m}",
            f"/refus/{m}",
            f"/static/{m}",
        ):
            made.keep("console", http.get(path).text)
        for name in ("participant", "rule", "door", "outcome", "since", "before", "lang", m):
            for value in (m, f"x{m}@x.fr", spaced(m)):
                for page in ("/", "/lignes", "/territoire"):
                    answer = http.get(page, params={name: value, "x": "1"})
                    made.keep("console", answer.text)
                    made.keep("console addresses", answer.headers.get("location", ""))
        for path in ("/vider", "/sortir"):
            made.keep("console", http.post(path, data={"csrf": m, m: m}).text)


# ----------------------------------------------------------------------------------------------------------------- reading


def settle(made: Out) -> None:
    """Nothing is left in the outbox that could still be written about."""
    for _ in range(200):
        waiting = [d for d in made.gateway.get("/deliveries") if d["state"] in ("ready", "leased")]
        if not waiting:
            return
        made.keep("api", str(waiting))
        with contextlib.suppress(httpx.HTTPStatusError):
            made.gateway.post("/wait", {"since": 2**50, "timeout_s": 0.3})


def look_back(made: Out) -> None:
    """Every exchange, event, delivery and page, as those who look afterwards see them."""
    gateway = made.gateway
    base = gateway.url.removesuffix("/api/v1")
    with (
        httpx.Client(base_url=base, headers={"Accept": "text/html"}, timeout=60, follow_redirects=True) as pages,
        httpx.Client(base_url=gateway.url, headers=gateway.headers, timeout=60) as asked,
    ):
        pages.post("/entrer", data={"token": gateway.run["token"]})
        before, told = 0, Counter[str]()
        while True:
            listed = gateway.get("/exchanges", limit=200, **({"before": before} if before else {}))
            made.keep("api", str(listed))
            for one in listed["exchanges"]:
                for part in ("", "/findings", "/opened", "/events"):
                    answer = asked.get(f"/exchanges/{one['id']}{part}")
                    assert answer.status_code in (200, 410, 422), answer.text
                    made.keep(f"api {part}", answer.text)
                if told[one["correlation_id"]] < 2:  # the others tell the same story
                    told[one["correlation_id"]] += 1
                    made.keep("api /story", asked.get(f"/exchanges/{one['id']}/story").text)
                    made.keep("console", pages.get(f"/echanges/{one['id']}").text)
                    made.keep("console", pages.get(f"/echanges/{one['id']}/histoire").text)
            if not listed["next"]:
                break
            before = listed["next"]
        since, refusals = 0, []
        while events := gateway.get("/journal", since=since, limit=1000)["events"]:
            made.keep("journal", str(events))
            since = events[-1]["seq"]
            refusals += [e["seq"] for e in events if e["kind"] == "refused" and not e["exchange_id"]]
        assert refusals
        for seq in refusals:
            made.keep("console", pages.get(f"/refus/{seq}").text)
        for path in ("/", "/?before=200", "/lignes", "/territoire"):
            made.keep("console", pages.get(path).text)
        for resource in ("/deliveries", "/actors", "/mailboxes", "/patients", "/health", "/openapi.json"):
            made.keep("api", asked.get(resource).text)
    made.keep("metrics", httpx.get(f"{base}/metrics").text)
    made.keep("whitelist", httpx.get(f"{base}/listeblanchemssante.xml").text)
    made.keep("live", streamed(gateway, last=since))


def streamed(gateway: RunningGateway, last: int) -> str:
    """The live stream from the beginning up to the last event."""
    lines: list[str] = []
    with httpx.stream(
        "GET", f"{gateway.url}/events", params={"since": 0}, headers=gateway.headers, timeout=60
    ) as answer:
        for line in answer.iter_lines():
            lines.append(line)
            if line == f"id: {last}":
                break
    return "\n".join(lines)


def files_left(made: Out) -> None:
    """Logs, run.json, and what the command prints of the journal."""
    data = made.gateway.data
    for name in ("gateway.log", "passerelle.log", "run.json"):
        made.keep(name, (data / name).read_bytes())
    command = [sys.executable, "-m", "adapters.cli.main", "journal", "--data", str(data), "--limit", "1000"]
    made.keep("journal command", subprocess.run(command, capture_output=True, timeout=120, check=True).stdout)


# ------------------------------------------------------------------------------------------------------------------- tests


ANSWERS = ("smtp", "soap", "api", "api ", "api /findings", "api /opened", "api /events", "api /story", "public", "live")
PAGES = ("console", "console addresses", "journal", "journal command", "metrics", "whitelist")
FILES = ("gateway.log", "passerelle.log", "run.json")
REPEATING = ("smtp", "soap", "api", "api ", "api /findings", "api /opened", "api /story", "console", "journal", "live")


@pytest.mark.parametrize("place", [*ANSWERS, *PAGES, *FILES])
def test_no_planted_matricule_comes_out(out: Out, place: str) -> None:
    assert place in out.read
    for text in out.read[place]:
        found = seen_in(text)
        assert not found, around(text, found[0])


@pytest.mark.parametrize("place", REPEATING)
def test_what_was_planted_is_repeated_masked_so_that_its_author_finds_it(out: Out, place: str) -> None:
    whole = "\n".join(out.read[place])
    assert all(f"{m[:4]}{'.' if place == 'smtp' else '·'}" in whole for m in PLANTED)


def test_database_journal_and_logs_are_their_owner_s_only(out: Out) -> None:
    data = out.gateway.data
    held = [p for p in data.iterdir() if p.is_file()]
    names = {"passerelle.sqlite", "passerelle.sqlite-wal", "passerelle.log", "gateway.log", "run.json", "token"}
    assert names <= {p.name for p in held}
    open_to_others = [p.name for p in (*held, *(data / "pki").rglob("*.key")) if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert open_to_others == []


def around(text: str, matricule: str) -> str:
    """Where it stands, for whoever mends it."""
    at = max(text.casefold().find(matricule[:13].casefold()), text.find(matricule[:4]))
    return text[max(0, at - 300) : at + 200]
