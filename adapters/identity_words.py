"""The words of patient indexes and of the quarantine queue, French and English, for the console and the command."""

from __future__ import annotations

from gateway.values import Text

TRAITS = {
    "matricule": Text("Matricule INS", "INS matricule"),
    "oid": Text("OID", "OID"),
    "birth_family": Text("Nom de naissance", "Birth name"),
    "birth_given": Text("Premier prénom", "First given name"),
    "given_list": Text("Liste des prénoms", "Given names"),
    "birth_date": Text("Date de naissance", "Birth date"),
    "sex": Text("Sexe", "Sex"),
    "birth_place": Text("Lieu de naissance (COG)", "Birthplace (COG)"),
    "used_family": Text("Nom utilisé", "Used name"),
    "used_given": Text("Prénom utilisé", "Used given name"),
}
STATUSES = {
    "PROV": Text("Identité provisoire", "Provisional identity"),
    "RECUP": Text("Identité récupérée", "Retrieved identity"),
    "VALI": Text("Identité validée", "Validated identity"),
    "QUAL": Text("Identité qualifiée", "Qualified identity"),
}
TONES = {"PROV": "reject", "RECUP": "accept_with_alerts", "VALI": "accept_with_alerts", "QUAL": "accept"}
ATTRIBUTES = {
    "homonyme": Text("homonyme", "homonym"),
    "douteuse": Text("douteuse", "doubtful"),
    "fictive": Text("fictive", "fictive"),
}
EVENTS = {
    "proof-checked": Text("Justificatif contrôlé", "Proof checked"),
    "proof-invalidated": Text("Justificatif invalidé", "Proof invalidated"),
    "insi-invalidated": Text("INS invalidée ou supprimée", "INS invalidated or removed"),
    "marked-doubtful": Text("Identité douteuse", "Doubtful identity"),
    "marked-fictive": Text("Identité fictive", "Fictive identity"),
    "unmarked": Text("Attribut douteuse ou fictive levé", "Doubtful or fictive lifted"),
    "marked-homonym": Text("Homonyme", "Homonym"),
    "unmarked-homonym": Text("Homonyme levé", "Homonym lifted"),
}
CHANGES = {
    **EVENTS,
    "created": Text("Créé", "Created"),
    "insi-asked": Text("INSi interrogé", "INSi called"),
    "insi-confirmed": Text("Réponse INSi confirmée", "INSi answer confirmed"),
    "proof-attached": Text("Justificatif enregistré", "Proof recorded"),
    "trait-changed": Text("Trait modifié", "Trait changed"),
    "trait-changed-proven": Text("Trait modifié, justificatif à l'appui", "Trait changed, proof in hand"),
    "traits-changed": Text("Trait modifié", "Trait changed"),
    "details": Text("Traits complémentaires", "Complementary traits"),
    "ins-withdrawn": Text("INS retirée par son émetteur (A47)", "INS withdrawn by its sender (A47)"),
    "ins-replaced": Text("INS remplacée par son émetteur (A47)", "INS replaced by its sender (A47)"),
    "attached": Text("INS reçue mise de côté", "Received INS kept aside"),
}
ANSWERS = {
    "00": Text("une identité", "one identity"),
    "01": Text("aucune identité", "no identity"),
    "02": Text("plusieurs identités", "several identities"),
}
VERIFICATIONS = {
    "00": Text("traits conformes", "traits agree"),
    "01": Text("traits non conformes", "traits do not agree"),
}
OPERATIONS = {
    "rechercherInsAvecTraitsIdentite": Text("recherche par traits", "search by traits"),
    "rechercherInsAvecCarteVitale": Text("recherche par carte", "search by card"),
    "verifierInsAvecTraitsIdentite": Text("vérification", "verification"),
}
STATES = {
    "open": Text("en attente", "waiting"),
    "attached": Text("rattaché", "attached"),
    "created": Text("dossier créé", "record created"),
    "refused": Text("refusé", "refused"),
    "copied": Text("copié sans INS", "copied without the INS"),
    "integrated": Text("intégré", "integrated"),
    "quarantined": Text("en quarantaine", "quarantined"),
    "observed": Text("observé", "observed"),
}
ROWS = {
    0: Text("Le message se contredit ou enfreint une règle", "The message contradicts itself or breaks a rule"),
    1: Text("Même INS, mêmes traits, dossier qualifié", "Same INS, same traits, qualified record"),
    2: Text("Même INS, mêmes traits, dossier non qualifié", "Same INS, same traits, record not qualified"),
    3: Text("Même INS, graphies différentes", "Same INS, other spellings"),
    4: Text("Même INS, liste de prénoms plus courte", "Same INS, a shorter list of given names"),
    5: Text("Même INS, traits différents", "Same INS, different traits"),
    6: Text("INS historique du dossier", "A former INS of the record"),
    7: Text("Mêmes traits, autre INS", "Same traits, another INS"),
    8: Text("Mêmes traits, dossier sans INS", "Same traits, record without an INS"),
    9: Text("Jumeaux possibles", "Possible twins"),
    10: Text("Patient inconnu", "Unknown patient"),
    11: Text("INS que le statut déclaré n'autorise pas", "An INS that the declared status forbids"),
    12: Text("INS incomplète", "Incomplete INS"),
    13: Text("Sans INS, mêmes traits qu'un dossier qualifié", "No INS, same traits as a qualified record"),
    14: Text("Sans INS, identification manuelle", "No INS, identification by hand"),
    15: Text("Plusieurs dossiers", "Several records"),
    16: Text("Dossier douteux ou fictif", "Doubtful or fictive record"),
    17: Text("Clé du matricule fausse", "Wrong key of the matricule"),
    18: Text("NIR et NIA ensemble", "NIR and NIA together"),
}


def answer_words(code: str, operation: str) -> Text | None:
    """What a CR of INSi means for that operation; None for a fault."""
    return (VERIFICATIONS if operation.startswith("verifier") else ANSWERS).get(code)
