"""The TEST authority: what it makes, keeps, revokes and exports. openssl is the independent judge."""

from __future__ import annotations

import json
import multiprocessing
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from adapters.pki.authority import Authority, UnknownCertificate
from adapters.pki.index import DamagedIndex
from adapters.pki.leaves import CA_PATH, CRL_PATH, ROOT_CRL_PATH, ROOT_PATH
from adapters.pki.model import Fault, Profile, Subject
from gateway.messaging.trust import parse_certificate
from tests.support.authority import OPERATOR, operator_certificate, shared_authority
from tests.support.reference import need_tool

PROFESSIONAL = Subject("899700000017", family="DURAND", given="Camille", title="Médecin")


def openssl(*arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    tool = need_tool("openssl", "apt-get install openssl")
    done = subprocess.run([tool, *arguments], input=stdin, capture_output=True, check=False, timeout=30)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def peer(authority: Authority, key: str):  # type: ignore[no-untyped-def]
    issued = authority.find(key)
    assert issued is not None
    return parse_certificate(authority.certificate_der(issued))


def test_the_directory_and_its_keys_are_private(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path / "pki")
    issued = authority.issue(Profile.SERVER, OPERATOR, key="a")
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700
    for path in (tmp_path / "pki").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert authority.key_path(issued).read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_the_two_authorities_are_named_as_those_of_the_trust_space_and_marked_test() -> None:
    root = parse_certificate(shared_authority().root_der)
    org = parse_certificate(shared_authority().org_der)
    shape = "OU=IGC-SANTE TEST,OU=0002 187512751,O=ASIP-SANTE,C=FR"
    assert root.dn == f"CN=TEST AC RACINE IGC-SANTE ELEMENTAIRE,{shape}"
    assert org.dn == f"CN=TEST AC IGC-SANTE ELEMENTAIRE ORGANISATIONS,{shape}"
    assert org.issuer_dn == root.dn


def test_a_server_certificate_has_the_shape_of_an_operator_s() -> None:
    authority = shared_authority()
    subject = Subject(
        "mx.op.example", "AGENCE DES SYSTEMES D'INFORMATION PARTAGES DE SANTE", "1750048886", "Paris (75)"
    )
    issued = authority.ensure(Profile.SERVER, subject, key="shape", hosts=("autre.example", "10.1.2.3"))
    seen = parse_certificate(authority.certificate_der(issued))
    assert issued.dn == "CN=mx.op.example,OU=1750048886,O=AGENCE DES SYSTEMES D'INFORMATION PARTAG,ST=Paris (75),C=FR"
    assert seen.dn == issued.dn
    assert seen.eku == ("serverAuth", "clientAuth")
    assert set(seen.sans) >= {"mx.op.example", "autre.example", "10.1.2.3", "localhost", "127.0.0.1"}
    assert timedelta(days=1095) <= seen.not_after - seen.not_before <= timedelta(days=1097)
    certificate = x509.load_der_x509_certificate(seen.der)
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048


@pytest.mark.parametrize(
    ("profile", "eku", "commits"),
    [
        (Profile.AUTH_CLIENT, ("clientAuth",), False),
        (Profile.SIGN, ("emailProtection",), True),
        (Profile.PROFESSIONAL_AUTH, ("clientAuth",), False),
        (Profile.PROFESSIONAL_SIGN, ("emailProtection",), True),
    ],
)
def test_each_profile_has_its_own_usages(profile: Profile, eku: tuple[str, ...], commits: bool) -> None:
    authority = shared_authority()
    subject = PROFESSIONAL if profile.value.startswith("professional") else OPERATOR
    der = authority.certificate_der(authority.ensure(profile, subject, key=f"profile:{profile.value}"))
    assert parse_certificate(der).eku == eku
    usage = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.content_commitment is commits


def test_a_professional_certificate_bears_the_national_id_and_the_name() -> None:
    authority = shared_authority()
    issued = authority.ensure(Profile.PROFESSIONAL_AUTH, PROFESSIONAL, key="profile:professional-auth")
    assert issued.dn == "CN=899700000017,GN=Camille,SN=DURAND,T=Médecin,C=FR"


def test_a_directory_opened_again_knows_what_was_issued_and_makes_nothing_new(tmp_path: Path) -> None:
    first = Authority.open(tmp_path)
    issued = first.issue(Profile.SERVER, OPERATOR, key="a", workspace="ws1", hosts=("h",))
    again = Authority.open(tmp_path)
    assert again.issued() == (issued,)
    assert again.ensure(Profile.SERVER, OPERATOR, key="a", workspace="ws1", hosts=("h",)) == issued
    assert again.org_der == first.org_der
    assert again.workspace_of(issued.fingerprint.upper()) == "ws1"
    assert again.workspace_of("00" * 32) == ""
    assert not again._keys, "no private key is read until one is needed"


def test_ensure_issues_again_when_the_subject_the_hosts_or_the_validity_no_longer_suit(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    times = [moment]
    authority = Authority.open(tmp_path, now=lambda: times[0])
    first = authority.ensure(Profile.SERVER, OPERATOR, key="a")
    more_hosts = authority.ensure(Profile.SERVER, OPERATOR, key="a", hosts=("nouveau.example",))
    assert more_hosts != first
    assert authority.ensure(Profile.SERVER, OPERATOR, key="a", hosts=("nouveau.example",)) == more_hosts
    times[0] = moment + timedelta(days=3 * 365)
    renewed = authority.ensure(Profile.SERVER, OPERATOR, key="a", hosts=("nouveau.example",))
    assert renewed.dn == first.dn
    assert renewed.fingerprint != more_hosts.fingerprint
    authority.revoke(renewed)
    assert authority.ensure(Profile.SERVER, OPERATOR, key="a").fingerprint != renewed.fingerprint
    assert len(authority.issued()) == 4


def test_two_authorities_of_one_process_know_nothing_of_each_other(tmp_path: Path) -> None:
    one, two = Authority.open(tmp_path / "one"), Authority.open(tmp_path / "two")
    issued = one.issue(Profile.SERVER, OPERATOR, key="a")
    theirs = parse_certificate(one.certificate_der(issued))
    assert one.standing(theirs).trusted_chain
    assert not two.standing(theirs).trusted_chain
    assert two.of_fingerprint(issued.fingerprint) is None
    with pytest.raises(UnknownCertificate):
        two.revoke(issued)
    one.revoke(issued)
    assert one.standing(theirs).revoked
    assert len(x509.load_der_x509_crl(one.crl())) == 1
    assert len(x509.load_der_x509_crl(two.crl())) == 0


def test_what_one_opening_revokes_another_opening_of_the_same_directory_sees(tmp_path: Path) -> None:
    server, command = Authority.open(tmp_path), Authority.open(tmp_path)
    issued = server.issue(Profile.SERVER, OPERATOR, key="a")
    seen = parse_certificate(server.certificate_der(issued))
    before = server.generation
    assert not server.standing(seen).revoked
    command.revoke(issued)
    assert server.standing(seen).revoked
    assert server.generation != before


@pytest.mark.parametrize("fault", list(Fault))
def test_each_deliberate_fault_shows_in_the_certificate(fault: Fault) -> None:
    authority, now = shared_authority(), datetime.now(UTC)
    issued = operator_certificate(fault)
    seen = parse_certificate(authority.certificate_der(issued))
    standing = authority.standing(seen)
    assert standing.trusted_chain is (fault not in (Fault.OTHER_CA, Fault.LOOKALIKE))
    assert standing.revoked is (fault is Fault.REVOKED)
    assert (seen.not_after < now) is (fault is Fault.EXPIRED)
    assert (seen.not_before > now) is (fault is Fault.NOT_YET_VALID)
    assert ("IGC-SANTE" in seen.issuer_dn) is (fault is not Fault.OTHER_CA)
    assert ("clientAuth" in seen.eku) is (fault is not Fault.WRONG_EKU)
    assert (seen.common_name == OPERATOR.common_name) is (fault is not Fault.CN_DIFF)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.NONE, "OK"),
        (Fault.EXPIRED, "certificate has expired"),
        (Fault.NOT_YET_VALID, "certificate is not yet valid"),
        (Fault.REVOKED, "certificate revoked"),
        (Fault.OTHER_CA, "unable to get local issuer certificate"),
        (Fault.LOOKALIKE, "unable to get local issuer certificate"),
        (Fault.WRONG_EKU, "unsuitable certificate purpose"),
    ],
)
def test_openssl_agrees_on_every_certificate(tmp_path: Path, fault: Fault, said: str) -> None:
    authority = shared_authority()
    issued = operator_certificate(fault)
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(x509.load_der_x509_certificate(authority.certificate_der(issued)).public_bytes(Encoding.PEM))
    code, words = openssl(
        *("verify", "-x509_strict", "-purpose", "sslclient", "-crl_check_all", "-CRLfile", str(authority.crl_path)),
        *("-CAfile", str(authority.bundle_path), str(leaf)),
    )
    assert said in words
    assert (code == 0) is (fault is Fault.NONE)


