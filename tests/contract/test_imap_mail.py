"""Mails: what was delivered is what is read, octet for octet, and what a client changes is kept."""

from __future__ import annotations

import hashlib
import imaplib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imap_house import ADDRESS, ImapHouse, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ImapHouse]:
    with ImapHouse(tmp_path) as running:
        yield running


LETTER = (
    b"From: =?utf-8?q?H=C3=B4pital?= <ch@example.org>\r\n"
    b'To: Accueil <accueil@example.org>, "Dr, X" <x@example.org>\r\n'
    b"Subject: =?utf-8?b?TGV0dHJlIGRlIGxpYWlzb24gw6l0w6k=?=\r\n"
    b"Date: Mon, 05 Oct 2026 10:00:00 +0200\r\n"
    b"Message-ID: <lettre@example.org>\r\n"
    b"X-MSS-NIL: DEV000000\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="==b=="\r\n'
    b"\r\n"
    b"preamble\r\n"
    b"--==b==\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n"
    b"\r\n"
    b"Le r=C3=A9sident est sorti.\r\n"
    b"--==b==  \r\n"
    b"Content-Type: application/zip; name=IHE_XDM.zip\r\n"
    b'Content-Disposition: attachment; filename="IHE_XDM.zip"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"UEsDBAA=\r\n"
    b"\r\n--==b==\r\n"
    b"Content-Type: message/rfc822\r\n"
    b"\r\n"
    b"Subject: inside\r\n"
    b"Content-Type: multipart/alternative; boundary=in\r\n"
    b"\r\n"
    b"--in\r\n\r\none\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>two</p>\r\n--in--\r\n"
    b"\r\n--==b==--\r\n"
    b"epilogue\r\n"
)


def fetched(client: imaplib.IMAP4, what: str, which: str = "1") -> bytes:
    """The first literal of an answer, or its line when it has none."""
    status, data = client.fetch(which, what)
    assert status == "OK"
    first = data[0]
    return bytes(first[1]) if isinstance(first, tuple) else bytes(first or b"")


def flags_of(client: imaplib.IMAP4, which: str = "1") -> set[bytes]:
    return set(imaplib.ParseFlags(fetched(client, "(FLAGS)", which)))


def test_a_delivered_mail_appears_at_once_in_an_open_folder(house: ImapHouse) -> None:
    client = house.log_in()
    assert client.select()[1] == [b"0"]
    house.deliver(mail())
    client.noop()
    assert client.response("EXISTS")[1][-1] == b"1"
    assert client.search(None, "UNSEEN")[1] == [b"1"]


def test_the_body_is_the_octets_received(house: ImapHouse) -> None:
    odd = b"Subject: bare\nX: \xe9 8-bit\r\n\r\nLone CR \r, lone LF \n, NUL \0, no end"
    for raw in (LETTER, odd, mail(), b"", b"no header at all"):
        house.deliver(raw or b"\r\n")
    client = house.log_in()
    client.select()
    assert fetched(client, "(BODY.PEEK[])", "1") == LETTER
    assert fetched(client, "(RFC822)", "2") == odd
    assert fetched(client, "(BODY.PEEK[])", "5") == b"no header at all"
    assert b"RFC822.SIZE %d" % len(LETTER) in fetched(client, "(RFC822.SIZE)", "1")


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("1", b"Le r=C3=A9sident est sorti."),
        ("1.MIME", b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"),
        ("2", b"UEsDBAA=\r\n"),
        ("3", LETTER[LETTER.index(b"Subject: inside") : LETTER.index(b"\r\n--==b==--")]),
        ("3.HEADER", b"Subject: inside\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"),
        ("3.1", b"one"),
        ("3.2", b"<p>two</p>"),
        ("3.2.MIME", b"Content-Type: text/html\r\n\r\n"),
        ("4", b""),
        ("1.1", b""),
        ("TEXT", LETTER[LETTER.index(b"preamble") :]),
        ("HEADER.FIELDS (SUBJECT X-MSS-NIL)",
         b"Subject: =?utf-8?b?TGV0dHJlIGRlIGxpYWlzb24gw6l0w6k=?=\r\nX-MSS-NIL: DEV000000\r\n\r\n"),
    ],
)  # fmt: skip
def test_a_section_is_exactly_its_octets(house: ImapHouse, section: str, expected: bytes) -> None:
    house.deliver(LETTER)
    client = house.log_in()
    client.select()
    assert fetched(client, f"(BODY.PEEK[{section}])") == expected


