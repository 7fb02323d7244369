"""The subject of a mail that carries documents: `XDM/1.0/DDM+<libellé> <NOM> <prénom> <date de naissance>`.

Source: Référentiel socle MSSanté n° 2, ECO.2.1.3 (the prefix `XDM/1.0/DDM` comes from IHE XDM).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "XDM/1.0/DDM+"
_DATE = re.compile(r"(?:^|\s)(\d{2})/(\d{2})/(\d{4})\s*$")
_WORD = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject of that form. `birth_date` is AAAAMMJJ; `words` are what stands between the prefix and the date.

    The label and the name run into each other: `family` and `given` are the best reading (the last word is the given
    name, the words in capitals before it the family name), '' when there is none.
    """

    words: str
    family: str
    given: str
    birth_date: str


def parse_subject(subject: str) -> Subject | None:
    """The subject read; None when it has no XDM prefix or no date at its end."""
    if not subject.startswith(PREFIX):
        return None
    rest = " ".join(subject[len(PREFIX) : len(PREFIX) + 1000].split())
    date = _DATE.search(rest)
    if date is None:
        return None
    words = rest[: date.start()].strip()
    parts = words.split(" ") if words else []
    given = parts[-1] if len(parts) > 1 else ""
    family = parts[-2] if len(parts) > 1 and _capital(parts[-2]) else ""
    return Subject(words, family, given, f"{date[3]}{date[2]}{date[1]}")


def _capital(word: str) -> bool:
    return _WORD.search(word) is not None and word == word.upper()
