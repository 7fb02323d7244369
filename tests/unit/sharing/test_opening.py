"""One request opened: against the example messages, and never raising whatever the bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.answers.registry import response_for
from gateway.answers.soap import fault_for
from gateway.exchange.deposit_checking import Native, judge_request
from gateway.rules import Hit, RuleBook, RuleContext, load_catalogue
from gateway.sandbox.model import Limits, Policy, SignatureMode, Vigilance
from gateway.sharing.case import Case
from gateway.sharing.constants import RS
from gateway.sharing.opening import Endpoint, OpenedRequest, OpenSettings, open_request
from gateway.soap.assertion import SealFault
from gateway.soap.certificates import Peer, holder_of
from gateway.soap.names import SOAP, qname
from gateway.values import Direction, Door, PlaceKind, Where
from tests.support import dmp_world as dmp
from tests.support.reference import reference

CTX = RuleContext(Direction.EMISSION, Door.DMP, dmp.now().date())
BOOK = RuleBook(load_catalogue())


def opened(
    request: tuple[str, bytes], *, lenient: bool = False, seal: SignatureMode = SignatureMode.PRESENT
) -> OpenedRequest:
    content_type, body = request
    return open_request(
        body, content_type, Endpoint.REPOSITORY, OpenSettings(Limits(), dmp.trust(), dmp.now(), seal, lenient)
    )


def judged(request: OpenedRequest, policy: Policy | None = None) -> tuple[list[str], Native, bool]:
    peer = Peer(True, holder_of(dmp.seal(dmp.Profile.AUTH_CLIENT).certificate))
    case = Case(request, peer, dmp.now(), Limits(), structure=dmp.structure(), state="active")
    judgement = judge_request(case, BOOK, CTX, policy or Policy())
    rules = [f.rule for f in judgement.refusing or judgement.decision.findings]
    return rules, judgement.native, bool(judgement.refusing)


def example_request() -> tuple[str, bytes]:
    raw = reference("dmp/own-examples/iti41_request.mime").read_bytes()
    head, _, body = raw.partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0].decode().partition(": ")[2], body


@pytest.mark.reference
def test_the_example_deposit_is_read_whole() -> None:
    request = opened(example_request())
    assert request.issues == ()
    assert request.seal.fault is SealFault.UNSIGNED
    assert request.vihf is None
    assert request.told is not None
    assert request.told.structure_id == "1750803447"
    lot = request.lot
    assert lot is not None
    assert [d.entry.entry_id for d in lot.documents] == ["Document01", "Signature01"]
    assert (lot.missing, lot.orphans, lot.inline) == ((), (), ())
    assert lot.signature is lot.documents[1]
    assert lot.clinical[0].sha1 == "95514a83eb9527d787228d75d6b706e88c69a37b"
    assert lot.clinical[0].cda is not None
    assert set(lot.patient_ids) == {"279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"}


@pytest.mark.reference
def test_the_example_success_and_fault_are_ours_too() -> None:
    theirs = etree.parse(reference("dmp/own-examples/iti41_response_success.xml")).find(f".//{{{RS}}}RegistryResponse")
    ours = etree.fromstring(response_for([], refused=False))
    assert theirs is not None
    assert (ours.tag, dict(ours.attrib), len(ours)) == (theirs.tag, dict(theirs.attrib), len(theirs))
    finding = BOOK.found("DMP-26", Hit(Where(PlaceKind.XPATH, "/x"), "a", "b"), CTX, "vihf")
    assert finding is not None
    told = etree.fromstring(fault_for([finding], "urn:uuid:bb", "urn:uuid:aa", "x").body)
    sample = etree.parse(reference("dmp/own-examples/soap_fault_bad_vihf_certificate.xml")).getroot()
    for path in (
        f".//{qname(SOAP, 'Code')}/{qname(SOAP, 'Value')}",
        f".//{qname(SOAP, 'Subcode')}/{qname(SOAP, 'Value')}",
    ):
        assert told.findtext(path) == sample.findtext(path)
    reason = sample.findtext(f".//{qname(SOAP, 'Text')}")
    assert reason
    assert str(told.findtext(f".//{qname(SOAP, 'Text')}")).startswith(reason)


def test_our_own_deposit_has_nothing_to_be_told() -> None:
    assert judged(opened(dmp.iti41(), seal=SignatureMode.VERIFY)) == ([], Native.RESPONSE, False)


def test_ids_that_differ_by_case_are_tolerated_outside_the_strict_profile_only() -> None:
    content_type, body = dmp.iti41(sign=False)
    edited = body.replace(b'<Document id="Document01">', b'<Document id="document01">')
    strict = judged(opened((content_type, edited)))[0]
    assert {"DMP-14", "DMP-62"} <= set(strict)
    request = opened((content_type, edited), lenient=True)
    assert request.lot is not None
    assert (request.lot.missing, request.lot.other_case) == ((), ("document01",))


def test_lf_boundaries_and_soap_1_1_are_tolerated_outside_the_strict_profile_only() -> None:
    content_type, body = dmp.iti41()
    older = body.replace(SOAP.encode(), b"http://schemas.xmlsoap.org/soap/envelope/")
    assert [i.rule_id for i in opened((content_type, older)).issues] == ["DMP-08"]
    assert opened((content_type, older), lenient=True).lot is not None


def test_a_comment_in_a_patient_id_does_not_cut_it() -> None:
    content_type, body = dmp.iti41(sign=False)
    edited = body.replace(b"<Value>PID-7|", b"<Value>PID-<!-- x -->7|")
    request = opened((content_type, edited))
    assert request.lot is not None
    info = [v.value for v in request.lot.clinical[0].entry.source_patient_info]
    assert f"PID-7|{dmp.patient().birth_date.replace('-', '')}" in info


def test_a_signature_entry_of_another_patient_is_told() -> None:
    content_type, body = dmp.iti41()
    cut = body.index(b'id="Signature01"')
    wrong = dmp.patient("brunel-odette").matricule.encode()
    edited = body[:cut] + body[cut:].replace(b'value="' + dmp.patient().matricule.encode(), b'value="' + wrong, 1)
    assert "INS-131" in judged(opened((content_type, edited)))[0]


def test_an_observing_workspace_reports_identities_but_never_takes_what_it_cannot_register() -> None:
    watch = Policy(vigilance=Vigilance.OBSERVE)
    made = dmp.record()
    spoilt = replace(made, patient=dmp.wrong_key(dmp.patient()))
    request = opened(dmp.iti41(dmp.lot(made, document=dmp.build_cda(spoilt))))
    rules, _, refused = judged(request, watch)
    assert ("INS-004" in rules, refused) == (True, False)
    content_type, body = dmp.iti41(sign=False)
    missing = opened((content_type, body.replace(b"Content-ID: <document01@", b"Content-ID: <x@")))
    assert judged(missing, watch)[2]


VALID = dmp.iti41()
TYPES = ["application/soap+xml", VALID[0], "", "text/xml"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_bytes_make_opening_or_judging_raise(data: st.DataObject) -> None:
    content_type, body = VALID
    at = data.draw(st.integers(0, min(len(body), 30_000) - 1))
    length = data.draw(st.integers(0, 30))
    piece = data.draw(st.binary(max_size=8) | st.sampled_from([b"<", b">", b"&", b"]]>", b"--", b'"', b"<!DOCTYPE a>"]))
    request = opened((content_type, body[:at] + piece + body[at + length :]))
    rules, _, _ = judged(request)
    assert "INS-205" not in rules


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(list(Endpoint)),
    st.sampled_from(["application/soap+xml", VALID[0], "", "text/xml"]),
)
def test_random_bodies_are_told_never_raised(body: bytes, endpoint: Endpoint, content_type: str) -> None:
    request = open_request(
        body, content_type, endpoint, OpenSettings(Limits(), dmp.trust(), dmp.now(), SignatureMode.PRESENT)
    )
    assert request.issues
