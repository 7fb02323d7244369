"""How values that identify a person are shown: enough to find one's own data, not enough to learn another's.

Matricule: first four characters and the key (`2790·········89`), plus, when several are compared, the positions where
they differ, in brackets (`2790······[12]3·89`). Traits: initial and length, plus the differing part.
"""

from __future__ import annotations

from collections.abc import Sequence

DOT = "·"


def mask_matricule(value: str, others: Sequence[str] = ()) -> str:
    """A matricule, masked; positions that differ from any of `others` (same length) are shown in brackets."""
    kept = [i < 4 or i >= 13 for i in range(len(value))]
    return _mask(value, kept, others)


def mask_trait(value: str, others: Sequence[str] = ()) -> str:
    """A name, date or place, masked: `D·······(8)`; differing positions are shown in brackets."""
    if not value:
        return "∅"
    kept = [i == 0 for i in range(len(value))]
    return f"{_mask(value, kept, others)}({len(value)})"


def _mask(value: str, kept: Sequence[bool], others: Sequence[str]) -> str:
    differs = [any(i >= len(o) or o[i] != c for o in others) for i, c in enumerate(value)]
    if sum(differs) > max(3, len(value) // 3):
        differs = [False] * len(value)
    out: list[str] = []
    inside = False
    for char, keep, diff in zip(value, kept, differs, strict=True):
        if diff != inside:
            out.append("[" if diff else "]")
            inside = diff
        out.append(char if keep or diff else DOT)
    if inside:
        out.append("]")
    return "".join(out)
