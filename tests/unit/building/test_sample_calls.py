"""Each call of the DMP and of INSi, offline: a check finds what it announces, and the same time makes the same octets."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from adapters.cli.check import Asked, judge_octets
from gateway.documents.build_record import DOCUMENT_ARC
from gateway.exchange.opening import open_message, sniff
from gateway.rules.catalogue import load_catalogue
from gateway.samples import Call, calls
from gateway.values import Lang
from tests.support import dmp_world as dmp

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@cache
def made(at: datetime = AT) -> dict[str, Call]:
    return {call.name: call for call in calls(at, dmp.seal())}


def test_a_check_of_each_finds_the_rules_it_announces_and_no_other() -> None:
    asked = Asked("strict", "emission", Lang.FR)
    for call in made().values():
        body = call.build().body
        kind = sniff(body, call.filename)
        assert kind == "soap", call.name
        assert {f.rule for f in judge_octets(body, kind, asked, call.filename)} == set(call.expected_rules), call.name


def test_the_same_time_makes_the_same_octets_and_another_time_another_document() -> None:
    first, again = made()["valide-dmp-depot"], {c.name: c for c in calls(AT, dmp.seal())}["valide-dmp-depot"]
    later = made(AT + timedelta(seconds=1))["valide-dmp-depot"]
    assert first.build() == again.build()
    unique = re.compile(re.escape(DOCUMENT_ARC).encode() + rb"\.[0-9]+")
    assert first.build().body != later.build().body
    assert unique.findall(first.build().body)
    assert set(unique.findall(first.build().body)).isdisjoint(unique.findall(later.build().body))


def test_names_are_unique_french_ascii_and_say_the_service() -> None:
    names = list(made())
    assert len(names) == len(calls(AT, dmp.seal()))
    assert all(re.fullmatch(r"(valide-)?(dmp|insi)(-[a-z0-9]+)+", name) for name in names)
    assert {call.service for call in made().values()} == {"repository", "registry", "patients", "insi"}


def test_a_valid_call_announces_no_rule_and_a_refusal_names_the_rules_of_its_answer() -> None:
    known = set(load_catalogue().cards)
    for call in made().values():
        assert {*call.told, *call.expected_rules} <= known
        assert call.title.fr.endswith((".", "?"))
        assert call.title.en.endswith((".", "?"))
        if call.name.startswith("valide-"):
            assert call.told == call.expected_rules == ()
        elif call.answer != "CR 01":
            assert call.told, call.name


@pytest.mark.parametrize("name", ["dmp-vihf-modifie-apres-signature", "dmp-vihf-non-signe", "dmp-partie-mime-absente"])
def test_what_is_spoilt_after_signing_is_spoilt_in_the_octets_alone(name: str) -> None:
    body = made()[name].build().body
    assert (b"<ds:Signature " in body[: body.index(b"</saml2:Assertion>")]) is (name != "dmp-vihf-non-signe")
    assert (b"Content-ID: <document01@" in body) is (name != "dmp-partie-mime-absente")


def test_the_root_of_a_deposit_kept_alone_is_not_reproached_with_the_parts_it_left_behind() -> None:
    body = made()["valide-dmp-depot"].build().body
    root = body[body.index(b"<?xml") : body.index(b"</soap:Envelope>") + len(b"</soap:Envelope>")]
    opened = open_message(root, filename="racine.xml")
    assert opened.kind == "iti-41"
    assert opened.issues == ()


def test_a_text_that_only_names_a_mime_message_is_none() -> None:
    call = made()["valide-dmp-depot"]
    assert sniff(f'# curl\nheader = "Content-Type: {call.build().content_type}"\n'.encode(), "depot.curl") == "unknown"
