"""MSH-18 is believed only when the octets agree, and names come out right whatever it says."""

from __future__ import annotations

import pytest

from gateway.hl7v2.charset import declared_charset
from gateway.hl7v2.opening import open_hl7
from gateway.identity.model import IdentityView
from gateway.rules import load_catalogue
from tests.support.hl7_messages import Pid, adt

PID = Pid(names="RÉAULT^ODETTE^ODETTE^^^^L")


def opened(declared: str, codec: str, prefix: bytes = b"") -> tuple[list[str], IdentityView]:
    raw = adt(PID, msh18=declared).decode().encode(codec)
    message = open_hl7(prefix + raw)
    return [i.rule_id for i in message.issues], message.views[0]


@pytest.mark.parametrize(
    ("declared", "codec", "rules"),
    [
        ("UNICODE UTF-8", "utf-8", []),
        ("unicode  utf-8", "utf-8", []),
        ("8859/15", "iso8859-15", []),
        ("8859/15~UNICODE UTF-8", "iso8859-15", []),
        ("8859/1", "iso8859-1", ["HL7-03"]),
        ("", "utf-8", ["HL7-03"]),
        ("", "iso8859-15", ["HL7-03"]),
        ("UNICODE", "utf-8", ["HL7-03"]),
        ("UNICODE UTF-8", "iso8859-15", ["HL7-04"]),
        ("8859/15", "utf-8", ["HL7-04"]),
        ("ASCII", "utf-8", ["HL7-03", "HL7-04"]),
        ("KLINGON", "utf-8", ["HL7-14"]),
        ("KLINGON", "iso8859-15", ["HL7-14"]),
        ("UNICODE UTF-16", "utf-8", ["HL7-14"]),
    ],
)
def test_each_declaration_against_its_octets(declared: str, codec: str, rules: list[str]) -> None:
    found, view = opened(declared, codec)
    assert found == rules
    assert view.birth_family is not None
    assert view.birth_family.value == "RÉAULT"


def test_windows_characters_announced_as_iso_are_told() -> None:
    raw = adt(Pid(names="D\u2019ARC^ODETTE^ODETTE^^^^L"), msh18="8859/15").decode().encode("cp1252")
    message = open_hl7(raw)
    assert [i.rule_id for i in message.issues] == ["HL7-04"]
    assert message.views[0].birth_family is not None
    assert message.views[0].birth_family.value == "D\u2019ARC"


def test_a_byte_order_mark_is_taken_off_and_told() -> None:
    rules, view = opened("UNICODE UTF-8", "utf-8", b"\xef\xbb\xbf")
    assert rules == ["HL7-03"]
    assert view.birth_family is not None


def test_utf_16_is_told_and_read_all_the_same() -> None:
    for codec in ("utf-16", "utf-16-le"):
        message = open_hl7(adt(PID).decode().encode(codec))
        assert "HL7-14" in [i.rule_id for i in message.issues]
        assert len(message.views) == 1


@pytest.mark.parametrize("frame", [(b"\x0b", b"\x1c\r"), (b"\r\n", b""), (b"", b"\x1c"), (b"\x00 ", b"\r\n")])
def test_the_frame_of_a_capture_is_taken_off(frame: tuple[bytes, bytes]) -> None:
    message = open_hl7(frame[0] + adt() + frame[1])
    assert message.issues == ()
    assert message.message is not None
    assert message.message.kind == "ADT^A28"


def test_msh_18_is_found_whatever_the_separators() -> None:
    assert declared_charset(b"MSH#*+!%#A#B#C#D#1##ADT#1#T#2.5#####FRA#8859/15\rPID") == "8859/15"
    assert declared_charset(b"MSH") == ""


def test_each_fault_has_its_card_in_two_languages() -> None:
    for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 20):
        card = load_catalogue()[f"HL7-{number:02}"]
        assert card.message.fr != card.message.en
        assert card.cure.fr.endswith(".")
        assert card.cure.en.endswith(".")
        assert card.passing
        assert card.breaking
