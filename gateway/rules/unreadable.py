"""Why octets are no text, no base64 or no JSON, in our own words and never in those of a library.

Nothing of what was read is quoted: it may be somebody's name. Places are counted from 1, except octets, from 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.values import Text

_BASE64: Mapping[str, Text] = {
    "Incorrect": Text("complément « = » absent ou faux", 'padding "=" missing or wrong'),
    "Only": Text("caractère étranger à l'alphabet base64", "character outside the base64 alphabet"),
    "Non-base64": Text("caractère étranger à l'alphabet base64", "character outside the base64 alphabet"),
    "string": Text("caractère étranger à l'alphabet base64", "character outside the base64 alphabet"),
    "Excess": Text("des caractères suivent le complément « = »", 'characters follow the padding "="'),
    "Discontinuous": Text("complément « = » interrompu", 'interrupted padding "="'),
    "Leading": Text("le complément « = » est au début", 'the padding "=" comes first'),
    "Invalid": Text("nombre de caractères impossible", "impossible number of characters"),
}
_NO_BASE64 = Text("base64 illisible", "unreadable base64")

_JSON: Mapping[str, Text] = {
    "Expecting value": Text("une valeur est attendue", "a value is missing"),
    "Expecting property name": Text("un nom entre guillemets est attendu", "a name in double quotes is missing"),
    "Expecting ',' delimiter": Text("il manque une virgule", "a comma is missing"),
    "Expecting ':' delimiter": Text("il manque « : » après un nom", '":" is missing after a name'),
    "Extra data": Text("du contenu suit la fin du JSON", "content follows the end of the JSON"),
    "Unterminated string": Text("chaîne dont le guillemet n'est pas fermé", "string whose quote is not closed"),
    "Invalid control character": Text("caractère de contrôle dans une chaîne", "control character in a string"),
    "Invalid \\": Text("séquence « \\ » inconnue dans une chaîne", 'unknown "\\" sequence in a string'),
    "Illegal trailing comma": Text("virgule de trop avant la fin", "one comma too many before the end"),
    "Unexpected UTF-8 BOM": Text("marque d'ordre des octets au début", "byte order mark at the beginning"),
}
_NO_JSON = Text("écriture qui n'est pas du JSON", "this is not written in JSON")


def base64_fault(error: ValueError) -> Text:
    """What is wrong with base64 that could not be decoded."""
    return _BASE64.get(str(error).partition(" ")[0], _NO_BASE64)


def json_fault(error: ValueError) -> Text:
    """What is wrong with a JSON that could not be read, and where."""
    if isinstance(error, UnicodeDecodeError):
        return undecodable(error)
    if not isinstance(error, json.JSONDecodeError):
        return _NO_JSON
    words = next((told for begin, told in _JSON.items() if error.msg.startswith(begin)), _NO_JSON)
    at = f"(l. {error.lineno}, c. {error.colno})"
    return Text(f"{words.fr} {at}", f"{words.en} {at}")


def undecodable(error: UnicodeDecodeError) -> Text:
    """Octets that are not in the encoding they announce."""
    return Text(
        f"octets qui ne sont pas de l'{error.encoding} (position {error.start})",
        f"octets that are not {error.encoding} (position {error.start})",
    )
