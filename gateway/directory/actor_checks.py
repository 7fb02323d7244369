"""Checks of actors that a user brings: structures, professionals, mailboxes, operators, patients.

A fault says what was received, what was expected and how to mend it. A blocking one keeps the actor out; a warning lets
it in. Nothing here raises: bad input gives faults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from gateway.directory.actor_faults import Fault, Found, bad, key_form, warn
from gateway.directory.identifiers import (
    finess_ok,
    luhn_key,
    parse_struct_id_nat,
    reserved,
    rpps_ok,
    siret_ok,
)
from gateway.directory.model import Mailbox, MailboxKind, Operator, Patient, Professional, Structure, Territory
from gateway.directory.patient_checks import check_patient
from gateway.directory.territory import TRUST_SUFFIX, Actor
from gateway.tables import read_csv

DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_LOCAL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
LAST_LISTENER = 14


def check_actor(actor: Actor, territory: Territory) -> Found:
    """The faults of one actor, in a territory that already holds those it came with."""
    if isinstance(actor, Structure):
        yield from _structure(actor, territory)
    elif isinstance(actor, Professional):
        yield from _professional(actor, territory)
    elif isinstance(actor, Operator):
        yield from _operator(actor, territory)
    elif isinstance(actor, Mailbox):
        yield from _mailbox(actor, territory)
    elif isinstance(actor, Patient):
        yield from check_patient(actor)


@cache
def _codes(table: str) -> frozenset[str]:
    return frozenset(row["code"] for row in read_csv(f"codes/{table}.csv"))


def _number(field: str, kind: str, value: str, length: int, ok: bool) -> Found:
    if not ok:
        expected = ""
        if len(value) == length and value.isascii() and value.isdigit():
            expected = value[:-1] + luhn_key(value[:-1])
        yield bad(
            field,
            value,
            f"{kind} de longueur ou de clé fausse ({length} caractères, clé de Luhn).",
            f"{kind} with a wrong length or key ({length} characters, Luhn key).",
            f"Avec la bonne clé, ce serait {expected}." if expected else "Recopier le numéro complet.",
            f"With the right key it would be {expected}." if expected else "Copy the whole number.",
        )
    elif not reserved(kind, value):
        yield warn(
            field,
            value,
            f"{kind} hors des blocs fictifs : il peut appartenir à quelqu'un.",
            f"{kind} outside the fictitious blocks: it may belong to somebody.",
            "Préférer un numéro fictif (fixtures/territory/SOURCES.md).",
            "Prefer a fictitious number (fixtures/territory/SOURCES.md).",
        )


def _structure(structure: Structure, territory: Territory) -> Found:
    yield from key_form(structure.key)
    if not structure.finess and not structure.siret:
        yield bad(
            "finess",
            "",
            "ni FINESS ni SIRET.",
            "neither FINESS nor SIRET.",
            "Donner l'un des deux, ou `finess=auto` pour un numéro fictif.",
            "Give one of them, or `finess=auto` for a fictitious number.",
        )
    if structure.finess:
        yield from _number("finess", "FINESS", structure.finess, 9, finess_ok(structure.finess))
    if structure.siret:
        yield from _number("siret", "SIRET", structure.siret, 14, siret_ok(structure.siret))
    for field, table, code in (
        ("facility_type", "facility_type", structure.facility_type),
        ("practice_setting", "practice_setting", structure.practice_setting),
    ):
        if code not in _codes(table):
            yield bad(
                field,
                code,
                "code hors de la nomenclature.",
                "code outside the value set.",
                f"Choisir un code de fixtures/codes/{table}.csv (un EHPAD : SA17 et ESSMS).",
                f"Choose a code of fixtures/codes/{table}.csv (a nursing home: SA17 and ESSMS).",
            )
    if structure.siege and structure.siege not in territory.structures:
        yield _unknown("siege", structure.siege, "structure")


def _unknown(field: str, received: str, kind: str) -> Fault:
    return bad(
        field,
        received,
        f"aucun acteur de cette clé ({kind}).",
        f"no actor has this key ({kind}).",
        f"L'ajouter d'abord (`passerelle actors add {kind} …`) ou corriger la clé.",
        f"Add it first (`passerelle actors add {kind} …`) or mend the key.",
    )


def _professional(professional: Professional, territory: Territory) -> Found:
    yield from key_form(professional.key)
    yield from _number("rpps", "RPPS", professional.rpps, 11, rpps_ok(professional.rpps))
    for key in professional.structures:
        if key not in territory.structures:
            yield _unknown("structures", key, "structure")


def _operator(operator: Operator, territory: Territory) -> Found:
    yield from key_form(operator.id)
    for domain in (operator.host, *operator.domains):
        if DOMAIN.fullmatch(domain) is None:
            yield bad(
                "domains",
                domain,
                "ce n'est pas un nom de domaine en minuscules.",
                "this is not a lower-case domain name.",
                "Écrire par exemple mon-etablissement.val-de-brume.mssante.fr.",
                "Write for instance my-place.val-de-brume.mssante.fr.",
            )
        elif not domain.endswith("." + TRUST_SUFFIX):
            yield warn(
                "domains",
                domain,
                f"domaine hors de {TRUST_SUFFIX} : admis, mais rare.",
                f"domain outside {TRUST_SUFFIX}: allowed, but rare.",
                "Vérifier que c'est voulu.",
                "Check that it is meant.",
            )
    for other in territory.operators.values():
        shared = () if other.id == operator.id else sorted(set(other.domains) & set(operator.domains))
        for domain in shared:
            yield bad(
                "domains",
                domain,
                f"ce domaine est déjà servi par {other.id}.",
                f"{other.id} already serves this domain.",
                "Retirer le domaine de l'un des deux opérateurs.",
                "Remove the domain from one of the two operators.",
            )
        if operator.listener is not None and other.id != operator.id and other.listener == operator.listener:
            yield bad(
                "listener",
                str(operator.listener),
                f"ce rang de port est celui de {other.id}.",
                f"{other.id} already has this listener rank.",
                f"Choisir un autre rang, de 0 à {LAST_LISTENER}.",
                f"Choose another rank, 0 to {LAST_LISTENER}.",
            )
    if operator.listener is not None and not 0 <= operator.listener <= LAST_LISTENER:
        yield bad(
            "listener",
            str(operator.listener),
            "rang de port hors limites.",
            "listener rank out of range.",
            f"Choisir un rang de 0 à {LAST_LISTENER}, ou aucun pour un opérateur étranger.",
            f"Choose a rank from 0 to {LAST_LISTENER}, or none for a foreign operator.",
        )
    number = parse_struct_id_nat(operator.structure_id)
    if number is None or number.key_ok is False:
        yield bad(
            "structure_id",
            operator.structure_id,
            "Struct_IdNat attendu : 1 + FINESS ou 3 + SIRET, clé juste.",
            "Struct_IdNat expected: 1 + FINESS or 3 + SIRET, with a right key.",
            "Il ira dans l'OU du certificat de l'opérateur.",
            "It goes into the OU of the operator's certificate.",
        )


def _mailbox(mailbox: Mailbox, territory: Territory) -> Found:
    local, at, domain = mailbox.address.rpartition("@")
    if not at or _LOCAL.fullmatch(local) is None or DOMAIN.fullmatch(domain) is None:
        yield bad(
            "address",
            mailbox.address,
            "ce n'est pas une adresse.",
            "this is not an address.",
            "Écrire nom@domaine, en minuscules et sans accent.",
            "Write name@domain, in lower case without diacritics.",
        )
        return
    operator = territory.operator_of_domain(domain)
    if operator is None:
        yield bad(
            "address",
            mailbox.address,
            f"le domaine {domain} n'est servi par aucun opérateur : il n'est pas dans la liste blanche.",
            f"no operator serves the domain {domain}: it is not in the whitelist.",
            "Ajouter `operator=op-brume` pour le faire servir, ou l'inscrire chez un opérateur (`actors add operator`).",
            "Add `operator=op-brume` to have it served, or list it with an operator (`actors add operator`).",
        )
    elif operator.id != mailbox.operator:
        yield bad(
            "operator",
            mailbox.operator,
            f"le domaine {domain} est servi par {operator.id}.",
            f"the domain {domain} is served by {operator.id}.",
            f"Écrire operator={operator.id}, ou choisir un autre domaine.",
            f"Write operator={operator.id}, or choose another domain.",
        )
    holder = territory.holder_of(mailbox)
    if holder is None:
        yield _unknown("holder", mailbox.holder, "patient" if mailbox.kind is MailboxKind.PATIENT else "structure")
    elif isinstance(holder, Patient) and local != holder.matricule.lower():
        yield bad(
            "address",
            mailbox.address,
            "la BAL d'un patient a son matricule INS pour partie locale.",
            "a patient's mailbox has the INS matricule as its local part.",
            "Écrire les 15 caractères du matricule avant le @.",
            "Write the 15 characters of the matricule before the @.",
        )
    for key in mailbox.members:
        if key not in territory.professionals:
            yield _unknown("members", key, "professional")


def defaults_of_category(category: str) -> Mapping[str, str]:
    """Routing class, facility type and practice setting that usually go with a category of structure; {} if unknown."""
    found = _CATEGORIES.get(category.upper())
    return dict(zip(("routing_class", "facility_type", "practice_setting"), found, strict=True)) if found else {}


_CATEGORIES = {
    "EHPAD": ("MS", "SA17", "ESSMS"),
    "SSIAD": ("MS", "SA41", "SAD"),
    "SAAD": ("MS", "SA18", "SAD"),
    "IME": ("MS", "SA16", "ESSMS"),
    "ITEP": ("MS", "SA16", "ESSMS"),
    "SESSAD": ("MS", "SA16", "ESSMS"),
    "MAS": ("MS", "SA16", "ESSMS"),
    "EAM": ("MS", "SA16", "ESSMS"),
    "FAM": ("MS", "SA16", "ESSMS"),
    "ESAT": ("MS", "SA16", "ESSMS"),
    "SAVS": ("MS", "SA16", "ESSMS"),
    "SAMSAH": ("MS", "SA16", "ESSMS"),
    "CHRS": ("SOC-L312", "SA21", "ESSMS"),
    "SIAO": ("SOC-SIAO", "SA28", "ESSMS"),
    "MDPH": ("MDPH", "SA41", "ESSMS"),
    "CH": ("SAN", "SA01", "ETABLISSEMENT"),
    "CLINIQUE": ("SAN", "SA04", "ETABLISSEMENT"),
    "CABINET": ("SAN", "SA07", "AMBULATOIRE"),
    "LABORATOIRE": ("SAN", "SA25", "AMBULATOIRE"),
    "PHARMACIE": ("SAN", "SA33", "AMBULATOIRE"),
}
