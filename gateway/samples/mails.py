"""Samples that must be explained: the package, the mail and its addressees. Each spoils one thing of the base letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gateway.documents.build_record import CdaRecord
from gateway.documents.build_xdm import METADATA, SUBSET
from gateway.messaging.compose import Draft
from gateway.samples.model import Sample, sample
from gateway.samples.parts import (
    DOC,
    DOMAIN,
    Bench,
    changed,
    emptied,
    encrypted,
    in_metadata,
    plus,
    renamed,
    without,
)

_SIAO = f"orientation@siao.{DOMAIN}"
_UNKNOWN = f"personne@ehpad-les-tilleuls.{DOMAIN}"
_PRESTATIONS = f"prestations@conseil-departemental.{DOMAIN}"


def package_faults(bench: Bench) -> tuple[Sample, ...]:
    """IHE_XDM.zip: its ZIP, its files, what METADATA.XML declares of them."""

    def xdm(name: str, build: Callable[[CdaRecord], bytes], rules: tuple[str, ...], fr: str, en: str) -> Sample:
        return sample(name, "xdm", lambda: build(bench.record(name)), rules, fr, en)

    return (
        xdm(
            "xdm-empreinte-fausse",
            lambda r: bench.repacked("xdm-hash", r, in_metadata(_other_hash)),
            ("XDM-05",),
            "L'empreinte SHA-1 déclarée n'est pas celle du document.",
            "The declared SHA-1 is not that of the document.",
        ),
        xdm(
            "xdm-taille-fausse",
            lambda r: bench.repacked("xdm-size", r, in_metadata(_other_size)),
            ("XDM-04",),
            "La taille déclarée n'est pas celle du document.",
            "The declared size is not that of the document.",
        ),
        xdm(
            "xdm-chemin-sortant",
            lambda r: bench.repacked("xdm-path", r, plus("../../../etc/passe-murailles.txt", b"sortie")),
            ("ABU-03",),
            "Un nom de fichier qui sort de l'archive (../).",
            "A file name that climbs out of the package (../).",
        ),
        xdm(
            "xdm-bombe",
            lambda r: bench.repacked("xdm-bomb", r, plus(SUBSET + "DOC0002.XML", bytes(60_000_000))),
            ("ABU-02",),
            "Une bombe : 60 Mo dans une archive de quelques dizaines de Ko.",
            "A zip bomb: 60 MB inside a few tens of KB.",
        ),
        xdm(
            "xdm-chiffree",
            lambda r: encrypted(bench.package("xdm-encrypted", r)),
            ("XDM-01",),
            "Une archive chiffrée par mot de passe.",
            "A password-encrypted package.",
        ),
        xdm(
            "xdm-sans-metadata",
            lambda r: bench.repacked("xdm-nometa", r, without(METADATA)),
            ("XDM-02",),
            "METADATA.XML absent.",
            "METADATA.XML is missing.",
        ),
        xdm(
            "xdm-metadata-mal-forme",
            lambda r: bench.repacked("xdm-badmeta", r, in_metadata(lambda data: data[: len(data) // 2])),
            ("XDM-02",),
            "METADATA.XML coupé : XML mal formé.",
            "METADATA.XML is cut: not well-formed.",
        ),
        xdm(
            "xdm-document-vide",
            lambda r: bench.repacked("xdm-empty", r, emptied(DOC)),
            ("XDM-03", "XDM-04", "XDM-05", "CDA-01", "INS-137"),
            "Le document déclaré est un fichier vide.",
            "The declared document is an empty file.",
        ),
        xdm(
            "xdm-document-introuvable",
            lambda r: bench.repacked("xdm-uri", r, renamed(DOC, SUBSET + "LETTRE01.XML")),
            ("XDM-06",),
            "L'URI déclarée ne correspond à aucun fichier, et un fichier n'est pas déclaré.",
            "The declared URI matches no file, and one file is not declared.",
        ),
        xdm(
            "xdm-document-qui-n-est-pas-un-cda",
            lambda r: bench.package(
                "xdm-notcda", r, b"<?xml version='1.0' encoding='UTF-8'?>\n<Lettre>Bonjour</Lettre>\n"
            ),
            ("XDM-07", "INS-137"),
            "Le fichier déclaré comme document n'est pas un CDA.",
            "The file declared as a document is not a CDA.",
        ),
        xdm(
            "xdm-type-different-du-cda",
            lambda r: bench.repacked("xdm-type", r, in_metadata(lambda d: changed(d, '"11490-0"', '"34112-3"'))),
            ("XDM-09", "MET-12"),
            "Le typeCode des métadonnées n'est pas le code du document.",
            "The typeCode of the metadata is not the code of the document.",
        ),
        xdm(
            "xdm-sans-index-ni-lisez-moi",
            lambda r: bench.repacked("xdm-noindex", r, lambda files: files[2:]),
            ("XDM-12",),
            "INDEX.HTM et README.TXT absents : avertissement.",
            "INDEX.HTM and README.TXT are missing: a warning.",
        ),
    )


def mail_faults(bench: Bench) -> tuple[Sample, ...]:
    """Headers, parts and addressees of the mail."""

    def mail(name: str, edit: Callable[[Draft], Draft], rules: tuple[str, ...], fr: str, en: str) -> Sample:
        return sample(name, "mail", lambda: bench.mail(name, bench.record(name), edit=edit), rules, fr, en)

    return (
        mail(
            "mail-x-mss-ins-absent",
            lambda d: replace(d, ins=None),
            ("INS-143",),
            "X-MSS-INS absent alors qu'un CDA est joint.",
            "X-MSS-INS is missing although a CDA is attached.",
        ),
        mail(
            "mail-x-mss-ins-contredit-le-document",
            lambda d: replace(d, ins=False),
            ("INS-141",),
            "X-MSS-INS dit N, le document porte une INS qualifiée.",
            "X-MSS-INS says N, the document bears a qualified INS.",
        ),
        sample(
            "mail-x-mss-ins-o-sans-ins",
            "mail",
            lambda: bench.mail(
                "mail-ins-o",
                bench.record("mail-ins-o", patient="benali-amina"),
                edit=lambda d: replace(d, ins=True),
            ),
            ("INS-140", "INS-031", "XDM-10"),
            "X-MSS-INS dit O, le document n'a pas d'INS.",
            "X-MSS-INS says O, the document has no INS.",
        ),
        mail(
            "mail-x-mss-codecda-faux",
            lambda d: replace(d, code_cda=("34112-3",)),
            ("INS-148",),
            "X-MSS-CODECDA n'est pas le code du document joint.",
            "X-MSS-CODECDA is not the code of the attached document.",
        ),
        mail(
            "mail-x-mss-ins-sans-document",
            lambda d: replace(d, attachments=(), code_cda=(), subject="Sans document"),
            ("INS-142",),
            "X-MSS-INS sur un message sans document : interdit.",
            "X-MSS-INS on a message without a document: forbidden.",
        ),
        mail(
            "mail-ins-dans-l-objet",
            lambda d: replace(d, subject=f"{d.subject} {bench.territory.patients['delmas-suzanne'].matricule}"),
            ("INS-146", "ECO-01"),
            "Le matricule INS est écrit dans l'objet.",
            "The INS matricule is written in the subject.",
        ),
        mail(
            "mail-deux-archives",
            lambda d: replace(d, attachments=(d.attachments[0], *d.attachments)),
            ("ECO-13", "XDM-11"),
            "Deux pièces IHE_XDM.zip dans un message : une seule est admise.",
            "Two IHE_XDM.zip parts in one mail: only one is allowed.",
        ),
        mail(
            "mail-sans-jumeau-pdf",
            lambda d: replace(d, attachments=d.attachments[:1]),
            ("XDM-11",),
            "Pas de PDF à côté de l'archive.",
            "No PDF beside the package.",
        ),
        mail(
            "mail-objet-non-regle",
            lambda d: replace(d, subject="Courrier concernant une résidente"),
            ("ECO-01",),
            "L'objet ne commence pas par XDM/1.0/DDM+.",
            "The subject does not begin with XDM/1.0/DDM+.",
        ),
        sample(
            "mail-archive-tronquee",
            "mail",
            lambda: _cut_package(bench, "mail-archive-tronquee"),
            ("ECO-17", "ECO-12", "INS-142", "MSS-03"),
            "Le base64 de l'archive est coupé au milieu : la pièce ne se lit plus.",
            "The base64 of the package is cut in the middle: the part can no longer be read.",
        ),
        sample(
            "mail-adresse-d-un-autre-patient",
            "mail",
            lambda: bench.mail(
                "mail-autre-patient", bench.record("mail-autre-patient"), to=("279035121518989@patient.mssante.fr",)
            ),
            ("INS-144",),
            "La lettre d'une patiente envoyée à la BAL d'une autre.",
            "One patient's letter sent to another patient's mailbox.",
            to=("279035121518989@patient.mssante.fr",),
        ),
        sample(
            "mail-document-de-sante-au-siao",
            "mail",
            lambda: bench.mail("mail-siao", bench.record("mail-siao"), to=(_SIAO,)),
            ("GW-RIGHTS-01", "GW-RIGHTS-04"),
            "Une lettre de santé adressée au SIAO, qui n'y est pas habilité.",
            "A health letter sent to the housing-orientation service, which may not receive it.",
            to=(_SIAO,),
        ),
        sample(
            "mail-document-de-sante-aux-prestations",
            "mail",
            lambda: bench.mail("mail-cd", bench.record("mail-cd"), to=(_PRESTATIONS,)),
            ("GW-RIGHTS-01", "GW-RIGHTS-04"),
            "Une lettre de santé adressée au service administratif du département.",
            "A health letter sent to the county's administrative service.",
            to=(_PRESTATIONS,),
        ),
        sample(
            "mail-bal-inconnue",
            "mail",
            lambda: bench.mail("mail-inconnue", bench.record("mail-inconnue"), to=(_UNKNOWN,)),
            ("GW-ENV-02",),
            "Une lettre valide, adressée à une BAL qui n'existe pas : refusée par SMTP, correcte hors ligne.",
            "A valid letter to a mailbox that does not exist: refused by SMTP, right when checked offline.",
            to=(_UNKNOWN,),
        ),
    )


def _other_hash(metadata: bytes) -> bytes:
    start = metadata.index(b'name="hash"')
    value = metadata.index(b"<Value>", start) + len(b"<Value>")
    first = b"0" if metadata[value : value + 1] != b"0" else b"1"
    return metadata[:value] + first + metadata[value + 1 :]


def _other_size(metadata: bytes) -> bytes:
    start = metadata.index(b'name="size"')
    value = metadata.index(b"<Value>", start) + len(b"<Value>")
    return metadata[:value] + b"1" + metadata[value:]


def _cut_package(bench: Bench, name: str) -> bytes:
    """The package stands last and its base64 stops in the middle of a group of four characters."""
    mail = bench.mail(name, bench.record(name), edit=lambda d: replace(d, attachments=d.attachments[::-1]))
    end = mail.rindex(b"\r\n--")
    return mail[: end - 4001] + mail[end:]
