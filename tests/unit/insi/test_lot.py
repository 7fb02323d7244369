"""Verification lots: read, refused, written."""

from __future__ import annotations

import json

import pytest

from gateway.insi.lot import MAX_LINES, open_lot, write_lot
from gateway.insi.model import Verification
from tests.support.insi_cases import GOOD, INS

TYPE = "application/json"


def rule(body: bytes, content_type: str = TYPE) -> str:
    lot = open_lot(body, content_type)
    assert not lot.lines
    return lot.issues[0].rule_id


def test_a_lot_reads_as_it_was_written() -> None:
    line = {
        "matricule": "239034890101755",
        "oid": INS.oid,
        "nomNaissance": "DELMAS",
        "prenoms": "SUZANNE MARIE",
        "sexe": "F",
        "dateNaissance": "1939-03-08",
        "lieuNaissance": "48901",
    }
    lot = open_lot(json.dumps({"lignes": [line]}).encode(), TYPE)
    (read,) = lot.lines
    assert read.ins.matricule.whole == "239034890101755"
    assert (read.traits.given, read.traits.given_list) == (("SUZANNE MARIE",), "SUZANNE MARIE")
    assert json.loads(write_lot(lot.lines)) == {"lignes": [line]}


def test_what_a_line_leaves_out_is_empty_and_judged_with_the_line() -> None:
    (read,) = open_lot(b'{"lignes": [{}]}', TYPE).lines
    assert read.ins.matricule.whole == ""
    assert read.traits.given == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"lignes": []}',
        b'{"lignes": {}}',
        b'{"lignes": ["x"]}',
        b'{"lignes": [{"sexe": 1}]}',
        b'{"lignes": [{"sexe": null}]}',
        b'{"lignes": [{"nomNaissance": "A\\u0000"}]}',
        b'{"lignes": [{"nomNaissance": "\\ud800"}]}',
        b"\xff\xfe",
        b'{"lignes": ' + b"[" * 100_000,
    ],
)
def test_a_lot_of_another_shape_is_refused(body: bytes) -> None:
    assert rule(body) == "INSI-20"


def test_a_lot_is_json_and_of_bounded_length() -> None:
    assert rule(b"{}", "text/csv") == "INSI-11"
    assert rule(json.dumps({"lignes": [{}] * (MAX_LINES + 1)}).encode()) == "INSI-21"
    assert write_lot((Verification(INS, GOOD),))
