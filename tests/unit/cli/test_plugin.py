"""The pytest plugin as its users write it: a plain test that asks for `passerelle`, in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

USERS_TEST = """
from pathlib import Path

SENDER = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"
NURSING_HOME = "soins@ehpad-les-tilleuls.val-de-brume.mssante.fr"
MAIL = (Path(__file__).parent / "jumelle.eml").read_bytes()


def test_my_software_reads_why_it_was_refused(passerelle):
    reply = passerelle.submit(MAIL, SENDER, NURSING_HOME)
    assert reply.code == 554
    assert "INS-150" in reply.text
    exchange = passerelle.wait_for(door="smtp-submission")
    assert {"INS-150", "INS-153"} <= {f["rule"] for f in exchange["findings"]}


def test_each_test_starts_from_an_empty_sandbox(passerelle):
    assert passerelle.get("/exchanges")["exchanges"] == []
    assert passerelle.port("submission") > 0
    assert passerelle.ca_file.is_file()


async def test_an_asynchronous_test_works_too(passerelle):
    assert passerelle.get("/health")["status"] == "ready"


def test_what_is_delivered_can_be_read(passerelle):
    clean = MAIL.partition(b"\\r\\n\\r\\n")[0].splitlines()
    headers = [h for h in clean if h.lower().startswith((b"from:", b"to:", b"date:", b"x-mss-nil:", b"message-id:"))]
    mail = b"\\r\\n".join([*headers, b"Subject: Bonjour", b"", b"Texte", b""])
    assert passerelle.submit(mail, SENDER, NURSING_HOME).code == 250
    passerelle.wait_for(door="smtp-reception", until="delivered")
    with passerelle.imap(NURSING_HOME) as inbox:
        _, (numbers,) = inbox.search(None, "ALL")
        assert numbers.split() == [b"1"]
"""


def test_a_plain_test_gets_a_gateway_and_its_clients(tmp_path: Path) -> None:
    from gateway.samples import sample_named

    (tmp_path / "jumelle.eml").write_bytes(sample_named("identite-jumelle-metadonnees-d-une-autre").build())
    (tmp_path / "test_my_client.py").write_text(USERS_TEST, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PASSERELLE_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_plugin_costs_nothing_to_those_who_do_not_ask_for_it(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\ndef test_other():\n    assert not {'httpx', 'fastapi', 'sqlalchemy', 'lxml'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:anyio", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