def test_a_pkcs12_file_opens_with_its_password_and_no_other(tmp_path: Path) -> None:
    authority = shared_authority()
    path = tmp_path / "operateur.p12"
    path.write_bytes(authority.pkcs12(operator_certificate(), "mot de passe"))
    code, words = openssl("pkcs12", "-in", str(path), "-passin", "pass:mot de passe", "-nodes")
    assert code == 0
    assert words.count("BEGIN CERTIFICATE") == 3
    assert "BEGIN PRIVATE KEY" in words
    assert openssl("pkcs12", "-in", str(path), "-passin", "pass:autre", "-nodes")[0] != 0


def test_the_crl_names_what_was_revoked_and_nothing_else(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    kept = authority.issue(Profile.SERVER, OPERATOR, key="kept")
    gone = authority.issue(Profile.SERVER, OPERATOR, key="gone")
    empty = x509.load_der_x509_crl(authority.crl())
    assert len(empty) == 0
    authority.revoke(gone)
    authority.revoke(gone)
    crl = x509.load_der_x509_crl(authority.crl())
    assert [entry.serial_number for entry in crl] == [gone.serial]
    assert crl.get_revoked_certificate_by_serial_number(kept.serial) is None
    issuer = x509.load_der_x509_certificate(authority.org_der)
    assert crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]


