"""What traits and the INS are called, French and English, wherever a person reads it."""

from __future__ import annotations

from collections.abc import Iterable

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
    "ipp": Text("Numéro local (IPP)", "Local number (IPP)"),
    "used_family": Text("Nom utilisé", "Used name"),
    "used_given": Text("Prénom utilisé", "Used given name"),
}


def named(traits: Iterable[str]) -> Text:
    """Traits by their names, inside a sentence. A word that is no trait is said as it is."""
    words = [TRAITS.get(name, Text(name, name)) for name in traits]
    return Text(
        *(", ".join(_inside(said) for said in told) for told in zip(*((w.fr, w.en) for w in words), strict=True))
    )


def _inside(said: str) -> str:
    """Without its capital, unless it is an acronym's."""
    return said if said[:2].isupper() else said[:1].lower() + said[1:]