def test_a_partial_fetch_gives_the_slice_asked_for(house: ImapHouse) -> None:
    house.deliver(LETTER)
    client = house.log_in()
    client.select()
    assert fetched(client, "(BODY.PEEK[]<5.20>)") == LETTER[5:25]
    assert fetched(client, "(BODY.PEEK[]<100000.20>)") == b""
    assert fetched(client, "(BINARY.PEEK[1])") == "Le résident est sorti.".encode()
    assert b"BINARY.SIZE[2] 5" in fetched(client, "(BINARY.SIZE[2])")


def test_the_structure_tells_types_names_and_sizes_of_bodies(house: ImapHouse) -> None:
    house.deliver(LETTER)
    client = house.log_in()
    client.select()
    structure = fetched(client, "(BODYSTRUCTURE)")
    assert b'("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 27 0 ' in structure
    assert b'("application" "zip" ("name" "IHE_XDM.zip") NIL NIL "base64" 10 ' in structure
    assert b'("attachment" ("filename" "IHE_XDM.zip"))' in structure
    assert b'"message" "rfc822"' in structure
    assert structure.endswith(b'"mixed" ("boundary" "==b==") NIL NIL NIL))')


def test_the_envelope_keeps_encoded_words_and_addresses(house: ImapHouse) -> None:
    house.deliver(LETTER)
    client = house.log_in()
    client.select()
    envelope = fetched(client, "(ENVELOPE)")
    assert b'"=?utf-8?b?TGV0dHJlIGRlIGxpYWlzb24gw6l0w6k=?="' in envelope
    assert b'(("=?utf-8?q?H=C3=B4pital?=" NIL "ch" "example.org"))' in envelope
    assert b'(("Accueil" NIL "accueil" "example.org")("Dr, X" NIL "x" "example.org"))' in envelope


def test_flags_and_keywords_are_added_removed_and_replaced(house: ImapHouse) -> None:
    house.deliver(mail(), flags=("$Quarantaine",))
    client = house.log_in()
    client.select()
    assert flags_of(client) >= {b"$Quarantaine"}
    client.store("1", "+FLAGS", r"(\Flagged $MDNSent)")
    assert flags_of(client) >= {b"$Quarantaine", b"\\Flagged", b"$MDNSent"}
    client.store("1", "-FLAGS.SILENT", r"(\Flagged)")
    client.store("1", "FLAGS", r"(\Seen $Forwarded)")
    assert flags_of(client) - {b"\\Recent"} == {b"\\Seen", b"$Forwarded"}
    assert client.search(None, "KEYWORD", "$Forwarded")[1] == [b"1"]


def test_everything_is_found_again_after_a_restart(tmp_path: Path) -> None:
    with ImapHouse(tmp_path) as house:
        house.deliver(mail("un"), flags=("$Quarantaine",))
        house.deliver(mail("deux"))
        client = house.log_in()
        client.select()
        client.store("1", "+FLAGS", r"($MDNSent \Answered)")
        client.store("2", "+FLAGS", r"(\Deleted)")
        client.expunge()
        client.create("Dossier")
        client.copy("1", "Dossier")
        client.unsubscribe("Dossier")
        before = client.status("INBOX", "(UIDVALIDITY UIDNEXT MESSAGES)")[1]
        elsewhere = client.status("Dossier", "(UIDVALIDITY UIDNEXT MESSAGES)")[1]
        client.logout()
    with ImapHouse(tmp_path) as house:
        client = house.log_in()
        assert client.status("INBOX", "(UIDVALIDITY UIDNEXT MESSAGES)")[1] == before
        assert client.status("Dossier", "(UIDVALIDITY UIDNEXT MESSAGES)")[1] == elsewhere
        client.select()
        assert flags_of(client) >= {b"$Quarantaine", b"$MDNSent", b"\\Answered"}
        assert b"UID 1 " in fetched(client, "(UID FLAGS)")
        assert not any(b"Dossier" in (line or b"") for line in client.lsub()[1])
        house.deliver(mail("trois"))
        assert client.uid("SEARCH", "UID 3")[1] == [b"3"]


