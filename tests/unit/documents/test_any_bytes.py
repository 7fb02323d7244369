"""Whatever the octets, opening answers with a value: never an exception, always something a worker can send back."""

from __future__ import annotations

import pickle
import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.open_cda import open_cda
from gateway.documents.open_metadata import open_metadata
from gateway.documents.open_xdm import open_xdm
from gateway.documents.rules import DOCUMENT_RULES, METADATA_CDA_RULES, METADATA_RULES, PACKAGE_RULES, pairs_of
from gateway.exchange.opening import open_message, sniff
from gateway.rules import RuleBook, RuleContext, load_catalogue
from gateway.sandbox.model import Limits
from gateway.values import Direction, Door
from tests.support.handmade import HERE, cda_bytes, files, mail_bytes, metadata_bytes, zipped

BOOK = RuleBook(load_catalogue())
CONTEXT = RuleContext(Direction.EMISSION, Door.FILE, date(2026, 1, 15))
SEEDS = {
    "cda": cda_bytes(),
    "metadata": metadata_bytes(),
    "xdm": zipped(files()),
    "mail": mail_bytes(),
}


def judged(raw: bytes, kind: str) -> None:
    """Open and run every rule of the room: no exception, and no rule that fails to run (INS-205)."""
    opened = open_message(raw, kind)
    pickle.dumps(opened)
    documents = [*opened.documents, *(d for p in opened.packages for d in p.documents)]
    metadata = [*opened.metadata, *(m for p in opened.packages for m in p.metadata)]
    findings = [f for p in opened.packages for f in BOOK.judge(PACKAGE_RULES, p, CONTEXT, "x")]
    findings += [f for d in documents for f in BOOK.judge(DOCUMENT_RULES, d, CONTEXT, "x")]
    findings += [f for m in metadata for f in BOOK.judge(METADATA_RULES, m, CONTEXT, "x")]
    findings += [
        f for p in opened.packages for pair in pairs_of(p) for f in BOOK.judge(METADATA_CDA_RULES, pair, CONTEXT, "x")
    ]
    assert [f for f in findings if f.rule == "INS-205"] == []


@given(st.binary(max_size=300))
def test_any_octets_open_as_anything(raw: bytes) -> None:
    sniff(raw)
    for kind in ("", "mail", "xdm", "cda", "metadata", "xml", "unknown"):
        pickle.dumps(open_message(raw, kind))
    open_xdm(b"PK\x03\x04" + raw, "x", HERE)
    open_cda(b'<ClinicalDocument xmlns="urn:hl7-org:v3">' + raw, "x", HERE)
    open_metadata(b"<SubmitObjectsRequest>" + raw, "x", HERE)


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.integers(1, 12))
def test_damaged_files_open_and_are_judged(kind: str, seed: int, cuts: int) -> None:
    dice = random.Random(seed)
    raw = bytearray(SEEDS[kind])
    for _ in range(cuts):
        at = dice.randrange(len(raw))
        how = dice.randrange(3)
        if how == 0:
            raw[at] = dice.randrange(256)
        elif how == 1:
            del raw[at : at + dice.randrange(1, 40)]
        else:
            raw[at:at] = raw[dice.randrange(len(raw)) :][: dice.randrange(1, 60)]
        if not raw:
            break
    judged(bytes(raw), kind)


@settings(max_examples=60)
@given(
    value=st.text(max_size=60),
    name=st.sampled_from(["id root", "versionNumber value", "effectiveTime value", "code code"]),
)
def test_any_text_in_an_attribute_of_a_header_is_judged(value: str, name: str) -> None:
    from xml.sax.saxutils import quoteattr

    element, _, attribute = name.partition(" ")
    safe = "".join(
        c for c in value if c == "\t" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )
    text = cda_bytes().decode()
    start = text.index(f"<{element} {attribute}=")
    end = text.index('"', text.index('"', start) + 1) + 1
    judged((text[:start] + f"<{element} {attribute}={quoteattr(safe)}" + text[end:]).encode(), "cda")


def test_kinds_are_found_by_octets_first_and_by_name_when_they_do_not_tell() -> None:
    cases = [
        (cda_bytes(), "a.txt", "cda"),
        (cda_bytes().decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"), "a.xml", "cda"),
        (metadata_bytes(), "METADATA.XML", "metadata"),
        (zipped(files()), "x", "xdm"),
        (mail_bytes(), "x", "mail"),
        (b"From x Mon Jan  1\nReceived: by y\nSubject: z\n\nbody", "x", "mail"),
        (b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>', "x.xml", "soap"),
        (b"<?xml version='1.0'?><!-- c --><ListeBlancheMSSante/>", "x.xml", "whitelist"),
        (b"MSH|^~\\&|A|B", "x", "hl7v2"),
        (b"\x0bMSH|^~\\&|A|B", "x", "hl7v2"),
        (b'{"resourceType":"Bundle"}', "x", "fhir"),
        (b"<!DOCTYPE a [<!ENTITY x ''>]><ClinicalDocument/>", "x.xml", "cda"),
        (b"<html/>", "x.xml", "xml"),
        (b"\x00\x01", "lettre.eml", "mail"),
        (b"\x00\x01", "x.bin", "unknown"),
        (b"Bonjour : ceci n'est rien\n", "x.txt", "unknown"),
    ]
    assert [(sniff(raw, name), kind) for raw, name, kind in cases if sniff(raw, name) != kind] == []


def test_an_unknown_file_teaches_what_is_known() -> None:
    opened = open_message(b"\x00\x01", filename="x.docx")
    assert [i.rule_id for i in opened.issues] == ["DOC-01"]


def test_an_xml_nobody_knows_is_told_as_no_cda() -> None:
    opened = open_message(b"<html/>", filename="x.xml")
    assert (opened.kind, [i.rule_id for i in opened.issues]) == ("unknown", ["XDM-07"])


def test_every_view_of_a_mail_is_gathered() -> None:
    opened = open_message(mail_bytes(), "mail")
    assert [v.label for v in opened.views] == ["mail", "metadata:lot", "metadata:DOC0001.XML", "cda:DOC0001.XML"]


def test_the_limits_of_the_workspace_are_those_applied() -> None:
    tight = Limits(mail_bytes=100)
    opened = open_message(mail_bytes(), "mail", None, tight)
    assert opened.mail is not None
    assert [i.rule_id for i in opened.mail.issues] == ["ABU-12"]
