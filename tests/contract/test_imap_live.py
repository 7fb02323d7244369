"""A folder that changes while it is open: IDLE, other clients, a folder that goes, a service that stops."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.imap import ImapLimits
from gateway.ports import StoreUnavailable
from tests.support.imap_house import ADDRESS, PASSWORD, ImapHouse, RawClient, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ImapHouse]:
    with ImapHouse(tmp_path) as running:
        yield running


def selected(client: RawClient) -> RawClient:
    """The same client, in INBOX."""
    client.line()
    client.log_in()
    assert client.ask(b"SELECT INBOX")[-1].startswith(b"t OK")
    return client


def test_idle_tells_of_mails_as_they_come(house: ImapHouse) -> None:
    with selected(house.raw()) as client:
        client.send(b"i IDLE\r\n")
        assert (client.line() or b"").startswith(b"+ ")
        for number in (1, 2, 3):
            house.deliver(mail(f"mail {number}"))
            assert b"* %d EXISTS" % number in client.until(b"* %d EXISTS" % number)
        client.send(b"DONE\r\n")
        assert client.until(b"i ")[-1].startswith(b"i OK")
        assert client.ask(b"UID SEARCH ALL")[0] == b"* SEARCH 1 2 3"


def test_idle_tells_what_another_client_does(house: ImapHouse) -> None:
    house.deliver(mail("un"))
    house.deliver(mail("deux"))
    with selected(house.raw()) as watcher, selected(house.raw()) as actor:
        watcher.send(b"i IDLE\r\n")
        watcher.line()
        actor.ask(b"STORE 2 +FLAGS ($MDNSent)")
        assert b"$MDNSent" in watcher.until(b"* 2 FETCH")[-1]
        actor.ask(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        actor.ask(b"EXPUNGE")
        watcher.until(b"* 1 EXPUNGE")
        actor.ask(b"APPEND INBOX {4+}\r\na\r\n\r")
        watcher.until(b"* 2 EXISTS")
        watcher.send(b"DONE\r\n")
        assert watcher.until(b"i ")[-1].startswith(b"i OK")


def test_idle_ends_only_by_done(house: ImapHouse) -> None:
    with selected(house.raw()) as client:
        client.send(b"i IDLE\r\n")
        client.line()
        client.send(b"NOOP\r\n")
        assert client.until(b"i ")[-1].startswith(b"i BAD")
        assert client.ask(b"NOOP")[-1].startswith(b"t OK")


def test_idle_says_a_word_now_and_then(tmp_path: Path) -> None:
    with ImapHouse(tmp_path, limits=ImapLimits(still_here_s=0.05)) as house, selected(house.raw()) as client:
        client.send(b"i IDLE\r\n")
        client.line()
        assert client.line() == b"* OK Still here."
        house.deliver(mail())
        client.until(b"* 1 EXISTS")


def test_sequence_numbers_stay_while_another_client_expunges(house: ImapHouse) -> None:
    for subject in ("un", "deux", "trois"):
        house.deliver(mail(subject))
    with selected(house.raw()) as one, selected(house.raw()) as two:
        two.ask(b"STORE 1 +FLAGS (\\Deleted)")
        two.ask(b"EXPUNGE")
        answer = one.ask(b"FETCH 2 (UID)")
        assert b"* 2 FETCH (UID 2)" in answer
        assert not any(b"EXPUNGE" in line for line in answer[:-1])
        assert b"* 1 EXPUNGE" in one.ask(b"NOOP")
        assert b"* 1 FETCH (UID 2)" in one.ask(b"FETCH 1 (UID)")


def test_the_first_client_to_open_a_folder_has_the_recent_mails(house: ImapHouse) -> None:
    house.deliver(mail())
    with house.raw() as one, house.raw() as two:
        for client in (one, two):
            client.line()
            client.log_in()
        assert b"* 1 RECENT" in one.ask(b"SELECT INBOX")
        assert b"* 0 RECENT" in two.ask(b"SELECT INBOX")
        assert one.ask(b"SEARCH NEW")[0] == b"* SEARCH 1"


@pytest.mark.parametrize("command", [b"UID FETCH 1:* (UID)", b"UID SEARCH ALL", b"SEARCH ALL"])
def test_a_client_that_never_says_noop_still_sees_what_comes(house: ImapHouse, command: bytes) -> None:
    with selected(house.raw()) as client:
        for number in range(1, 6):
            house.deliver(mail(str(number)))
            answer = client.ask(command)
            exists = answer.index(b"* %d EXISTS" % number)
            found = next(i for i, line in enumerate(answer) if line.endswith((b"UID %d)" % number, b" %d" % number)))
            assert exists < found


def test_a_folder_deleted_elsewhere_ends_the_connection_with_bye(house: ImapHouse) -> None:
    with selected(house.raw()) as one, selected(house.raw()) as two:
        one.ask(b"CREATE Bref")
        two.ask(b"SELECT Bref")
        one.ask(b"DELETE Bref")
        two.send(b"t NOOP\r\n")
        assert any(line.startswith(b"* BYE") for line in two.rest())


def test_a_folder_renamed_by_its_own_client_stays_open(house: ImapHouse) -> None:
    house.deliver(mail())
    with selected(house.raw()) as client:
        client.ask(b"CREATE Avant")
        client.ask(b"COPY 1 Avant")
        client.ask(b"SELECT Avant")
        assert client.ask(b"RENAME Avant Apres")[-1].startswith(b"t OK")
        assert b"* 1 FETCH (UID 1)" in client.ask(b"FETCH 1 (UID)")


def test_unselect_leaves_deleted_mails_in_place(house: ImapHouse) -> None:
    house.deliver(mail())
    with selected(house.raw()) as client:
        client.ask(b"STORE 1 +FLAGS (\\Deleted)")
        assert client.ask(b"UNSELECT")[-1].startswith(b"t OK")
        assert client.ask(b"FETCH 1 (UID)")[-1].startswith(b"t BAD")
    assert len(house.mails()) == 1


def test_two_services_in_one_process_know_nothing_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with ImapHouse(tmp_path / "a") as one, ImapHouse(tmp_path / "b") as two:
        one.deliver(mail())
        with selected(one.raw()) as first, selected(two.raw()) as second:
            assert first.ask(b"SEARCH ALL")[0] == b"* SEARCH 1"
            assert second.ask(b"SEARCH ALL")[0] == b"* SEARCH"


def test_a_service_that_stops_says_bye_to_everyone(tmp_path: Path) -> None:
    with ImapHouse(tmp_path) as house:
        waiting, idle, silent = selected(house.raw()), selected(house.raw()), house.raw()
        idle.send(b"i IDLE\r\n")
        idle.line()
        silent.line()
        house.call(house.listeners.stop())
        for client in (waiting, idle, silent):
            assert any(line.startswith(b"* BYE") for line in client.rest())
            client.link.close()
        assert house.listeners.connections == 0


def test_a_store_that_cannot_write_is_told_and_nothing_is_lost(
    house: ImapHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.deliver(mail())

    async def full(*_: object) -> None:
        raise StoreUnavailable("disk full")

    with selected(house.raw()) as client:
        with monkeypatch.context() as patch:
            patch.setattr(house.store, "commit", full)
            for command in (
                b"APPEND INBOX {4+}\r\na\r\n\r",
                b"STORE 1 +FLAGS (\\Seen)",
                b"FETCH 1 BODY[]",
                b"COPY 1 Corbeille",
                b"CREATE X",
            ):
                assert client.ask(command)[-1].startswith(b"t NO [UNAVAILABLE]"), command
            assert b"Bonjour." in client.ask(b"FETCH 1 BODY.PEEK[]")
            with house.raw() as other:
                other.line()
                assert other.log_in().startswith(b"l NO [UNAVAILABLE]")
                credentials = base64.b64encode(f"\0{ADDRESS}\0{PASSWORD}".encode())
                assert other.ask(b"AUTHENTICATE PLAIN " + credentials)[-1].startswith(b"t NO [UNAVAILABLE]")
        assert b"\\Seen" not in client.ask(b"FETCH 1 FLAGS")[0]
        assert client.ask(b"STORE 1 +FLAGS (\\Seen)")[-1].startswith(b"t OK")


def test_connections_are_counted(tmp_path: Path) -> None:
    limits = ImapLimits(connections=3, connections_per_mailbox=1)
    with ImapHouse(tmp_path, limits=limits) as house, house.raw() as one, house.raw() as two, house.raw() as three:
        for client in (one, two, three):
            client.line()
        assert one.log_in().startswith(b"l OK")
        assert two.log_in().startswith(b"l NO [LIMIT]")
        with house.raw() as four:
            assert (four.line() or b"").startswith(b"* BYE")
        one.ask(b"LOGOUT")
        assert one.rest() == []
        assert two.log_in().startswith(b"l OK")


def test_silence_is_bounded(tmp_path: Path) -> None:
    with ImapHouse(tmp_path, limits=ImapLimits(login_s=0.05, idle_s=0.4)) as house:
        with house.raw() as client:
            assert [line[:5] for line in client.rest()] == [b"* OK ", b"* BYE"]
        with selected(house.raw()) as client:
            client.send(b"i IDLE\r\n")
            assert client.rest()[-1].startswith(b"* BYE")
