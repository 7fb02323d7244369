"""The calls that `passerelle samples` writes, posted by the real curl to a live gateway: each gets the answer it promises."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adapters.testing.running import RunningGateway
from gateway.insi.asking import read_answer as read_insi
from gateway.sharing.answer_read import read_answer as read_dmp
from tests.support.command import passerelle as command
from tests.support.reference import need_tool

_RULE = re.compile(r"\b(?:DMP|INSI?|XDM|CDA|MET|ECO)-[0-9]{2,3}\b")


@pytest.fixture(scope="module")
def written(passerelle_process: RunningGateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples signed by the authority of the live gateway, once: they live five minutes."""
    folder = tmp_path_factory.mktemp("samples") / "essais"
    ran = command("samples", folder, "--data", passerelle_process.data)
    assert ran.code == 0, ran.all
    return folder


@pytest.fixture
def folder(passerelle: RunningGateway, written: Path) -> Path:
    """The samples, and nothing deposited yet."""
    return written


def entries(folder: Path) -> list[dict[str, Any]]:
    index: list[dict[str, Any]] = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return [entry for entry in index if "answer" in entry]


def sent(*words: str) -> tuple[int, bytes]:
    """The status and the body that curl got."""
    curl = need_tool("curl", "apt-get install curl")
    done = subprocess.run([curl, *words, "-w", "\n%{http_code}"], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), body


def posted(folder: Path, entry: dict[str, Any]) -> tuple[int, bytes]:
    return sent("-K", str(folder / f"{Path(entry['file']).stem}.curl"))


def heard(folder: Path, entry: dict[str, Any], status: int, body: bytes) -> str:
    """The native answer, in the words of the index."""
    if entry["url"].endswith("/lps"):
        asked = re.search(r"<wsa:MessageID>([^<]+)<", (folder / entry["file"]).read_text(encoding="utf-8"))
        assert asked is not None
        insi = read_insi(status, body, asked[1])
        return f"CR {insi.code.value}" if insi.code is not None else insi.fault
    dmp = read_dmp(status, body)
    failed = next((e.code for e in dmp.errors if e.severity == "Error"), "")
    return dmp.subcode or failed or dmp.existence or dmp.status


def test_each_call_gets_the_native_answer_and_the_rules_that_the_index_promises(folder: Path) -> None:
    assert len(entries(folder)) > 20
    for entry in entries(folder):
        status, body = posted(folder, entry)
        assert heard(folder, entry, status, body) == entry["answer"], entry["file"]
        cited = set(_RULE.findall(body.decode()))
        assert set(entry["answer_rules"]) <= cited, entry["file"]
        assert bool(cited) is bool(entry["answer_rules"]), entry["file"]


def test_the_whole_curl_line_of_the_index_works_as_it_is(folder: Path) -> None:
    entry = next(e for e in entries(folder) if e["file"] == "valide-dmp-depot.mime")
    told = (folder / "LISEZMOI.txt").read_text(encoding="utf-8")
    assert entry["curl"] in told
    name, *words = shlex.split(entry["curl"])
    assert name == "curl"
    status, body = sent("--silent", *words)
    assert heard(folder, entry, status, body) == "Success"


def test_what_was_deposited_is_found_and_cannot_be_deposited_twice(folder: Path) -> None:
    by_name = {entry["file"]: entry for entry in entries(folder)}
    deposit, query = by_name["valide-dmp-depot.mime"], by_name["valide-dmp-recherche.xml"]
    assert read_dmp(*posted(folder, query)).references == ()
    assert read_dmp(*posted(folder, deposit)).status == "Success"
    assert len(read_dmp(*posted(folder, query)).references) == 1
    assert heard(folder, deposit, *posted(folder, deposit)) == "XDSDuplicateUniqueIdInRegistry"


def test_the_keys_are_for_their_owner_alone_and_the_gateway_knows_who_called(
    passerelle: RunningGateway, folder: Path
) -> None:
    assert [p.stat().st_mode & 0o777 for p in sorted(folder.glob("*.key"))] == [0o600, 0o600]
    for file, door, name in (
        ("valide-dmp-depot.mime", "dmp", "CN=ehpad-les-tilleuls"),
        ("valide-insi-recherche.xml", "insi", "CN=INSI-AUTO"),
    ):
        posted(folder, next(e for e in entries(folder) if e["file"] == file))
        seen = passerelle.wait_for(door=door)
        assert seen["summary"]["sender"].startswith(name), seen
