"""`passerelle pki`: the throw-away authority of a data directory."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.table import Table

from adapters.cli.render import console
from adapters.cli.running import NotRunning, Running
from adapters.pki.authority import Authority
from adapters.pki.model import Fault, Issued, Profile, Subject
from gateway.values import Lang, Text


def run_init(data: Path, lang: Lang) -> int:
    """Make the authority, or show the one there is."""
    authority = _authority(data)
    table = Table(title=_say(Text("IGC de test", "Test PKI"), lang), show_header=True, header_style="bold")
    for column in (
        Text("clé", "key"),
        Text("profil", "profile"),
        Text("DN", "DN"),
        Text("valide jusqu'au", "valid until"),
    ):
        table.add_column(_say(column, lang))
    for issued in authority.issued():
        revoked = _say(Text(" révoqué", " revoked"), lang) if issued.revoked_at else ""
        table.add_row(issued.key, issued.profile.value, issued.dn, f"{issued.not_after:%Y-%m-%d}{revoked}")
    console().print(f"{authority.bundle_path}")
    console().print(table)
    return 0


def run_issue(
    data: Path,
    profile: str,
    name: str,
    out: Path,
    organisation: str,
    struct_id: str,
    password: str,
    fault: str,
    lang: Lang,
) -> int:
    """Issue one certificate and write its files."""
    try:
        chosen, wrong = Profile(profile), Fault(fault)
    except ValueError:
        profiles = ", ".join(p.value for p in Profile)
        faults = ", ".join(f.value for f in Fault if f.value)
        said = Text("profil ou défaut inconnu. Profils :", "unknown profile or fault. Profiles:").in_(lang)
        print(f"{profile} {fault}".strip() + f": {said} {profiles}; --fault {faults}", file=sys.stderr)
        return 2
    authority = _authority(data)
    subject = Subject(name, organisation, struct_id, "Val-de-Brume (48)")
    hosts = (name, "localhost", "127.0.0.1") if chosen is Profile.SERVER else ()
    issued = authority.issue(chosen, subject, key=f"cli:{chosen.value}:{name}", hosts=hosts, fault=wrong)
    for path in write_files(authority, issued, out, password):
        print(path)
    return 0


def write_files(authority: Authority, issued: Issued, out: Path, password: str) -> list[Path]:
    """PEM chain, PEM key (0600) and PKCS#12 (0600) of one certificate, named after its key."""
    out.mkdir(parents=True, exist_ok=True)
    stem = "".join(c if c.isalnum() or c in "-.@" else "-" for c in issued.key)
    contents = {
        out / f"{stem}.pem": authority.certificate_pem(issued),
        out / f"{stem}.key": authority.key_pem(issued),
        out / f"{stem}.p12": authority.pkcs12(issued, password),
    }
    for path, content in contents.items():
        path.touch(mode=0o600)
        path.write_bytes(content)
    return list(contents)


def run_revoke(data: Path, wanted: str, lang: Lang) -> int:
    """Revoke by fingerprint, serial number, key or certificate file."""
    authority = _authority(data)
    try:
        found = _find(authority, wanted)
    except ValueError:
        return _no_certificate(wanted, lang)
    if found is None:
        print(
            f"{wanted}: {_say(Text('certificat inconnu de cette IGC', 'not issued by this PKI'), lang)}",
            file=sys.stderr,
        )
        return 1
    gone = authority.revoke(found)
    print(f"{gone.dn}: {_say(Text('révoqué', 'revoked'), lang)} {gone.revoked_at:%Y-%m-%dT%H:%M:%SZ}")
    return 0


def _no_certificate(named: object, lang: Lang) -> int:
    said = Text("n'est pas un certificat X.509 (PEM ou DER).", "is no X.509 certificate (PEM or DER).")
    print(f"{named}: {said.in_(lang)}", file=sys.stderr)
    return 2


def _find(authority: Authority, wanted: str) -> Issued | None:
    path = Path(wanted)
    if path.is_file():
        from gateway.messaging.trust import parse_certificate

        return authority.of_fingerprint(parse_certificate(_der(path)).fingerprint)
    plain = wanted.replace(":", "").lower()
    by_serial = (i for i in authority.issued() if str(i.serial) == plain or f"{i.serial:x}" == plain)
    return authority.of_fingerprint(plain) or authority.find(wanted) or next(by_serial, None)


def run_bundle(data: Path, out: Path, lang: Lang) -> int:
    """Write the trust chain."""
    out.write_bytes(_authority(data).bundle_pem())
    print(out)
    return 0


def run_doctor(data: Path, certificate: Path, domain: str, lang: Lang) -> int:
    """Say why a certificate is refused; 0 when it would be accepted."""
    from adapters.cli.report import finding_lines
    from adapters.pki.doctor import explain_certificate

    if not certificate.is_file():
        print(f"{certificate}: {_say(Text('fichier introuvable', 'file not found'), lang)}", file=sys.stderr)
        return 2
    try:
        der = _der(certificate)
    except ValueError:
        return _no_certificate(certificate, lang)
    dns = _dns_of(data, domain) if domain else None
    findings = explain_certificate(_authority(data), der, domain=domain, domain_dns=dns, now=datetime.now(UTC))
    for block in finding_lines(findings, lang):
        console().print(block)
    if not findings:
        console().print(_say(Text("Certificat accepté.", "Certificate accepted."), lang), style="green")
    return 1 if any(f.severity.rank == 2 for f in findings) else 0


def _dns_of(data: Path, domain: str) -> tuple[str, ...]:
    """The DNs listed for a domain: by the running gateway's own whitelist, else for the shipped territory."""
    from gateway.directory.territory import load_territory
    from gateway.messaging.whitelist_reading import Anchor, read_whitelist

    try:
        anchor = Anchor(issuers=None)  # it comes from the gateway itself
        return read_whitelist(Running(data).whitelist(), anchor=anchor, now=datetime.now(UTC)).dns_of(domain)
    except (NotRunning, httpx.HTTPError):
        operator = load_territory().operator_of_domain(domain)
        issued = _authority(data).find(f"operator:{operator.id}") if operator else None
        return (issued.dn,) if issued else ()


def _authority(data: Path) -> Authority:
    return Authority.open(data / "pki")


def _der(path: Path) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    raw = path.read_bytes()
    if b"-----BEGIN" not in raw:
        return raw
    return x509.load_pem_x509_certificates(raw)[0].public_bytes(Encoding.DER)


def _say(text: Text, lang: Lang) -> str:
    return text.in_(lang)
