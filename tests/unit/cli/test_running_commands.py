"""Commands that ask a running gateway, `up` itself, and the story as a machine reads it."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.testing.clients import send, smtp_session, tls_context
from adapters.testing.running import FREE_PORTS, RunningGateway, launch
from gateway.directory.territory import demo_passwords
from tests.support.command import passerelle
from tests.support.live import NURSING_HOME, SENDER, plain_mail
from tests.support.reference import ROOT

STRUCTURE = ["key=ehpad-essai", "name=EHPAD d'essai", "category=EHPAD", "city=Brumeval", "finess=auto"]


@pytest.fixture
def gateway(passerelle: RunningGateway) -> Iterator[RunningGateway]:
    yield passerelle
    passerelle.reset(actors=True)


# ------------------------------------------------------------------------------------------------------------- actors


@pytest.mark.parametrize("kind", ["structure", "bal", "operator", "professional", "patient"])
def test_the_territory_is_listed_running_or_not(passerelle_process: RunningGateway, tmp_path: Path, kind: str) -> None:
    wide = {"COLUMNS": "300"}
    running = passerelle("actors", "list", kind, "--data", passerelle_process.data, env=wide)
    shipped = passerelle("actors", "list", kind, "--data", tmp_path, env=wide)
    assert (running.code, shipped.code) == (0, 0)
    assert running.out.count("\n") == shipped.out.count("\n")
    assert "2390" not in running.all + shipped.all, "no matricule is listed"


def test_an_unknown_kind_of_actor_is_answered_with_those_that_exist(tmp_path: Path) -> None:
    ran = passerelle("actors", "list", "planete", "--data", tmp_path)
    assert ran.code == 2
    assert "structure" in ran.err


def test_an_actor_is_added_with_certificates_that_open_a_door(gateway: RunningGateway, tmp_path: Path) -> None:
    out = tmp_path / "certificats"
    ran = passerelle("actors", "add", "structure", *STRUCTURE, "--data", gateway.data, "--out", out)
    assert ran.code == 0, ran.all
    assert "+ structure ehpad-essai" in ran.out
    written = sorted(p.suffix for p in out.iterdir())
    assert written == [".key", ".key", ".p12", ".p12", ".pem", ".pem"]
    assert all(p.stat().st_mode & 0o077 == 0 for p in out.iterdir())
    chain = next(p for p in out.iterdir() if p.suffix == ".pem" and "auth" in p.name)
    tls = ssl.create_default_context(cafile=str(gateway.ca_file))
    tls.load_cert_chain(chain, chain.with_suffix(".key"))
    with (
        socket.create_connection(("127.0.0.1", gateway.port("https"))) as raw,
        tls.wrap_socket(raw, server_hostname="localhost") as held,
    ):
        assert held.version() in ("TLSv1.2", "TLSv1.3")
    assert "ehpad-essai" in passerelle("actors", "list", "--data", gateway.data, env={"COLUMNS": "300"}).out


def test_a_file_of_actors_is_imported_or_refused_whole(gateway: RunningGateway, tmp_path: Path) -> None:
    good, bad = tmp_path / "bons.csv", tmp_path / "mauvais.yaml"
    good.write_text("kind;key;name;category;city;finess\nstructure;ehpad-b;EHPAD B;EHPAD;Brumeval;auto\n", "utf-8")
    bad.write_text("mailboxes:\n- {address: pas-une-adresse, holder: personne}\n- {address: a@b.c}\n", "utf-8")
    ran = passerelle("actors", "import", good, "--data", gateway.data, "--out", tmp_path)
    assert ran.code == 0, ran.all
    refused = passerelle("actors", "import", bad, "--data", gateway.data, "--lang", "en")
    assert refused.code == 1
    assert len(refused.err.strip().splitlines()) >= 2
    assert "address" in refused.err
    (tmp_path / "latin.yaml").write_bytes(b"structures: [{name: \xe9t\xe9}]")
    assert passerelle("actors", "import", tmp_path / "latin.yaml", "--data", gateway.data).code == 2


@pytest.mark.parametrize("words", [["actors", "add", "structure", "name=x"], ["journal"], ["journal", "--verify"]])
def test_without_a_gateway_a_command_says_how_to_start_one(tmp_path: Path, words: list[str]) -> None:
    ran = passerelle(*words, "--data", tmp_path)
    assert ran.code == 3
    assert f"passerelle up --data {tmp_path}" in ran.err
    (tmp_path / "run.json").write_text('{"token": "x", "api": "http://127.0.0.1:9/api/v1"}')
    assert passerelle(*words, "--data", tmp_path).code == 3
    (tmp_path / "run.json").write_text("{")
    assert passerelle(*words, "--data", tmp_path).code == 3


# ------------------------------------------------------------------------------------------------------------ journal


def test_the_journal_is_read_and_proved(gateway: RunningGateway) -> None:
    gateway.submit(plain_mail(), SENDER, NURSING_HOME)
    exchange = gateway.wait_for(door="smtp-reception", until="delivered")
    told = passerelle("journal", "--data", gateway.data)
    assert told.code == 0
    for kind in ("received", "decided", "delivered"):
        assert kind in told.out
    lines = passerelle("journal", "--data", gateway.data, "--json", "--exchange", exchange["id"]).out.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["received", "decided", "delivered"]
    proof = passerelle("journal", "--verify", "--data", gateway.data)
    assert proof.code == 0
    assert "chaîne intacte" in proof.out
    assert "chain intact" in passerelle("journal", "--verify", "--data", gateway.data, "--lang", "en").out


# ----------------------------------------------------------------------------------------------------------------- up


def start(data: Path, **settings: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **FREE_PORTS, **settings, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "adapters.cli.main", "up", "--data", str(data)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_up_prints_its_doors_and_two_lines_to_try_then_stops_cleanly(tmp_path: Path) -> None:
    process = start(tmp_path / "data")
    while not (tmp_path / "data" / "run.json").exists():
        assert process.poll() is None
        time.sleep(0.05)
    run = json.loads((tmp_path / "data" / "run.json").read_text())
    assert (tmp_path / "data" / "run.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in out + err
    for words in ("swaks --server", "curl -s", run["token"], run["console"], str(run["ports"]["http"]), "Arrêt propre"):
        assert words in out
    assert not (tmp_path / "data" / "run.json").exists()


def test_at_a_terminal_up_tells_each_exchange_and_its_rules(tmp_path: Path) -> None:
    data, (ours, theirs) = tmp_path / "data", pty.openpty()
    environment = {**os.environ, **FREE_PORTS, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    line = [sys.executable, "-m", "adapters.cli.main", "up", "--data", str(data)]
    process = subprocess.Popen(line, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    told = b""
    try:
        while b"Ctrl-C" not in told:
            told += os.read(ours, 65536)
        run = json.loads((data / "run.json").read_text())
        tls = tls_context(data / "pki" / "bundle.pem")
        with smtp_session(run["ports"]["submission"], tls, (SENDER, demo_passwords()[SENDER])) as client:
            assert send(client, plain_mail("au-terminal"), SENDER, [NURSING_HOME]).code == 250
        while b"ception" not in told:  # the second door of the same mail
            told += os.read(ours, 65536)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        os.close(ours)
    lines = [line for line in told.decode().splitlines() if "→ EHPAD Les Tilleuls" in line.replace("\x1b[0m", "")]
    assert len(lines) >= 2, told
    assert all("CH de Brumeval" in line for line in lines)


def test_a_second_gateway_in_the_same_directory_is_refused_and_the_first_stays(
    passerelle_process: RunningGateway,
) -> None:
    ran = passerelle("up", "--data", passerelle_process.data, env=FREE_PORTS)
    assert ran.code == 3
    assert "travaille déjà" in ran.err
    assert "Traceback" not in ran.all
    assert passerelle_process.get("/health")["status"] == "ready"


@pytest.mark.parametrize("door", ["HTTP", "HTTPS", "SMTP", "SUBMISSION", "IMAP", "IMAPS"])
def test_a_port_already_taken_is_named_with_how_to_choose_others(tmp_path: Path, door: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        ran = passerelle("up", "--data", tmp_path, env={**FREE_PORTS, f"PASSERELLE_PORTS__{door}": str(port)})
    assert ran.code == 3
    assert str(port) in ran.err
    assert "--port-offset" in ran.err
    assert "Traceback" not in ran.all
    assert not (tmp_path / "run.json").exists()


def test_a_gateway_that_cannot_start_says_why_to_who_launched_it(tmp_path: Path) -> None:
    from adapters.testing.running import GatewayDidNotStart

    with pytest.raises(GatewayDidNotStart, match="PASSERELLE_PORTS__HTTP"):
        launch(tmp_path / "data", {"PASSERELLE_PORTS__HTTP": "abc"})


# --------------------------------------------------------------------------------------------------------------- demo


def test_the_story_is_told_to_a_machine(tmp_path: Path) -> None:
    story = tmp_path / "court.yaml"
    story.write_text(
        """
title_fr: Court
title_en: Short
summary_fr: Une lettre, puis une attente fausse
summary_en: A letter, then a wrong expectation
acts:
- title_fr: Un
  title_en: One
  steps:
  - id: lettre
    do: submit
    title_fr: Une lettre
    title_en: A letter
    with: {from: dpi@ch-brumeval.val-de-brume.mssante.fr, to: soins@ehpad-les-tilleuls.val-de-brume.mssante.fr,
           document: lettre-sortie, patient: delmas-suzanne, structure: ch-brumeval, author: vannier-claire}
    expect: {code: 250}
  - id: relais
    do: relayed
    title_fr: Le relais
    title_en: The relay
    with: {message: lettre}
    expect: {outcome: reject}
""",
        encoding="utf-8",
    )
    ran = passerelle("demo", story, "--json")
    assert ran.code == 1, "an expectation did not hold"
    told = json.loads(ran.out)
    assert told["held"] is False
    assert [s["held"] for s in told["steps"]] == [True, False]
    assert "reject" in told["steps"][1]["failures"][0]
    assert "Traceback" not in ran.all
