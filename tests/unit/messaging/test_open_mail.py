"""A mail as opened: headers in order, parts decoded, packages found, the patient of its addresses, and its limits."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.messaging.open_headers import decoded, mailboxes, read_headers
from gateway.messaging.open_mime import mime_leaves
from gateway.messaging.opening import longest_line, open_mail
from gateway.messaging.subject import parse_subject
from gateway.sandbox.model import Limits
from tests.support.handmade import INS, PDF, cda_bytes, mail, mail_bytes

LIMITS = Limits()


@dataclass(frozen=True)
class Given:
    mail_from: str
    recipients: tuple[str, ...]


def issues(raw: bytes, limits: Limits = LIMITS) -> list[str]:
    return [i.rule_id for i in open_mail(raw, None, limits).issues]


def nested(depth: int) -> bytes:
    """Multiparts one inside the other."""
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%05d"\r\n\r\n--b%05d\r\n' % (n, n) for n in range(depth)
    )
    return b"Subject: x\r\n" + head + b"Content-Type: text/plain\r\n\r\nx\r\n"


def test_headers_are_decoded_in_order_and_addresses_lowered() -> None:
    opened = mail()
    assert [h.name for h in opened.headers][:4] == ["From", "To", "Subject", "Date"]
    assert (opened.sender, opened.sender_name) == ("alix.modele@operateur-a.mssante.fr", "Dr_Alix_MODELE_CH du Bac")
    assert opened.header("to") == "Boite de l'EHPAD <ehpad@operateur-b.mssante.fr>"
    assert opened.recipients == ("ehpad@operateur-b.mssante.fr",)
    assert opened.message_id == "20260115.1@operateur-a.mssante.fr"
    assert opened.content_type == "multipart/mixed"
    assert opened.issues == ()


def test_parts_are_decoded_and_described() -> None:
    opened = mail()
    assert [(p.path, p.content_type, p.filename) for p in opened.parts] == [
        ("1", "text/plain", ""),
        ("2", "application/zip", "IHE_XDM.zip"),
        ("3", "application/pdf", "20260115_Lettre de liaison_ESSAI_CAMILLE.pdf"),
    ]
    assert opened.parts[0].text.startswith("Bonjour, voici le document demandé.")
    assert (opened.parts[2].size_bytes, opened.parts[2].pdfa_part) == (len(PDF), "1")
    assert opened.packages[0].where.path == "2 (IHE_XDM.zip)"


def test_the_patient_of_the_envelope_and_of_the_subject_is_told() -> None:
    opened = open_mail(mail_bytes(), Given("a@b.fr", (f"{INS}@PATIENT.mssante.fr",)))
    view = opened.identity
    assert view is not None
    assert view.mailbox is not None
    assert view.mailbox.value == f"{INS}@PATIENT.mssante.fr"
    assert view.birth_date is not None
    assert view.birth_date.value == "19390301"
    assert opened.envelope_recipients == (f"{INS}@patient.mssante.fr",)


def test_two_citizens_are_counted_once_each() -> None:
    to = ("<ehpad@operateur-b.mssante.fr>", f"<{INS}@patient.mssante.fr>, <280027512345626@patient.mssante.fr>")
    opened = open_mail(mail_bytes(to), Given("", (f"{INS}@patient.mssante.fr",)))
    assert opened.identity is not None
    assert opened.identity.subject_count == 2


def test_a_mail_that_names_no_patient_has_no_view() -> None:
    assert mail(("XDM/1.0/DDM+Lettre de liaison ESSAI CAMILLE 01/03/1939", "Bonjour")).identity is None


def test_a_cda_outside_a_package_is_opened_too() -> None:
    part = b'Content-Type: text/xml\nContent-Disposition: attachment; filename="DOC.XML"\n\n' + cda_bytes()
    opened = mail(parts=(part,))
    assert [d.label for d in opened.loose_documents] == ["cda:DOC.XML"]
    assert len(opened.documents) == 2


def test_a_package_under_another_name_is_found_by_what_it_holds() -> None:
    opened = mail(('filename="IHE_XDM.zip"', 'filename="documents.zip"'))
    assert len(opened.packages) == 1


def test_two_packages_have_two_labels() -> None:
    import base64

    from tests.support.handmade import files, zipped

    part = b'Content-Type: application/zip; name="ihe_xdm.ZIP"\nContent-Transfer-Encoding: base64\n\n'
    opened = mail(parts=(part + base64.encodebytes(zipped(files())),))
    assert [p.label for p in opened.packages] == ["xdm:IHE_XDM.zip", "xdm:IHE_XDM.zip#2"]


def test_a_part_that_does_not_decode_is_told_and_the_rest_is_read() -> None:
    part = b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n@@@@\n"
    opened = mail(parts=(part,))
    assert [i.rule_id for i in opened.issues] == ["ECO-17"]
    assert len(opened.packages) == 1


def test_raw_accents_in_a_header_are_read_and_flagged() -> None:
    opened = open_mail(b"From: a@b.fr\r\nSubject: \xe9t\xe9\r\nX-Utf: \xc3\xa9\r\n\r\nx")
    assert opened.subject == "été"
    assert [(h.value, h.raw_8bit) for h in opened.headers] == [("a@b.fr", False), ("été", True), ("é", True)]


def test_a_decoded_name_cannot_pass_for_an_address() -> None:
    opened = open_mail(b"From: =?utf-8?q?x_=3Cfaux=40ailleurs=2Efr=3E?= <vrai@ici.fr>\r\n\r\nx")
    assert opened.sender == "vrai@ici.fr"
    assert opened.sender_name == "x <faux@ailleurs.fr>"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?q?m=C3=A9dicale?=", "médicale"),
        ("CR =?UTF-8?B?w6k=?= =?UTF-8?B?w6k=?= fin", "CR éé fin"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        ("=?iso-8859-1?q?=E9_t?=", "é t"),
        ("=?iso-8859-1?q?=E9?= =?utf-8?q?=C3=A9?=", "éé"),
        ("=?inconnu?q?a?=", "a"),
        ("=?utf-8?b?%%%?=", ""),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("rien =? à ?= décoder", "rien =? à ?= décoder"),
        ("=?utf-8*fr?q?a?=", "a"),
    ],
)
def test_encoded_words_are_decoded(written: str, read: str) -> None:
    assert decoded(written) == read


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=60)
)
def test_what_the_standard_library_encodes_is_read_back(text: str) -> None:
    from email.header import Header

    assert decoded(Header(text, "utf-8", maxlinelen=40).encode().replace("\n", "")) == text


def test_a_header_of_unfinished_words_costs_one_pass() -> None:
    """A quadratic reader would not come back: a quarter of a million characters, a word begun at each sixth."""
    flood = "=?utf-8?q?a?= " + "=?u?q?" * 42_000
    assert decoded(flood).startswith("a")


def test_lines_are_measured_above_the_limit_only() -> None:
    assert longest_line(b"x" * 998 + b"\r\n" + b"y" * 10) == 0
    assert longest_line(b"a\r\n" + b"x" * 999 + b"\r\n") == 999
    assert longest_line(b"x" * 5000) == 5000
    assert longest_line(b"") == 0


@given(st.lists(st.integers(0, 3000), max_size=12))
def test_the_longest_line_is_that_of_a_plain_count(lengths: list[int]) -> None:
    raw = b"\r\n".join(b"x" * n for n in lengths)
    longest = max(lengths, default=0)
    assert longest_line(raw) == (longest if longest > 998 else 0)


def test_ten_thousand_nested_multiparts_are_refused() -> None:
    assert issues(nested(10_000)) == ["ABU-09"]
    assert issues(nested(30)) == ["ABU-09"]
    assert issues(nested(5)) == []


def test_too_many_parts_are_refused() -> None:
    raw = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 1500 + b"--b--\r\n"
    assert issues(raw) == ["ABU-09"]


def test_header_floods_are_refused_and_read_within_limits() -> None:
    by_count = b"".join(b"X-%d: y\r\n" % n for n in range(3000)) + b"\r\nx"
    assert issues(by_count) == ["ABU-10"]
    assert len(open_mail(by_count).headers) == LIMITS.header_count
    by_size = b"X: " + b"y" * 300_000 + b"\r\n\r\nx"
    assert issues(by_size) == ["ABU-10"]
    folded = b"X: y\r\n" + b" z\r\n" * 20_000 + b"\r\nx"
    assert issues(folded) == ["ABU-10"]


def test_encoded_words_without_end_are_refused_in_a_part_as_in_the_message() -> None:
    part = b"Content-Type: text/plain\nContent-Description: " + b"=?u?q?" * 20_000 + b"\n\nx\n"
    assert [i.rule_id for i in mail(parts=(part,)).issues] == ["ABU-10"]


def test_what_the_fast_reader_refuses_is_read_by_the_standard_one_when_small() -> None:
    broken = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n@@@@\n"
    assert [p.filename for p in mail(parts=(broken,)).parts if p.filename] == [
        "IHE_XDM.zip",
        "20260115_Lettre de liaison_ESSAI_CAMILLE.pdf",
    ]
    large = b"Content-Type: text/plain\n\n" + b"texte\n" * 40_000
    assert [i.rule_id for i in mail(parts=(broken, large)).issues] == ["ECO-17"]


def test_a_message_above_the_size_is_told_and_not_taken_apart() -> None:
    opened = open_mail(mail_bytes(), None, Limits(mail_bytes=100))
    assert [i.rule_id for i in opened.issues] == ["ABU-12"]
    assert opened.parts == ()
    assert opened.message_id


def test_a_broken_header_line_is_told() -> None:
    opened = open_mail(b"From: a@b.fr\r\nceci n'est pas un champ\r\nTo: c@d.fr\r\n\r\nx")
    assert [i.rule_id for i in opened.issues] == ["ECO-17"]
    assert opened.recipients == ("c@d.fr",)


def test_the_subject_is_read_when_it_has_its_form() -> None:
    told = parse_subject("XDM/1.0/DDM+CR d'imagerie PAT-TROIS DOMINIQUE 28/03/1979")
    assert told is not None
    assert (told.family, told.given, told.birth_date) == ("PAT-TROIS", "DOMINIQUE", "19790328")
    assert parse_subject("XDM/1.0/DDM+CR d'imagerie") is None
    assert parse_subject("Re: XDM/1.0/DDM+CR PAT-TROIS DOMINIQUE 28/03/1979") is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('"A, B" <a@b>, c@d', [("A, B", "a@b"), ("", "c@d")]),
        ("Dr X <A@B.fr>", [("Dr X", "a@b.fr")]),
        ("undisclosed-recipients:;", []),
        ("", []),
        ("(" * 5000 + "a@b", []),
    ],
)
def test_addresses_are_split_whatever_their_form(value: str, found: list[tuple[str, str]]) -> None:
    assert [(b.name, b.address) for b in mailboxes(value)] == found


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_any_octets_are_a_mail(raw: bytes) -> None:
    pickle.dumps(open_mail(raw))
    pickle.dumps(open_mail(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + raw))
    read_headers(raw, 100, 5)


LEAF_TYPES = st.sampled_from(["text/plain", "text/html", "application/pdf", "application/zip", "image/png"])
ENCODINGS = st.sampled_from(["base64", "quoted-printable", "7bit", "8bit"])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Well-made multiparts of a few leaves, some nested, in any transfer encoding."""
    import base64
    import quopri

    def leaf() -> bytes:
        encoding = draw(ENCODINGS)
        content = draw(st.binary(max_size=80)).replace(b"\r", b"").replace(b"\n", b"").replace(b"--", b"")
        if encoding in ("7bit", "8bit"):
            body = (
                bytes(b & 0x7F if encoding == "7bit" else b for b in content).replace(b"\x00", b"x").replace(b"\r", b"")
            )
            body = body.replace(b"\n", b"").replace(b"--", b"")
        else:
            body = base64.encodebytes(content) if encoding == "base64" else quopri.encodestring(content)
        head = f"Content-Type: {draw(LEAF_TYPES)}\nContent-Transfer-Encoding: {encoding}\n"
        if draw(st.booleans()):
            head += 'Content-Disposition: attachment; filename="f.bin"\n'
        return head.encode() + b"\n" + body.rstrip(b"\n") + b"\n"

    def tree(depth: int) -> bytes:
        if depth == 0 or draw(st.booleans()):
            return leaf()
        mark = f"b{depth}"
        parts = b"".join(f"--{mark}\n".encode() + tree(depth - 1) for _ in range(draw(st.integers(1, 3))))
        return f'Content-Type: multipart/mixed; boundary="{mark}"\n\n'.encode() + parts + f"--{mark}--\n".encode()

    return (b"Subject: x\nMIME-Version: 1.0\n" + tree(3)).replace(b"\n", b"\r\n")


@settings(max_examples=80)
@given(messages())
def test_the_fast_reader_finds_the_leaves_of_the_standard_library(raw: bytes) -> None:
    leaves, refused = mime_leaves(raw, LIMITS)
    assert refused == []
    expected = [p for p in message_from_bytes(raw, policy=policy.compat32).walk() if not p.is_multipart()]
    assert [x.content_type for x in leaves] == [p.get_content_type() for p in expected]
    assert [x.filename for x in leaves] == [p.get_filename() or "" for p in expected]
    assert [_without_end(x.content) for x in leaves] == [_without_end(_decoded(p)) for p in expected]


def _decoded(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _without_end(content: bytes | None) -> bytes:
    """The line end before a boundary belongs to the boundary; the two readers differ on a last empty line."""
    return (content or b"").replace(b"\r\n", b"\n").rstrip(b"\n")
