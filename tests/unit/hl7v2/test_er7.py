"""ER7 read by its own separators, unescaped leaf by leaf, and never an exception."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hl7v2.er7 import (
    MOST_REPETITIONS,
    Segment,
    Separators,
    escaped,
    is_segment,
    labelled,
    separators_of,
    split_segments,
    strange_escapes,
    unescape,
)
from gateway.hl7v2.opening import open_hl7
from gateway.sandbox.model import Limits
from tests.support.hl7_messages import Pid, adt, judged_message, oru

SEPS = Separators()


def segment(raw: str) -> Segment:
    return Segment(raw, 3, SEPS, "utf-8")


def test_separators_are_read_and_never_assumed() -> None:
    assert separators_of("MSH|^~\\&|A") == SEPS
    assert separators_of("MSH#*+!%#A") == Separators("#", "*", "+", "!", "%")
    assert separators_of("MSH|^~\\&#|A") == SEPS  # a truncation character (2.7) after the four others


@pytest.mark.parametrize(
    "line", ["", "MSH", "MSH|", "MSH|^~\\|A", "MSH|^^\\&|A", "MSH|A~\\&|", "MSHA^~\\&A", "PID|^~\\&|", "MSH ^~\\& "]
)
def test_a_header_that_announces_no_five_separators_is_refused(line: str) -> None:
    assert separators_of(line) is None


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n\n\r"])
def test_segments_end_with_any_line_end(end: str) -> None:
    assert split_segments(end.join(["MSH|^~\\&|A", "PID|1", ""])) == ["MSH|^~\\&|A", "PID|1"]


def test_fields_repetitions_components_and_subcomponents() -> None:
    pid = segment("PID|1||A1^^^N&1.2.3&ISO^PI~B2^^^M^INS||DE L&x^ANNE^ANNE MARIE^^^^L")
    first, second = pid.repetitions(3)
    assert (first.text(1), first.text(4, 1), first.text(4, 2), first.text(4, 3), first.text(5)) == (
        "A1",
        "N",
        "1.2.3",
        "ISO",
        "PI",
    )
    assert (second.text(4), second.text(4, 2), second.text(9)) == ("M", "", "")
    assert str(first.where(4, 2)) == "PID-3[1].4.2 (l. 3)"
    assert pid.text(5) == "DE L"
    assert pid.text(99) == ""
    assert list(pid.repetitions(4)) == []


def test_the_separators_are_fields_of_msh() -> None:
    msh = segment("MSH|^~\\&|APP|FAC")
    assert [msh.raw_field(n) for n in (1, 2, 3, 4)] == ["|", "^~\\&", "APP", "FAC"]
    assert msh.first(2).raw == "^~\\&"


def test_an_empty_repetition_keeps_the_rank_of_the_others() -> None:
    assert [r.path for r in segment("PID|1||~~X").repetitions(3)] == ["PID-3[3]"]


def test_repetitions_are_bounded() -> None:
    assert len(list(segment("PID|1||" + "A~" * 5000).repetitions(3))) == MOST_REPETITIONS


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("D\\T\\ARC", "D&ARC"),
        ("\\F\\\\S\\\\T\\\\R\\\\E\\", "|^&~\\"),
        ("\\E\\F\\E\\", "\\F\\"),
        ("a\\.br\\b", "a\nb"),
        ("a\\.sp 2\\b\\.sp\\c", "a\n\nb\nc"),
        ("\\H\\gras\\N\\", "gras"),
        ("caf\\XC3A9\\", "café"),
        ("x\\XC3\\", "x\ufffd"),
        ("\\Zdd\\ \\C1234\\", "\\Zdd\\ \\C1234\\"),
        ("fin\\", "fin\\"),
        ("a\\F", "a\\F"),
        ("\\XZZ\\", "\\XZZ\\"),
    ],
)
def test_escapes_are_undone_once(written: str, read: str) -> None:
    assert unescape(written, SEPS) == read


@given(st.text(max_size=80))
def test_what_is_escaped_reads_back(text: str) -> None:
    assert unescape(escaped(text), SEPS, "utf-8") == text
    assert not set("|^~&\r\n") & set(escaped(text))


def test_hex_is_read_in_the_charset_of_the_message() -> None:
    assert unescape("\\XE9\\", SEPS, "iso8859-15") == "é"


def test_strange_escapes_are_listed_and_bounded() -> None:
    assert strange_escapes("A\\F\\B\\Q\\C\\", SEPS) == ["\\Q\\", "\\"]
    assert len(strange_escapes("\\Q\\" * 1000, SEPS)) == 5


def test_a_lone_escape_character_costs_one_pass() -> None:
    assert unescape("\\" * 200_001, SEPS).count("\\") > 0
    assert unescape("a\\" + "b" * 1_000_000, SEPS).endswith("b")


def test_segments_of_one_name_are_numbered() -> None:
    names = [segment(raw) for raw in ("MSH|^~\\&", "OBX|1", "OBX|2", "PID|1")]
    assert [s.label for s in labelled(names)] == ["MSH", "OBX[1]", "OBX[2]", "PID"]
    assert [is_segment(line, "|") for line in ("PID|1", "PID", "PIDX|", "pid|1", "2e ligne")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_the_null_reads_as_an_empty_trait_and_stays_an_identifier() -> None:
    view = open_hl7(adt(Pid(ids='""^^^A&1.2.250.1.213.1.4.8&ISO^INS', sex='""', names='""^ODETTE^^^^^L'))).views[0]
    assert view.identifiers[0].value == '""'
    assert view.sex is not None
    assert view.sex.value == ""
    assert view.birth_family is not None
    assert view.birth_family.value == ""


@given(st.binary(max_size=400))
def test_any_octets_open(raw: bytes) -> None:
    for octets in (raw, b"MSH|^~\\&|" + raw, b"MSH" + raw, adt() + raw, b"\x0b" + adt() + raw + b"\x1c\r"):
        pickle.dumps(open_hl7(octets))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_damaged_messages_are_opened_and_judged(data: st.DataObject) -> None:
    raw = bytearray(adt(None, "ZFD|||Y|N|INSI|20260301||", "MRG|A^^^B&1.2.3&ISO^INS"))
    for _ in range(data.draw(st.integers(1, 10))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
        if not raw:
            break
    findings = judged_message(bytes(b"MSH" + raw[3:]))
    assert [f for f in findings if f.rule == "INS-205"] == []


@settings(max_examples=80, deadline=None)
@given(number=st.integers(1, 35), text=st.text(max_size=40))
def test_any_text_in_any_field_of_a_pid_is_judged(number: int, text: str) -> None:
    raw = adt(Pid(others={number: text.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace").decode()}))
    assert [f for f in judged_message(raw) if f.rule == "INS-205"] == []


def test_a_message_above_the_limit_is_refused_unread() -> None:
    opened = open_hl7(adt(), Limits(hl7_bytes=100))
    assert [i.rule_id for i in opened.issues] == ["HL7-20"]
    assert opened.message is None


def test_a_megabyte_of_name_or_a_million_repetitions_open() -> None:
    for pid in (Pid(names="X" * 1_000_000 + "^A^A^^^^L"), Pid(ids="1~" * 500_000), Pid(names="\\" * 999_999)):
        findings = judged_message(adt(pid))
        assert all(len(f.received) < 1000 and len(f.expected) < 1000 for f in findings)


def test_too_many_segments_are_told() -> None:
    opened = open_hl7(adt() + b"NTE|1\r" * 30_000)
    assert "HL7-20" in [i.rule_id for i in opened.issues]


def test_a_crowd_of_patients_is_refused() -> None:
    opened = open_hl7(adt() + b"PID|1||1^^^A^PI\r" * 900)
    assert [i.rule_id for i in opened.issues] == ["HL7-20"]
    assert len(opened.views) == 500


def test_the_base64_of_a_document_is_never_unescaped() -> None:
    opened = open_hl7(oru(b'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>x</title></ClinicalDocument>'))
    assert [d.label for d in opened.documents] == ["cda:OBX[1]"]
