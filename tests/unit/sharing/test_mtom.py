"""multipart/related read and written by bytes: what comes out is what went in, and what is broken says so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sharing.mtom import Attachment, MultipartError, content_type_of, read_multipart, write_multipart
from tests.support.reference import reference

ROOT = b"<root/>"
HEAD = 'multipart/related; boundary="B"; type="application/xop+xml"; start="<r>"'


def message(*contents: bytes) -> tuple[str, bytes]:
    parts = [Attachment(f"d{n}@x", content) for n, content in enumerate(contents)]
    return write_multipart(ROOT, parts, boundary="MIMEBoundary_7f3a", root_id="r@x", action="urn:a")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.binary(max_size=200) | st.sampled_from([b"\r\n", b"\r\n--", b"--MIMEBoundary", b"\n", b""]), max_size=4)
)
def test_any_octets_come_out_as_they_went_in(contents: list[bytes]) -> None:
    content_type, body = message(*contents)
    read = read_multipart(content_type, body)
    assert read.root.content == ROOT
    assert [part.content for part in read.parts.values()] == contents


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_bodies_are_split_or_refused_never_worse(body: bytes) -> None:
    with pytest.raises(MultipartError):
        read_multipart(HEAD, body.replace(b"--B", b"--C"))


def test_every_truncation_is_refused() -> None:
    content_type, body = message(b"one", b"two")
    for cut in range(len(body) - len(b"--\r\n")):
        with pytest.raises(MultipartError):
            read_multipart(content_type, body[:cut])


def test_the_root_is_found_by_start_wherever_it_stands() -> None:
    body = b"--B\r\nContent-ID: <d>\r\n\r\ndoc\r\n--B\r\nContent-ID: <r>\r\n\r\nroot\r\n--B--"
    read = read_multipart(HEAD, body)
    assert (read.root.content, read.parts["d"].content) == (b"root", b"doc")


def test_a_cid_may_be_url_encoded() -> None:
    body = b"--B\r\nContent-ID: <r>\r\n\r\nroot\r\n--B\r\nContent-ID: <a:b@c>\r\n\r\ndoc\r\n--B--"
    read = read_multipart(HEAD, body)
    assert read.by_cid("cid:a%3Ab%40c") is read.parts["a:b@c"]
    assert read.by_cid("http://elsewhere") is None


def test_a_longer_boundary_is_not_a_boundary() -> None:
    body = b"--B\r\nContent-ID: <r>\r\n\r\nroot\r\n--BB\r\nstill root\r\n--B--"
    assert read_multipart(HEAD, body).root.content == b"root\r\n--BB\r\nstill root"


def test_lf_alone_is_read_only_when_lenient() -> None:
    body = b"--B\nContent-ID: <r>\n\nroot\r\nkept\n--B--"
    with pytest.raises(MultipartError, match="LF"):
        read_multipart(HEAD, body)
    read = read_multipart(HEAD, body, lenient=True)
    assert (read.root.content, read.lenient) == (b"root\r\nkept", ("lf-only",))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/xml", b""),
        ("multipart/related", b"--B--"),
        (HEAD, b"--B\r\nContent-ID: <other>\r\n\r\nx\r\n--B--"),
        (HEAD, b"--B\r\nContent-ID: <r>\r\nno empty line\r\n--B--"),
        (
            HEAD,
            b"--B\r\nContent-ID: <r>\r\n\r\na\r\n--B\r\nContent-ID: <d>\r\n\r\n1\r\n--B\r\nContent-ID: <d>\r\n\r\n2\r\n--B--",
        ),
        (HEAD, b"--B\r\nContent-ID: <r>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na\r\n--B--"),
        (HEAD, b"--B\r\nContent-ID: <r>\r\nContent-Transfer-Encoding: base64\r\n\r\n*\r\n--B--"),
    ],
)
def test_what_is_not_whole_is_refused_with_what_was_expected(content_type: str, body: bytes) -> None:
    with pytest.raises(MultipartError) as refused:
        read_multipart(content_type, body)
    assert refused.value.received
    assert refused.value.expected


def test_a_boundary_inside_a_document_is_refused_at_writing() -> None:
    with pytest.raises(ValueError, match="boundary"):
        message(b"..--MIMEBoundary_7f3a..")


def test_quoted_parameters_keep_their_semicolons() -> None:
    media, params = content_type_of('Multipart/Related; a="x;y\\"z" ; B=c;d = "e"')
    assert (media, params) == ("multipart/related", {"a": 'x;y"z', "b": "c", "d": "e"})


@pytest.mark.reference
def test_the_example_request_gives_the_two_documents_as_they_are_beside_it() -> None:
    raw = reference("dmp/own-examples/iti41_request.mime").read_bytes()
    head, _, body = raw.partition(b"\r\n\r\n")
    content_type = head.partition(b"\r\n")[0].decode().partition(": ")[2]
    read = read_multipart(content_type, body)
    assert read.parts["document01@sandbox"].content == reference("dmp/own-examples/cda_n1_minimal.xml").read_bytes()
    assert read.root.content.lstrip().startswith(b"<?xml")
