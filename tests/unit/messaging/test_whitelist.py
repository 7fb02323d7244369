"""The whitelist: written and signed as the production one (xmlsec is the judge), and read with suspicion."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xmlsec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.pki.authority import KeySigner
from adapters.pki.model import Fault, Profile, Subject
from gateway.directory.model import Listing
from gateway.messaging.trust import parse_certificate
from gateway.messaging.whitelist import DS, NS, WhitelistEntry, build_whitelist, entries_of
from gateway.messaging.whitelist_reading import Anchor, InForce, WhitelistReading, judge_freshness, read_whitelist
from gateway.rules.book import RuleBook
from gateway.rules.catalogue import load_catalogue
from gateway.rules.model import RuleContext
from gateway.values import Direction, Door
from tests.support.authority import OPERATOR, shared_authority
from tests.support.reference import need_tool, reference

NOW = datetime.now(UTC).replace(microsecond=0)
SIGNER = Subject("alb.mssante.fr", "GESTIONNAIRE FICTIF", "399999999900015", "Hauts-de-Seine (92)")
DN_A = "CN=smtp-1.operateur-a.example,OU=1999999992,O=HOPITAL FICTIF A,ST=Paris (75),C=FR"
DN_B = 'CN=mx.operateur-b.example,OU=399999999900015,O="INDUSTRIEL  FICTIF B",ST=Rhône (69),C=FR'
LISTINGS = (
    Listing("operateur-a.mssante.fr", DN_A, "a", "Domaine fictif & <premier>"),
    Listing("operateur-a.mssante.fr", DN_A.replace("smtp-1", "smtp-2"), "a", "second relais\nsur deux lignes"),
    Listing("Partage.mssante.fr", DN_B, "b"),
    Listing("partage.mssante.fr", DN_B, "b"),
    Listing("mss.exemple.org", DN_B, "b"),
)


def signer(fault: Fault = Fault.NONE, subject: Subject = SIGNER) -> KeySigner:
    authority = shared_authority()
    key = f"whitelist:{subject.common_name}:{fault.value}"
    return authority.signer(authority.ensure(Profile.SIGN, subject, key=key, fault=fault))


def signed(
    seal: KeySigner | None = None, listings: tuple[Listing, ...] = LISTINGS, age: timedelta = timedelta()
) -> bytes:
    return build_whitelist(entries_of(listings, updated_at=NOW), generated_at=NOW - age, seal=seal or signer())


def anchor(**changes: object) -> Anchor:
    return replace(Anchor(issuers=(shared_authority().org_der,)), **changes)  # type: ignore[arg-type]


def read(data: bytes, **changes: object) -> WhitelistReading:
    in_force = changes.pop("in_force", None)
    return read_whitelist(data, anchor=anchor(**changes), now=NOW, in_force=in_force)  # type: ignore[arg-type]


def rules(reading: WhitelistReading) -> list[str]:
    return [issue.rule_id for issue in reading.issues if issue.rule_id not in ("GW-LB-12", "GW-LB-13")]


def xmlsec_verifies(data: bytes) -> bool:
    root = etree.fromstring(data)
    node = xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature)
    assert node is not None
    context = xmlsec.SignatureContext()
    certificate = base64.b64decode("".join((root.findtext(f".//{{{DS}}}X509Certificate") or "").split()))
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertDer)
    try:
        context.verify(node)
    except xmlsec.Error:
        return False
    return True


# --------------------------------------------------------------------------------------------------------------- writing


def test_xmlsec_verifies_the_list_we_sign() -> None:
    assert xmlsec_verifies(signed())


def test_xmlsec_refuses_the_list_once_a_name_is_changed() -> None:
    assert not xmlsec_verifies(signed().replace(b"smtp-2.", b"smtp-9."))


def test_the_xmlsec1_program_verifies_the_list_up_to_our_root(tmp_path: Path) -> None:
    tool = need_tool("xmlsec1", "apt-get install xmlsec1")
    listed, root, org = tmp_path / "liste.xml", tmp_path / "root.pem", tmp_path / "org.pem"
    listed.write_bytes(signed())
    pems = shared_authority().bundle_pem().split(b"-----END CERTIFICATE-----\n")
    root.write_bytes(pems[0] + b"-----END CERTIFICATE-----\n")
    org.write_bytes(pems[1] + b"-----END CERTIFICATE-----\n")
    command = [tool, "--verify", "--trusted-pem", str(root), "--untrusted-pem", str(org), str(listed)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr.decode()


def test_openssl_verifies_the_signature_value_over_the_canonical_signed_info(tmp_path: Path) -> None:
    tool = need_tool("openssl", "apt-get install openssl")
    root = etree.fromstring(signed())
    info = root.find(f"{{{DS}}}Signature/{{{DS}}}SignedInfo")
    assert info is not None
    value = "".join((root.findtext(f".//{{{DS}}}SignatureValue") or "").split())
    certificate = base64.b64decode("".join((root.findtext(f".//{{{DS}}}X509Certificate") or "").split()))
    (tmp_path / "info").write_bytes(etree.tostring(info, method="c14n", exclusive=True))
    (tmp_path / "sig").write_bytes(base64.b64decode(value))
    (tmp_path / "cert.der").write_bytes(certificate)
    key = subprocess.run(
        [tool, "x509", "-inform", "DER", "-in", str(tmp_path / "cert.der"), "-pubkey", "-noout"],
        capture_output=True,
        check=True,
        timeout=30,
    )
    (tmp_path / "key.pem").write_bytes(key.stdout)
    done = subprocess.run(
        [tool, "dgst", "-sha256", "-verify", "key.pem", "-signature", "sig", "info"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.stdout.strip() == b"Verified OK"


def test_the_digest_holds_for_a_reader_that_cuts_the_signature_out_of_the_text() -> None:
    import xml.etree.ElementTree as ET  # the way readers written for the production list do it

    text = signed().decode("utf-8")
    start, end = text.index("<Signature "), text.index("</Signature>") + len("</Signature>")
    canonical = ET.canonicalize(text[:start] + text[end:])
    stated = etree.fromstring(text.encode()).findtext(f".//{{{DS}}}DigestValue")
    assert base64.b64encode(hashlib.sha256(canonical.encode("utf-8")).digest()).decode() == stated


def test_the_list_has_the_shape_of_the_production_one() -> None:
    data = signed()
    root = etree.fromstring(data)
    assert root.tag == f"{{{NS}}}ListeBlancheMSSante"
    assert [etree.QName(child).localname for child in root] == ["DateDeGeneration", "ListeDomaines", "Signature"]
    domaine = root.find(f"{{{NS}}}ListeDomaines/{{{NS}}}Domaine")
    assert domaine is not None
    assert [etree.QName(child).localname for child in domaine] == [
        "Nom",
        "Description",
        "DNCertificatOperateur",
        "ResponsableContact",
        "SupportContact",
        "DateMAJ",
    ]
    assert b"&#13;\n" in data, "base64 is folded with carriage-return references"
    assert b"\r" not in data
    assert len(root.findall(f".//{{{DS}}}X509Certificate")) == 1


def test_entries_are_sorted_and_exact_duplicates_dropped() -> None:
    entries = entries_of(LISTINGS, updated_at=NOW)
    assert [(e.domain, e.dn) for e in entries] == sorted({(e.domain, e.dn) for e in entries})
    assert len(entries) == 4
    assert all(len(e.updated_at) == 20 for e in entries)


_TEXT = st.text(max_size=40)


@settings(max_examples=40, deadline=None)
@given(_TEXT, _TEXT)
def test_no_text_of_an_entry_breaks_the_list_or_its_signature(description: str, contact: str) -> None:
    entry = WhitelistEntry("a.mssante.fr", DN_A, description, contact, contact, "2025-01-27T15:49:34Z")
    data = build_whitelist([entry], generated_at=NOW, seal=signer())
    assert read(data).accepted
    assert xmlsec_verifies(data)


# --------------------------------------------------------------------------------------------------------------- reading


def test_a_good_list_is_accepted_and_gives_every_dn_of_a_domain() -> None:
    reading = read(signed())
    assert reading.accepted
    assert rules(reading) == []
    assert reading.dns_of("Operateur-A.mssante.fr") == (DN_A, DN_A.replace("smtp-1", "smtp-2"))
    assert reading.dns_of("sous.operateur-a.mssante.fr") == ()
    assert reading.generated_at == NOW
    assert reading.signer is not None
    assert reading.signer.common_name == "alb.mssante.fr"


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda d: d[: len(d) // 2], "GW-LB-01"),
        (lambda d: b"", "GW-LB-01"),
        (lambda d: d.replace(b"?><", b'?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><', 1), "GW-LB-01"),
        (lambda d: d.replace(b"mssante.fr/schema", b"mssante.fr/autre"), "GW-LB-02"),
        (lambda d: b"<html/>", "GW-LB-02"),
        (lambda d: d[: d.index(b"<Signature ")] + d[d.index(b"</Signature>") + 12 :], "GW-LB-03"),
        (lambda d: d.replace(b"smtp-2.", b"smtp-9."), "GW-LB-04"),
        (lambda d: d.replace(b"<DateDeGeneration>20", b"<DateDeGeneration>21"), "GW-LB-04"),
        (lambda d: d.replace(b"<SignatureValue>", b"<SignatureValue>AAAA"), "GW-LB-04"),
        (lambda d: d.replace(b"<Domaine>", b'<Domaine xmlns:a="here/a" a:b="">', 1), "GW-LB-04"),
        (lambda d: d.replace(b"rsa-sha256", b"rsa-sha1"), "GW-LB-14"),
        (lambda d: d.replace(b"xmlenc#sha256", b"xmlenc#sha512"), "GW-LB-14"),
        (lambda d: d.replace(b'URI=""', b'URI="#x"'), "GW-LB-14"),
        (lambda d: d.replace(b"</ListeBlancheMSSante>", b"<autre/></ListeBlancheMSSante>"), "GW-LB-14"),
        (lambda d: d.replace(b"<X509Certificate>M", b"<X509Certificate>N"), "GW-LB-04"),
    ],
)
def test_a_list_spoilt_in_one_way_is_refused_by_the_rule_of_that_way(
    spoil: Callable[[bytes], bytes], rule: str
) -> None:
    good = signed()
    spoilt = spoil(good)
    assert spoilt != good
    reading = read(spoilt)
    assert not reading.accepted
    assert rule in rules(reading)


def test_a_comment_slipped_into_a_signed_name_does_not_cut_it() -> None:
    spoilt = signed().replace(b"<Nom>operateur-a", b"<Nom>oper<!-- coupe -->ateur-a")
    reading = read(spoilt)
    assert {e.domain for e in reading.entries} == {"operateur-a.mssante.fr", "partage.mssante.fr", "mss.exemple.org"}
    assert reading.accepted is xmlsec_verifies(spoilt)


def test_a_second_signed_list_wrapped_around_entries_is_refused() -> None:
    good = signed().decode().split("?>", 1)[1]
    forged = (
        f'<?xml version="1.0" encoding="UTF-8"?><ListeBlancheMSSante xmlns="{NS}"><DateDeGeneration>{NOW:%Y-%m-%dT%H:%M:%SZ}'
        f"</DateDeGeneration><ListeDomaines/><Objet>{good}</Objet></ListeBlancheMSSante>"
    )
    assert "GW-LB-14" in rules(read(forged.encode()))


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (Fault.OTHER_CA, "GW-LB-05"),
        (Fault.LOOKALIKE, "GW-LB-05"),
        (Fault.EXPIRED, "GW-LB-07"),
        (Fault.NOT_YET_VALID, "GW-LB-07"),
        (Fault.CN_DIFF, "GW-LB-06"),
    ],
)
def test_a_signer_who_may_not_sign_is_refused(fault: Fault, rule: str) -> None:
    reading = read(signed(signer(fault)))
    assert not reading.accepted
    assert rules(reading) == [rule]


def test_an_operator_of_the_trust_space_may_not_sign_the_list() -> None:
    assert rules(read(signed(signer(subject=OPERATOR)))) == ["GW-LB-06"]


def test_a_revoked_signer_is_refused() -> None:
    seal = signer()
    serial = parse_certificate(seal.certificate).serial
    assert rules(read(signed(seal), revoked_serials=frozenset({serial}))) == ["GW-LB-08"]


def test_a_file_of_unknown_origin_is_examined_without_judging_the_chain() -> None:
    assert rules(read(signed(signer(Fault.OTHER_CA)), issuers=None)) == []


def test_a_list_older_than_the_one_in_force_is_refused() -> None:
    data = signed(age=timedelta(days=1))
    assert rules(read(data, in_force=InForce(NOW, 4))) == ["GW-LB-09"]
    assert rules(read(data, in_force=InForce(NOW - timedelta(days=1), 4))) == []


def test_a_list_that_lost_a_fifth_of_its_entries_waits_for_a_person() -> None:
    reading = read(signed(), in_force=InForce(NOW - timedelta(days=1), 6))
    assert rules(reading) == ["GW-LB-10"]
    assert not reading.accepted
    assert reading.needs_confirmation
    assert read(signed(), in_force=InForce(NOW - timedelta(days=1), 5)).accepted


def test_odd_entries_are_told_and_the_others_stay() -> None:
    entries = (
        WhitelistEntry("un domaine", DN_A),
        WhitelistEntry("a.mssante.fr", "n'importe quoi"),
        WhitelistEntry("b.mssante.fr", DN_A.replace("OU=1999999992", "OU=42")),
        WhitelistEntry("mss.exemple.org", DN_A),
        WhitelistEntry("mss.exemple.org", DN_A),
    )
    reading = read(build_whitelist(entries, generated_at=NOW, seal=signer()))
    assert [i.rule_id for i in reading.issues] == [
        "GW-LB-11",
        "GW-LB-11",
        "GW-LB-11",
        "GW-LB-12",
        "GW-LB-12",
        "GW-LB-13",
    ]
    assert [e.domain for e in reading.entries] == ["b.mssante.fr", "mss.exemple.org"]
    assert reading.accepted


def test_a_list_full_of_faults_does_not_make_thousands_of_findings() -> None:
    entries = [WhitelistEntry(f"domaine {n}", DN_A) for n in range(300)]
    reading = read(build_whitelist(entries, generated_at=NOW, seal=signer()))
    assert len(reading.issues) <= 60


def test_a_list_not_read_for_a_day_raises_an_alarm() -> None:
    assert judge_freshness(NOW - timedelta(hours=23), NOW) == ()
    (issue,) = judge_freshness(NOW - timedelta(hours=25), NOW)
    assert issue.rule_id == "GW-LB-15"


def test_every_whitelist_finding_has_words_in_both_languages() -> None:
    book = RuleBook(load_catalogue())
    ctx = RuleContext(Direction.RECEPTION, Door.FILE, NOW.date())
    readings = [
        read(b"<"),
        read(b"<a/>"),
        read(signed().replace(b"smtp-2.", b"smtp-9.")),
        read(signed(signer(Fault.OTHER_CA)), signer_cn="autre"),
        read(signed(age=timedelta(days=2)), in_force=InForce(NOW, 900)),
    ]
    for reading in readings:
        assert reading.issues
        for issue in reading.issues:
            finding = book.found(issue.rule_id, issue.hit, ctx, "liste")
            assert finding is not None
            assert finding.message.fr != finding.message.en
            assert "{found}" not in finding.message.fr


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_octets_make_the_reader_fail(data: bytes) -> None:
    assert not read(data).accepted


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_list_changed_anywhere_that_matters_is_never_accepted_unless_xmlsec_accepts_it(data: st.DataObject) -> None:
    good = signed()
    at = data.draw(st.integers(0, len(good) - 1))
    value = data.draw(st.integers(0, 255))
    spoilt = good[:at] + bytes([value]) + good[at + 1 :]
    if read(spoilt).accepted and spoilt != good:
        assert xmlsec_verifies(spoilt)


@pytest.mark.reference
def test_the_synthetic_unsigned_list_is_read_and_refused_for_want_of_a_signature() -> None:
    data = reference("mssante/listeblanche/synthetic_unsigned.xml").read_bytes()
    reading = read(data)
    assert rules(reading) == ["GW-LB-03"]
    assert len(reading.entries) == 4
    assert len(reading.dns_of("partage.mssante.fr")) == 2
