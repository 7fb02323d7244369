"""Patient indexes by the API: the path of a status, INSi called for real, what is refused and by which rule."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.testing.running import RunningGateway
from gateway.identity.datamatrix import decode
from tests.support.dmtx import painted, read
from tests.support.indexes import HOSPITAL, TILLEULS, act, record_of
from tests.support.live import MATRICULE, api

SUZANNE = {
    "birth_family": "DELMAS",
    "birth_given": "SUZANNE",
    "given_list": "SUZANNE MARIE LOUISE",
    "sex": "F",
    "birth_date": "1939-03-08",
    "birth_place": "48901",
}
GLYCINES = "ehpad-les-glycines"


def refused(gateway: RunningGateway, path: str, body: dict[str, object], status: int = 422) -> dict[str, object]:
    with api(gateway) as http:
        answer = http.post(path, json=body)
        assert answer.status_code == status, answer.text
        assert MATRICULE not in answer.text
        told: dict[str, object] = answer.json()
        return told


def test_the_whole_path_from_provisional_to_qualified(passerelle: RunningGateway) -> None:
    one = passerelle.post(f"/patients/{GLYCINES}", SUZANNE)
    assert (one["status"], one["used_family"], one["ins"]) == ("PROV", "", None)
    path = f"/patients/{GLYCINES}/{one['id']}"
    assert refused(passerelle, f"{path}/status", {"event": "insi-confirmed"})["rule"] == "INS-192"
    called = passerelle.post(f"{path}/insi", {})
    assert (called["answer"]["code"], called["identity"]["status"]) == ("00", "PROV")
    one = act(passerelle, one, "insi/confirm", sha256=called["answer"]["sha256"])
    assert (one["status"], one["sends_ins"]) == ("RECUP", False)
    assert one["ins"] == {"matricule": "2390·········55", "oid": "1.2.250.1.213.1.4.10"}
    assert refused(passerelle, f"{path}/status", {"event": "proof-checked"})["rule"] == "INS-080"
    act(passerelle, one, "proofs", kind="PC")
    assert refused(passerelle, f"{path}/status", {"event": "proof-checked"})["rule"] == "INS-081"
    act(passerelle, one, "proofs", kind="CN", source="accueil")
    one = act(passerelle, one, "status", event="proof-checked")
    assert (one["status"], one["sends_ins"], one["altered"]) == ("QUAL", True, [])
    events = [c["event"] for c in passerelle.get(f"{path}/history")["changes"]]
    assert events == ["created", "insi-asked", "insi-confirmed", "proof-attached", "proof-attached", "proof-checked"]
    kinds = [e["kind"] for e in passerelle.get("/journal")["events"]]
    assert [k for k in kinds if k.startswith("identity-")] == [
        "identity-created",
        "identity-insi",
        "identity-insi",
        "identity-proof",
        "identity-proof",
        "identity-status",
    ]


def test_an_answer_is_given_back_octet_for_octet(passerelle: RunningGateway) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    (trace,) = passerelle.get(f"/patients/{TILLEULS}/{record['id']}/insi")
    with api(passerelle) as http:
        raw = http.get(f"/patients/{TILLEULS}/{record['id']}/insi/{trace['sha256']}")
        assert raw.content.startswith(b"<RESULTAT")
        assert MATRICULE[:13].encode() in raw.content
        assert http.get(f"/patients/{TILLEULS}/{record['id']}/insi/{'0' * 64}").status_code == 404


def test_traits_that_differ_from_insi_wait_for_the_users_consent(passerelle: RunningGateway) -> None:
    one = passerelle.post(f"/patients/{GLYCINES}", {**SUZANNE, "birth_place": "48902"})
    path = f"/patients/{GLYCINES}/{one['id']}"
    answer = passerelle.post(f"{path}/insi", {})["answer"]
    assert answer["differences"] == ["birth_place"]
    body = {"sha256": answer["sha256"]}
    assert refused(passerelle, f"{path}/insi/confirm", body)["rule"] == "INS-190"
    assert act(passerelle, one, "insi/confirm", **body, accept_differences=True)["status"] == "RECUP"


def test_a_fault_of_insi_is_never_an_absence(passerelle: RunningGateway) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    with api(passerelle) as http:
        http.put("/insi/faults", json={"outage": "fault"})
        try:
            called = passerelle.post(f"/patients/{TILLEULS}/{record['id']}/insi", {"verify": True})
        finally:
            http.put("/insi/faults", json={})
    assert called["answer"]["code"] not in ("00", "01", "02")
    assert called["identity"]["status"] == "QUAL"


def test_a_doubtful_identity_loses_its_ins_and_may_not_call_insi(passerelle: RunningGateway) -> None:
    record = act(passerelle, record_of(passerelle, TILLEULS, "R0001"), "status", event="marked-doubtful")
    assert (record["status"], record["attributes"], record["ins"]) == ("PROV", ["douteuse"], None)
    assert len(record["ins_history"]) == 1
    path = f"/patients/{TILLEULS}/{record['id']}"
    assert refused(passerelle, f"{path}/insi", {})["rule"] == "INS-185"
    assert refused(passerelle, f"{path}/status", {"event": "marked-fictive"})["rule"] == "INS-075"
    assert refused(passerelle, f"{path}/proofs", {"kind": "CN"})["rule"] == "INS-076"


def test_two_records_of_one_index_may_not_hold_the_same_ins(passerelle: RunningGateway) -> None:
    one = passerelle.post(f"/patients/{TILLEULS}", SUZANNE)
    assert [r["rule"] for r in one["remarks"]] == ["INS-179"]
    path = f"/patients/{TILLEULS}/{one['id']}"
    sha256 = passerelle.post(f"{path}/insi", {})["answer"]["sha256"]
    assert refused(passerelle, f"{path}/insi/confirm", {"sha256": sha256})["rule"] == "INS-172"


def test_of_two_changes_of_one_version_the_second_is_told(passerelle: RunningGateway) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    act(passerelle, record, "proofs", kind="PA", version=record["version"])
    path = f"/patients/{TILLEULS}/{record['id']}/proofs"
    assert refused(passerelle, path, {"kind": "PA", "version": record["version"]}, 409)["code"] == "identity-changed"


@pytest.mark.parametrize(
    ("body", "rule"),
    [({"birth_date": "????-02-14"}, "INS-052"), ({"birth_given": "", "given_list": ""}, "INS-032")],
)
def test_no_identity_is_made_without_a_year_or_a_name(
    passerelle: RunningGateway, body: dict[str, str], rule: str
) -> None:
    assert refused(passerelle, f"/patients/{GLYCINES}", {**SUZANNE, **body})["rule"] == rule


def test_an_incomplete_date_is_completed_and_said_uncertain(passerelle: RunningGateway) -> None:
    one = passerelle.post(f"/patients/{GLYCINES}", {**SUZANNE, "birth_date": "1939"})
    assert one["birth_date_uncertain"]
    clear = passerelle.post(f"/patients/{GLYCINES}/{one['id']}/reveal", {"reason": "test"})
    assert clear["traits"]["birth_date"] == "1939-12-31"


def test_the_datamatrix_is_given_on_a_journalled_demand_for_a_qualified_identity_only(
    passerelle: RunningGateway, tmp_path: Path
) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    path = f"/patients/{TILLEULS}/{record['id']}/datamatrix"
    told = passerelle.post(path, {"reason": "impression", "by": "Odile"})
    assert decode(told["text"]).matricule == MATRICULE
    assert read(painted(told["svg"], tmp_path / "symbol.pgm")) == told["text"]
    (event,) = [e for e in passerelle.get("/journal")["events"] if e["kind"] == "identity-revealed"]
    assert (event["data"]["by"], event["data"]["reason"]) == ("Odile", "impression")
    act(passerelle, record, "status", event="proof-invalidated")
    why = refused(passerelle, path, {"reason": "impression"})
    assert why["rule"] == "INS-159"
    assert why["why"] == {"fr": "l'identité n'est pas qualifiée", "en": "the identity is not qualified"}
    assert len([e for e in passerelle.get("/journal")["events"] if e["kind"] == "identity-revealed"]) == 1


def test_the_command_writes_the_datamatrix_of_a_record(passerelle: RunningGateway, tmp_path: Path) -> None:
    words = ("identities", "datamatrix", TILLEULS, "R0001")
    picture = tmp_path / "datamatrix.svg"
    assert command(passerelle, *words, "--out", str(picture)).returncode == 0
    text = command(passerelle, *words, "--text").stdout.removesuffix("\n")
    assert read(painted(picture.read_text(encoding="utf-8"), tmp_path / "symbol.pgm")) == text
    act(passerelle, record_of(passerelle, TILLEULS, "R0001"), "status", event="proof-invalidated")
    ran = command(passerelle, *words)
    assert ran.returncode == 1
    assert "INS-159" in ran.stderr


def test_a_look_up_by_ins_needs_its_oid_and_travels_in_the_body(passerelle: RunningGateway) -> None:
    found = passerelle.post(f"/patients/{TILLEULS}/search", {"matricule": MATRICULE, "oid": "1.2.250.1.213.1.4.10"})
    assert [r["ipp"] for r in found] == ["R0001"]
    assert passerelle.post(f"/patients/{TILLEULS}/search", {"matricule": MATRICULE, "oid": ""}) == []
    assert [r["ipp"] for r in passerelle.post(f"/patients/{TILLEULS}/search", {"birth_family": "delm"})] == ["R0001"]


def test_indexes_are_apart_and_come_back_after_a_reset(passerelle: RunningGateway) -> None:
    ours = record_of(passerelle, TILLEULS, "R0001")
    with api(passerelle) as http:
        assert http.get(f"/patients/{HOSPITAL}/{ours['id']}").status_code == 404
        assert http.get("/patients/nowhere").status_code == 404
        assert http.get(f"/patients/{TILLEULS}/{ours['id']}", params={"workspace": "other"}).status_code == 404
    act(passerelle, ours, "status", event="marked-fictive")
    passerelle.reset()
    again = record_of(passerelle, TILLEULS, "R0001")
    assert (again["id"], again["status"], again["version"]) == (ours["id"], "QUAL", 1)


def command(gateway: RunningGateway, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "adapters.cli.main", *words, "--data", str(gateway.data)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_the_command_lists_shows_and_changes(passerelle: RunningGateway) -> None:
    assert TILLEULS in command(passerelle, "identities", "list").stdout
    assert "R0001" in command(passerelle, "identities", "list", TILLEULS).stdout
    shown = command(passerelle, "identities", "show", TILLEULS, "R0001")
    assert shown.returncode == 0
    assert "QUAL" in shown.stdout
    assert MATRICULE not in shown.stdout
    moved = command(passerelle, "identities", "status", TILLEULS, "R0001", "proof-invalidated")
    assert moved.stdout.strip() == "Identité qualifiée (QUAL) → Identité récupérée (RECUP)"
    assert command(passerelle, "identities", "proof", TILLEULS, "R0001", "PA").returncode == 0
    wrong = command(passerelle, "identities", "status", TILLEULS, "R0001", "proof-invalidated")
    assert (wrong.returncode, wrong.stderr.startswith("INS-083")) == (1, True)
    assert command(passerelle, "identities", "show", TILLEULS, "nobody").returncode == 1
    assert "attend" in command(passerelle, "quarantine", "list").stdout


def test_the_command_creates_a_record_and_says_who_bears_the_same_names(passerelle: RunningGateway) -> None:
    traits = ("birth_family=BRUNEL", "birth_given=ODETTE", "birth_date=1936-05-12", "sex=F", "ipp=B42")
    made = command(passerelle, "identities", "create", TILLEULS, *traits)
    assert made.returncode == 0
    assert made.stdout.startswith("B42 : Identité provisoire")
    assert "INS-077" in made.stdout
    taken = command(passerelle, "identities", "create", TILLEULS, *traits)
    assert (taken.returncode, "IPP" in taken.stderr) == (1, True)


def test_a_misspelt_trait_or_a_missing_one_is_answered_with_those_that_exist(passerelle: RunningGateway) -> None:
    wrong = command(passerelle, "identities", "create", TILLEULS, "nom=BRUNEL", "birth_date=1936-05-12")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "nom=BRUNEL" in wrong.stderr
    assert "Nom de naissance" in wrong.stderr
    missing = command(passerelle, "identities", "create", TILLEULS, "birth_date=1936-05-12", "--lang", "en")
    assert (missing.returncode, "birth_family" in missing.stderr) == (2, True)
    event = command(passerelle, "identities", "status", TILLEULS, "R0001", "burnt")
    assert (event.returncode, "proof-checked" in event.stderr) == (2, True)


def test_the_command_calls_insi_and_changes_the_record_only_when_confirmed(passerelle: RunningGateway) -> None:
    act(passerelle, record_of(passerelle, TILLEULS, "R0001"), "status", event="insi-invalidated")
    asked = command(passerelle, "identities", "insi", TILLEULS, "R0001")
    assert asked.returncode == 0
    assert "CR 00" in asked.stdout
    assert "--confirm" in asked.stdout
    assert MATRICULE not in asked.stdout
    assert record_of(passerelle, TILLEULS, "R0001")["status"] == "VALI"
    confirmed = command(passerelle, "identities", "insi", TILLEULS, "R0001", "--confirm")
    assert "(VALI) → Identité qualifiée (QUAL)" in confirmed.stdout
    verified = command(passerelle, "identities", "insi", TILLEULS, "R0001", "--verify", "--lang", "en")
    assert "traits agree" in verified.stdout
    shown = command(passerelle, "identities", "show", TILLEULS, "R0001").stdout
    assert "Réponse INSi confirmée" in shown