def test_a_crl_near_its_end_is_signed_again(tmp_path: Path) -> None:
    times = [datetime(2026, 1, 1, tzinfo=UTC)]
    authority = Authority.open(tmp_path, now=lambda: times[0])
    first = authority.crl()
    assert authority.crl() == first
    times[0] += timedelta(days=6, hours=1)
    second = x509.load_der_x509_crl(authority.crl())
    assert second.next_update_utc is not None
    assert second.next_update_utc > times[0] + timedelta(days=6)


def test_a_crl_that_cannot_be_signed_again_serves_until_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [datetime(2026, 1, 1, tzinfo=UTC)]
    authority = Authority.open(tmp_path, now=lambda: times[0])
    first = authority.crl()

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("adapters.pki.index.write_atomically", full)
    times[0] += timedelta(days=6, hours=1)
    assert authority.crl() == first
    times[0] += timedelta(days=1)
    with pytest.raises(OSError, match="No space"):
        authority.crl()
    monkeypatch.undo()
    assert authority.crl() != first


def test_an_outage_of_the_crl_can_be_played(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    authority.issue(Profile.SERVER, OPERATOR, key="a")
    authority.crl_stale = True
    assert not authority.standing(peer(authority, "a")).crl_available
    stale = x509.load_der_x509_crl(authority.crl())
    assert stale.next_update_utc is not None
    assert stale.next_update_utc < datetime.now(UTC)
    authority.crl_stale = False
    assert authority.standing(peer(authority, "a")).crl_available


@pytest.mark.parametrize(("fault", "said"), [(Fault.NONE, "good"), (Fault.REVOKED, "revoked")])
def test_openssl_understands_the_ocsp_answer(tmp_path: Path, fault: Fault, said: str) -> None:
    authority = shared_authority()
    issued = operator_certificate(fault)
    org, leaf = tmp_path / "org.pem", tmp_path / "leaf.pem"
    org.write_bytes(x509.load_der_x509_certificate(authority.org_der).public_bytes(Encoding.PEM))
    leaf.write_bytes(x509.load_der_x509_certificate(authority.certificate_der(issued)).public_bytes(Encoding.PEM))
    request, answer = tmp_path / "req.der", tmp_path / "resp.der"
    code, words = openssl("ocsp", "-issuer", str(org), "-cert", str(leaf), "-reqout", str(request))
    assert code == 0, words
    answer.write_bytes(authority.ocsp(request.read_bytes()))
    asked = ocsp.load_der_ocsp_request(request.read_bytes()).extensions.get_extension_for_class(x509.OCSPNonce)
    given = ocsp.load_der_ocsp_response(answer.read_bytes()).extensions.get_extension_for_class(x509.OCSPNonce)
    assert given.value == asked.value
    code, words = openssl(
        *("ocsp", "-no_nonce", "-issuer", str(org), "-cert", str(leaf), "-respin", str(answer)),
        *("-CAfile", str(authority.bundle_path)),
    )
    assert f": {said}" in words
    assert "Response verify OK" in words


def test_an_ocsp_request_that_is_none_gets_an_answer_that_says_so() -> None:
    answer = ocsp.load_der_ocsp_response(shared_authority().ocsp(b"pas une requete"))
    assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_everything_a_certificate_points_to_is_published() -> None:
    authority = shared_authority()
    for path in (CRL_PATH, ROOT_CRL_PATH, CA_PATH, ROOT_PATH):
        assert authority.publication(path), path
    assert authority.publication("/igc/autre") is None


@pytest.mark.parametrize("digest", ["sha256", "sha1"])
def test_a_signer_signs_with_the_key_of_its_certificate(digest: str) -> None:
    authority = shared_authority()
    signer = authority.signer(authority.ensure(Profile.SIGN, OPERATOR, key="profile:sign"))
    signature = signer.sign("à signer".encode(), digest)
    key = x509.load_der_x509_certificate(signer.certificate).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    algorithm = hashes.SHA256() if digest == "sha256" else hashes.SHA1()  # noqa: S303
    key.verify(signature, "à signer".encode(), padding.PKCS1v15(), algorithm)
    with pytest.raises(ValueError, match="md5"):
        signer.sign(b"", "md5")


def test_a_damaged_index_is_named_and_never_overwritten(tmp_path: Path) -> None:
    Authority.open(tmp_path).issue(Profile.SERVER, OPERATOR, key="a")
    (tmp_path / "index.json").write_text('{"certificates": [', encoding="utf-8")
    with pytest.raises(DamagedIndex, match=r"index\.json"):
        Authority.open(tmp_path)
    assert (tmp_path / "index.json").read_text(encoding="utf-8") == '{"certificates": ['


def test_a_start_that_was_cut_before_the_authority_was_whole_begins_again(tmp_path: Path) -> None:
    Authority.open(tmp_path)
    (tmp_path / "org.pem").unlink()
    authority = Authority.open(tmp_path)
    issued = authority.issue(Profile.SERVER, OPERATOR, key="a")
    assert authority.standing(parse_certificate(authority.certificate_der(issued))).trusted_chain


def test_threads_that_issue_together_lose_no_line_of_the_index(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: authority.issue(Profile.AUTH_CLIENT, OPERATOR, key=f"k{n}"), range(8)))
    document = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert sorted(entry["key"] for entry in document["certificates"]) == [f"k{n}" for n in range(8)]


def _issue_elsewhere(directory: str, name: str) -> None:
    Authority.open(Path(directory)).issue(Profile.AUTH_CLIENT, OPERATOR, key=name)


def test_processes_that_start_together_share_one_authority(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_issue_elsewhere, args=(str(tmp_path), f"p{n}")) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    authority = Authority.open(tmp_path)
    assert {i.key for i in authority.issued()} == {"p0", "p1"}
    for issued in authority.issued():
        assert authority.standing(parse_certificate(authority.certificate_der(issued))).trusted_chain
