"""Samples that must pass: the mails of the territory's everyday life, and one file of each kind of document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import submit_objects_request
from gateway.messaging.compose import Draft, compose_mail
from gateway.samples.model import Sample, sample
from gateway.samples.parts import DOMAIN, SAMPLE_TEXT, SECRETARIAT, TILLEULS, Bench, in_utf16

_SOREL = f"emile.sorel@medecin.{DOMAIN}"


@dataclass(frozen=True, slots=True)
class _Letter:
    """A mail with one document. `seed` makes its identifiers; patient, author and structure are keys of the territory.

    `to` is '' for the patient's own mailbox.
    """

    seed: str
    name: str
    fr: str
    en: str
    document: tuple[str, str, str, str] = ("lettre-sortie", "delmas-suzanne", "vannier-claire", "ch-brumeval")
    sender: str = SECRETARIAT
    to: str = TILLEULS

    def sample(self, bench: Bench) -> Sample:
        """The file."""
        kind, patient, author, structure = self.document
        to = self.to or f"{bench.territory.patients[patient].matricule}@patient.mssante.fr"

        def build() -> bytes:
            record = bench.record(self.seed, kind, patient, author, structure)
            return bench.mail(self.seed, record, sender=self.sender, to=(to,))

        return sample(self.name, "mail", build, (), self.fr, self.en, sender=self.sender, to=(to,))


_LETTERS = (
    _Letter(
        "valide-lettre",
        "valide-mail-lettre-de-liaison",
        "Lettre de liaison d'un hôpital à un EHPAD, avec son archive XDM et son jumeau PDF.",
        "A hospital's discharge letter to a nursing home, with its XDM package and its PDF twin.",
    ),
    _Letter(
        "valide-transfert",
        "valide-mail-transfert-aux-urgences",
        "Fiche de transfert d'un EHPAD vers les urgences.",
        "A nursing home's transfer sheet to the emergency ward.",
        ("transfert-urgences", "brunel-odette", "aubry-paul", "ehpad-les-tilleuls"),
        TILLEULS,
        f"urgences@ch-brumeval.{DOMAIN}",
    ),
    _Letter(
        "valide-mdph",
        "valide-mail-evaluation-vers-la-mdph",
        "Évaluation d'un enfant, de l'IME à la MDPH.",
        "A child's evaluation, from a special-needs institute to the disability office.",
        ("evaluation", "perrin-lea", "kervadec-yann", "ime-les-marronniers"),
        f"accompagnement@ime-les-marronniers.{DOMAIN}",
        f"equipe.pluridisciplinaire@mdph.{DOMAIN}",
    ),
    _Letter(
        "valide-apa",
        "valide-mail-bilan-vers-le-departement",
        "Bilan d'autonomie, d'un SSIAD à l'équipe médico-sociale APA.",
        "Loss-of-autonomy report, from a home-nursing service to the county's medico-social team.",
        ("bilan-autonomie", "gauthier-rene", "thibault-marc", "ssiad-du-plateau"),
        f"coordination@ssiad-du-plateau.{DOMAIN}",
        f"ems-apa@conseil-departemental.{DOMAIN}",
    ),
    _Letter(
        "valide-siao",
        "valide-mail-evaluation-sociale-au-siao",
        "Document purement social, sans INS, d'un CHRS au SIAO.",
        "A purely social document, without INS, from a shelter to the housing-orientation service.",
        ("evaluation-sociale", "benali-amina", "texier-maud", "chrs-le-passage"),
        f"soins@chrs-le-passage.{DOMAIN}",
        f"orientation@siao.{DOMAIN}",
    ),
    _Letter(
        "valide-bio",
        "valide-mail-resultats-de-laboratoire",
        "Résultats d'une BAL applicative de laboratoire à un médecin libéral.",
        "Results from a laboratory's application mailbox to a general practitioner.",
        ("cr-biologie", "fontaine-marcel", "delorme-anne", "laboratoire-de-la-vallee"),
        f"resultats@laboratoire-de-la-vallee.{DOMAIN}",
        _SOREL,
    ),
    _Letter(
        "valide-patient",
        "valide-mail-au-patient",
        "La même lettre, adressée à la BAL de la patiente : l'adresse porte son matricule.",
        "The same letter, sent to the patient's own mailbox: the address is her matricule.",
        to="",
    ),
)


def valid_samples(bench: Bench) -> Iterator[Sample]:
    """Everything here is accepted; a warning may remain where the identity has no INS."""
    yield from (letter.sample(bench) for letter in _LETTERS)
    yield sample(
        "valide-mail-sans-document",
        "mail",
        lambda: _plain_mail(bench),
        (),
        "Un simple message entre professionnels, sans document.",
        "A plain message between professionals, without a document.",
        sender=_SOREL,
        to=(TILLEULS,),
    )
    yield sample(
        "valide-xdm",
        "xdm",
        lambda: bench.package("valide-xdm", bench.record("valide-xdm")),
        (),
        "Une archive IHE_XDM.zip : index, lisez-moi, métadonnées, un document CDA.",
        "One IHE_XDM.zip package: index, readme, metadata, one CDA document.",
    )
    yield sample(
        "valide-cda",
        "cda",
        lambda: build_cda(bench.record("valide-cda", "dlu", "brunel-odette", "aubry-paul", "ehpad-les-tilleuls")),
        (),
        "Un CDA R2 niveau 1 à corps PDF/A : document de liaison d'urgence.",
        "A level 1 CDA R2 with a PDF/A body: emergency summary.",
    )
    yield sample(
        "valide-cda-utf16",
        "cda",
        lambda: in_utf16(build_cda(bench.record("valide-cda-utf16"))),
        (),
        "Un CDA en UTF-16 : permis par XML, lu comme un autre ; taille et empreinte portent sur ces octets.",
        "A CDA in UTF-16: allowed by XML, read like any other; size and hash are those of these octets.",
    )
    yield sample(
        "valide-metadata",
        "metadata",
        lambda: submit_objects_request(bench.lot("valide-metadata", bench.record("valide-metadata"))),
        (),
        "METADATA.XML d'une archive, seul.",
        "METADATA.XML of a package, by itself.",
    )


def _plain_mail(bench: Bench) -> bytes:
    at = bench.at
    return compose_mail(
        Draft(
            sender=_SOREL,
            sender_name="Dr_Émile_SOREL_Cabinet du Dr Sorel",
            to=(TILLEULS,),
            subject="Visite de jeudi déplacée",
            text=SAMPLE_TEXT,
            date=at,
            message_id=f"valide-texte.{at:%Y%m%d%H%M%S}@medecin.{DOMAIN}",
        )
    )