def test_append_keeps_octets_flags_and_date(house: ImapHouse) -> None:
    client = house.log_in()
    when = '"05-Oct-2026 10:00:00 +0200"'
    status, answer = client.append("Envoy&AOk-s", r"(\Seen $Forwarded)", when, LETTER)
    assert status == "OK"
    assert re.search(rb"\[APPENDUID \d+ 1\]", answer[0])
    client.select("Envoy&AOk-s")
    assert fetched(client, "(BODY.PEEK[])") == LETTER
    assert flags_of(client) >= {b"\\Seen", b"$Forwarded"}
    assert b'"05-Oct-2026 08:00:00 +0000"' in fetched(client, "(INTERNALDATE)")
    assert client.append("Ailleurs", "", when, LETTER)[0] == "NO"


def test_copy_and_move_tell_the_new_uids(house: ImapHouse) -> None:
    for subject in ("un", "deux", "trois"):
        house.deliver(mail(subject))
    client = house.log_in()
    client.select()
    status, answer = client.copy("1:2", "Corbeille")
    assert status == "OK"
    assert re.search(rb"\[COPYUID \d+ 1:2 1:2\]", answer[0])
    imaplib.Commands.setdefault("MOVE", ("SELECTED",))
    status, _ = client.uid("MOVE", "1,3", "Corbeille")
    assert status == "OK"
    assert client.search(None, "ALL")[1] == [b"1"]
    assert client.copy("1", "Ailleurs")[0] == "NO"
    client.select("Corbeille")
    assert client.uid("SEARCH", "ALL")[1] == [b"1 2 3 4"]
    assert fetched(client, "(BODY.PEEK[])", "4") == mail("trois")


def test_expunge_removes_what_is_deleted_and_only_that(house: ImapHouse) -> None:
    for subject in ("un", "deux", "trois", "quatre"):
        house.deliver(mail(subject))
    client = house.log_in()
    client.select()
    client.store("1,3", "+FLAGS", r"(\Deleted)")
    assert client.uid("EXPUNGE", "3:4")[0] == "OK"
    assert client.uid("SEARCH", "ALL")[1] == [b"1 2 4"]
    client.response("EXPUNGE")
    assert client.expunge()[1] == [b"1"]
    assert client.uid("SEARCH", "ALL")[1] == [b"2 4"]
    client.store("1", "+FLAGS", r"(\Deleted)")
    client.close()
    assert client.select()[1] == [b"1"]


def test_an_examined_folder_cannot_be_changed(house: ImapHouse) -> None:
    house.deliver(mail())
    client = house.log_in()
    client.select(readonly=True)
    fetched(client, "(BODY[])")
    assert b"\\Seen" not in flags_of(client)
    assert client.store("1", "+FLAGS", r"(\Seen)")[0] == "NO"
    assert client.expunge()[0] == "NO"
    assert client.close()[0] == "OK"
    assert [row.flags for row in house.mails()] == [()]


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ("ALL", b"1 2 3"),
        ("UNSEEN", b"1 2"),
        ("SEEN FLAGGED", b"3"),
        ("NOT FLAGGED", b"1 2"),
        ("OR FLAGGED KEYWORD $Quarantaine", b"2 3"),
        ("UNKEYWORD $quarantaine", b"1 3"),
        ("SUBJECT LIAISON", b"1"),
        ('FROM "martin"', b"2 3"),
        ('HEADER X-MSS-NIL ""', b"1"),
        ("HEADER X-MSS-NIL absent", b""),
        ("BODY sorti", b"1"),
        ("BODY liaison", b""),
        ("TEXT liaison", b"1"),
        ("LARGER 500", b"1"),
        ("SMALLER 500", b"2 3"),
        ("SENTON 5-Oct-2026", b"1 2 3"),
        ("SENTBEFORE 5-Oct-2026", b""),
        ("SINCE 1-Jan-2020", b"1 2 3"),
        ("BEFORE 1-Jan-2020", b""),
        ("2:* SEEN", b"3"),
        ("UID 3:9", b"3"),
        ("(SEEN) (FLAGGED)", b"3"),
        ("1,3 NOT 3", b"1"),
    ],
)
def test_search_finds_what_it_says(house: ImapHouse, criteria: str, found: bytes) -> None:
    house.deliver(LETTER)
    house.deliver(mail("deux"), flags=("$Quarantaine",))
    house.deliver(mail("trois"), flags=("\\Flagged", "\\Seen"))
    client = house.log_in()
    client.select()
    assert client.search(None, criteria)[1] == [found]


