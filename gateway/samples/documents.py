"""Samples that must be explained: the patient and the document. Each spoils one thing of the base letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gateway.directory.model import Patient
from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import LotEntry, submit_objects_request
from gateway.documents.build_xdm import build_xdm
from gateway.messaging.compose import package_part, twin_part
from gateway.samples.model import Sample, sample
from gateway.samples.parts import Bench, changed, wrong_key


def identity_faults(bench: Bench) -> tuple[Sample, ...]:
    """The patient is badly named, or not the same everywhere."""

    def everywhere(
        name: str, changes: Callable[[Patient], Patient], rules: tuple[str, ...], fr: str, en: str
    ) -> Sample:
        return sample(name, "mail", lambda: bench.mail(name, bench.record(name, changes=changes)), rules, fr, en)

    def in_cda(name: str, old: str, new: str, rules: tuple[str, ...], fr: str, en: str) -> Sample:
        def build() -> bytes:
            record = bench.record(name)
            return bench.mail(name, record, package=bench.package(name, record, changed(build_cda(record), old, new)))

        return sample(name, "mail", build, rules, fr, en)

    patient = bench.territory.patients["delmas-suzanne"]
    bad = wrong_key(patient)
    return (
        sample(
            "identite-jumelle-metadonnees-d-une-autre",
            "mail",
            lambda: _twin_mail(bench, "identite-jumelle-metadonnees-d-une-autre"),
            ("INS-150", "INS-153"),
            "Métadonnées d'une jumelle, document de l'autre : même nom, même date, matricule et prénom différents.",
            "Metadata of one twin, document of the other: same name and date, another matricule and given name.",
        ),
        everywhere(
            "identite-cle-fausse",
            wrong_key,
            ("INS-004",),
            "La clé du matricule est fausse, partout.",
            "The key of the matricule is wrong, everywhere.",
        ),
        in_cda(
            "identite-cle-fausse-dans-le-cda-seul",
            f'extension="{patient.matricule}"',
            f'extension="{bad.matricule}"',
            ("INS-004", "INS-150"),
            "La clé n'est fausse que dans le CDA : elle contredit aussi les métadonnées.",
            "The key is wrong in the CDA alone: it also contradicts the metadata.",
        ),
        everywhere(
            "identite-oid-de-production",
            lambda p: replace(p, oid="1.2.250.1.213.1.4.8"),
            ("INS-023",),
            "OID de production dans un bac à sable : avertissement.",
            "A production OID inside a sandbox: a warning.",
        ),
        in_cda(
            "identite-nss-pris-pour-une-ins",
            'root="1.2.250.1.213.1.4.10"',
            'root="1.2.250.1.213.1.4.13"',
            ("XDM-08", "INS-029", "INS-031", "INS-140", "XDM-10"),
            "L'OID est celui du numéro de sécurité sociale, pas d'une INS.",
            "The OID is that of the social-security number, not of an INS.",
        ),
        in_cda(
            "identite-liste-des-prenoms-absente",
            f"<given>{patient.given_list}</given>\n",
            "",
            ("INS-088",),
            "Le CDA n'a pas la liste des prénoms de naissance.",
            "The CDA lacks the list of birth given names.",
        ),
        in_cda(
            "identite-lieu-de-naissance-absent",
            f"<county>{patient.birth_place}</county>",
            "<county/>",
            ("INS-092",),
            "Le CDA n'a pas le code du lieu de naissance.",
            "The CDA lacks the code of the place of birth.",
        ),
        everywhere(
            "identite-minuscules",
            lambda p: replace(p, family=p.family.title(), given=p.given.title(), given_list=p.given_list.title()),
            ("INS-040",),
            "Nom et prénoms en minuscules.",
            "Names in lower case.",
        ),
        everywhere(
            "identite-accents",
            lambda p: replace(p, family="DÉLMAS"),
            ("INS-041",),
            "Un accent dans le nom de naissance.",
            "A diacritic in the birth name.",
        ),
        everywhere(
            "identite-naissance-dans-le-futur",
            lambda p: replace(p, birth_date="2139-03-08"),
            ("INS-053",),
            "Date de naissance dans le futur.",
            "A birth date in the future.",
        ),
        in_cda(
            "identite-date-de-naissance-differente",
            '<birthTime value="19390308"/>',
            '<birthTime value="19390309"/>',
            ("INS-155", "ECO-02"),
            "La date de naissance du CDA n'est pas celle des métadonnées.",
            "The birth date of the CDA is not that of the metadata.",
        ),
        sample(
            "identite-deux-patients-dans-une-archive",
            "mail",
            lambda: _two_patients(bench, "identite-deux-patients-dans-une-archive"),
            ("INS-136", "INS-131"),
            "Deux personnes dans la même archive.",
            "Two persons in one package.",
        ),
    )


def document_faults(bench: Bench) -> tuple[Sample, ...]:
    """CDA and metadata by themselves."""

    def cda(name: str, change: Callable[[bytes], bytes], rules: tuple[str, ...], fr: str, en: str) -> Sample:
        return sample(name, "cda", lambda: change(build_cda(bench.record(name))), rules, fr, en)

    return (
        cda(
            "cda-cle-fausse",
            lambda data: changed(
                data,
                bench.territory.patients["delmas-suzanne"].matricule,
                wrong_key(bench.territory.patients["delmas-suzanne"]).matricule,
            ),
            ("INS-004",),
            "Un CDA dont le matricule a une clé fausse.",
            "A CDA whose matricule has a wrong key.",
        ),
        cda(
            "cda-doctype",
            lambda data: data.replace(b"<ClinicalDocument", b"<!DOCTYPE ClinicalDocument>\n<ClinicalDocument", 1),
            ("ABU-01",),
            "Une déclaration DOCTYPE : refusée avant toute lecture.",
            "A DOCTYPE declaration: refused before anything is read.",
        ),
        cda(
            "cda-tronque",
            lambda data: data[: len(data) * 2 // 3],
            ("CDA-01",),
            "Un CDA coupé aux deux tiers : XML mal formé.",
            "A CDA cut at two thirds: not well-formed.",
        ),
        cda(
            "cda-corps-base64-abime",
            lambda data: changed(
                data, 'representation="B64">\n', 'representation="B64">\n*** ceci n\'est pas du base64 ***\n'
            ),
            ("CDA-24",),
            "Le corps du document n'est pas du base64.",
            "The body of the document is not base64.",
        ),
        cda(
            "cda-sans-numero-de-version",
            lambda data: changed(data, '  <versionNumber value="1"/>\n', ""),
            ("CDA-07",),
            "versionNumber absent : obligatoire en France.",
            "versionNumber is missing: mandatory in France.",
        ),
        sample(
            "metadata-deux-patientid",
            "metadata",
            lambda: _other_patient_id(bench, "metadata-deux-patientid"),
            ("INS-131",),
            "Le patientId du lot n'est pas celui de la fiche.",
            "The patientId of the set is not that of the entry.",
        ),
        sample(
            "metadata-patientid-mal-forme",
            "metadata",
            lambda: submit_objects_request(
                bench.lot("metadata-patientid", bench.record("metadata-patientid-mal-forme"))
            ).replace(b"&amp;ISO^NH", b"&amp;ISO"),
            ("INS-130",),
            "patientId qui ne suit pas la forme CX.",
            "A patientId that does not follow the CX form.",
        ),
    )


def _twin_mail(bench: Bench, name: str) -> bytes:
    """The mail of Odette, her metadata, and the document of her sister."""
    told = bench.record(name, patient="brunel-odette")
    carried = replace(told, patient=bench.territory.patients["brunel-colette"])
    return bench.mail(name, told, package=bench.package(name, told, build_cda(carried)))


def _two_patients(bench: Bench, name: str) -> bytes:
    first = bench.record(name)
    second = bench.record(f"{name}-2", patient="fontaine-marcel")
    lot = bench.lot(name, first)
    other = LotEntry(second, build_cda(second), bench.lot(f"{name}-2", second).entries[0].entry_id, "DOC0002.XML")
    package = build_xdm(replace(lot, entries=(*lot.entries, other)))
    return bench.mail(
        name,
        first,
        package=package,
        edit=lambda d: replace(
            d,
            attachments=(package_part(package), twin_part(first), twin_part(second)),
            code_cda=(first.kind.type.code, second.kind.type.code),
        ),
    )


def _other_patient_id(bench: Bench, name: str) -> bytes:
    data = submit_objects_request(bench.lot(name, bench.record(name)))
    actors = bench.territory.patients
    own, other = actors["delmas-suzanne"].matricule.encode(), actors["fontaine-marcel"].matricule.encode()
    return data.replace(own, other, 1)  # the first occurrence is the set's
