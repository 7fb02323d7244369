"""Mutations of the mail and of METADATA.XML: headers, addresses, names of files, another patient's metadata."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from gateway.cohort.messages import Spoiling
from gateway.cohort.mutations import MAIL, Case, Mutation, mutation
from gateway.directory.model import Patient
from gateway.messaging.compose import Draft
from gateway.samples.parts import DOMAIN, changed

_CITIZENS = "patient.mssante.fr"


def _draft(change: Callable[[Draft, Case], Draft]) -> Callable[[Case], Spoiling]:
    return lambda case: Spoiling(draft=lambda draft: change(draft, case))


def _metadata(change: Callable[[bytes, Patient], bytes]) -> Callable[[Case], Spoiling]:
    return lambda case: Spoiling(metadata=lambda octets: change(octets, case.person.patient))


def _other_patient(case: Case) -> Spoiling:
    return Spoiling(metadata_patient=lambda patient: case.other.patient)


def _other_trait(name: str) -> Callable[[Case], Spoiling]:
    def spoil(case: Case) -> Spoiling:
        values = {name: getattr(case.other.patient, name)}
        return Spoiling(metadata_patient=lambda patient: replace(patient, **values))

    return spoil


def _second(case: Case) -> Spoiling:
    return Spoiling(second=case.other.patient)


def _renamed_file(draft: Draft, case: Case) -> Draft:
    name = f"lettre_{case.person.patient.matricule}.pdf"
    return replace(draft, attachments=(*draft.attachments[:-1], replace(draft.attachments[-1], filename=name)))


def _other_subject(draft: Draft, case: Case) -> Draft:
    day = int(case.person.patient.birth_date[8:]) % 28 + 1
    return replace(draft, subject=f"{draft.subject[:-10]}{day:02d}{draft.subject[-8:]}")


def _entry_id(octets: bytes, patient: Patient) -> bytes:
    """The patientId of the entry alone: that of the lot stays."""
    wrong = f"{patient.matricule[:13]}{int(patient.matricule[13:]) % 97 + 1:02d}"
    found = re.search(
        rb"(?s)<(?:\w+:)?ExternalIdentifier(?:(?!<(?:\w+:)?ExternalIdentifier).)*?XDSDocumentEntry\.patientId", octets
    )
    if found is None:
        raise ValueError("no patientId to spoil")
    told = found.group().replace(patient.matricule.encode(), wrong.encode())
    return octets[: found.start()] + told + octets[found.end() :]


MAIL_MUTATIONS: tuple[Mutation, ...] = (
    mutation("métadonnées-d-un-autre", "METADATA.XML", MAIL, "INS-150", _other_patient),
    mutation(
        "métadonnées-autre-nom",
        "METADATA.XML",
        MAIL,
        "INS-151",
        lambda case: Spoiling(metadata_patient=lambda patient: replace(patient, family="ZEPHYRIN")),
    ),
    mutation(
        "métadonnées-autre-prénom",
        "METADATA.XML",
        MAIL,
        "INS-153",
        lambda case: Spoiling(metadata_patient=lambda patient: replace(patient, given="BARNABE", given_list="BARNABE")),
    ),
    mutation("métadonnées-autre-matricule", "METADATA.XML", MAIL, "INS-150", _other_trait("matricule")),
    mutation("métadonnées-une-clé-fausse", "METADATA.XML", MAIL, "INS-131", _metadata(_entry_id)),
    mutation(
        "patientId-sans-ISO",
        "METADATA.XML",
        MAIL,
        "INS-130",
        _metadata(lambda octets, p: changed(octets, f"&amp;{p.oid}&amp;ISO^NH", f"&amp;{p.oid}^NH")),
    ),
    mutation(
        "sourcePatientInfo-sans-sexe",
        "METADATA.XML",
        MAIL,
        "INS-132",
        _metadata(lambda octets, p: re.sub(rb"(?s)<((?:\w+:)?)Value>PID-8\|[MF]</\1Value>", b"", octets)),
    ),
    mutation(
        "sourcePatientInfo-sans-date",
        "METADATA.XML",
        MAIL,
        "INS-132",
        _metadata(lambda octets, p: re.sub(rb"(?s)<((?:\w+:)?)Value>PID-7\|[0-9]+</\1Value>", b"", octets)),
    ),
    mutation(
        "sourcePatientId-absent",
        "METADATA.XML",
        MAIL,
        "INS-133",
        _metadata(lambda octets, p: re.sub(rb'(?s)<((?:\w+:)?)Slot name="sourcePatientId">.*?</\1Slot>', b"", octets)),
    ),
    mutation("deux-patients-dans-l-archive", "XDM", MAIL, "INS-136", _second),
    mutation("X-MSS-INS-N", "en-tête", MAIL, "INS-141", _draft(lambda d, case: replace(d, ins=False))),
    mutation("X-MSS-INS-absent", "en-tête", MAIL, "INS-143", _draft(lambda d, case: replace(d, ins=None))),
    mutation(
        "X-MSS-INS-OUI",
        "en-tête",
        MAIL,
        "MSS-04",
        _draft(lambda d, case: replace(d, ins=None, extra_headers=(("X-MSS-INS", "OUI"),))),
    ),
    mutation(
        "X-MSS-INS-sans-document",
        "en-tête",
        MAIL,
        "INS-142",
        _draft(lambda d, case: replace(d, attachments=(), code_cda=(), subject="Rendez-vous")),
    ),
    mutation(
        "X-MSS-CODECDA-faux", "en-tête", MAIL, "INS-148", _draft(lambda d, case: replace(d, code_cda=("34112-3",)))
    ),
    mutation("X-MSS-CODECDA-absent", "en-tête", MAIL, "MSS-02", _draft(lambda d, case: replace(d, code_cda=()))),
    mutation("X-MSS-NIL-absent", "en-tête", MAIL, "MSS-01", _draft(lambda d, case: replace(d, nil=""))),
    mutation(
        "matricule-dans-l-objet",
        "objet",
        MAIL,
        "INS-146",
        _draft(lambda d, case: replace(d, subject=f"{d.subject} {case.person.patient.matricule}")),
    ),
    mutation("objet-autre-date", "objet", MAIL, "ECO-02", _draft(_other_subject)),
    mutation(
        "matricule-dans-le-corps",
        "corps",
        MAIL,
        "INS-146",
        _draft(lambda d, case: replace(d, text=f"INS : {case.person.patient.matricule}\r\n")),
    ),
    mutation("matricule-dans-un-nom-de-fichier", "pièce jointe", MAIL, "INS-146", _draft(_renamed_file)),
    mutation(
        "expéditeur-patient",
        "adresse",
        MAIL,
        "INS-160",
        _draft(lambda d, case: replace(d, sender=f"{case.person.patient.matricule}@ch-brumeval.{DOMAIN}")),
    ),
    mutation(
        "boîte-d-un-autre-patient",
        "adresse",
        MAIL,
        "INS-144",
        _draft(lambda d, case: replace(d, to=(f"{case.other.patient.matricule}@{_CITIZENS}",))),
    ),
    mutation(
        "boîte-patient-mal-formée",
        "adresse",
        MAIL,
        "INS-145",
        _draft(lambda d, case: replace(d, to=(f"{case.person.patient.matricule[:13]}@{_CITIZENS}",))),
    ),
)
