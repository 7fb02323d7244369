"""National identifiers of professionals and structures: their keys, their composed forms, and our reserved blocks.

RPPS, FINESS, SIREN and SIRET all end with a Luhn key. The composed forms are those of the Annuaire Santé: `PS_IdNat`
(table G08) and `Struct_IdNat`. Source: Modèle des objets de santé (MOS), ANS; INSEE for SIREN and SIRET.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = re.compile(r"[0-9]+")
_FINESS = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{7}")
_LA_POSTE = "356000000"
_LA_POSTE_SEAT = "35600000000048"


@dataclass(frozen=True, slots=True)
class ReservedBlock:
    """A range of identifiers that this product uses for its fictitious actors: `pattern` matches the whole value."""

    kind: str
    pattern: re.Pattern[str]
    reason: str


RESERVED_BLOCKS = (
    ReservedBlock(
        "FINESS",
        re.compile(r"48099[0-9]{4}"),
        "order numbers 99000 to 99999 of Lozère (48): the register stays far below them",
    ),
    ReservedBlock(
        "RPPS",
        re.compile(r"99948[0-9]{6}"),
        "real RPPS numbers begin with 1; 99948 is apart from the 997 series of the Pro Santé Connect test cards",
    ),
    ReservedBlock(
        "SIREN",
        re.compile(r"00048[0-9]{4}"),
        "no SIREN begins with 000",
    ),
    ReservedBlock(
        "SIRET",
        re.compile(r"00048[0-9]{9}"),
        "no SIREN begins with 000",
    ),
)


def luhn_key(digits: str) -> str:
    """The key digit to append to `digits`."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char)
        if place % 2 == 0:
            value *= 2
            if value > 9:
                value -= 9
        total += value
    return str(-total % 10)


def luhn_ok(digits: str) -> bool:
    """Whether the last digit is the Luhn key of the others; False for anything but ASCII digits."""
    return len(digits) > 1 and _DIGITS.fullmatch(digits) is not None and luhn_key(digits[:-1]) == digits[-1]


def rpps_ok(value: str) -> bool:
    """RPPS: 11 digits, the last a Luhn key."""
    return len(value) == 11 and luhn_ok(value)


def finess_ok(value: str) -> bool:
    """FINESS: 9 characters, département first (2A and 2B count as 21 and 22), the last a Luhn key."""
    if _FINESS.fullmatch(value) is None:
        return False
    return luhn_ok(value.replace("A", "1").replace("B", "2"))


def siren_ok(value: str) -> bool:
    """SIREN: 9 digits, the last a Luhn key."""
    return len(value) == 9 and luhn_ok(value)


def siret_ok(value: str) -> bool:
    """SIRET: 14 digits under a Luhn key; La Poste's establishments sum to a multiple of 5 instead (INSEE)."""
    if len(value) != 14 or _DIGITS.fullmatch(value) is None:
        return False
    if value.startswith(_LA_POSTE) and value != _LA_POSTE_SEAT:
        return sum(map(int, value)) % 5 == 0
    return luhn_ok(value)


@dataclass(frozen=True, slots=True)
class IdNat:
    """A composed identifier taken apart. `kind` names the register; `key_ok` is None where that register has no key.

    For an internal number (`3<FINESS>/<id>`) `value` is the structure's number and `local` what follows the slash.
    """

    kind: str
    value: str
    local: str = ""
    key_ok: bool | None = None


_PERSON = {
    "0": ("ADELI", re.compile(r"[0-9A-B]{9}")),
    "1": ("cabinet ADELI", re.compile(r"[0-9A-B]{9}/.+")),
    "3": ("FINESS interne", re.compile(r"[0-9A-B]{9}/.+")),
    "4": ("SIREN interne", re.compile(r"[0-9]{9}/.+")),
    "5": ("SIRET interne", re.compile(r"[0-9]{14}/.+")),
    "6": ("cabinet RPPS", re.compile(r"[0-9]{11,14}/.+")),
    "8": ("RPPS", re.compile(r"[0-9]{11}")),
}
_STRUCTURE = {
    "0": ("cabinet ADELI", re.compile(r"[0-9A-B]{9,11}")),
    "1": ("FINESS", re.compile(r"[0-9A-B]{9}")),
    "2": ("SIREN", re.compile(r"[0-9]{9}")),
    "3": ("SIRET", re.compile(r"[0-9]{14}")),
    "4": ("RPPS-rang", re.compile(r"[0-9]{14}")),
}
_KEYS = {
    "RPPS": rpps_ok,
    "FINESS": finess_ok,
    "FINESS interne": finess_ok,
    "SIREN": siren_ok,
    "SIREN interne": siren_ok,
    "SIRET": siret_ok,
    "SIRET interne": siret_ok,
    "RPPS-rang": luhn_ok,
}


def parse_ps_id_nat(text: str) -> IdNat | None:
    """A PS_IdNat (`8` + RPPS, `0` + ADELI, `3` + FINESS + `/` + local, ...). None when it has no known form.

    `10` + a mail address names a person without a national number, for MSSanté only.
    """
    if text.startswith("10") and "@" in text:
        return IdNat("adresse MSSanté", text[2:])
    return _parse(text, _PERSON)


def parse_struct_id_nat(text: str) -> IdNat | None:
    """A Struct_IdNat (`1` + FINESS, `3` + SIRET, `2` + SIREN, ...). None when it has no known form."""
    return _parse(text, _STRUCTURE)


def _parse(text: str, table: dict[str, tuple[str, re.Pattern[str]]]) -> IdNat | None:
    known = table.get(text[:1])
    if known is None or known[1].fullmatch(text[1:]) is None:
        return None
    value, _, local = text[1:].partition("/")
    check = _KEYS.get(known[0])
    return IdNat(known[0], value, local, None if check is None else check(value))


def reserved(kind: str, value: str) -> bool:
    """Whether a FINESS, RPPS, SIREN or SIRET belongs to the fictitious blocks of this product."""
    return any(b.kind == kind and b.pattern.fullmatch(value) is not None for b in RESERVED_BLOCKS)


def matricule_key(number: str) -> str:
    """The two-digit key of the 13 characters of a NIR or NIA: 97 minus the number modulo 97, 2A read 19 and 2B read 18."""
    digits = number.replace("2A", "19").replace("2B", "18")
    return f"{97 - int(digits) % 97:02d}"


def siret_of(number: int, establishment: int = 1) -> str:
    """A SIRET of the fictitious block: company number 0 to 999, establishment number from 1."""
    siren = f"00048{number:03d}"
    siren += luhn_key(siren)
    body = f"{siren}{establishment:04d}"
    return body + luhn_key(body)
