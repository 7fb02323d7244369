"""The MIME tree: agrees with the standard library on what is well formed, and survives what is not."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.imap.mime import Part, end_of_header, parameterised, part_at, scan
from adapters.imap.names import decoded_name
from adapters.imap.opened import OpenedMail, decoded_words
from adapters.imap.structure import addresses, envelope

_LINES = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=a",
        b"Content-Type: multipart/mixed; boundary=aa",
        b"Content-Type: message/rfc822",
        b"Content-Type: text/plain",
        b"Content-Transfer-Encoding: base64",
        b"--a",
        b"--aa",
        b"--a--",
        b"--aa-- ",
        b"",
        b" folded",
        b"x: y",
        b"text",
        b"\0\xff",
    ]
)
_ENDS = st.sampled_from([b"\r\n", b"\n"])
_MAILS = st.lists(st.tuples(_LINES, _ENDS), max_size=40).map(lambda rows: b"".join(a + b for a, b in rows))


def _walk(part: Part) -> list[Part]:
    return [part, *(inner for child in part.children for inner in _walk(child))]


@settings(max_examples=300, deadline=None)
@given(_MAILS | st.binary(max_size=300))
def test_any_octets_give_a_tree_whose_parts_lie_inside_each_other(raw: bytes) -> None:
    root = scan(raw)
    assert (root.start, root.end) == (0, len(raw))
    for part in _walk(root):
        assert part.start <= part.body <= part.end
        for child in part.children:
            assert part.body <= child.start
            assert child.end <= part.end
    opened = OpenedMail(raw)
    assert opened.structure(extended=True).startswith(b"(")
    assert opened.structure(extended=False).startswith(b"(")
    assert envelope(root).startswith(b"(")
    opened.mentions("x", headers=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60), min_size=1, max_size=5))
def test_well_formed_parts_are_those_of_the_standard_library(texts: list[str]) -> None:
    message = EmailMessage()
    message["Subject"] = "essai"
    message.set_content(texts[0])
    for text in texts[1:]:
        message.add_attachment(text.encode(), maintype="application", subtype="octet-stream", filename="a.bin")
    raw = message.as_bytes(policy=email.policy.SMTP)
    opened = OpenedMail(raw)
    for number, text in enumerate(texts[1:], 2):
        assert opened.decoded((number,)) == text.encode()
    expected = email.message_from_bytes(raw, policy=email.policy.SMTP)
    kinds = [part.get_content_type().encode() for part in expected.walk()]
    assert [part.kind for part in _walk(opened.root)] == kinds


def test_part_one_of_a_simple_mail_is_its_body() -> None:
    raw = b"Subject: a\r\n\r\nbody"
    part = part_at(scan(raw), (1,))
    assert part is not None
    assert raw[part.body : part.end] == b"body"
    assert part_at(scan(raw), (2,)) is None
    assert part_at(scan(raw), (1, 1)) is None


def test_the_header_ends_at_the_first_empty_line_whatever_the_line_breaks() -> None:
    for raw, body in [
        (b"A: b\r\n\r\nc", b"c"),
        (b"A: b\n\nc\r\n\r\nd", b"c\r\n\r\nd"),
        (b"\r\nc", b"c"),
        (b"\nc", b"c"),
        (b"A: b", b""),
        (b"", b""),
    ]:
        assert raw[end_of_header(raw, 0, len(raw)) :] == body


def test_parameters_are_read_quoted_or_not() -> None:
    read = parameterised(b'attachment; filename="a \\"b\\".pdf"; x=1;y = "z"; filename*=utf-8\'\'%C3%A9')
    assert read.value == b"attachment"
    assert read.param(b"filename") == b'a "b".pdf'
    assert read.param(b"y") == b"z"
    assert read.param(b"filename*") == b"utf-8''%C3%A9"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_hostile_header_values_never_raise(value: bytes) -> None:
    addresses(value)
    decoded_words(value)
    parameterised(value)
    decoded_name(value)