def test_search_reads_accents_whatever_the_encoding(house: ImapHouse) -> None:
    house.deliver(LETTER)
    client = house.log_in()
    client.select()
    client.literal = "ÉTÉ".encode()
    assert client.search("UTF-8", "SUBJECT")[1] == [b"1"]
    client.literal = "résident".encode()
    assert client.search("UTF-8", "BODY")[1] == [b"1"]
    client.literal = b"x"
    assert client.search("KLINGON", "SUBJECT")[0] == "NO"


def test_the_first_reading_is_journalled_once(house: ImapHouse) -> None:
    exchange = house.deliver(mail())
    client = house.log_in()
    client.select()
    fetched(client, "(BODY.PEEK[])")
    assert house.events("read", exchange) == []
    fetched(client, "(BODY[])")
    (read,) = house.events("read", exchange)
    assert read.data["mailbox"] == ADDRESS
    client.store("1", "-FLAGS", r"(\Seen)")
    client.store("1", "+FLAGS", r"(\Seen)")
    client.copy("1", "Corbeille")
    client.select("Corbeille")
    client.store("1", "FLAGS", "()")
    client.store("1", "+FLAGS", r"(\Seen)")
    assert len(house.events("read", exchange)) == 1


def test_two_clients_never_undo_each_other(house: ImapHouse) -> None:
    house.deliver(mail())
    one, two = house.log_in(), house.log_in()
    one.select()
    two.select()
    for keyword in ("a", "b", "c"):
        one.store("1", "+FLAGS", f"(un-{keyword})")
        two.store("1", "+FLAGS", f"(deux-{keyword})")
    (row,) = house.mails()
    assert set(row.flags) == {f"{who}-{keyword}" for who in ("un", "deux") for keyword in ("a", "b", "c")}
    two.noop()
    assert flags_of(two) >= {b"un-a", b"un-b", b"un-c"}


def test_a_mail_of_thirty_megabytes_comes_and_goes_whole(tmp_path: Path) -> None:
    line = hashlib.sha256(b"seed").hexdigest().encode() + b"\r\n"
    part = b"--big\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    head = b"Subject: gros\r\nContent-Type: multipart/mixed; boundary=big\r\n\r\n" + part
    raw = head + line * (30 * 1024 * 1024 // len(line)) + b"\r\n--big--\r\n"
    with ImapHouse(tmp_path, mail_bytes=32 * 1024 * 1024) as house:
        client = house.log_in()
        assert f"APPENDLIMIT={32 * 1024 * 1024}" in client.capability()[1][0].decode()
        assert client.append("INBOX", "", "", raw)[0] == "OK"
        client.select()
        assert fetched(client, "(BODY.PEEK[])") == raw
        assert b'"base64" %d' % (len(raw) - len(head) - len(b"\r\n--big--\r\n")) in fetched(client, "(BODYSTRUCTURE)")
        assert (
            fetched(client, f"(BODY.PEEK[1]<{29 * 1024 * 1024}.66>)")
            == (line * 2)[(29 * 1024 * 1024) % len(line) : (29 * 1024 * 1024) % len(line) + 66]
        )


def test_a_message_over_the_limit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with ImapHouse(tmp_path, mail_bytes=1000) as house, house.raw() as client:
        client.line()
        client.log_in()
        assert client.ask(b"APPEND INBOX {1001}")[-1].startswith(b"t NO [TOOBIG]")
        client.send(b"t APPEND INBOX {10}\r\n")
        assert (client.line() or b"").startswith(b"+ ")
        client.send(b"A: b\r\n\r\nc\n\r\n")
        assert b"APPENDUID" in client.until(b"t ")[-1]
