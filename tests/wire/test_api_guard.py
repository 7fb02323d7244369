"""The door of the API: who may come in, and how it says no."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from adapters.testing.running import RunningGateway
from tests.support.live import MATRICULE, api, raw_api

PROBLEM = "application/problem+json"
READ = (
    "/health",
    "/exchanges",
    "/exchanges/none",
    "/exchanges/none/raw",
    "/exchanges/none/opened",
    "/exchanges/none/findings",
    "/exchanges/none/events",
    "/exchanges/none/story",
    "/wait",
    "/events",
    "/journal",
    "/journal/proof",
    "/mailboxes",
    "/actors",
    "/patients",
    "/deliveries",
    "/openapi.json",
    "/nowhere",
)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, after its form was verified."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith(PROBLEM)
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:passerelle:problem:{code}"
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize("path", READ)
def test_nothing_is_read_without_the_token(passerelle: RunningGateway, path: str) -> None:
    with raw_api(passerelle) as stranger:
        answer = stranger.get(path)
    problem(answer, 401, "token-required")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("given", ["Bearer wrong", "Basic {token}", "{token}", "Bearer", "Bearer {token}x", "Bearer é"])
def test_only_the_bearer_token_opens(passerelle: RunningGateway, given: str) -> None:
    header = given.format(token=passerelle.run["token"]).encode("latin-1")
    answer = httpx.get(f"{passerelle.url}/exchanges", headers={b"Authorization": header})
    problem(answer, 401, "token-required")


def test_the_scheme_is_read_without_case(passerelle: RunningGateway) -> None:
    with raw_api(passerelle, Authorization=f"bearer {passerelle.run['token']}") as client:
        assert client.get("/health").json()["status"] == "ready"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "[::2]:80", ""])
def test_another_host_name_is_dns_rebinding(passerelle: RunningGateway, host: str) -> None:
    with api(passerelle) as client:
        problem(client.get("/exchanges", headers={"Host": host}), 421, "host-not-served")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]", "[::1]:8080", "localhost."])
def test_its_own_names_are_served_with_or_without_a_port(passerelle: RunningGateway, host: str) -> None:
    with api(passerelle) as client:
        assert client.get("/health", headers={"Host": host}).status_code == 200


def test_unknown_paths_and_methods_are_problems_too(passerelle: RunningGateway) -> None:
    with api(passerelle) as client:
        problem(client.get("/nowhere"), 404, "not-found")
        refused = client.delete("/exchanges")
        problem(refused, 405, "method-not-allowed")
        assert refused.headers["allow"] == "GET"
    outside = httpx.get(f"http://127.0.0.1:{passerelle.port('http')}/nowhere/at-all")
    problem(outside, 404, "not-found")
    problem(httpx.post(f"http://127.0.0.1:{passerelle.port('http')}/health/ready"), 405, "method-not-allowed")


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/exchanges?limit=0", "limit"),
        ("/exchanges?limit=many", "limit"),
        ("/exchanges?door=window", "door"),
        ("/exchanges?outcom=reject", "outcom"),
        ("/exchanges?since=-1", "since"),
        (f"/exchanges?since={2**63}", "since"),
        ("/wait?until=heard", "until"),
        ("/wait?timeout_s=0", "timeout_s"),
        ("/wait?timeout_s=nan", "timeout_s"),
        ("/journal?since=x", "since"),
        ("/events?since=x", "since"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(passerelle: RunningGateway, path: str, named: str) -> None:
    with api(passerelle) as client:
        assert named in problem(client.get(path), 422, "invalid-request")["detail"]


def test_a_problem_is_told_in_french_or_in_the_english_that_a_client_prefers(passerelle: RunningGateway) -> None:
    asked = (("/exchanges/x", 404), ("/exchanges?limit=0", 422), ("/nowhere", 404))
    with api(passerelle) as client, raw_api(passerelle) as stranger:
        for path, status in asked:
            french, english = (client.get(path, headers={"Accept-Language": tag}) for tag in ("*", "en-GB,fr;q=0.5"))
            assert (french.status_code, english.status_code) == (status, status)
            assert (french.headers["content-language"], english.headers["content-language"]) == ("fr", "en")
            assert french.json()["code"] == english.json()["code"]
            assert french.json()["title"] != english.json()["title"]
            assert french.json()["detail"] != english.json()["detail"]
        told = stranger.get("/exchanges", headers={"Accept-Language": "en"}).json()
    assert told["detail"] == "send Authorization: Bearer <token>; the token is in run.json"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"address": 3}', b'{"adress": "x"}', b'"\xff"', b"null"])
def test_a_body_that_cannot_be_read_is_refused_in_words(passerelle: RunningGateway, body: bytes) -> None:
    with api(passerelle) as client:
        answer = client.post("/mailboxes/messages", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith(PROBLEM)
    assert answer.json()["code"] in ("bad-request", "invalid-request")


def test_a_body_too_large_is_cut_announced_or_not(passerelle: RunningGateway) -> None:
    large = json.dumps({"filename": "x.yaml", "text": "x" * 5_000_000}).encode()

    def piecemeal() -> Any:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    json_type = {"Content-Type": "application/json"}
    with api(passerelle) as client:
        problem(client.post("/actors", content=large, headers=json_type), 413, "too-large")
        problem(client.post("/actors", content=piecemeal(), headers=json_type), 413, "too-large")
        assert client.get("/health").status_code == 200


def test_a_matricule_never_comes_back_in_an_error_nor_stays_in_a_log(passerelle: RunningGateway) -> None:
    address = f"{MATRICULE}@patient.mssante.fr"
    with api(passerelle) as client:
        answers = [
            client.get(f"/exchanges/{MATRICULE}"),
            client.get("/exchanges", params={"workspace": MATRICULE}),
            client.get("/exchanges", params={"participant": address}),
            client.get("/wait", params={"participant": address, "timeout_s": 0.1}),
            client.get("/exchanges", params={"door": MATRICULE}),
            client.get("/actors", params={"kind": MATRICULE}),
            client.get("/deliveries", params={"state": MATRICULE}),
            client.post("/mailboxes/messages", json={"address": f"x{address}"}),
            client.post("/dmp/search", json={"matricule": MATRICULE[:-1] + "0", "oid": "1.2.250.1.213.1.4.10"}),
            client.get("/exchanges", headers={"Host": MATRICULE}),
            client.get(f"/{MATRICULE}"),
        ]
    assert [a.status_code for a in answers] == [404, 404, 422, 422, 422, 422, 422, 404, 404, 421, 404]
    for answer in answers:
        assert MATRICULE[:13] not in answer.text
        assert answer.headers["content-type"].startswith(PROBLEM)
    for log in ("passerelle.log", "gateway.log"):
        assert MATRICULE[:13] not in (passerelle.data / log).read_text(encoding="utf-8")


def test_what_a_browser_of_another_site_sends_is_refused(passerelle: RunningGateway) -> None:
    with raw_api(passerelle, Origin="https://evil.example", Cookie="passerelle=1") as client:
        problem(client.post("/reset", json={}), 401, "token-required")
        answer = client.options("/reset", headers={"Access-Control-Request-Method": "POST"})
    assert "access-control-allow-origin" not in answer.headers
