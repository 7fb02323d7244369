"""What went through, asked of a live gateway: lists, one exchange, its story, and waiting for it."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import subprocess
import time

import httpx

from adapters.testing.running import RunningGateway
from gateway.samples import sample_named
from tests.support.live import LETTER, MATRICULE, NURSING_HOME, SENDER, TWIN, api, as_new, plain_mail, send_sample
from tests.support.reference import need_tool


def test_a_letter_is_followed_from_its_sender_to_the_mailbox(passerelle: RunningGateway) -> None:
    raw = as_new(sample_named(LETTER).build())
    assert passerelle.submit(raw, SENDER, NURSING_HOME).code == 250
    arrived = passerelle.wait_for(door="smtp-reception", participant=NURSING_HOME, until="delivered")
    story = passerelle.get(f"/exchanges/{arrived['id']}/story")
    assert [hop["summary"]["door"] for hop in story["hops"]] == ["smtp-submission", "smtp-reception"]
    sent, received = story["hops"]
    kinds = [event["kind"] for event in received["events"]]
    assert kinds[:3] == ["received", "decided", "delivered"]  # then what the structure makes of it, in its own time
    assert sent["deliveries"][0]["destination"] == NURSING_HOME.partition("@")[2]
    assert {sent["summary"]["outcome"], received["summary"]["outcome"]} <= {"accept", "accept_with_alerts"}
    with api(passerelle) as client:
        octets = client.get(f"/exchanges/{arrived['id']}/raw")
    assert octets.content == raw
    assert hashlib.sha256(octets.content).hexdigest() == arrived["sha256"]
    assert octets.headers["content-type"] == "application/octet-stream"
    assert octets.headers["content-disposition"].endswith('.eml"')
    assert octets.headers["x-content-type-options"] == "nosniff"
    opened = passerelle.get(f"/exchanges/{arrived['id']}/opened")
    assert [d["type"] for d in opened["documents"]] == ["11490-0"]
    assert {i["kind"] for i in opened["identities"]} >= {"CDA", "XDM"}
    with passerelle.imap(NURSING_HOME) as inbox:
        inbox.fetch("1", "(BODY[])")
    read = passerelle.wait_for(door="smtp-reception", until="read")
    assert read["id"] == arrived["id"]
    assert passerelle.get("/journal/proof")["intact"] is True


def test_a_refusal_says_every_rule_and_shows_no_trait(passerelle: RunningGateway) -> None:
    assert send_sample(passerelle, TWIN).code == 554
    (listed,) = passerelle.get("/exchanges", outcome="reject", rule="ins-150")["exchanges"]
    assert passerelle.get("/exchanges", decision="reject")["exchanges"] == [listed]
    one = passerelle.get(f"/exchanges/{listed['id']}")
    assert {"INS-150", "INS-153"} <= {f["rule"] for f in one["findings"]}
    assert one["findings"] == passerelle.get(f"/exchanges/{listed['id']}/findings")
    shown = json.dumps([one, passerelle.get(f"/exchanges/{listed['id']}/opened")], ensure_ascii=False).upper()
    for clear in ("ODETTE", "COLETTE", "BRUNEL"):
        assert clear not in shown
    assert passerelle.get("/exchanges", outcome="accept")["exchanges"] == []
    assert passerelle.get("/mailboxes")
    assert passerelle.post("/mailboxes/messages", {"address": NURSING_HOME}) == []


def test_the_list_is_paged_without_gap_or_repeat(passerelle: RunningGateway) -> None:
    with passerelle.smtp(SENDER) as session:
        for number in range(7):
            session.sendmail(SENDER, [SENDER], plain_mail(f"n° {number}", to=SENDER))
    seen: list[int] = []
    page = passerelle.get("/exchanges", limit=3, door="smtp-submission")
    while True:
        seen += [e["seq"] for e in page["exchanges"]]
        if page["next"] is None:
            break
        page = passerelle.get("/exchanges", limit=3, door="smtp-submission", before=page["next"])
    assert len(seen) == 7
    assert seen == sorted(set(seen), reverse=True)
    newer = passerelle.get("/exchanges", since=seen[2], door="smtp-submission")["exchanges"]
    assert [e["seq"] for e in newer] == seen[:2]


def test_a_citizen_is_looked_up_in_the_body_and_shown_masked(passerelle: RunningGateway) -> None:
    citizen = f"{MATRICULE}@patient.mssante.fr"
    assert send_sample(passerelle, "valide-mail-au-patient").code == 250
    with api(passerelle) as client:
        found = client.post("/exchanges/search", json={"participant": citizen.upper()})
        waited = client.post("/wait", json={"participant": citizen, "timeout_s": 10})
        boxes = client.get("/mailboxes")
    assert found.json()["exchanges"]
    assert waited.status_code == 200
    for answer in (found, waited, boxes):
        assert MATRICULE not in answer.text


def test_a_sender_is_found_at_both_doors(passerelle: RunningGateway) -> None:
    passerelle.submit(plain_mail(), SENDER, NURSING_HOME)
    passerelle.wait_for(door="smtp-reception", until="delivered")
    for participant in (SENDER, SENDER.upper(), NURSING_HOME):
        found = passerelle.get("/exchanges", participant=participant)["exchanges"]
        assert {e["summary"]["door"] for e in found} == {"smtp-submission", "smtp-reception"}


def test_waiting_ends_with_the_first_match_or_a_408_problem(passerelle: RunningGateway) -> None:
    with api(passerelle) as client, concurrent.futures.ThreadPoolExecutor() as pool:
        answer = client.get("/wait", params={"timeout_s": 0.2, "until": "read"})
        assert answer.status_code == 408
        assert answer.json()["code"] == "wait-timeout"
        waiting = pool.submit(client.get, "/wait", params={"timeout_s": 20, "door": "smtp-submission"})
        time.sleep(0.3)
        passerelle.submit(plain_mail("Attendu"), SENDER, NURSING_HOME)
        first = waiting.result().json()
        assert first["summary"]["subject"] == "Attendu"
        later = pool.submit(client.get, "/wait", params={"timeout_s": 20, "since": first["seq"], "message_id": "b@x"})
        passerelle.submit(plain_mail("Autre"), SENDER, NURSING_HOME)
        wanted = plain_mail("Bon").replace(b"Message-ID: <", b"Message-ID: <b@x>\r\nX-Old: <", 1)
        passerelle.submit(wanted, SENDER, NURSING_HOME)
        assert later.result().json()["summary"]["subject"] == "Bon"


def test_what_was_before_the_last_reset_is_never_waited_for(passerelle: RunningGateway) -> None:
    passerelle.submit(plain_mail("Avant"), SENDER, NURSING_HOME)
    passerelle.wait_for(door="smtp-submission")
    passerelle.reset()
    with api(passerelle) as client:
        assert client.get("/wait", params={"timeout_s": 0.2}).status_code == 408
    assert passerelle.get("/exchanges")["exchanges"] == []
    assert passerelle.get("/deliveries") == []
    assert [e["kind"] for e in passerelle.get("/journal")["events"]] == []
    passerelle.submit(plain_mail("Après"), SENDER, NURSING_HOME)
    assert passerelle.wait_for(door="smtp-submission")["summary"]["subject"] == "Après"


def test_after_a_reset_the_patients_still_have_their_dmp(passerelle: RunningGateway) -> None:
    found = passerelle.post("/dmp/search", {"matricule": MATRICULE, "oid": "1.2.250.1.213.1.4.10"})
    assert found == {"state": "active", "entries": []}


def test_the_same_mail_twice_is_delivered_once_and_flagged(passerelle: RunningGateway) -> None:
    raw = plain_mail("Deux fois")
    for _ in range(2):
        assert passerelle.submit(raw, SENDER, NURSING_HOME).code == 250
    passerelle.wait_for(door="smtp-reception", until="delivered")
    first, second = reversed(passerelle.get("/exchanges", door="smtp-submission")["exchanges"])
    assert second["summary"]["duplicate_of"] == first["id"]
    assert "duplicate" in [e["kind"] for e in passerelle.get(f"/exchanges/{second['id']}/events")]
    assert len(passerelle.post("/mailboxes/messages", {"address": NURSING_HOME})) == 1


def test_curl_reads_an_exchange_as_the_printed_line_says(passerelle: RunningGateway) -> None:
    curl = need_tool("curl", "apt-get install curl")
    passerelle.submit(plain_mail("Par curl"), SENDER, NURSING_HOME)
    token = f"Authorization: Bearer {passerelle.run['token']}"
    done = subprocess.run(
        [curl, "-sS", "--fail-with-body", "-H", token, f"{passerelle.url}/exchanges?door=smtp-submission"],
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["exchanges"][0]["summary"]["subject"] == "Par curl"


def test_openapi_describes_every_resource(passerelle: RunningGateway) -> None:
    document = passerelle.get("/openapi.json")
    for path in ("/exchanges", "/exchanges/{exchange_id}/story", "/events", "/wait", "/actors", "/reset", "/health"):
        assert path in document["paths"]
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_health_is_open_to_all_and_tells_nothing_else(passerelle: RunningGateway) -> None:
    base = f"http://127.0.0.1:{passerelle.port('http')}"
    assert httpx.get(f"{base}/health/live").json() == {"status": "ok"}
    assert httpx.get(f"{base}/health/ready").json() == {"status": "ready"}
    assert passerelle.get("/health")["ports"] == passerelle.run["ports"]
