"""How values that identify a person are shown: enough to find one's own data, not enough to learn another's.

Matricule: first four characters and the key (`2790·········89`), plus, when several are compared, the positions where
they differ, in brackets (`2790······[12]3·89`). Traits: initial and length, plus the differing part. Two spellings of
the same name are shown by their shape (`Xxx-Xxx`), which tells the difference and nothing else. Values that differ
nearly everywhere show no position: they are two different values, and the reader has both in his own documents.

Rules mask the values they compare. What others wrote (headers, addresses, file names, errors of other servers) may hold a
matricule anywhere: `mask_text` and `mask_json` hide it where text is kept or leaves. Both are idempotent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.rules.spotting import SHORTEST, spot

DOT = "·"
EMPTY = "∅"
SHOWN = 60  # characters of a masked value; the rest is counted

_MATRICULE_SHOWN = frozenset({0, 1, 2, 3, 13, 14})
_TRAIT_SHOWN = frozenset({0})

_PATIENT_LABEL = "patient"


def mask_matricule(value: str, others: Sequence[str] = ()) -> str:
    """A matricule, masked; positions that differ from any of `others` of the same length are shown in brackets."""
    if not value:
        return EMPTY
    comparable = [other for other in others if len(other) == len(value)]
    return _mask(value, _MATRICULE_SHOWN, comparable) + _more(value)


def mask_text(text: str, *, sure: bool = False) -> str:
    """Any text with its matricules masked: first four characters, key and separators stand (`2 39 0· ·· ··· ··· 55`).

    `sure` masks only those with a right key: for identifiers that a protocol wants back unchanged.
    """
    if len(text) < SHORTEST:
        return text
    found = [one for one in spot(text) if one.sure or not sure]
    if not found:
        return text
    characters = list(text)
    for one in found:
        for at in one.hidden:
            characters[at] = DOT
    return "".join(characters)


def mask_json(value: Any) -> Any:
    """A JSON value with the matricules of every text and name in it masked."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {mask_json(name): mask_json(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [mask_json(held) for held in value]
    if isinstance(value, set | frozenset):
        return sorted(mask_json(held) for held in value)
    return value


def mask_trait(value: str, others: Sequence[str] = ()) -> str:
    """A name, date or place, masked: `D·······(8)`; differing positions are shown in brackets."""
    if not value:
        return EMPTY
    return f"{_mask(value, _TRAIT_SHOWN, others)}({len(value)})"


def mask_shape(value: str) -> str:
    """A name by its shape: initial, then X, x, É, é for letters, 9 for digits; separators stand as written."""
    if not value:
        return EMPTY
    shape = "".join(map(_shape, value[1:SHOWN]))
    return f"{value[0]}{shape}{'…' if len(value) > SHOWN else ''}({len(value)})"


def mask_address(address: str, others: Sequence[str] = ()) -> str:
    """A patient mailbox: its local part masked as a matricule, its domain in clear."""
    local, at, domain = address.partition("@")
    return f"{mask_matricule(local, others)}{at}{domain[:SHOWN]}"


def is_patient_domain(domain: str) -> bool:
    """Whether addresses of this domain belong to citizens: its first label says so (`patient.mssante.fr`)."""
    return domain.partition(".")[0] == _PATIENT_LABEL


def shown_address(address: str) -> str:
    """Any address, fit for an answer, a list or a log: a citizen's is masked, others only where they hold a matricule."""
    local, at, domain = address.rpartition("@")
    if is_patient_domain(domain) or (local[:5].isdigit() and len(local) >= SHORTEST):
        local = mask_matricule(local)
    return mask_text(f"{local}{at}{domain}")[:320]


def _shape(char: str) -> str:
    if not char.isalpha():
        return "9" if char.isdigit() else char if char.isprintable() else "�"
    if char.isascii():
        return "X" if char.isupper() else "x"
    if unicodedata.normalize("NFD", char)[0].isascii():
        return "É" if char.isupper() else "é"
    return char


def _mask(value: str, kept: frozenset[int], others: Sequence[str]) -> str:
    shown = value[:SHOWN]
    if not others:
        return "".join(char if i in kept else DOT for i, char in enumerate(shown))
    differing: set[int] = set()
    for other in others:
        differing |= _positions(shown, other[:SHOWN])
    if len(differing) > max(3, len(shown) // 3):
        differing = set()
    out: list[str] = []
    inside = False
    for i, char in enumerate(shown):
        if (i in differing) != inside:
            inside = not inside
            out.append("[" if inside else "]")
        out.append(char if inside or i in kept else DOT)
    if inside:
        out.append("]")
    return "".join(out)


def _positions(value: str, other: str) -> set[int]:
    """Where `value` differs: position by position, or between what both begin and end with when lengths differ."""
    if len(value) == len(other):
        return {i for i, (mine, theirs) in enumerate(zip(value, other, strict=True)) if mine != theirs}
    shorter = min(len(value), len(other))
    start = 0
    while start < shorter and value[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and value[-1 - end] == other[-1 - end]:
        end += 1
    return set(range(start, len(value) - end))


def _more(value: str) -> str:
    return f"…({len(value)})" if len(value) > SHOWN else ""
