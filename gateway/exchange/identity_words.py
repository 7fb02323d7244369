"""Why a change of a patient record is refused, and what a user should look at: French and English."""

from __future__ import annotations

from gateway.identity.proofs import proof_kinds
from gateway.identity.trait_words import named
from gateway.values import Text


def near(ipp: str, *, double: bool) -> Text:
    """Another record of the index with the same names, or with the same traits."""
    if double:
        return Text(
            f"Le dossier {ipp} a les mêmes traits : doublon probable.",
            f"Record {ipp} has the same traits: likely a duplicate.",
        )
    return Text(f"Le dossier {ipp} porte les mêmes nom et prénom.", f"Record {ipp} bears the same name and given name.")


def held_by(ipp: str) -> Text:
    """Another record of the index holds the INS."""
    return Text(f"Le dossier {ipp} porte déjà cette INS.", f"Record {ipp} already holds this INS.")


def differ(names: tuple[str, ...]) -> Text:
    """The answer of INSi tells other traits."""
    told = named(names)
    return Text(f"Traits différents dans la réponse : {told.fr}.", f"Traits that differ in the answer: {told.en}.")


def not_asked(rule: str, reason: str) -> Text:
    """INSi was not called: `reason` names the traits it would refuse, as the client of INSi calls them."""
    told = named(_ASKED.get(word, word) for word in reason.split(", ") if word)
    if rule == "INS-186":
        return Text(f"Il manque à l'appel : {told.fr}.", f"Missing in the call: {told.en}.")
    return Text(f"L'INSi n'admettrait pas : {told.fr}.", f"INSi would not admit: {told.en}.")


_ASKED = {"family": "birth_family", "given_names": "given_list"}


HELD = Text("Un autre dossier porte déjà cette INS.", "Another record already holds this INS.")
NO_ANSWER = Text(
    "Aucune réponse positive de l'INSi n'est conservée pour cette identité : interrogez l'INSi, puis confirmez sa réponse.",
    "No positive answer of INSi is kept for this identity: call INSi, then confirm its answer.",
)
OUTDATED = Text(
    "Cette réponse de l'INSi n'est plus à confirmer : une autre l'a suivie, ou le dossier a changé depuis. Interrogez l'INSi.",
    "This answer of INSi is to be confirmed no more: another one followed, or the record changed since. Call INSi.",
)
CHANGE_THE_TRAITS = Text(
    "Un changement de trait se fait en donnant les nouveaux traits.", "A trait is changed by giving the new traits."
)
NO_PROOF = Text("Aucun justificatif n'est enregistré.", "No proof is recorded.")
LOW_TRUST = Text(
    "Aucun des justificatifs enregistrés n'est à haut niveau de confiance.",
    "None of the recorded proofs is of high trust.",
)
UNKNOWN_PROOF = Text(
    f"Type de justificatif à choisir parmi : {', '.join(proof_kinds())}.",
    f"Kind of proof to choose among: {', '.join(proof_kinds())}.",
)
RANK_IS_GIVEN = Text(
    "Le niveau de confiance de ce justificatif n'est pas laissé au choix.",
    "The trust level of this proof is not left to choose.",
)
SET_ASIDE = Text(
    "L'identité est douteuse ou fictive : levez d'abord cet attribut.",
    "The identity is doubtful or fictive: lift that attribute first.",
)
NOTHING_TO_VERIFY = Text(
    "Ce dossier ne porte aucune INS, ni reçue ni propre : cherchez par les traits.",
    "This record holds no INS, received or its own: search by traits.",
)
NO_NAME = Text(
    "Le nom de naissance et un prénom de naissance sont nécessaires.",
    "The birth name and a birth given name are needed.",
)
NOT_BORN = Text("La date de naissance est dans le futur.", "The birth date is in the future.")
NO_YEAR = Text(
    "Une date possible est nécessaire, au moins l'année (AAAA, AAAA-MM, AAAA-??-JJ ou AAAA-MM-JJ).",
    "A date that can be is needed, at least its year (AAAA, AAAA-MM, AAAA-??-JJ or AAAA-MM-JJ).",
)
