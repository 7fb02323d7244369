"""curl against the IMAP service: both ways of TLS, listing, fetching, appending, searching."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imap_house import ADDRESS, PASSWORD, ImapHouse, mail
from tests.support.reference import need_tool


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ImapHouse]:
    with ImapHouse(tmp_path) as running:
        yield running


class Curl:
    """One way of calling curl."""

    def __init__(self, house: ImapHouse, *, tls: bool) -> None:
        self._base = [
            need_tool("curl", "apt-get install curl"),
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--cacert",
            house.ca_file,
            "--user",
            f"{ADDRESS}:{PASSWORD}",
        ]
        if tls:
            self._url = f"imaps://localhost:{house.listeners.tls_port}"
        else:
            self._url = f"imap://localhost:{house.listeners.port}"
            self._base.append("--ssl-reqd")

    def __call__(self, path: str, *arguments: str) -> bytes:
        command = [*self._base, *arguments, self._url + path]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@pytest.fixture(params=["imaps", "starttls"])
def curl(request: pytest.FixtureRequest, house: ImapHouse) -> Curl:
    return Curl(house, tls=request.param == "imaps")


def test_curl_lists_folders(curl: Curl) -> None:
    assert b'"/" INBOX' in curl("/")


def test_curl_fetches_the_octets_received(house: ImapHouse, curl: Curl) -> None:
    raw = mail("accentué", "Été comme hiver.\r\n" * 5000)
    house.deliver(raw)
    assert curl("/INBOX;MAILINDEX=1") == raw
    assert curl("/INBOX;UID=1;SECTION=TEXT") == raw.partition(b"\r\n\r\n")[2]
    assert curl("/INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)").strip() == "Subject: accentué".encode()


def test_curl_uploads_and_searches(house: ImapHouse, curl: Curl, tmp_path: Path) -> None:
    letter = tmp_path / "letter.eml"
    letter.write_bytes(mail("envoyé par curl"))
    curl("/Brouillons", "--upload-file", str(letter))
    (row,) = house.mails("Brouillons")
    assert row.size_bytes == letter.stat().st_size
    assert b"* SEARCH 1" in curl("/Brouillons?ALL")
    assert b"* STATUS INBOX (MESSAGES 0)" in curl("", "--request", "STATUS INBOX (MESSAGES)")


def test_curl_is_refused_with_a_wrong_password(house: ImapHouse) -> None:
    command = [
        need_tool("curl", "apt-get install curl"),
        "--silent",
        "--cacert",
        house.ca_file,
        "--user",
        f"{ADDRESS}:faux",
        f"imaps://localhost:{house.listeners.tls_port}/",
    ]
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 67  # login denied
