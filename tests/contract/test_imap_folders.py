"""Folders: made, renamed, deleted, subscribed, listed; names in every alphabet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imap_house import COLLEAGUE, ImapHouse, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ImapHouse]:
    with ImapHouse(tmp_path) as running:
        yield running


def listed(lines: list[bytes]) -> dict[bytes, bytes]:
    """Folder → attributes of LIST lines."""
    found = {}
    for line in lines:
        if line.startswith((b"* LIST", b"* LSUB")):
            attributes, _, name = line.partition(b"(")[2].partition(b") ")[0], b"", line.rpartition(b'"/" ')[2]
            found[name.strip(b'"')] = attributes
    return found


def test_a_new_mailbox_has_its_usual_folders_with_their_use(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        assert b"SPECIAL-USE" in client.log_in()
        folders = listed(client.ask(b'LIST "" "*"'))
    assert b"INBOX" in folders
    uses = {word for attributes in folders.values() for word in attributes.split()}
    assert uses >= {b"\\Sent", b"\\Drafts", b"\\Trash"}


def test_folders_are_created_renamed_and_deleted_with_their_inferiors(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        for name in (b"Dossiers/2026/Octobre", b"Dossiers/2025"):
            assert client.ask(b"CREATE " + name)[-1].startswith(b"t OK")
        assert client.ask(b"CREATE Dossiers/2025")[-1].startswith(b"t NO [ALREADYEXISTS]")
        assert b"\\Noselect" in listed(client.ask(b'LIST "" "Dossiers"'))[b"Dossiers"]
        assert client.ask(b"RENAME Dossiers Archives")[-1].startswith(b"t OK")
        assert set(listed(client.ask(b'LIST "" "Archives/*"'))) >= {b"Archives/2026/Octobre", b"Archives/2025"}
        assert listed(client.ask(b'LIST "" "Dossiers*"')) == {}
        assert set(listed(client.ask(b'LIST "Archives/" "%"'))) == {b"Archives/2026", b"Archives/2025"}
        assert client.ask(b"RENAME Archives/2025 Archives/2025/dedans")[-1].startswith(b"t NO")
        assert client.ask(b"DELETE Archives/2025")[-1].startswith(b"t OK")
        assert client.ask(b"DELETE Archives/2025")[-1].startswith(b"t NO [NONEXISTENT]")
        assert client.ask(b"SELECT Archives/2025")[-1].startswith(b"t NO [NONEXISTENT]")


def test_inbox_can_be_emptied_by_a_rename_but_never_removed(house: ImapHouse) -> None:
    house.deliver(mail("un"))
    house.deliver(mail("deux"))
    with house.raw() as client:
        client.line()
        client.log_in()
        client.ask(b"SELECT inbox")
        assert client.ask(b"DELETE INBOX")[-1].startswith(b"t NO")
        assert client.ask(b"CREATE inbox")[-1].startswith(b"t NO")
        answer = client.ask(b"RENAME INBOX Ancien")
        assert answer[-1].startswith(b"t OK")
        assert [line for line in answer if b"EXPUNGE" in line] == [b"* 2 EXPUNGE", b"* 1 EXPUNGE"]
        assert b"MESSAGES 2" in client.ask(b"STATUS Ancien (MESSAGES)")[0]
        assert b"MESSAGES 0" in client.ask(b"STATUS INBOX (MESSAGES)")[0]


def test_a_folder_made_again_is_another_folder(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        client.ask(b"CREATE X")
        before = client.ask(b"STATUS X (UIDVALIDITY)")[0]
        client.ask(b"DELETE X")
        client.ask(b"CREATE X")
        assert client.ask(b"STATUS X (UIDVALIDITY)")[0] != before


def test_subscriptions_are_kept(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        client.ask(b"CREATE Suivi")
        assert b"Suivi" in listed(client.ask(b'LSUB "" "*"'))
        assert client.ask(b"UNSUBSCRIBE Suivi")[-1].startswith(b"t OK")
        assert b"Suivi" not in listed(client.ask(b'LSUB "" "*"'))
        assert client.ask(b"SUBSCRIBE Suivi")[-1].startswith(b"t OK")
        assert b"Suivi" in listed(client.ask(b'LSUB "" "*"'))
        assert client.ask(b"SUBSCRIBE Absent")[-1].startswith(b"t NO")


def test_names_in_modified_utf7_come_back_as_they_were(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        for name in (b"R&AOk-sidents", b"&Jjo-", b"&2D3eCg-", b"A&-B", b"&U,BTFw-"):
            assert client.ask(b'CREATE "%b"' % name)[-1].startswith(b"t OK"), name
            assert name in listed(client.ask(b'LIST "" "%b"' % name)), name
        client.send(b"t CREATE {11}\r\n")
        assert (client.line() or b"").startswith(b"+ ")
        client.send(b"R&AOk-tabli\r\n")
        assert client.until(b"t ")[-1].startswith(b"t OK")


@pytest.mark.parametrize(
    "name", [b'"&abc"', b'"&####-"', b'"&AOk"', b'"&2D0-"', b'"\xc3\xa9t\xc3\xa9"', b'"&"', b'"a&b"', b"&AGEA"]
)
@pytest.mark.parametrize(
    "command", [b"CREATE %b", b"SELECT %b", b"STATUS %b (MESSAGES)", b'LIST "" %b', b"RENAME X %b"]
)
def test_a_name_that_is_no_utf7_is_refused_and_nothing_hangs(house: ImapHouse, command: bytes, name: bytes) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        assert client.ask(command % name)[-1].startswith(b"t BAD")
        assert client.ask(b"NOOP")[-1].startswith(b"t OK")


@pytest.mark.parametrize("name", [b'""', b'"a//b"', b'"/a"', b'"a*"', b'"a%"', b'"&AAE-"', b'"' + b"x" * 300 + b'"'])
def test_a_name_no_folder_may_bear_is_refused(house: ImapHouse, name: bytes) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        assert client.ask(b"CREATE " + name)[-1].startswith(b"t NO")


def test_a_mailbox_never_sees_the_folders_of_another(house: ImapHouse) -> None:
    with house.raw() as one, house.raw() as two:
        for client, address in ((one, None), (two, COLLEAGUE)):
            client.line()
            assert b"OK" in (client.log_in(address) if address else client.log_in())
        one.ask(b"CREATE Secret")
        assert b"Secret" not in listed(two.ask(b'LIST "" "*"'))
        assert two.ask(b"SELECT Secret")[-1].startswith(b"t NO")


def test_the_namespace_is_one_personal_tree(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        assert client.ask(b"NAMESPACE")[0] == b'* NAMESPACE (("" "/")) NIL NIL'
