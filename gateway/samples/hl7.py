"""Samples of HL7 v2, in ER7: identities (ADT) and documents (ORU, MDM with the CDA in OBX), sound and spoilt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateway.directory.model import Patient
from gateway.directory.territory import load_territory
from gateway.documents.build_cda import build_cda
from gateway.hl7v2.build import Er7, er7_octets, ins_cx, mdm_of, oru_of, pid_fields
from gateway.samples.model import Sample, sample
from gateway.samples.parts import Bench, wrong_key

_STRUCTURE = "ch-brumeval"
_STREET = "12 RUE DE L'ÉTANG^^BRUMEVAL^^48901^FRA^H"  # an address keeps its accents, traits have none
_NULL = '""'


@dataclass(frozen=True, slots=True)
class _Message:
    """One message: its event, what is changed in it, before it is written (`edit`) or after (`octets`).

    `patient` changes the person everywhere, the CDA included.
    """

    name: str
    event: str
    rules: tuple[str, ...]
    fr: str
    en: str
    edit: Callable[[Er7, Patient], Er7] = lambda message, patient: message
    patient: Callable[[Patient], Patient] = lambda patient: patient
    octets: Callable[[bytes], bytes] = lambda octets: octets
    codec: str = "utf-8"
    person: str = "delmas-suzanne"

    def octets_of(self, bench: Bench) -> bytes:
        """The file."""
        patient = self.patient(bench.territory.patients[self.person])
        message = _written(bench, self.name, self.event, patient)
        message = replace(message, pid={**message.pid, 11: f"{_STREET}~{message.pid[11].partition('~')[2]}"})
        return self.octets(er7_octets(self.edit(message, patient), self.name[:20], bench.at, codec=self.codec))


def _written(bench: Bench, seed: str, event: str, patient: Patient) -> Er7:
    structure = bench.territory.structures[_STRUCTURE]
    if event.startswith("A"):
        return Er7(event, pid_fields(patient, structure, with_ins=True), ("PV1|1|N",))
    record = bench.record(seed, changes=lambda _: patient)
    if event == "R01":
        return oru_of(patient, structure, build_cda(record), record.kind.type, with_ins=True)
    code, number = record.kind.type.code, record.document_id.rpartition(".")[2]
    return mdm_of(patient, structure, build_cda(record), code, number, with_ins=True)


def _pid(number: int, change: Callable[[str, Patient], str]) -> Callable[[Er7, Patient], Er7]:
    """One field of the PID, from what it was."""
    return lambda message, patient: replace(
        message, pid={**message.pid, number: change(message.pid.get(number, ""), patient)}
    )


def _without_oid(value: str, patient: Patient) -> str:
    whole = ins_cx(patient.matricule, patient.oid)
    return value.replace(whole, f"{patient.matricule}^^^ASIP-SANTE-INS-NIR^INS")


def _other_ins(value: str, patient: Patient) -> str:
    return value.replace(patient.matricule, load_territory().patients["brunel-colette"].matricule)


def _cut_in_base64(octets: bytes) -> bytes:
    """Cut about the middle of OBX-5.5, inside a group of four characters."""
    start = octets.index(b"^Base64^") + len(b"^Base64^")
    return octets[: start + (len(octets) - start) // 8 * 4 + 1]


_MESSAGES = (
    _Message(
        "valide-hl7-adt-a28",
        "A28",
        (),
        "ADT^A28 : une identité qualifiée (INS, IPP, traits stricts), en UTF-8.",
        "ADT^A28: a qualified identity (INS, IPP, strict traits), in UTF-8.",
    ),
    _Message(
        "valide-hl7-adt-a31",
        "A31",
        (),
        "ADT^A31 : la mise à jour de la même identité.",
        "ADT^A31: an update of the same identity.",
    ),
    _Message(
        "valide-hl7-oru-cda",
        "R01",
        (),
        "ORU^R01 : un CDA en base64 dans OBX-5, le patient du PID est celui du CDA.",
        "ORU^R01: a CDA in base64 in OBX-5; the patient of the PID is that of the CDA.",
    ),
    _Message(
        "valide-hl7-mdm-cda",
        "T02",
        (),
        "MDM^T02 : le même document, comme document nouveau.",
        "MDM^T02: the same document, as a new document.",
    ),
    _Message(
        "hl7-cle-fausse",
        "A28",
        ("INS-004",),
        "La clé du matricule est fausse dans PID-3.",
        "The key of the matricule is wrong in PID-3.",
        patient=wrong_key,
    ),
    _Message(
        "hl7-ins-sans-oid",
        "A28",
        ("INS-020",),
        "PID-3 : un matricule de type INS sans l'OID de son autorité.",
        "PID-3: a matricule of type INS without the OID of its authority.",
        edit=_pid(3, _without_oid),
    ),
    _Message(
        "hl7-oid-de-production",
        "A28",
        ("INS-023",),
        "PID-3 : l'OID de production dans un bac à sable : avertissement.",
        "PID-3: the production OID inside a sandbox: a warning.",
        patient=lambda p: replace(p, oid="1.2.250.1.213.1.4.8"),
    ),
    _Message(
        "hl7-nom-efface",
        "A31",
        ("INS-032",),
        'PID-5 : `""` efface le nom de naissance, un trait obligatoire.',
        'PID-5: `""` erases the birth name, a mandatory trait.',
        edit=_pid(5, lambda value, patient: f"{_NULL}^{value.partition('^')[2]}"),
    ),
    _Message(
        "hl7-statut-absent",
        "A28",
        ("INS-100",),
        "PID-32 absent : le destinataire ne sait pas si l'identité est qualifiée.",
        "PID-32 is missing: the recipient cannot tell whether the identity is qualified.",
        edit=_pid(32, lambda value, patient: ""),
    ),
    _Message(
        "hl7-jeu-de-caracteres",
        "A28",
        ("HL7-04",),
        "MSH-18 annonce UTF-8, les octets sont en ISO 8859-15 (le É de l'adresse).",
        "MSH-18 says UTF-8, the octets are ISO 8859-15 (the É of the address).",
        codec="iso8859-15",
    ),
    _Message(
        "hl7-tronque",
        "T02",
        ("HL7-09",),
        "Le message est coupé au milieu du base64 de OBX-5.",
        "The message is cut in the middle of the base64 of OBX-5.",
        octets=_cut_in_base64,
    ),
    _Message(
        "hl7-sans-pid",
        "A28",
        ("HL7-11",),
        "Un ADT sans segment PID : il n'y a personne.",
        "An ADT without a PID segment: there is nobody.",
        octets=lambda octets: b"".join(s for s in octets.splitlines(keepends=True) if not s.startswith(b"PID")),
    ),
    _Message(
        "hl7-traits-d-une-autre-personne-que-le-cda",
        "R01",
        ("INS-151", "INS-153"),
        "PID : le nom et le prénom d'une autre personne que celle du CDA, avec les mêmes identifiants.",
        "PID: the name and given name of another person than that of the CDA, under the same identifiers.",
        edit=_pid(5, lambda value, patient: "BRUNEL^ODETTE^ODETTE JEANNE^^^^L"),
    ),
    _Message(
        "hl7-ins-d-une-autre-personne-que-le-cda",
        "T02",
        ("INS-157",),
        "PID-3 : l'INS d'une jumelle, celle du CDA est d'une autre.",
        "PID-3: the INS of one twin; that of the CDA is another's.",
        edit=_pid(3, _other_ins),
        person="brunel-odette",
    ),
)


def hl7_samples(bench: Bench) -> Iterator[Sample]:
    """Messages of HL7 v2, valid ones first."""
    for message in _MESSAGES:
        yield sample(message.name, "hl7v2", _builder(message, bench), message.rules, message.fr, message.en)


def _builder(message: _Message, bench: Bench) -> Callable[[], bytes]:
    return lambda: message.octets_of(bench)
