"""Checks of a patient that a user brings: the traits, the status, and that the identity is nobody's."""

from __future__ import annotations

import re
from datetime import date

from gateway.directory.actor_faults import Found, bad, key_form, warn
from gateway.directory.identifiers import matricule_key
from gateway.directory.model import Patient
from gateway.directory.territory import fictitious_communes
from gateway.rules.masking import mask_matricule

_MATRICULE = re.compile(r"[12][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8}")
_PLACE = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}")
_INS_TEST = ("1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11")
_NIA = "1.2.250.1.213.1.4.9"
_STATUSES = ("PROV", "RECUP", "VALI", "QUAL")
_ATTRIBUTES = ("homonyme", "douteuse", "fictive")


def check_patient(patient: Patient) -> Found:
    """Traits, status, matricule and OID of one patient."""
    yield from key_form(patient.key)
    if _day(patient.birth_date) is None:
        yield bad(
            "birth_date",
            patient.birth_date,
            "date attendue : AAAA-MM-JJ.",
            "expected date: YYYY-MM-DD.",
            "Écrire par exemple 1939-03-08.",
            "Write for instance 1939-03-08.",
        )
    if patient.sex not in ("M", "F", "I"):
        yield bad("sex", patient.sex, "sexe attendu : M ou F.", "expected sex: M or F.", "Corriger.", "Mend it.")
    if _PLACE.fullmatch(patient.birth_place) is None:
        yield bad(
            "birth_place",
            patient.birth_place,
            "code COG attendu : 5 caractères, commune ou pays (99…).",
            "expected a COG code: 5 characters, commune or country (99…).",
            "Une commune fictive convient : 48901 à 48930.",
            "A fictitious commune will do: 48901 to 48930.",
        )
    if patient.given_list.split(" ")[0] != patient.given.split(" ")[0]:
        yield warn(
            "given_list",
            patient.given_list,
            "le premier prénom n'ouvre pas la liste des prénoms.",
            "the first given name does not head the list.",
            "Écrire la liste dans l'ordre de l'état civil.",
            "Write the list in the order of the civil register.",
        )
    yield from _status(patient)
    if patient.matricule:
        yield from _matricule(patient)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _status(patient: Patient) -> Found:
    if patient.status not in _STATUSES or not set(patient.attributes) <= set(_ATTRIBUTES):
        yield bad(
            "status",
            f"{patient.status} {' '.join(patient.attributes)}".strip(),
            "statut ou attribut inconnu.",
            "unknown status or attribute.",
            f"Statuts : {', '.join(_STATUSES)} ; attributs : {', '.join(_ATTRIBUTES)}.",
            f"Statuses: {', '.join(_STATUSES)}; attributes: {', '.join(_ATTRIBUTES)}.",
        )
    weak = {"douteuse", "fictive"} & set(patient.attributes)
    if weak and (patient.status != "PROV" or patient.matricule or len(weak) == 2):
        yield bad(
            "attributes",
            " ".join(patient.attributes),
            "une identité douteuse ou fictive est provisoire et sans matricule, et n'est pas les deux à la fois.",
            "a doubtful or fictive identity is provisional, has no matricule, and is not both at once.",
            "Écrire status=PROV et retirer le matricule.",
            "Write status=PROV and remove the matricule.",
        )
    if patient.status in ("QUAL", "RECUP") and not patient.matricule:
        yield bad(
            "matricule",
            "",
            f"une identité {patient.status} a un matricule.",
            f"a {patient.status} identity has a matricule.",
            "Le donner, écrire matricule=auto (naissance en commune fictive), ou status=PROV.",
            "Give it, write matricule=auto (birth in a fictitious commune), or status=PROV.",
        )


def _matricule(patient: Patient) -> Found:
    value = patient.matricule
    if _MATRICULE.fullmatch(value) is None:
        yield bad(
            "matricule",
            f"{len(value)} caractères",
            "matricule attendu : 13 caractères et 2 chiffres de clé.",
            "expected matricule: 13 characters and a 2-digit key.",
            "Écrire les 15 caractères sans espace.",
            "Write the 15 characters without spaces.",
        )
        return
    if matricule_key(value[:13]) != value[13:]:
        yield bad(
            "matricule",
            mask_matricule(value),
            "la clé du matricule est fausse.",
            "the key of the matricule is wrong.",
            f"La clé attendue est {matricule_key(value[:13])}.",
            f"The expected key is {matricule_key(value[:13])}.",
        )
    if patient.oid not in (*_INS_TEST, _NIA):
        yield bad(
            "oid",
            patient.oid,
            "OID de production ou inconnu : un bac à sable ne reçoit pas de vraie INS.",
            "production or unknown OID: a sandbox takes no real INS.",
            f"Écrire oid={_INS_TEST[0]}, avec une identité de test.",
            f"Write oid={_INS_TEST[0]}, with a test identity.",
        )
    elif value[5:10] not in fictitious_communes():
        yield warn(
            "matricule",
            mask_matricule(value),
            "ce matricule ne vient pas d'une commune fictive : il pourrait être celui de quelqu'un.",
            "this matricule is not from a fictitious commune: it could be somebody's.",
            "N'utiliser que des identités de test publiées, ou matricule=auto.",
            "Use published test identities only, or matricule=auto.",
        )
