"""What families, severities, actions and marks of confidence are called, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.values import Text

SEVERITIES: Mapping[str, Text] = {
    "blocking": Text("Bloquant", "Blocking"),
    "warning": Text("Alerte", "Warning"),
    "info": Text("Information", "Information"),
}
ACTIONS: Mapping[str, Text] = {
    "reject": Text("refuser", "refuse"),
    "quarantine": Text("mettre en quarantaine", "quarantine"),
    "strip_ins": Text("intégrer sans l'INS", "integrate without the INS"),
    "alert": Text("alerter", "alert"),
    "log": Text("noter", "note"),
}
FAMILIES: Mapping[str, Text] = {
    "identity": Text("Identité du patient (INS)", "Patient identity (INS)"),
    "trust": Text("Confiance (certificats, liste blanche)", "Trust (certificates, whitelist)"),
    "envelope": Text("Enveloppe et session", "Envelope and session"),
    "abuse": Text("Abus", "Abuse"),
    "document": Text("Document (CDA)", "Document (CDA)"),
    "package": Text("Paquet (XDM)", "Package (XDM)"),
    "mail": Text("Mail", "Mail"),
    "rights": Text("Qui peut recevoir quoi", "Who may receive what"),
    "sharing": Text("Partage (DMP)", "Sharing (DMP)"),
}
CONFIDENCE: Mapping[str, Text] = {
    "D": Text("un texte officiel le dit", "an official text says it"),
    "S": Text("vu dans des exemples ou du code publics", "seen in public samples or code"),
    "M": Text("mesuré sur des exemples publics", "measured on public samples"),
    "I": Text("déduit", "inferred"),
    "C": Text("choix du bac à sable", "choice of the sandbox"),
}
