"""SOAP messages kept as files: what each body is, who its containers say the patient is, and any octets at all."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.exchange.opening import open_message, sniff
from gateway.identity.model import ContainerKind
from gateway.insi.model import Answer, CardData, Code, Individual, Ins, Matricule, Operation, Traits, Verification
from gateway.insi.wire import write_query, write_result
from gateway.rules import Severity
from tests.support.hl7_messages import judged_message
from tests.support.identity_views import COLETTE, ids
from tests.support.reference import reference

ZOE = Traits("ADRUN", ("ZOE",), "F", "1975-12-31")
HELD = Ins(Matricule("2751263220749", "74", "NIR"), "1.2.250.1.213.1.4.8")
FORMER = Ins(Matricule("2751263220748", "75", "NIR"), "1.2.250.1.213.1.4.8", "2010-01-01", "2015-01-01")
TOLD = Individual(HELD, "ADRUN", "ZOE MARIE", "F", "1975-12-31", "63220", "ZOE", (FORMER,))


def enveloped(body: bytes) -> bytes:
    return (
        b'<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header/><soap:Body>'
        + body
        + b"</soap:Body></soap:Envelope>"
    )


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "kind", "labels"),
    [
        ("iti41_request.mime", "iti-41", ["vihf", "metadata:lot", "metadata:Document01", "cda:Document01"]),
        ("iti41_request_root.xml", "iti-41", ["vihf", "metadata:lot", "metadata:Document01"]),
        ("iti18_finddocuments_request.xml", "iti-18", ["vihf", "query"]),
        (
            "iti18_finddocuments_response.xml",
            "iti-18-answer",
            ["metadata:urn:uuid:3c9a6c58-0000-4000-8000-00000000d0c1"],
        ),
        ("iti43_response.mime", "iti-43-answer", ["cda:document01@sandbox"]),
        ("iti57_mask_request.xml", "iti-57", ["vihf", "metadata:lot", "metadata:Document01"]),
        ("td02_request.xml", "td0.2", ["vihf", "td0.2"]),
        ("td03_request.xml", "td0.3", ["vihf"]),
        ("vihf_air.xml", "vihf", ["vihf"]),
        ("iti41_response_success.xml", "registry-response", []),
        ("soap_fault_bad_vihf_certificate.xml", "soap-fault", []),
    ],
)
def test_each_example_is_known_by_its_body(name: str, kind: str, labels: list[str]) -> None:
    raw = reference(f"dmp/own-examples/{name}").read_bytes()
    assert sniff(raw, name) == "soap"
    opened = open_message(raw, filename=name)
    assert (opened.kind, [v.label for v in opened.views]) == (kind, labels)
    assert Severity.BLOCKING not in {f.severity for f in judged_message(raw)}


@pytest.mark.reference
def test_the_vihf_the_lot_and_the_document_are_compared() -> None:
    raw = reference("dmp/own-examples/iti41_request.mime").read_bytes()
    [known] = {i.value for v in open_message(raw).views for i in v.identifiers if i.is_ins}
    at = raw.rindex(known.encode())  # in the document, which comes last
    changed = raw[:at] + COLETTE.encode() + raw[at + 15 :]
    assert "INS-150" in ids(judged_message(changed))
    at = raw.index(known.encode())  # in the VIHF, which comes first
    assert "INS-134" in ids(judged_message(raw[:at] + COLETTE.encode() + raw[at + 15 :]))


@pytest.mark.reference
def test_a_message_from_its_first_boundary_opens_too() -> None:
    raw = reference("dmp/own-examples/iti41_request.mime").read_bytes()
    bare = raw[raw.index(b"--MIMEBoundary") :]
    assert sniff(bare) == "soap"
    assert open_message(bare).kind == "iti-41"


@pytest.mark.reference
def test_a_message_cut_before_its_last_boundary_is_told() -> None:
    raw = reference("dmp/own-examples/iti41_request.mime").read_bytes()
    assert [i.rule_id for i in open_message(raw[: len(raw) // 2]).issues] == ["DMP-06"]


@pytest.mark.parametrize("wrap", [enveloped, bytes])
@pytest.mark.parametrize(
    ("body", "kind", "rules"),
    [
        (write_query(Operation.TRAITS, ZOE), "insi-request", set()),
        (write_query(Operation.TRAITS, Traits("D’ÆION", ("CŒUR",), "M", "1987-01-01")), "insi-request", {"INS-187"}),
        (write_query(Operation.TRAITS, Traits("ADRUN", (), "F")), "insi-request", {"INS-186"}),
        (write_query(Operation.CARD, CardData(HELD.matricule, None, "ADRUN", "1975-12-31")), "insi-request", set()),
        (write_query(Operation.VERIFY, Verification(HELD, ZOE)), "insi-request", set()),
        (write_result(Answer(Code.FOUND, TOLD)), "insi-answer", set()),
        (write_result(Answer(Code.NONE)), "insi-answer", {"INS-188"}),
        (write_result(Answer(Code.SEVERAL)), "insi-answer", {"INS-189"}),
    ],
)
def test_calls_of_insi_and_their_answers(wrap: type, body: bytes, kind: str, rules: set[str]) -> None:
    raw = wrap(body)
    opened = open_message(raw, filename="insi.xml")
    if opened.kind == "unknown":  # the body of a verification has a root that says nothing by itself
        assert b"<Requete" in body
        return
    assert opened.kind == kind
    assert {i.rule_id for i in opened.issues} == rules
    assert rules <= ids(judged_message(raw))


def test_the_individual_of_an_answer_is_a_view_with_its_history() -> None:
    [view] = open_message(write_result(Answer(Code.FOUND, TOLD))).views
    assert view.kind is ContainerKind.INSI
    assert [(i.value, i.use) for i in view.identifiers] == [("275126322074974", ""), ("275126322074875", "old")]
    assert view.given_list is not None
    assert view.given_list.value == "ZOE MARIE"
    assert "INS-028" not in ids(judged_message(write_result(Answer(Code.FOUND, TOLD))))


def test_an_envelope_of_something_else_teaches_what_is_known() -> None:
    opened = open_message(enveloped(b"<Bonjour/>"))
    assert [i.rule_id for i in opened.issues] == ["DMP-90"]
    assert [i.rule_id for i in open_message(enveloped(b"")).issues] == ["DMP-90"]


def test_a_document_type_in_an_envelope_is_abuse() -> None:
    assert [i.rule_id for i in open_message(b"<!DOCTYPE a>" + enveloped(b"<a/>")).issues] == ["ABU-01"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_octets_open(raw: bytes) -> None:
    for octets in (
        raw,
        enveloped(raw),
        b'Content-Type: multipart/related; boundary="x"; type="application/xop+xml"\r\n\r\n--x\r\n'
        + raw
        + b"\r\n--x--",
        b"<RESULTAT xmlns='http://www.cnamts.fr/INSiResultat'>" + raw + b"</RESULTAT>",
    ):
        pickle.dumps(open_message(octets, "soap"))


def test_an_ordinary_mail_stays_a_mail() -> None:
    assert sniff(b"From: a@b\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\n") == "mail"
