"""Calls of the DMP: a deposit, a test of existence and a query, sound; then each spoilt in one way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gateway.directory.model import Patient
from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import ids_from, oid_from
from gateway.documents.build_record import source_oid
from gateway.samples.calls import Call, CallBench, Request
from gateway.samples.parts import changed, wrong_key
from gateway.sharing.build import build_get_documents, build_iti41, build_td02, deposit_lot
from gateway.sharing.vihf import Vihf, write_vihf
from gateway.values import Text

VALID_DEPOSIT = "valide-dmp-depot"
_START, _END = b"<saml2:Assertion", b"</saml2:Assertion>"


def _same(patient: Patient) -> Patient:
    return patient


@dataclass(frozen=True, slots=True)
class _Deposit:
    """An ITI-41. Each change spoils the patient of one container, the VIHF before it is signed, or the octets sent.

    `told` and `offline` are the rules of the answer and of a check; `signed` is whether the lot is.
    """

    name: str
    answer: str
    told: tuple[str, ...]
    offline: tuple[str, ...]
    fr: str
    en: str
    everywhere: Callable[[Patient], Patient] = _same
    in_cda: Callable[[Patient], Patient] = _same
    in_lot: Callable[[Patient], Patient] = _same
    vihf: Callable[[Vihf], Vihf] = lambda vihf: vihf
    octets: Callable[[bytes, Vihf], bytes] = lambda octets, vihf: octets
    signed: bool = True
    digests: bool = False

    def request(self, bench: CallBench) -> Request:
        """The deposit of one emergency summary."""
        patient, seed = self.everywhere(bench.patient), bench.seed(self.name)
        told = bench.bench.record(
            seed,
            "dlu",
            bench.patient.key,
            bench.doctor.key,
            bench.structure.key,
            changes=lambda _: self.in_lot(patient),
        )
        document = build_cda(replace(told, patient=self.in_cda(patient)))
        at = bench.bench.at.astimezone(UTC).replace(microsecond=0)
        lot = replace(deposit_lot(told, oid_from(seed, "lot"), at, document=document), digests=self.digests)
        vihf = self.vihf(bench.vihf(patient))
        content_type, body = build_iti41(lot, vihf, bench.seal, bench.ids(self.name), sign=self.signed)
        return Request(content_type, self.octets(body, vihf))


def _unsigned(octets: bytes, vihf: Vihf) -> bytes:
    """The assertion without its signature."""
    start, end = octets.index(_START), octets.index(_END) + len(_END)
    return octets[:start] + write_vihf(replace(vihf, assertion_id="_sans-signature")).encode() + octets[end:]


def _without_document(octets: bytes, vihf: Vihf) -> bytes:
    """Without the MIME part of the document, which the body still includes."""
    boundary = octets[: octets.index(b"\r\n")]
    return boundary.join(p for p in octets.split(boundary) if b"Content-ID: <document01@" not in p)


def _other_hash(octets: bytes, vihf: Vihf) -> bytes:
    start = octets.index(b'name="hash"')
    value = octets.index(b"Value>", start) + len(b"Value>")
    digit = b"0" if octets[value : value + 1] != b"0" else b"1"
    return octets[:value] + digit + octets[value + 1 :]


def _minutes_before(vihf: Vihf) -> Vihf:
    """Issued half an hour before the valid one."""
    issued = datetime.fromisoformat(vihf.issue_instant) - timedelta(minutes=30)
    return replace(vihf, issue_instant=f"{issued:%Y-%m-%dT%H:%M:%SZ}")


_DEPOSITS = (
    _Deposit(
        VALID_DEPOSIT,
        "Success",
        (),
        (),
        "Dépôt (TD2.1, ITI-41) d'un document de liaison d'urgence par un EHPAD ; envoyé deux fois, il est refusé.",
        "Deposit (TD2.1, ITI-41) of an emergency summary by a nursing home; sent twice, it is refused.",
    ),
    _Deposit(
        "dmp-cle-fausse-partout",
        "DMPInvalidIdentity",
        ("INS-004",),
        ("INS-004",),
        "La clé du matricule est fausse dans le VIHF, le lot et le CDA : la demande s'arrête au VIHF.",
        "The key of the matricule is wrong in VIHF, lot and CDA: the request stops at the VIHF.",
        everywhere=wrong_key,
    ),
    _Deposit(
        "dmp-cle-fausse-dans-le-cda-seul",
        "XDSRepositoryMetadataError",
        ("INS-004",),
        ("INS-004", "INS-150"),
        "La clé n'est fausse que dans le CDA : le VIHF passe, le contenu est refusé.",
        "The key is wrong in the CDA alone: the VIHF passes, the content is refused.",
        in_cda=wrong_key,
    ),
    _Deposit(
        "dmp-vihf-modifie-apres-signature",
        "DMPInvalidVIHF",
        ("DMP-22",),
        (),
        "Le VIHF a été modifié après sa signature : son empreinte ne tient plus.",
        "The VIHF was changed after it was signed: its digest no longer holds.",
        octets=lambda octets, vihf: changed(octets, ">INDIRECTE<", ">DIRECTE<"),
    ),
    _Deposit(
        "dmp-vihf-non-signe",
        "DMPInvalidVIHF",
        ("DMP-21",),
        (),
        "Le VIHF ne porte aucune signature.",
        "The VIHF bears no signature.",
        octets=_unsigned,
    ),
    _Deposit(
        "dmp-vihf-perime",
        "DMPInvalidVIHF",
        ("DMP-39",),
        (),
        "Le VIHF a une demi-heure : il vit cinq minutes.",
        "The VIHF is half an hour old: it lives five minutes.",
        vihf=_minutes_before,
    ),
    _Deposit(
        "dmp-partie-mime-absente",
        "XDSMissingDocument",
        ("DMP-62",),
        ("DMP-62",),
        "La partie MIME du document manque : xop:Include ne désigne rien.",
        "The MIME part of the document is missing: xop:Include points at nothing.",
        octets=_without_document,
    ),
    _Deposit(
        "dmp-empreinte-fausse",
        "XDSRepositoryMetadataError",
        ("DMP-64",),
        ("DMP-64",),
        "L'empreinte déclarée n'est pas celle du document.",
        "The declared hash is not that of the document.",
        octets=_other_hash,
        digests=True,
    ),
    _Deposit(
        "dmp-lot-non-signe",
        "Success",
        ("DMP-82",),
        ("DMP-82",),
        "Le lot n'est pas signé : le dépôt passe, avec un avertissement.",
        "The lot is not signed: the deposit passes, with a warning.",
        signed=False,
    ),
    _Deposit(
        "dmp-oid-de-production",
        "DMPInvalidIdentity",
        ("INS-135",),
        ("INS-023",),
        "OID de production : un avertissement ailleurs, un refus au DMP du bac à sable.",
        "The production OID: a warning elsewhere, refused by the DMP of the sandbox.",
        everywhere=lambda p: replace(p, oid="1.2.250.1.213.1.4.8"),
    ),
)


def dmp_calls(bench: CallBench) -> Iterator[Call]:
    """Requests of the DMP, the valid deposit first."""
    for deposit in _DEPOSITS:
        yield Call(
            deposit.name,
            f"{deposit.name}.mime",
            "repository",
            _builder(deposit, bench),
            deposit.answer,
            deposit.told,
            deposit.offline,
            Text(deposit.fr, deposit.en),
        )
    yield from _questions(bench)


def _builder(deposit: _Deposit, bench: CallBench) -> Callable[[], Request]:
    return lambda: deposit.request(bench)


def _questions(bench: CallBench) -> Iterator[Call]:
    """TD0.2 and TD3.1b."""
    yield Call(
        "valide-dmp-existence",
        "valide-dmp-existence.xml",
        "patients",
        lambda: _existence(bench, "valide-dmp-existence", bench.patient),
        "OK active",
        (),
        (),
        Text(
            "TD0.2 : la patiente a-t-elle un DMP, et qui l'appelle y a-t-il accès ?",
            "TD0.2: has the patient a DMP, and may the caller open it?",
        ),
    )
    yield Call(
        "dmp-existence-cle-fausse",
        "dmp-existence-cle-fausse.xml",
        "patients",
        lambda: _existence(bench, "dmp-existence-cle-fausse", wrong_key(bench.patient)),
        "DMPInvalidIdentity",
        ("INS-004",),
        ("INS-004",),
        Text("TD0.2 pour un matricule dont la clé est fausse.", "TD0.2 for a matricule whose key is wrong."),
    )
    yield Call(
        "valide-dmp-recherche",
        "valide-dmp-recherche.xml",
        "registry",
        lambda: _query(bench),
        "Success",
        (),
        (),
        Text(
            f"TD3.1b : l'entryUUID du document de {VALID_DEPOSIT}, une fois celui-ci déposé.",
            f"TD3.1b: the entryUUID of the document of {VALID_DEPOSIT}, once that one was deposited.",
        ),
    )


def _existence(bench: CallBench, name: str, patient: Patient) -> Request:
    at = bench.bench.at.astimezone(UTC)
    sender = source_oid(bench.structure)
    vihf = bench.vihf(patient)
    return Request(*build_td02(patient.matricule, patient.oid, sender, vihf, bench.seal, bench.ids(name), at))


def _query(bench: CallBench) -> Request:
    document = ids_from(bench.seed(VALID_DEPOSIT)).document_id
    ids = bench.ids("valide-dmp-recherche")
    return Request(*build_get_documents(bench.vihf(bench.patient), bench.seal, ids, unique_ids=(document,)))
