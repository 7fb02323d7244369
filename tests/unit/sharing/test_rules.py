"""Each sharing rule that the wire tests do not reach: what breaks it, what passes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from adapters.pki.authority import KeySigner
from adapters.pki.model import Fault, Profile, Subject
from gateway.rules import RuleBook, RuleContext, load_catalogue
from gateway.sandbox.model import Limits, SignatureMode
from gateway.sharing.build import RequestIds
from gateway.sharing.case import Case, KnownEntry
from gateway.sharing.opening import Endpoint, OpenSettings, open_request
from gateway.sharing.rules_access import PEER_RULES, SEAL_RULES
from gateway.sharing.rules_lot import LOT_RULES, REGISTRY_RULES
from gateway.sharing.vihf import patient_id
from gateway.soap.certificates import Peer, holder_of
from gateway.values import Direction, Door
from tests.support import dmp_world as dmp

CTX = RuleContext(Direction.EMISSION, Door.DMP, dmp.now().date())
BOOK = RuleBook(load_catalogue())
TARGET = "3c9a6c58-0000-4000-8000-00000000d0c1"


@cache
def valid() -> tuple[str, bytes]:
    return dmp.iti41(ids=RequestIds("m-1", "a-1", "2.25.77"))


def case_of(request: tuple[str, bytes], *, at_days: int = 0) -> Case:
    now = dmp.now() + timedelta(days=at_days)
    content_type, body = request
    settings = OpenSettings(Limits(), dmp.trust(), now, SignatureMode.PRESENT)
    opened = open_request(body, content_type, Endpoint.REPOSITORY, settings)
    peer = Peer(True, holder_of(dmp.seal(Profile.AUTH_CLIENT).certificate))
    return Case(opened, peer, now, Limits(), structure=dmp.structure(), state="active")


def seal_rules(request: tuple[str, bytes], **when: int) -> list[str]:
    return [f.rule for f in BOOK.judge(SEAL_RULES, case_of(request, **when), CTX, "vihf")]


def lot_rules(case: Case) -> list[str]:
    return [f.rule for f in BOOK.judge((*LOT_RULES, *REGISTRY_RULES), case, CTX, "metadata")]


def edited(old: bytes, new: bytes, count: int = -1) -> Case:
    content_type, body = valid()
    assert old in body
    return case_of((content_type, body.replace(old, new, count)))


def signer(fault: Fault) -> KeySigner:
    subject = Subject("cachet", "EHPAD LES TILLEULS", dmp.structure().struct_id_nat)
    authority = dmp.shared_authority()
    return authority.signer(authority.ensure(Profile.SIGN, subject, key=f"dmp:seal:{fault.value}", fault=fault))


def test_a_valid_deposit_breaks_no_rule() -> None:
    case = case_of(valid())
    assert [f.rule for f in BOOK.judge((*PEER_RULES, *SEAL_RULES), case, CTX, "x")] == []
    assert lot_rules(case) == []


def test_a_seal_does_not_open_a_tls_session() -> None:
    peer = Peer(True, holder_of(dmp.seal(Profile.SIGN).certificate))
    case = replace(case_of(valid()), peer=peer)
    assert [f.rule for f in BOOK.judge(PEER_RULES, case, CTX, "tls")] == ["DMP-03"]
    unreadable = replace(case, peer=Peer(True, holder_of(b"not a certificate")))
    assert [f.rule for f in BOOK.judge(PEER_RULES, unreadable, CTX, "tls")] == ["DMP-02"]


@pytest.mark.parametrize("fault", [Fault.EXPIRED, Fault.NOT_YET_VALID, Fault.REVOKED, Fault.OTHER_CA, Fault.LOOKALIKE])
def test_a_vihf_signed_under_a_bad_certificate_is_not_trusted(fault: Fault) -> None:
    dmp.trust.cache_clear()  # the revocation may have just been made
    request = dmp.iti41(signer=signer(fault))
    assert "DMP-25" in seal_rules(request)
    if fault is Fault.EXPIRED:
        assert "DMP-25" in seal_rules(valid(), at_days=4000)


def test_the_issuer_must_be_the_signer() -> None:
    from base64 import b64encode

    from lxml import etree

    from gateway.sharing.vihf_signature import sign_vihf
    from gateway.soap.c14n import EXCLUSIVE, canonical, digest

    # signed honestly over an Issuer that is somebody else's name
    root = etree.fromstring(sign_vihf(replace(dmp.vihf(), assertion_id="_a-1"), dmp.seal()))
    root[0].text = "CN=autre,OU=1480990118,C=FR"
    signature = root[1]
    root.remove(signature)
    value = b64encode(digest(canonical(root, EXCLUSIVE), "sha256")).decode()
    info = signature[0]
    info.find(".//{*}DigestValue").text = value  # type: ignore[union-attr]
    signature[1].text = b64encode(dmp.seal().sign(canonical(info, EXCLUSIVE), "sha256")).decode()
    root.insert(1, signature)
    content_type, body = valid()
    start, end = body.index(b"<saml2:Assertion"), body.index(b"</saml2:Assertion>") + len(b"</saml2:Assertion>")
    assert seal_rules((content_type, body[:start] + etree.tostring(root) + body[end:])) == ["DMP-27"]


def test_sha1_is_told_and_accepted() -> None:
    from gateway.sharing.vihf_signature import sign_vihf

    assertion = sign_vihf(replace(dmp.vihf(), assertion_id="_a-1"), dmp.seal(), algorithm="sha1")
    content_type, body = valid()
    start, end = body.index(b"<saml2:Assertion"), body.index(b"</saml2:Assertion>") + len(b"</saml2:Assertion>")
    request = (content_type, body[:start] + assertion + body[end:])
    found = BOOK.judge(SEAL_RULES, case_of(request), CTX, "vihf")
    assert [(f.rule, f.severity.value) for f in found] == [("DMP-28", "info")]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda: edited(b'value="2.25.77"', b'value="' + unique_id() + b'"'), "DMP-66"),
        (lambda: edited(unique_id(), b"1.2.3^4"), "DMP-75"),
        (lambda: edited(unique_id(), b"2.25." + b"9" * 60), "DMP-75"),
        (lambda: edited(b"sourcePatientInfo", b"autre"), "DMP-76"),
        (lambda: edited(b'nodeRepresentation="N"', b'nodeRepresentation="MASQUE_PS"', 1), "DMP-78"),
        (lambda: edited(b'nodeRepresentation="N"', b'nodeRepresentation="R"', 1), "DMP-79"),
        (lambda: edited(b"AssociationType:signs", b"AssociationType:autre"), "DMP-82"),
        (lambda: edited(b"<title>", b"<title>x", 1), "DMP-83"),
    ],
)
def test_each_spoilt_lot_breaks_its_rule(spoil: Callable[[], Case], rule: str) -> None:
    assert rule in lot_rules(spoil())


def unique_id() -> bytes:
    lot = case_of(valid()).request.lot
    assert lot is not None
    return lot.clinical[0].unique_id.encode()


def test_a_folder_is_refused() -> None:
    folder = (
        b'<RegistryPackage id="F1"><Classification id="f-n" classifiedObject="F1" '
        b'classificationNode="urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2"/></RegistryPackage><ExtrinsicObject '
    )
    assert "DMP-80" in lot_rules(edited(b"<ExtrinsicObject ", folder, 1))


def test_a_lot_signed_by_another_holder_than_the_vihf_is_refused() -> None:
    from gateway.documents.build_metadata import submit_objects_request

    lot = dmp.lot()
    assert submit_objects_request(lot)
    content_type, body = dmp.iti41(lot, dmp.vihf(direct=True), dmp.doctor_seal(), RequestIds("m-2", "a-2", "2.25.78"))
    ours = dmp.iti41(lot, dmp.vihf(), dmp.seal(), RequestIds("m-2", "a-2", "2.25.78"))[1]

    def assertion(octets: bytes) -> bytes:
        return octets[octets.index(b"<saml2:Assertion") : octets.index(b"</wsse:Security>")]

    mixed = body.replace(assertion(body), assertion(ours))
    assert "DMP-83" in lot_rules(case_of((content_type, mixed)))


def replacing(**known: object) -> Case:
    first = dmp.record()
    second = dmp.record(set_id=first.set_id, version=2, replaces=first.document_id)
    person = dmp.patient()
    entry = KnownEntry(
        TARGET,
        first.document_id,
        "Approved",
        "",
        (dmp.structure().struct_id_nat,),
        patient_id(person.matricule, person.oid),
    )
    case = case_of(dmp.iti41(dmp.lot(second, replaces_entry=f"urn:uuid:{TARGET}")))
    return replace(case, by_uuid={TARGET: replace(entry, **known)})  # type: ignore[arg-type]


def test_a_replacement_belongs_to_an_author_and_to_one_patient() -> None:
    assert lot_rules(replacing()) == []
    assert lot_rules(replacing(author_ids=("1999999999",))) == ["DMP-73"]
    assert lot_rules(replacing(status="Archived")) == ["DMP-72"]
    other = dmp.patient("brunel-odette")
    found = BOOK.judge(REGISTRY_RULES, replacing(patient_id=patient_id(other.matricule, other.oid)), CTX, "metadata")
    assert [f.rule for f in found] == ["DMP-74"]
    assert other.matricule not in str(found[0].to_json())


def test_a_replacement_is_told_in_the_lot_and_in_the_document() -> None:
    lonely = dmp.record(version=2, replaces=dmp.fresh_oid())
    assert "DMP-84" in lot_rules(case_of(dmp.iti41(dmp.lot(lonely))))
