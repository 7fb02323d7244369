"""The strict traits: which characters they may hold, and the form in which two spellings are compared.

A trait is never corrected: what breaks these rules is told to the sender. Source: INSi guide SEL-MP-043 section 2
(EF_INS01_03, EF_INS10_01, EF_INS10_02); Guide d'implémentation INS v3.0, EXI ID 10.
"""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 100  # datamatrix INS 2.2, fields S3 and S4
VITALE_WIDTH = 27  # carte Vitale: a trait of exactly this length was probably cut
EXAMINED = 200  # characters looked at: a longer trait is already refused for its length

LIGATURES = {
    "Æ": "AE",
    "æ": "ae",
    "Œ": "OE",
    "œ": "oe",
    "ß": "ss",
    "ẞ": "SS",
    "Ø": "O",
    "ø": "o",
    "Ł": "L",
    "ł": "l",
    "Đ": "D",
    "đ": "d",
    "Þ": "TH",
    "þ": "th",
}
QUOTES = frozenset('\u2019\u2018\u02bc\u00b4`"\u201c\u201d\u00ab\u00bb')
FILLERS = frozenset({"INCONNU", "X", "XX", "XXX", "SANS PRENOM", "SDC", "TEST", "NR", "-", "."})
TITLES = frozenset({"M", "MR", "MME", "MLLE", "DR", "PR", "NEE", "EPOUSE", "EP", "VVE", "BEBE", "DECEDE"})

_LIGATURE_TABLE = str.maketrans(LIGATURES)
_CLEAN = re.compile(r"'?[A-Z]+(?:[ '-][A-Z]+)*")
_COMPARED = re.compile(r"[\s'\u2019\u2018\u02bc\u00b4`\-]+")
_DOUBLED = re.compile(r"[ '-]{2,}")
_ALLOWED_ASCII = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz '-")
_MARKERS = re.compile(r" (?:NEE|EPOUSE) ")


def canon(value: str) -> str:
    """Upper case, accents and ligatures folded, hyphen, apostrophe and space as one space. Only to compare."""
    if value.isascii() and value.isalpha() and value.isupper():
        return value
    decomposed = unicodedata.normalize("NFD", value.translate(_LIGATURE_TABLE))
    letters = "".join(char for char in decomposed if not unicodedata.combining(char)).upper()
    return _COMPARED.sub(" ", letters).strip()


def is_clean(value: str) -> bool:
    """Nothing to say about the characters of this trait: the common case, decided at once."""
    return _CLEAN.fullmatch(value) is not None


def has_lower_case(value: str) -> bool:
    """At least one lower-case letter."""
    return value != value.upper() and any(map(str.islower, value))


def has_diacritic(value: str) -> bool:
    """At least one combining mark once decomposed."""
    return not value.isascii() and any(map(unicodedata.combining, unicodedata.normalize("NFD", value)))


def foreign_letters(value: str) -> str:
    """The letters, in order, that are no A to Z even without their accents: ligatures and other alphabets."""
    if value.isascii():
        return ""
    return "".join(char for char in value if char.isalpha() and char not in QUOTES and not _latin(char))


def _latin(char: str) -> bool:
    base = unicodedata.normalize("NFD", char)[0]
    return base in _ALLOWED_ASCII


def curly_quotes(value: str) -> str:
    """The apostrophes and quotes, in order, that are not ASCII 39."""
    return "".join(char for char in value if char in QUOTES)


def forbidden_characters(value: str) -> str:
    """What is neither letter, mark, quote nor allowed separator: digits, dots, slashes, controls, other spaces."""
    return "".join(
        char
        for char in value
        if char not in _ALLOWED_ASCII and char not in QUOTES and not char.isalpha() and not unicodedata.combining(char)
    )


def doubled_separators(value: str, *, double_hyphen: bool) -> bool:
    """Two separators in a row, alone or mixed. `double_hyphen`: `--` is allowed (birth name only)."""
    return any(not (double_hyphen and run.group() == "--") for run in _DOUBLED.finditer(value))


def edge_separator(value: str, *, given: bool) -> bool:
    """A space or hyphen first, a space last; for given names a hyphen or apostrophe last as well."""
    return value[0] in " -" or value[-1] in (" -'" if given else " ")


def is_filler(value: str) -> bool:
    """A value typed to fill the field, or only spaces."""
    return len(value) <= EXAMINED and (value.strip().upper() in FILLERS or (value != "" and value.isspace()))


def marker(value: str) -> str:
    """The title or civil-status marker inside a trait (`MME`, `NEE`), or ''."""
    upper = value.upper()
    head = upper.split(None, 1)[0].rstrip(".") if not upper.isspace() and upper else ""
    if head in TITLES:
        return head
    inside = _MARKERS.search(upper)
    return inside.group().strip() if inside else ""


def first_given_agrees(first: str, given_list: str) -> bool:
    """The first given name is the list or its head, ending on a word (EXI ID 10), hyphen and apostrophe read as spaces."""
    head, whole = canon(first), canon(given_list)
    return bool(head) and (head == whole or whole.startswith(head + " "))


def lists_agree(one: str, other: str) -> bool:
    """One list of given names is the other or its head, ending on a word."""
    a, b = canon(one), canon(other)
    return a == b or a.startswith(b + " ") or b.startswith(a + " ")
