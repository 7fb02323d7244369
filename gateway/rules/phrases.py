"""Words that several rooms say of what they expect: the forms of dates, in the letters of each language."""

from __future__ import annotations

from gateway.values import Text

DAY = Text("AAAAMMJJ", "YYYYMMDD")
DAY_WITH_HYPHENS = Text("AAAA-MM-JJ", "YYYY-MM-DD")
DAY_FIRST = Text("JJ-MM-AAAA", "DD-MM-YYYY")
TIME = Text("AAAAMMJJHHMMSS+ZZZZ", "YYYYMMDDHHMMSS+ZZZZ")
TIME_UTC = Text("AAAAMMJJHHMMSS (UTC)", "YYYYMMDDHHMMSS (UTC)")
IDENTITY_OF_A_DOCUMENT = Text(
    "matricule, OID, nom BR, prénom BR, birthTime, sexe", "matricule, OID, BR family, BR given, birthTime, sex"
)
VALUE_SET = Text("jeu de valeurs CI-SIS", "CI-SIS value set")


def characters(count: int) -> Text:
    """A length."""
    return Text(f"{count} caractères", f"{count} characters")
