"""The console's words, French and English, and the sentence that says what an outcome means."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.values import Lang, Text

DOORS = {
    "smtp-submission": Text("Envoi", "Submission"),
    "smtp-reception": Text("Réception", "Reception"),
    "dmp": Text("DMP", "DMP"),
    "notice": Text("Avis", "Notice"),
    "copy": Text("Copie", "Copy"),
    "imap": Text("Lecture", "Reading"),
    "insi": Text("INSi", "INSi"),
    "mllp": Text("HL7v2", "HL7v2"),
    "fhir": Text("FHIR", "FHIR"),
}
LISTED_DOORS = ("smtp-submission", "smtp-reception", "dmp", "notice")
OUTCOMES = {
    "accept": Text("Accepté", "Accepted"),
    "accept_with_alerts": Text("Accepté, alertes", "Accepted, alerts"),
    "quarantine": Text("Quarantaine", "Quarantine"),
    "reject": Text("Refusé", "Refused"),
}
EVENTS = {
    "received": Text("Reçu", "Received"),
    "decided": Text("Jugé", "Judged"),
    "delivered": Text("Remis en boîte", "Put in the mailbox"),
    "relayed": Text("Relayé", "Relayed"),
    "deferred": Text("Remis à plus tard", "Deferred"),
    "dead": Text("Abandonné", "Given up"),
    "read": Text("Lu", "Read"),
    "refused": Text("Refusé à la porte", "Refused at the door"),
    "duplicate": Text("Doublon", "Duplicate"),
    "reused": Text("Message-ID réutilisé", "Message-ID reused"),
    "registered": Text("Enregistré au DMP", "Registered in the DMP"),
    "notified": Text("Expéditeur averti", "Sender told"),
    "integrated": Text("Intégré au dossier", "Joined the record"),
    "quarantined": Text("Intégration arrêtée", "Integration stopped"),
    "observed": Text("Rapprochement observé", "Matching observed"),
    "quarantine-decided": Text("Quarantaine : décidé", "Quarantine: decided"),
    "identity-created": Text("Identité créée", "Identity created"),
    "identity-status": Text("Statut d'identité", "Identity status"),
    "identity-proof": Text("Justificatif", "Proof"),
    "identity-traits": Text("Traits modifiés", "Traits changed"),
    "identity-insi": Text("INSi et dossier", "INSi and record"),
    "identity-ins": Text("INS changée par un A47", "INS changed by an A47"),
    "identity-attached": Text("INS reçue mise de côté", "Received INS kept aside"),
    "identity-revealed": Text("Identité affichée en clair", "Identity shown in clear"),
    "identities-seeded": Text("Index remplis", "Indexes filled"),
    "rule-override": Text("Règle jugée autrement", "Rule judged otherwise"),
    "reset": Text("Bac à sable vidé", "Sandbox emptied"),
    "imap-login": Text("Connexion IMAP", "IMAP login"),
}
INTEGRATIONS = {
    "allowed": Text("intégration possible", "integration allowed"),
    "without_ins": Text("intégration sans l'INS", "integration without the INS"),
    "stopped": Text("intégration arrêtée", "integration stopped"),
}
NOTICES = {
    "failed": Text("échec de remise", "delivery failed"),
    "delayed": Text("remise retardée", "delivery delayed"),
    "delivered": Text("remise confirmée", "delivery confirmed"),
    "relayed": Text("relayé, sans suivi au-delà", "relayed, not followed further"),
    "integrated": Text("intégré au dossier du patient", "joined the patient's record"),
    "not-integrated": Text("non intégré au dossier du patient", "kept out of the patient's record"),
}
KINDS = {
    "mail": Text("Mail", "Mail"),
    "iti-41": Text("Dépôt de lot (ITI-41)", "Lot deposit (ITI-41)"),
    "iti-18": Text("Recherche (ITI-18)", "Query (ITI-18)"),
    "td0.2": Text("Test d'existence (TD0.2)", "Existence test (TD0.2)"),
}
STAGES = {
    "CONNECT": Text("à la connexion", "at the connection"),
    "STARTTLS": Text("à STARTTLS", "at STARTTLS"),
    "TLS": Text("à la négociation TLS", "during the TLS handshake"),
    "AUTH": Text("à l'authentification", "at the authentication"),
    "MAIL": Text("à MAIL FROM", "at MAIL FROM"),
    "RCPT": Text("à RCPT TO", "at RCPT TO"),
    "DATA": Text("à DATA", "at DATA"),
}

_MEANING: Mapping[tuple[str, str], Text] = {
    ("smtp-submission", "accept"): Text(
        "Aucune règle enfreinte : le mail poursuit sa route.", "No rule broken: the mail goes on its way."
    ),
    ("smtp-submission", "accept_with_alerts"): Text(
        "Le mail part ; des points sont à corriger avant la production.",
        "The mail leaves; some points must be mended before production.",
    ),
    ("smtp-submission", "reject"): Text(
        "Rien n'est parti : l'expéditeur corrige, puis renvoie.", "Nothing left: the sender mends it, then sends again."
    ),
    ("smtp-reception", "accept"): Text(
        "Remis au destinataire, prêt à être intégré.", "Delivered to the recipient, ready to be integrated."
    ),
    ("smtp-reception", "accept_with_alerts"): Text(
        "Remis au destinataire, avec des alertes.", "Delivered to the recipient, with alerts."
    ),
    ("smtp-reception", "quarantine"): Text(
        "Remis et signalé : le document n'entre pas dans le dossier du patient tant que l'identité n'est pas vérifiée.",
        "Delivered and flagged: the document stays out of the patient's record until the identity is verified.",
    ),
    ("smtp-reception", "reject"): Text(
        "Refusé à l'opérateur qui le présentait : rien n'est remis.",
        "Refused to the operator that presented it: nothing is delivered.",
    ),
    ("notice", "accept"): Text(
        "L'expéditeur est averti de ce que devient son mail.", "The sender is told what becomes of his mail."
    ),
    ("dmp", "accept"): Text("Le DMP a répondu favorablement.", "The DMP answered favourably."),
    ("dmp", "accept_with_alerts"): Text(
        "Le DMP accepte ; des points sont à corriger.", "The DMP accepts; some points must be mended."
    ),
    ("dmp", "reject"): Text("Le DMP refuse : rien n'est enregistré.", "The DMP refuses: nothing is registered."),
}
_WITHOUT_INS = Text(
    "Remis au destinataire ; le document s'intègre sans l'INS, à qualifier de nouveau.",
    "Delivered to the recipient; the document is integrated without the INS, to be qualified again.",
)
_DUPLICATE = Text(
    "Même message, mêmes octets : accusé comme le premier, remis une seule fois.",
    "Same message, same bytes: acknowledged as the first one, delivered only once.",
)


def meaning(door: str, outcome: str, integration: str, *, duplicate: bool) -> Text:
    """What an outcome means for those who exchange, in one sentence."""
    if duplicate:
        return _DUPLICATE
    if integration == "without_ins" and door == "smtp-reception":
        return _WITHOUT_INS
    return _MEANING.get((door, outcome), Text("", ""))


def said(table: Mapping[str, Text], key: str, lang: Lang) -> str:
    """A word of a table; the key itself when the table does not know it."""
    found = table.get(key)
    return found.in_(lang) if found else key
