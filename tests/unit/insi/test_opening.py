"""What strangers may send to INSi: each wrong call has its own rule, and nothing raises."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.insi.asking import Envelope, Software, write_call
from gateway.insi.model import Operation, Traits
from gateway.insi.opening import OpenedCall, open_call
from gateway.sandbox.model import Limits
from gateway.soap.assertion import SealFault
from tests.support.insi_cases import GOOD

TYPE = "application/soap+xml; charset=utf-8"
CALL = write_call(
    Operation.TRAITS,
    GOOD,
    Software("PASSERELLE01", "passerelle", "1", "900000001", "0001"),
    Envelope("uuid:1", "ctx", datetime(2026, 3, 2, tzinfo=UTC)),
)


def opened(body: bytes, content_type: str = TYPE) -> OpenedCall:
    return open_call(body, content_type, Limits())


def rule(body: bytes, content_type: str = TYPE) -> str:
    call = opened(body, content_type)
    assert call.query is None or call.issues
    return call.issues[0].rule_id


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "INSI-12"),
        (CALL[:-40], "INSI-12"),
        (CALL.replace(b"DELMAS", b"DELMAS\x00"), "INSI-12"),
        (CALL.replace(b"DELMAS", b"D\xc9LMAS"), "INSI-12"),
        (CALL.replace(b'encoding="UTF-8"', b'encoding="UTF-7"'), "ABU-11"),
        (CALL.replace(b"?>\n", b'?>\n<!DOCTYPE a [<!ENTITY x "y">]>'), "ABU-01"),
        (CALL.replace(b"<soap:Body>", b"<soap:Body>" + b"<a>" * 150), "INSI-12"),
        (CALL.replace(b"2003/05/soap-envelope", b"2003/05/autre"), "INSI-13"),
        (
            CALL.replace(b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/"),
            "INSI-13",
        ),
        (CALL.replace(b"INSiRecSans", b"Autre"), "INSI-14"),
        (CALL.replace(b"RECSANSVITALE", b"RECHERCHE"), "INSI-14"),
        (CALL.replace(b"</soap:Body>", b"<b/></soap:Body>"), "INSI-14"),
        (CALL.replace(b"rechercherInsAvecTraitsIdentite<", b"rechercherInsAvecCarteVitale<"), "INSI-15"),
        (
            CALL.replace(b"</soap:Header>", b'<x:F xmlns:x="urn:x" soap:mustUnderstand="true"/></soap:Header>'),
            "INSI-16",
        ),
    ],
)
def test_a_wrong_call_has_its_rule(body: bytes, expected: str) -> None:
    assert rule(body) == expected


def test_depth_has_its_rule() -> None:
    deep = CALL.replace(b"<NomNaissance>", b"<a>" * 120 + b"</a>" * 120 + b"<NomNaissance>")
    assert rule(deep) == "ABU-07"


@pytest.mark.parametrize("content_type", ["", "text/xml", "application/xml", "multipart/related", "application/soap"])
def test_the_media_type_is_soap_12(content_type: str) -> None:
    assert rule(CALL, content_type) == "INSI-11"


def test_the_action_of_the_media_type_counts_where_the_header_says_nothing() -> None:
    start, end = CALL.index(b"<wsa:Action>"), CALL.index(b"</wsa:Action>") + len(b"</wsa:Action>")
    bare = CALL[:start] + CALL[end:]
    assert opened(bare).issues == ()
    action = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
    assert opened(bare, f'{TYPE}; action="{action}"').issues == ()
    assert rule(bare, f'{TYPE}; action="urn:autre"') == "INSI-15"


def test_contexts_may_be_marked_must_understand() -> None:
    marked = CALL.replace(b'Nature="CTXLPS"', b'soap:mustUnderstand="true" Nature="CTXLPS"')
    assert opened(marked).issues == ()


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_other_encodings_are_read(encoding: str) -> None:
    text = CALL.decode().replace("UTF-8", encoding)
    call = opened(text.encode(encoding))
    assert call.issues == ()
    assert call.query == GOOD


def test_a_comment_or_an_instruction_cannot_cut_a_trait_in_two() -> None:
    for inserted in (b"<!-- x -->", b"<?x y?>"):
        call = opened(CALL.replace(b">DELMAS<", b">DEL" + inserted + b"MAS<"))
        assert call.query == GOOD


def test_white_space_around_a_trait_is_the_serialisers() -> None:
    assert opened(CALL.replace(b">DELMAS<", b">\n  DELMAS\n<")).query == GOOD


def test_a_trait_of_a_million_characters_opens_and_is_judged_elsewhere() -> None:
    query = opened(CALL.replace(b"DELMAS", b"A" * 1_000_000)).query
    assert isinstance(query, Traits)
    assert len(query.family) == 1_000_000


def test_thousands_of_given_names_are_bounded() -> None:
    query = opened(CALL.replace(b"<Prenom>SUZANNE</Prenom>", b"<Prenom>A</Prenom>" * 5000)).query
    assert isinstance(query, Traits)
    assert len(query.given) == 50


def test_an_assertion_that_is_not_signed_is_told_by_its_seal() -> None:
    security = (
        b'<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">'
        b'<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1"/></wsse:Security></soap:Header>'
    )
    call = opened(CALL.replace(b"</soap:Header>", security))
    assert call.seal.fault is SealFault.UNSIGNED
    assert call.seal.signed == b""
    assert opened(CALL).seal.fault is SealFault.NO_VIHF


@given(st.binary(max_size=300))
@settings(max_examples=80, deadline=None)
def test_any_octets_open_without_raising(body: bytes) -> None:
    assert opened(body).issues


@given(st.integers(0, len(CALL) - 1), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_call_with_one_octet_changed_opens_without_raising(position: int, octet: int) -> None:
    opened(CALL[:position] + bytes([octet]) + CALL[position + 1 :])
