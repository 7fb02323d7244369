"""The signature of a lot: judged by xmlsec1 both ways, and refused for each thing that can be wrong with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lxml import etree

from gateway.sandbox.model import Limits
from gateway.sharing.xades import LotSealFault, LotSealReport, sign_lot, verify_lot
from tests.support import dmp_world as dmp
from tests.support.authority import shared_authority
from tests.support.reference import need_tool

DS = "{http://www.w3.org/2000/09/xmldsig#}"
END = b"-----END CERTIFICATE-----\n"
SET = "1.2.250.1.999.1"
DOCUMENTS = {
    "1.2.250.1.999.2": b'<?xml version="1.0"?>\r\n<?xml-stylesheet href="x.xsl"?>\r\n'
    b'<a xmlns="urn:a"  b = "1"><!-- c -->\r\n</a>',
    "1.2.250.1.999.3": b"%PDF-1.4 \x00\xff\r\n",
}


def made(algorithm: str = "sha256") -> bytes:
    return sign_lot(SET, list(DOCUMENTS.items()), dmp.seal(), dmp.now(), Limits(), algorithm=algorithm)


def judged(octets: bytes, documents: dict[str, bytes] | None = None, set_id: str = SET) -> LotSealReport:
    return verify_lot(octets, set_id, DOCUMENTS if documents is None else documents, Limits())


def xmlsec1(folder: Path, octets: bytes, *options: str) -> subprocess.CompletedProcess[str]:
    tool = need_tool("xmlsec1", "apt-get install xmlsec1")
    (folder / "lot.xml").write_bytes(octets)
    root, _, issuer = shared_authority().bundle_pem().partition(END)
    (folder / "root.pem").write_bytes(root + END)
    (folder / "issuer.pem").write_bytes(issuer)
    ids = ["--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:Manifest"]
    ids += ["--id-attr:Id", "http://uri.etsi.org/01903/v1.1.1#:SignedProperties"]
    command = [tool, *options, "--ignore-manifests", *ids, str(folder / "lot.xml")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_what_we_sign_xmlsec_verifies(tmp_path: Path, algorithm: str) -> None:
    octets = made(algorithm)
    assert judged(octets).fault is LotSealFault.NONE
    untrusted = ("--untrusted-pem", str(tmp_path / "issuer.pem"))
    result = xmlsec1(tmp_path, octets, "--verify", "--trusted-pem", str(tmp_path / "root.pem"), *untrusted)
    assert result.returncode == 0, result.stderr
    assert "SignedInfo References (ok/all): 2/2" in result.stdout + result.stderr


def test_what_xmlsec_signs_we_verify(tmp_path: Path) -> None:
    root = etree.fromstring(made())
    for path in (f"{DS}SignedInfo//{DS}DigestValue", f"{DS}SignatureValue"):
        for element in root.iterfind(path):
            element.text = None
    issued = dmp.structure_certificate(dmp.Profile.SIGN)
    key, chain = shared_authority().key_path(issued), shared_authority().chain_path(issued)
    out = tmp_path / "signed.xml"
    result = xmlsec1(tmp_path, etree.tostring(root), "--sign", "--privkey-pem", f"{key},{chain}", "--output", str(out))
    assert result.returncode == 0, result.stderr
    assert judged(out.read_bytes()).fault is LotSealFault.NONE


def test_the_set_stands_in_the_manifest_with_its_constant_digest() -> None:
    root = etree.fromstring(made())
    first = root.find(f".//{DS}Manifest/{DS}Reference")
    assert first is not None
    assert first.get("URI") == f"urn:oid:{SET}"
    assert first.findtext(f"{DS}DigestValue") == "AA=="


def test_an_xml_document_may_change_its_form_but_not_its_content() -> None:
    first, second = DOCUMENTS.items()
    reformed = first[1].replace(b"  b = ", b" b=")
    assert judged(made(), {first[0]: reformed, second[0]: second[1]}).fault is LotSealFault.NONE
    changed = first[1].replace(b'"1"', b'"2"')
    assert judged(made(), {first[0]: changed, second[0]: second[1]}).fault is LotSealFault.DOCUMENT


def test_a_document_that_is_no_xml_is_signed_octet_by_octet() -> None:
    first, second = DOCUMENTS.items()
    assert judged(made(), {first[0]: first[1], second[0]: second[1] + b" "}).fault is LotSealFault.DOCUMENT


def test_another_set_or_an_unsigned_document_is_refused() -> None:
    assert judged(made(), set_id="1.2.3").fault is LotSealFault.SET
    assert judged(made(), {**DOCUMENTS, "1.2.250.1.999.4": b"<b/>"}).fault is LotSealFault.DOCUMENT


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"urn:oid:1.2.250.1.999.2", b"urn:oid:1.2.250.1.999.9", LotSealFault.MANIFEST),
        (b"<xad:SigningTime>20", b"<xad:SigningTime>19", LotSealFault.PROPERTIES),
        (b'Type="http://www.w3.org/2000/09/xmldsig#Manifest"', b'Type="urn:x"', LotSealFault.SIGNATURE),
        (b'Id="IHEManifest"', b'Id="Autre"', LotSealFault.SHAPE),
        (b'Id="purposeOfSignature"', b'Id="IHEManifest"', LotSealFault.SHAPE),
        (b"rsa-sha256", b"hmac-sha256", LotSealFault.ALGORITHM),
        (b"</ds:Signature>", b"", LotSealFault.UNREADABLE),
        (b"ds:Manifest", b"ds:Autre", LotSealFault.SHAPE),
    ],
)
def test_each_alteration_has_its_name(old: bytes, new: bytes, fault: LotSealFault) -> None:
    octets = made()
    assert old in octets
    assert judged(octets.replace(old, new)).fault is fault


def test_a_document_or_a_lot_without_a_canonical_form_is_told_with_the_declaration_to_mend() -> None:
    octets = made()
    spoilt = DOCUMENTS | {"1.2.250.1.999.2": b'<a xmlns="urn:a" xmlns:b="here/b"/>'}
    report = judged(octets, spoilt)
    assert report.fault is LotSealFault.DOCUMENT
    assert 'xmlns:b="here/b"' in report.detail
    report = judged(octets.replace(b' Id="S0"', b' Id="S0" xmlns:b="here/b"', 1))
    assert report.fault is LotSealFault.SHAPE
    assert 'xmlns:b="here/b"' in report.detail
