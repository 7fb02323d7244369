"""The VIHF's signature: judged by xmlsec both ways, and hard to deceive."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import xmlsec
from lxml import etree

from gateway.documents.model import Code
from gateway.documents.xml import parse_xml
from gateway.sandbox.model import Limits
from gateway.sharing.vihf import Vihf, patient_of, read_vihf, write_vihf
from gateway.sharing.vihf_signature import sign_vihf
from gateway.soap import c14n
from gateway.soap import envelope as soap
from gateway.soap.assertion import SealFault, SealReport, verify_assertion
from gateway.soap.names import SAML, WSSE, instant, qname
from tests.support import dmp_world as dmp
from tests.support.authority import shared_authority

DS = "http://www.w3.org/2000/09/xmldsig#"


def named(vihf: Vihf | None = None) -> Vihf:
    return replace(vihf or dmp.vihf(), assertion_id="_a1")


def envelope(assertion: bytes) -> etree._Element:
    return etree.fromstring(soap.write_request("urn:x", "urn:uuid:1", assertion, b"<x/>"))


def verified(root: etree._Element) -> SealReport:
    parsed, _ = parse_xml(etree.tostring(root), Limits(), keep_comments=True)
    assert parsed is not None
    return verify_assertion(soap.open_envelope(parsed).header)


def assertion_of(root: etree._Element) -> etree._Element:
    found = root.find(f".//{qname(SAML, 'Assertion')}")
    assert found is not None
    return found


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_what_we_sign_xmlsec_verifies_and_we_read_back_what_was_said(algorithm: str) -> None:
    said = named()
    root = envelope(sign_vihf(said, dmp.seal(), algorithm=algorithm))
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(dmp.seal().certificate, xmlsec.KeyFormat.CERT_DER)
    context.verify(xmlsec.tree.find_node(root, "Signature", DS))
    report = verified(root)
    assert (report.fault, report.algorithm) == (SealFault.NONE, algorithm)
    told = read_vihf(report.signed, Limits())
    assert told is not None
    assert told.patient == (dmp.patient().matricule, dmp.patient().oid)
    assert replace(told, issuer="", authn_class="") == said


@pytest.mark.parametrize("method", ["RSA_SHA256", "RSA_SHA1"])
def test_what_xmlsec_signs_we_verify(method: str) -> None:
    root = envelope(write_vihf(named()).encode())
    assertion = assertion_of(root)
    signature = xmlsec.template.create(
        assertion,
        xmlsec.constants.TransformExclC14N,
        getattr(xmlsec.constants, f"TransformRsa{method[4:].title()}"),
        ns="ds",
    )
    assertion.insert(1, signature)
    digest = getattr(xmlsec.constants, f"Transform{method[4:].title()}")
    reference = xmlsec.template.add_reference(signature, digest, uri="#_a1")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.tree.add_ids(root, ["ID"])
    issued = dmp.structure_certificate(dmp.Profile.SIGN)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(shared_authority().key_pem(issued), xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(shared_authority().certificate_der(issued), xmlsec.KeyFormat.CERT_DER)
    context.sign(signature)
    assert verified(root).fault is SealFault.NONE


def test_indentation_added_before_signing_is_part_of_what_is_signed() -> None:
    root = envelope(sign_vihf(named(), dmp.seal()))
    assertion_of(root)[2].tail = "\n  "
    assert verified(root).fault is SealFault.DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"INDIRECTE", b"DIRECTE"),
        (b"LPS_Nom", b"LPS_NOM"),
        (b'Version="2.0"', b'Version="2.1"'),
        (b"urn:dmp", b"urn:dmq"),
    ],
)
def test_any_change_after_signing_is_seen(old: bytes, new: bytes) -> None:
    root = envelope(sign_vihf(named(), dmp.seal()).replace(old, new))
    assert verified(root).fault is SealFault.DIGEST


def test_a_signature_value_of_another_key_is_seen() -> None:
    root = envelope(sign_vihf(named(), dmp.seal()))
    other = envelope(sign_vihf(named(), dmp.doctor_seal()))
    path = f".//{{{DS}}}SignatureValue"
    root.find(path).text = other.find(path).text  # type: ignore[union-attr]
    assert verified(root).fault is SealFault.SIGNATURE


def test_a_digest_corrected_by_the_forger_breaks_the_signature() -> None:
    honest = envelope(sign_vihf(named(), dmp.seal()))
    forged = envelope(sign_vihf(named(replace(dmp.vihf(), lps_name="autre")), dmp.seal()))
    path = f".//{{{DS}}}SignatureValue"
    forged.find(path).text = honest.find(path).text  # type: ignore[union-attr]
    assert verified(forged).fault is SealFault.SIGNATURE


def test_the_signed_assertion_moved_aside_and_another_put_in_its_place_is_wrapping() -> None:
    root = envelope(sign_vihf(named(), dmp.seal()))
    security = root.find(f".//{qname(WSSE, 'Security')}")
    assert security is not None
    signed = security[0]
    evil = copy.deepcopy(signed)
    evil.set("ID", "_evil")
    body = root[1]
    body.append(signed)
    security.append(evil)
    assert verified(root).fault is SealFault.WRAPPED


def test_two_elements_with_the_signed_id_are_wrapping() -> None:
    root = envelope(sign_vihf(named(), dmp.seal()))
    root[1][0].set("Id", "_a1")
    assert verified(root).fault is SealFault.WRAPPED


def test_two_assertions_are_wrapping() -> None:
    root = envelope(sign_vihf(named(), dmp.seal()) + sign_vihf(named(), dmp.seal()))
    assert verified(root).fault is SealFault.WRAPPED


def test_the_original_hidden_inside_the_signature_of_a_forgery_is_wrapping() -> None:
    root = envelope(sign_vihf(named(), dmp.seal()))
    signed = assertion_of(root)
    evil = copy.deepcopy(signed)
    security = signed.getparent()
    assert security is not None
    security.replace(signed, evil)
    evil.set("ID", "_evil")
    holder = etree.SubElement(evil[1], f"{{{DS}}}Object")
    holder.append(signed)
    assert verified(root).fault is SealFault.WRAPPED


def test_a_comment_cannot_cut_a_signed_value_in_two() -> None:
    signed = sign_vihf(named(), dmp.seal())
    name_id = dmp.doctor().ps_id_nat.encode()
    root = envelope(signed.replace(name_id, name_id[:4] + b"<!-- x -->" + name_id[4:], 1))
    report = verified(root)
    assert report.fault is SealFault.NONE  # exclusive C14N without comments: the octets signed are the same
    told = read_vihf(report.signed, Limits())
    assert told is not None
    assert told.name_id == dmp.doctor().ps_id_nat


def test_transforms_outside_the_profile_are_refused() -> None:
    signed = sign_vihf(named(), dmp.seal())
    end = b"</ds:Transforms>"
    other = signed.replace(end, b'<ds:Transform Algorithm="urn:x"/>' + end)
    assert other != signed
    assert verified(envelope(other)).fault is SealFault.ALGORITHM
    assert verified(envelope(signed.replace(b"rsa-sha256", b"hmac-sha256"))).fault is SealFault.ALGORITHM


def test_an_assertion_without_signature_or_without_certificate_is_told_apart() -> None:
    assert verified(envelope(write_vihf(named()).encode())).fault is SealFault.UNSIGNED
    signed = sign_vihf(named(), dmp.seal())
    root = envelope(signed)
    data = root.find(f".//{{{DS}}}X509Data")
    assert data is not None
    data.clear()
    assert verified(root).fault is SealFault.MALFORMED
    assert verified(envelope(b"")).fault is SealFault.NO_VIHF


def test_attribute_names_are_read_in_both_spellings() -> None:
    told = read_vihf(write_vihf(named()).replace("Authentification_Mode", "Authentification_mode").encode(), Limits())
    assert told is not None
    assert told.mode == "INDIRECTE"


def test_a_doctor_is_known_by_the_first_role() -> None:
    assert dmp.vihf().is_doctor
    assert not replace(dmp.vihf(), roles=(Code("10", "1.2.3"),)).is_doctor


@pytest.mark.parametrize(
    ("cx", "patient"),
    [
        ("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH", ("279035121518989", "1.2.250.1.213.1.4.10")),
        ("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH^^20100907", ("279035121518989", "1.2.250.1.213.1.4.10")),
        ("279035121518989", None),
        ("^^^&1.2&ISO^NH", None),
        ("", None),
    ],
)
def test_a_resource_id_is_a_patient_or_nothing(cx: str, patient: tuple[str, str] | None) -> None:
    assert patient_of(cx) == patient


def test_instants_without_offset_are_utc_and_nonsense_is_none() -> None:
    assert instant("2026-01-05T10:45:00") == instant("2026-01-05T11:45:00+01:00") == instant("2026-01-05T10:45:00Z")
    assert instant("hier") is None


@pytest.mark.parametrize("signed", [True, False])
def test_a_relative_namespace_has_no_canonical_form_and_is_told_with_the_declaration_to_mend(signed: bool) -> None:
    root = envelope(sign_vihf(named(), dmp.seal()))
    if not signed:
        assertion = assertion_of(root)
        assertion.remove(assertion.find(f"{{{DS}}}Signature"))
    octets = etree.tostring(root).replace(b" ID=", b' xmlns:ext="//peer/ext" ext:a="" ID=', 1)
    parsed, issue = parse_xml(octets, Limits(), keep_comments=True)
    assert parsed is not None, issue
    before = etree.tostring(parsed)
    report = verify_assertion(soap.open_envelope(parsed).header)
    assert report.fault is (SealFault.MALFORMED if signed else SealFault.UNSIGNED)
    assert report.signed == b""
    if signed:
        assert 'xmlns:ext="//peer/ext"' in report.detail
    assert etree.tostring(parsed) == before


def test_each_declaration_is_read_once_however_many_elements_stand_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = " ".join(f'xmlns:n{i}="urn:x:{i}"' for i in range(200))
    root = etree.fromstring(f'<a {declared}>{"<b/>" * 2000}<c xmlns:z="rel"/></a>')
    read: list[str] = []
    known = c14n._has_scheme
    monkeypatch.setattr(c14n, "_has_scheme", lambda uri: read.append(uri) or known(uri))
    with pytest.raises(c14n.NotCanonical, match='xmlns:z="rel"'):
        c14n.canonical(root, c14n.EXCLUSIVE)
    assert len(read) <= 2 * 200 + 1
