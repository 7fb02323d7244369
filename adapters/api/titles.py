"""What each problem of the API is called, and what a field that is refused should have been, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.values import Text

TITLES: Mapping[str, Text] = {
    "actors-refused": Text("Acteurs refusés", "Actors refused"),
    "already-decided": Text("Déjà décidé", "Already decided"),
    "answer-not-found": Text("Réponse introuvable", "Answer not found"),
    "bad-request": Text("Requête illisible", "Unreadable request"),
    "bytes-gone": Text("Octets disparus", "Octets gone"),
    "conflict": Text("Conflit", "Conflict"),
    "csrf": Text("Formulaire étranger", "Foreign form"),
    "dmp-not-found": Text("DMP introuvable", "DMP not found"),
    "entry-not-found": Text("Entrée de quarantaine introuvable", "Quarantine entry not found"),
    "exchange-gone": Text("Échange disparu", "Exchange gone"),
    "exchange-not-found": Text("Échange introuvable", "Exchange not found"),
    "gateway-stopping": Text("La passerelle s'arrête", "The gateway stops"),
    "host-not-served": Text("Nom d'hôte non servi", "Host name not served"),
    "identity-changed": Text("Dossier modifié entre-temps", "Record changed meanwhile"),
    "identity-not-found": Text("Dossier introuvable", "Record not found"),
    "identity-refused": Text("Refusé par une règle d'identitovigilance", "Refused by an identity rule"),
    "internal-error": Text("Erreur interne", "Internal error"),
    "invalid-request": Text("Requête invalide", "Invalid request"),
    "ipp-taken": Text("IPP déjà pris", "IPP already taken"),
    "mailbox-not-found": Text("BAL introuvable", "Mailbox not found"),
    "matricule-in-query": Text("Matricule dans une adresse", "Matricule in a query"),
    "method-not-allowed": Text("Méthode non admise", "Method not allowed"),
    "no-insi": Text("Pas d'INSi", "No INSi"),
    "not-found": Text("Introuvable", "Not found"),
    "not-published": Text("Non publié", "Not published"),
    "override-not-found": Text("Dérogation introuvable", "Override not found"),
    "override-refused": Text("Dérogation refusée", "Override refused"),
    "policy-fixed": Text("Politique figée", "Fixed policy"),
    "production-oid": Text("OID de production", "Production OID"),
    "record-missing": Text("Dossier non désigné", "Record not named"),
    "refusal-not-found": Text("Refus introuvable", "Refusal not found"),
    "rule-not-found": Text("Règle introuvable", "Rule not found"),
    "storage-unavailable": Text("Stockage indisponible", "Storage unavailable"),
    "structure-not-found": Text("Structure introuvable", "Structure not found"),
    "token-required": Text("Jeton requis", "Token required"),
    "too-large": Text("Corps trop grand", "Body too large"),
    "too-many-streams": Text("Trop de flux ouverts", "Too many open streams"),
    "unknown-decision": Text("Décision inconnue", "Unknown decision"),
    "unknown-event": Text("Événement inconnu", "Unknown event"),
    "unknown-incident": Text("Incident inconnu", "Unknown incident"),
    "unknown-kind": Text("Sorte inconnue", "Unknown kind"),
    "unknown-state": Text("État inconnu", "Unknown state"),
    "wait-timeout": Text("Attente sans résultat", "Nothing came in time"),
    "workspace-not-found": Text("Bac à sable introuvable", "Workspace not found"),
}

# errors of pydantic, by type; what is not here is told in its own English words
_FIELDS: Mapping[str, str] = {
    "missing": "valeur attendue",
    "extra_forbidden": "champ inconnu",
    "string_type": "une chaîne est attendue",
    "string_too_short": "{min_length} caractères au moins",
    "string_too_long": "{max_length} caractères au plus",
    "string_pattern_mismatch": "doit avoir la forme {pattern}",
    "too_long": "{max_length} éléments au plus",
    "literal_error": "valeurs admises : {expected}",
    "enum": "valeurs admises : {expected}",
    "int_type": "un entier est attendu",
    "int_parsing": "un entier est attendu",
    "float_type": "un nombre est attendu",
    "float_parsing": "un nombre est attendu",
    "finite_number": "un nombre fini est attendu",
    "bool_type": "vrai ou faux est attendu",
    "bool_parsing": "vrai ou faux est attendu",
    "list_type": "une liste est attendue",
    "dict_type": "un objet est attendu",
    "model_attributes_type": "un objet est attendu",
    "greater_than": "plus de {gt}",
    "greater_than_equal": "{ge} au moins",
    "less_than": "moins de {lt}",
    "less_than_equal": "{le} au plus",
    "json_invalid": "JSON illisible",
}


def title_of(code: str) -> Text:
    """What a problem is called; the words of its code when it has no name."""
    words = code.replace("-", " ")
    return TITLES.get(code, Text(words, words))


def refused_field(error: Mapping[str, Any]) -> Text:
    """One error of a request, `place: what was expected`."""
    place = ".".join(str(part) for part in error["loc"])
    context = {name: value for name, value in error.get("ctx", {}).items() if isinstance(value, (str, int, float))}
    french = _FIELDS.get(error["type"], error["msg"])
    try:
        told = french.format(**context)
    except (KeyError, IndexError, ValueError):
        told = error["msg"]
    if context.get("expected"):
        told = told.replace(" or ", " ou ")
    return Text(f"{place} : {told}", f"{place}: {error['msg']}")
