"""Why bytes are no XML, in our own words: the parser's errors, by their code, in French and in English.

The line stands in the finding's place; the column is said here. A name quoted by the parser (of a tag, an attribute, an
entity) is kept, 40 characters of it. Codes: libxml2, `xmlParserErrors`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from gateway.values import Text

_NAME_SHOWN = 40

# by code: words whose {braces} are the groups of the pattern, tried on the parser's own sentence when there is one
_TOLD: Mapping[int, tuple[str, Text]] = {
    4: ("", Text("aucun élément : le texte ne commence pas par <", "no element: the text does not begin with <")),
    5: ("", Text("du contenu suit la fin de l'élément racine", "content follows the end of the root element")),
    6: ("", Text("référence &#x…; mal écrite", "badly written &#x…; reference")),
    7: ("", Text("référence &#…; mal écrite", "badly written &#…; reference")),
    8: ("", Text("référence de caractère interdite", "forbidden character reference")),
    9: ("", Text("caractère interdit en XML", "character not allowed in XML")),
    23: ("", Text("« & » sans point-virgule : écrivez &amp;", '"&" without a semicolon: write &amp;')),
    26: (
        r"Entity '(?P<a>[^']+)'",
        Text("entité &{a}; inconnue (seules amp, lt, gt, quot et apos existent)", "unknown entity &{a};"),
    ),
    31: ("", Text("encodage inconnu", "unknown encoding")),
    32: (r"encoding: (?P<a>\S+?),? ", Text("encodage {a} inconnu", "unknown encoding {a}")),
    38: ("", Text("« < » dans la valeur d'un attribut : écrivez &lt;", '"<" in an attribute value: write &lt;')),
    39: ("", Text("valeur d'attribut sans guillemets", "attribute value without quotes")),
    40: ("", Text("valeur d'attribut dont le guillemet n'est pas fermé", "attribute value whose quote is not closed")),
    41: (r"attribute (?P<a>\S+?),? ", Text("attribut {a} sans valeur", "attribute {a} without a value")),
    42: (r"Attribute (?P<a>\S+)", Text("attribut {a} écrit deux fois", "attribute {a} written twice")),
    45: ("", Text("commentaire non terminé", "unfinished comment")),
    47: ("", Text("instruction non terminée", "unfinished processing instruction")),
    57: ("", Text("déclaration <?xml …?> non terminée", "unfinished <?xml …?> declaration")),
    62: ("", Text("« ]]> » dans un texte", '"]]>" inside a text')),
    63: ("", Text("section CDATA non terminée", "unfinished CDATA section")),
    64: (
        "",
        Text(
            "la déclaration <?xml …?> n'est pas au tout début", "the <?xml …?> declaration is not at the very beginning"
        ),
    ),
    65: ("", Text("il manque une espace", "a blank is missing")),
    68: ("", Text("nom attendu : « & » seul, ou nom interdit", 'a name is expected: a bare "&", or a forbidden name')),
    73: ("", Text("balise dont le « > » manque", 'tag whose ">" is missing')),
    74: ("", Text("balise de fin attendue", "an end tag is expected")),
    76: (
        r"mismatch: (?P<a>\S+) line \d+ and (?P<b>[^\s,]+)",
        Text("balise <{a}> fermée par </{b}>", "tag <{a}> closed by </{b}>"),
    ),
    77: (r"in tag (?P<a>\S+)", Text("balise <{a}> jamais fermée", "tag <{a}> never closed")),
    80: ("", Text("« -- » dans un commentaire", '"--" inside a comment')),
    81: ("", Text("octets qui ne sont pas dans l'encodage annoncé", "octets outside the announced encoding")),
    108: ("", Text("version de XML inconnue", "unknown version of XML")),
    114: ("", Text("limites du lecteur XML dépassées", "limits of the XML reader exceeded")),
    200: ("", Text("espace de noms vide", "empty namespace")),
    201: (
        r"prefix (?P<a>\S+)",
        Text("préfixe « {a} » sans déclaration xmlns", 'prefix "{a}" without an xmlns declaration'),
    ),
    202: (r"QName '(?P<a>[^']+)'", Text("nom « {a} » à plusieurs deux-points", 'name "{a}" with several colons')),
    203: (r"Attribute (?P<a>\S+)", Text("attribut {a} écrit deux fois", "attribute {a} written twice")),
}
_OTHER = Text("erreur d'écriture XML ({a})", "XML error ({a})")


def told(error: etree.XMLSyntaxError | ValueError) -> Text:
    """What is wrong and in which column. Never the parser's own words."""
    code = getattr(error, "code", None) or 0
    column = getattr(error, "position", (0, 0))[1]
    words = _words(code, str(error))
    if not column:
        return words
    return Text(f"{words.fr}, colonne {column}", f"{words.en}, column {column}")


def _words(code: int, message: str) -> Text:
    pattern, words = _TOLD.get(code, ("", _OTHER))
    if words is _OTHER:
        return words.filled({"a": f"libxml2 {code}" if code else "lxml"})
    if not pattern:
        return words
    found = re.search(pattern, message + " ")
    if found is None:
        return words.filled({"a": "?", "b": "?"})
    return words.filled({name: _shown(value) for name, value in found.groupdict().items()})


def _shown(name: str) -> str:
    """A name from a stranger's document, short and printable."""
    return "".join(c if c.isprintable() else "�" for c in name[:_NAME_SHOWN])
