"""Samples that must pass: one of each kind, and the mails of the territory's everyday life."""

from __future__ import annotations

from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import submit_objects_request
from gateway.exchange.sample_parts import DOMAIN, SAMPLE_TEXT, Bench, in_utf16
from gateway.exchange.samples import Sample, sample
from gateway.messaging.compose import Draft, compose_mail

_IME = f"accompagnement@ime-les-marronniers.{DOMAIN}"
_MDPH = f"equipe.pluridisciplinaire@mdph.{DOMAIN}"
_TILLEULS = f"soins@ehpad-les-tilleuls.{DOMAIN}"
_URGENCES = f"urgences@ch-brumeval.{DOMAIN}"
_LABO = f"resultats@laboratoire-de-la-vallee.{DOMAIN}"
_SOREL = f"emile.sorel@medecin.{DOMAIN}"
_SIAO = f"orientation@siao.{DOMAIN}"
_PASSAGE = f"soins@chrs-le-passage.{DOMAIN}"
_EMS = f"ems-apa@conseil-departemental.{DOMAIN}"
_SSIAD = f"coordination@ssiad-du-plateau.{DOMAIN}"


def valid_samples(bench: Bench) -> tuple[Sample, ...]:
    """Everything here is accepted; a warning may remain where the identity has no INS."""
    at, record = bench.at, bench.record
    matricule = bench.territory.patients["delmas-suzanne"].matricule
    citizen = f"{matricule}@patient.mssante.fr"
    return (
        sample(
            "valide-mail-lettre-de-liaison",
            "mail",
            lambda: bench.mail("valide-lettre", record("valide-lettre")),
            (),
            "Lettre de liaison d'un hôpital à un EHPAD, avec son archive XDM et son jumeau PDF.",
            "A hospital's discharge letter to a nursing home, with its XDM package and its PDF twin.",
        ),
        sample(
            "valide-mail-transfert-aux-urgences",
            "mail",
            lambda: bench.mail(
                "valide-transfert",
                record("valide-transfert", "transfert-urgences", "brunel-odette", "aubry-paul", "ehpad-les-tilleuls"),
                sender=_TILLEULS,
                to=(_URGENCES,),
            ),
            (),
            "Fiche de transfert d'un EHPAD vers les urgences.",
            "A nursing home's transfer sheet to the emergency ward.",
            sender=_TILLEULS,
            to=(_URGENCES,),
        ),
        sample(
            "valide-mail-evaluation-vers-la-mdph",
            "mail",
            lambda: bench.mail(
                "valide-mdph",
                record("valide-mdph", "evaluation", "perrin-lea", "kervadec-yann", "ime-les-marronniers"),
                sender=_IME,
                to=(_MDPH,),
            ),
            (),
            "Évaluation d'un enfant, de l'IME à la MDPH.",
            "A child's evaluation, from a special-needs institute to the disability office.",
            sender=_IME,
            to=(_MDPH,),
        ),
        sample(
            "valide-mail-bilan-vers-le-departement",
            "mail",
            lambda: bench.mail(
                "valide-apa",
                record("valide-apa", "bilan-autonomie", "gauthier-rene", "thibault-marc", "ssiad-du-plateau"),
                sender=_SSIAD,
                to=(_EMS,),
            ),
            (),
            "Bilan d'autonomie, d'un SSIAD à l'équipe médico-sociale APA.",
            "Loss-of-autonomy report, from a home-nursing service to the county's medico-social team.",
            sender=_SSIAD,
            to=(_EMS,),
        ),
        sample(
            "valide-mail-evaluation-sociale-au-siao",
            "mail",
            lambda: bench.mail(
                "valide-siao",
                record("valide-siao", "evaluation-sociale", "benali-amina", "texier-maud", "chrs-le-passage"),
                sender=_PASSAGE,
                to=(_SIAO,),
            ),
            (),
            "Document purement social, sans INS, d'un CHRS au SIAO.",
            "A purely social document, without INS, from a shelter to the housing-orientation service.",
            sender=_PASSAGE,
            to=(_SIAO,),
        ),
        sample(
            "valide-mail-resultats-de-laboratoire",
            "mail",
            lambda: bench.mail(
                "valide-bio",
                record("valide-bio", "cr-biologie", "fontaine-marcel", "delorme-anne", "laboratoire-de-la-vallee"),
                sender=_LABO,
                to=(_SOREL,),
            ),
            (),
            "Résultats d'une BAL applicative de laboratoire à un médecin libéral.",
            "Results from a laboratory's application mailbox to a general practitioner.",
            sender=_LABO,
            to=(_SOREL,),
        ),
        sample(
            "valide-mail-au-patient",
            "mail",
            lambda: bench.mail("valide-patient", record("valide-patient"), to=(citizen,)),
            (),
            "La même lettre, adressée à la BAL de la patiente : l'adresse porte son matricule.",
            "The same letter, sent to the patient's own mailbox: the address is her matricule.",
            to=(citizen,),
        ),
        sample(
            "valide-mail-sans-document",
            "mail",
            lambda: compose_mail(
                Draft(
                    sender=_SOREL,
                    sender_name="Dr_Émile_SOREL_Cabinet du Dr Sorel",
                    to=(_TILLEULS,),
                    subject="Visite de jeudi déplacée",
                    text=SAMPLE_TEXT,
                    date=at,
                    message_id=f"valide-texte.{at:%Y%m%d%H%M%S}@medecin.{DOMAIN}",
                )
            ),
            (),
            "Un simple message entre professionnels, sans document.",
            "A plain message between professionals, without a document.",
            sender=_SOREL,
            to=(_TILLEULS,),
        ),
        sample(
            "valide-xdm",
            "xdm",
            lambda: bench.package("valide-xdm", record("valide-xdm")),
            (),
            "Une archive IHE_XDM.zip : index, lisez-moi, métadonnées, un document CDA.",
            "One IHE_XDM.zip package: index, readme, metadata, one CDA document.",
        ),
        sample(
            "valide-cda",
            "cda",
            lambda: build_cda(record("valide-cda", "dlu", "brunel-odette", "aubry-paul", "ehpad-les-tilleuls")),
            (),
            "Un CDA R2 niveau 1 à corps PDF/A : document de liaison d'urgence.",
            "A level 1 CDA R2 with a PDF/A body: emergency summary.",
        ),
        sample(
            "valide-cda-utf16",
            "cda",
            lambda: in_utf16(build_cda(record("valide-cda-utf16"))),
            (),
            "Un CDA en UTF-16 : permis par XML, lu comme un autre ; taille et empreinte portent sur ces octets.",
            "A CDA in UTF-16: allowed by XML, read like any other; size and hash are those of these octets.",
        ),
        sample(
            "valide-metadata",
            "metadata",
            lambda: submit_objects_request(bench.lot("valide-metadata", record("valide-metadata"))),
            (),
            "METADATA.XML d'une archive, seul.",
            "METADATA.XML of a package, by itself.",
        ),
    )
