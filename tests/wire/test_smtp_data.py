"""Reading DATA: only CRLF.CRLF ends, dots are taken away, nothing depends on where the network cuts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.smtp.body import MEMORY_LIMIT_BYTES, Body
from adapters.smtp.data import DataReader
from adapters.smtp.link import stuffed


def line_by_line(stream: bytes) -> tuple[bytes, bytes] | None:
    """The algorithm of RFC 5321 §4.5.2 as it is written: message and rest; None without an end."""
    message = b""
    while True:
        line, end, stream = stream.partition(b"\r\n")
        if not end:
            return None
        if line == b".":
            return message, stream
        message += (line[1:] if line.startswith(b".") else line) + b"\r\n"


def read(stream: bytes, cuts: list[int]) -> tuple[bytes, bytes] | None:
    reader, message, at = DataReader(), b"", 0
    for cut in [*sorted(cuts), len(stream)]:
        message += reader.feed(stream[at:cut])
        at = max(at, cut)
        if reader.done:
            return message, reader.rest + stream[at:]
    return None


pieces = st.lists(
    st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"a", b"\r\n.\r", b"\xff", b"\r\n.\r\n"]), max_size=30
)


@settings(max_examples=600, deadline=None)
@given(pieces, st.lists(st.integers(0, 90), max_size=12))
def test_the_reader_agrees_with_the_line_by_line_algorithm_wherever_the_chunks_are_cut(
    parts: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(parts)
    cuts = [min(c, len(stream)) for c in cuts]
    assert read(stream, cuts) == line_by_line(stream)


@settings(max_examples=300, deadline=None)
@given(pieces)
def test_what_is_sent_with_doubled_dots_is_read_back_octet_for_octet(parts: list[bytes]) -> None:
    raw = b"".join(parts)
    sent = b"".join(bytes(piece) for piece in stuffed(raw))
    ended = raw if not raw or raw.endswith(b"\r\n") else raw + b"\r\n"
    assert read(sent, []) == (ended, b"")


@pytest.mark.parametrize("gap", range(-4, 5))
def test_a_dot_to_double_is_found_across_the_slices_of_a_large_message(gap: int) -> None:
    raw = b"x" * (256 * 1024 + gap) + b"\r\n.\r\n" + b"\r\n" * 200_000 + b".fin\r\n"
    sent = b"".join(bytes(piece) for piece in stuffed(raw))
    assert read(sent, []) == (raw, b"")


@pytest.mark.parametrize(
    "trick", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\n\n.\r\n", b"\r\n\x00.\r\n"]
)
def test_a_bare_line_feed_or_return_around_the_dot_is_content(trick: bytes) -> None:
    stream = b"Subject: a" + trick + b"MAIL FROM:<b@c>\r\n.\r\nQUIT\r\n"
    found = read(stream, [])
    assert found is not None
    assert b"MAIL FROM" in found[0]
    assert found[1] == b"QUIT\r\n"


def test_octets_after_the_dot_are_the_next_command() -> None:
    assert read(b"..x\r\n.\r\nRSET\r\n", [3, 6]) == (b".x\r\n", b"RSET\r\n")


def test_an_empty_message_is_empty() -> None:
    assert read(b".\r\n", []) == (b"", b"")


def test_a_small_body_stays_in_memory_and_knows_its_hash(tmp_path: Path) -> None:
    body = Body(100, tmp_path)
    body.add(b"ab")
    body.add(b"c")
    payload = body.payload()
    assert (payload.data, payload.size_bytes) == (b"abc", 3)
    assert payload.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert not list(tmp_path.iterdir())


def test_a_large_body_is_spooled_to_a_private_file_that_discard_removes(tmp_path: Path) -> None:
    body = Body(10 * MEMORY_LIMIT_BYTES, tmp_path / "spool")
    for _ in range(40):
        body.add(b"x" * 65536)
    payload = body.payload()
    spooled = Path(payload.spool_path)
    assert payload.data is None
    assert spooled.stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(spooled.read_bytes()).hexdigest() == payload.sha256
    body.discard()
    assert not spooled.exists()


def test_above_its_limit_a_body_keeps_nothing(tmp_path: Path) -> None:
    body = Body(2 * MEMORY_LIMIT_BYTES, tmp_path)
    for _ in range(50):
        body.add(b"x" * 65536)
    assert body.too_large
    assert body.size_bytes == 50 * 65536
    assert not list(tmp_path.iterdir())
