"""mbsync (isync) against the IMAP service: a mailbox mirrored to Maildir, both ways, over both ways of TLS."""

from __future__ import annotations

import mailbox
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


class Mirror:
    """A Maildir kept equal to the mailbox by mbsync."""

    def __init__(self, house: ImapHouse, folder: Path, *, tls: bool) -> None:
        self._program = need_tool("mbsync", "apt-get install isync")
        self.folder = folder
        folder.mkdir()
        password = folder / "password"
        password.write_text(PASSWORD)
        port = house.listeners.tls_port if tls else house.listeners.port
        self._settings = folder / "mbsyncrc"
        self._settings.write_text(
            f"""
IMAPAccount bal
Host localhost
Port {port}
User "{ADDRESS}"
PassCmd "cat {password}"
AuthMechs PLAIN
SSLType {"IMAPS" if tls else "STARTTLS"}
CertificateFile {house.ca_file}
SystemCertificates no

IMAPStore far
Account bal

MaildirStore near
Path {folder}/mails/
Inbox {folder}/inbox
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove None
Expunge Both
SyncState *
"""
        )
        (folder / "mails").mkdir()

    def sync(self) -> str:
        """Bring both sides together; what mbsync said."""
        command = [self._program, "--config", str(self._settings), "--all", "--verbose"]
        done = subprocess.run(command, capture_output=True, timeout=60, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def inbox(self) -> mailbox.Maildir:
        return mailbox.Maildir(str(self.folder / "inbox"), create=False)


@pytest.mark.parametrize("tls", [True, False], ids=["imaps", "starttls"])
def test_mbsync_mirrors_a_mailbox_both_ways(house: ImapHouse, tmp_path: Path, *, tls: bool) -> None:
    for number in range(60):
        house.deliver(mail(f"mail {number}", f"corps {number}\r\n"), flags=("$Quarantaine",))
    mirror = Mirror(house, tmp_path / "mirror", tls=tls)
    mirror.sync()
    assert len(mirror.inbox) == 60
    bodies = {message.get_payload() for message in mirror.inbox}
    assert bodies == {f"corps {number}\n" for number in range(60)}
    assert not any("\\Seen" in row.flags for row in house.mails())

    inbox = mirror.inbox
    first, second, *_ = sorted(inbox.keys(), key=lambda key: inbox[key]["Subject"])
    read = inbox[first]
    read.set_flags("SF")
    inbox[first] = read
    gone = inbox[second]
    gone.set_flags("T")
    inbox[second] = gone
    inbox.add(mail("écrit ici"))
    mirror.sync()

    rows = house.mails()
    assert len(rows) == 60
    assert [row.flags for row in rows if "\\Flagged" in row.flags] == [("$Quarantaine", "\\Flagged", "\\Seen")]
    assert rows[-1].uid == 61

    house.deliver(mail("venu depuis"))
    mirror.sync()
    assert len(mirror.inbox) == 61
    assert "Warning" not in mirror.sync()


def test_mbsync_finds_its_place_after_a_restart(tmp_path: Path) -> None:
    with ImapHouse(tmp_path) as house:
        house.deliver(mail("avant"))
        mirror = Mirror(house, tmp_path / "mirror", tls=True)
        mirror.sync()
        port = house.listeners.tls_port
    with ImapHouse(tmp_path) as house:
        settings = tmp_path / "mirror" / "mbsyncrc"
        settings.write_text(settings.read_text().replace(str(port), str(house.listeners.tls_port)))
        house.deliver(mail("apres"))
        mirror.sync()
        assert sorted(message["Subject"] for message in mirror.inbox) == ["apres", "avant"]
