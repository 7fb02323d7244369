"""The subject of a mail as lists, logs and notices show it: what it is about, not whom.

| subject | shown |
|---|---|
| `XDM/1.0/DDM+Lettre de liaison DURAND Odette 08/03/1939` | `XDM/1.0/DDM+Lettre de liaison` |
| another that seems to name somebody | its shape: `Xxxxxxx XX X. XXXXXX Xxxxxx, 99/99/9999` |
| another | as written |

The label of an XDM subject runs into the name: what is kept are its first words, as long as they are words of the labels of
documents (JDV_J07, classes, the kinds written here). A label in words of one's own is cut there: better too short than a
name. A subject seems to name somebody when it holds a date, a matricule, a name in capitals beside another capitalised
word (unless it is an acronym of the field), a civility before a capitalised word, or a name of the patients of its documents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache
from itertools import pairwise

from gateway.documents.build_codes import document_kinds
from gateway.messaging.subject import PREFIX
from gateway.rules.spotting import spot
from gateway.tables import read_csv

SHOWN = 200

_LETTERS = re.compile(r"[^\W\d_]+")
_MONTHS = "janvier|février|fevrier|mars|avril|mai|juin|juillet|août|aout|septembre|octobre|novembre|décembre|decembre"
_DATE = re.compile(
    rf"(?<!\d)(?:\d{{1,2}}[/.\-]\d{{1,2}}[/.\-]\d{{2,4}}|\d{{4}}[/.\-]\d{{1,2}}[/.\-]\d{{1,2}}"
    rf"|\d{{1,2}}(?:er)? (?:{_MONTHS}) \d{{4}})(?!\d)",
    re.IGNORECASE,
)
_CIVILITY = re.compile(r"(?<!\w)(?:M|MM|Mr|Mme|Mmes|Mlle|Monsieur|Madame|Mademoiselle)\.? +[^\W\d_a-z]")
# words in capitals that are no name
_ACRONYMS = frozenset(
    re.findall(
        r"\w+",
        "EHPAD CH CHU CHR CHRS SSIAD IME MAS ESAT SAVS SAMSAH FAM MDPH CD SIAO HAD ESMS DMP DUI DPI LPS MSS INS INSI ANS"
        " IHE XDM CDA PDF ZIP DSN MDN KO OK RE FW FWD TR AR BAL TLS SMTP IMAP FHIR HL API TEST NON OUI",
    )
)


def masked_subject(subject: str, names: Collection[str] = ()) -> str:
    """A subject without what names the patient; `names` are words that would. Masking it again changes nothing."""
    if subject.startswith(PREFIX):
        return f"{PREFIX}{_label(subject[len(PREFIX) :])}"[:SHOWN]
    text = subject[: 2 * SHOWN]
    return (_shape(text) if _names_somebody(text, names) else text)[:SHOWN]


def words_of(values: Iterable[str]) -> frozenset[str]:
    """The words of names, as `masked_subject` looks for them."""
    return frozenset(plain(word) for value in values for word in _LETTERS.findall(value) if len(word) > 2)


def plain(word: str) -> str:
    """Without accents or case."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)).casefold()


def _label(rest: str) -> str:
    kept: list[str] = []
    for word in rest.split()[:20]:
        if not _is_of_a_label(word):
            break
        kept.append(word)
    return " ".join(kept)


def _is_of_a_label(word: str) -> bool:
    pieces = _LETTERS.findall(word)
    if not pieces or any(c.isdigit() for c in word):
        return False
    known = _vocabulary()
    return all(p in known if len(p) > 1 and p.isupper() else plain(p) in known for p in pieces)


@cache
def _vocabulary() -> frozenset[str]:
    """The words of every label of a document, without accents; those written in capitals there also as written."""
    labels = [row["label"] for name in ("nature", "class") for row in read_csv(f"codes/{name}.csv")]
    labels += [text for kind in document_kinds().values() for text in (kind.file_label, kind.title)]
    words = {piece for label in labels for piece in _LETTERS.findall(label)}
    return frozenset({plain(word) for word in words} | {word for word in words if word.isupper()})


def _names_somebody(text: str, names: Collection[str]) -> bool:
    if spot(text) or _DATE.search(text) or _CIVILITY.search(text):
        return True
    words = _LETTERS.findall(text)
    if names and any(plain(word) in names for word in words):
        return True
    return any(_is_a_name(one, two) or _is_a_name(two, one) for one, two in pairwise(words))


def _is_a_name(family: str, given: str) -> bool:
    """A word in capitals that is no acronym, beside a capitalised one."""
    capital = len(family) > 1 and family.isupper() and family not in _ACRONYMS and family not in _vocabulary()
    return capital and len(given) > 1 and given[0].isupper() and given not in _ACRONYMS


def _shape(text: str) -> str:
    """X and x for letters, 9 for digits; separators stand as written."""
    return "".join(_shape_of(char) for char in text)


def _shape_of(char: str) -> str:
    if char.isalpha():
        return "X" if char.isupper() else "x"
    return "9" if char.isdigit() else char if char.isprintable() else " "
