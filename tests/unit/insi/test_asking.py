"""A client's side without a socket: calls that open as they were written, answers that conclude no more than they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.answers.insi import fault_for, result_for
from gateway.insi.asking import Envelope, Software, differing, read_answer, transliterated, write_call
from gateway.insi.model import (
    Answer,
    CardData,
    Code,
    Individual,
    Ins,
    LocalIdentity,
    Matricule,
    Operation,
    Query,
    Verification,
)
from gateway.insi.opening import open_call
from gateway.insi.rules import REQUEST_RULES, name_is_admitted
from gateway.sandbox.model import Limits
from tests.support.insi_cases import CARD, GOOD, INS, case, judged

SOFTWARE = Software("PASSERELLE01", "passerelle <&>", "1", "900000001", "0001")
ENVELOPE = Envelope("uuid:1", "ctx", datetime(2026, 3, 2, 10, tzinfo=UTC))
TYPE = "application/soap+xml"
TOLD = Individual(
    Ins(Matricule("2390348901017", "55", "NIR"), INS.oid),
    "DELMAS",
    "SUZANNE MARIE",
    "F",
    "1939-03-08",
    "48901",
    history=(Ins(Matricule("2390348901018", "54", "NIR"), INS.oid, "2019-03-01", "2019-02-28"), INS),
)


@pytest.mark.parametrize(
    ("operation", "query"),
    [
        (Operation.TRAITS, GOOD),
        (Operation.TRAITS, replace(GOOD, given=("SUZANNE", "MARIE"), birth_place="", family="O'<&>")),
        (Operation.CARD, CARD),
        (Operation.CARD, CardData(holder=Matricule("1850648907012", "52"), birth_date="2012-04-18", rank="2")),
        (Operation.VERIFY, Verification(INS, replace(GOOD, given_list="SUZANNE MARIE"))),
    ],
)
def test_a_call_opens_as_it_was_written(operation: Operation, query: Query) -> None:
    opened = open_call(write_call(operation, query, SOFTWARE, ENVELOPE), TYPE, Limits())
    assert opened.issues == ()
    assert (opened.operation, opened.query, opened.message_id) == (operation, query, "uuid:1")
    assert (opened.caller.idam, opened.caller.software) == ("PASSERELLE01", "passerelle <&>")
    assert opened.caller.has_bam


def answer(code: Code, told: Individual | None = None, relates_to: str = "uuid:1") -> bytes:
    return result_for(Answer(code, told), Operation.TRAITS, "uuid:2", relates_to).body


def test_an_answer_is_read_whole_history_and_reversed_dates_included() -> None:
    read = read_answer(200, answer(Code.FOUND, TOLD), "uuid:1")
    assert (read.code, read.individual) == (Code.FOUND, TOLD)


def test_prenom_is_the_list_where_there_is_none() -> None:
    read = read_answer(200, answer(Code.FOUND, replace(TOLD, given="SUZANNE", given_list="")), "uuid:1")
    assert read.individual is not None
    assert read.individual.given_names == "SUZANNE"


@pytest.mark.parametrize("code", [Code.NONE, Code.SEVERAL])
def test_cr_01_and_02_are_codes(code: Code) -> None:
    read = read_answer(200, answer(code), "uuid:1")
    assert (read.code, read.fault) == (code, "")


def test_a_technical_fault_is_no_code() -> None:
    (finding,) = judged(REQUEST_RULES, case(replace(GOOD, sex="")))
    body = fault_for((finding,), Operation.TRAITS, "uuid:2", "uuid:1", "e").body
    read = read_answer(500, body, "uuid:1")
    assert (read.code, read.fault, read.sender) == (None, "insi_102", False)
    assert "INS-186" in read.reason


def test_a_fault_of_the_caller_is_told_apart() -> None:
    (finding,) = judged(REQUEST_RULES, case(marked="fictive"))
    read = read_answer(500, fault_for((finding,), Operation.TRAITS, "uuid:2", "uuid:1", "e").body, "uuid:1")
    assert (read.code, read.fault, read.sender) == (None, "passerelle_identite_interdite", True)


@pytest.mark.parametrize(
    ("status", "raw", "fault"),
    [
        (200, b"", "unreadable"),
        (200, b"<html>bonjour</html>", "unreadable"),
        (200, b"<!DOCTYPE a><a/>", "unreadable"),
        (200, answer(Code.NONE)[:-20], "unreadable"),
        (500, answer(Code.NONE), "unreadable"),
        (503, b"", "http-503"),
        (502, b"bad gateway", "http-502"),
        (200, answer(Code.NONE).replace(b">01<", b">03<"), "CR-03"),
        (200, answer(Code.NONE).replace(b">01<", b"><"), "unreadable"),
        (200, answer(Code.NONE, relates_to="uuid:other"), "unreadable"),
        (200, answer(Code.NONE).replace(b"INSiResultat", b"Autre"), "unreadable"),
    ],
)
def test_what_is_not_understood_concludes_nothing(status: int, raw: bytes, fault: str) -> None:
    read = read_answer(status, raw, "uuid:1")
    assert read.code is None
    assert read.fault == fault
    assert not read.sender


@given(st.binary(max_size=400), st.integers(100, 599))
@settings(max_examples=60, deadline=None)
def test_any_octets_are_an_answer_without_a_conclusion(raw: bytes, status: int) -> None:
    assert read_answer(status, raw, "uuid:1").code is None


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("D’ÆION", "D'AEION"),
        ("cœur", "COEUR"),
        ("Élodie", "ELODIE"),
        ("Jean  Paul ", "JEAN PAUL"),
        ("Müller-Strauß", "MULLER-STRAUSS"),
        ("Øyvind", "OYVIND"),
        ("D'ARTAGNAN", "D'ARTAGNAN"),
        ("İBRAHİM", "IBRAHIM"),
    ],
)
def test_names_are_transliterated_before_the_call(typed: str, sent: str) -> None:
    assert transliterated(typed, given=True) == sent


@pytest.mark.parametrize("typed", ["", " ", "МАРИЯ", "JEAN2", "JEAN/PAUL", "JEAN--PAUL", "DUPONT.", '"JEAN"'])
def test_what_has_no_equivalent_is_never_dropped(typed: str) -> None:
    assert transliterated(typed, given=True) is None


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_whatever_is_sent_is_admitted(typed: str) -> None:
    for given_name in (True, False):
        sent = transliterated(typed, given=given_name)
        assert sent is None or name_is_admitted(sent, given=given_name)


def test_differences_name_the_traits_that_are_not_as_entered() -> None:
    entered = LocalIdentity("DELMAS", ("SUZANNE",), "F", "1939-03-08")
    assert differing(entered, TOLD) == ()
    assert differing(replace(entered, family="Delmas"), TOLD) == ("family",)
    assert differing(replace(entered, given_names=("MARIE",), birth_place="48902"), TOLD) == (
        "given_names",
        "birth_place",
    )
