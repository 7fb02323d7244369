"""Verification in bulk (WS_INS4, WS_INS5): a lot of lines, each judged as one verification.

No public source gives the format: here a lot is JSON, handed in by one call and read by another once it is ready.

    {"lignes": [{"matricule": "15 characters", "oid": "…", "nomNaissance": "…", "prenoms": "…", "sexe": "F",
                 "dateNaissance": "AAAA-MM-JJ", "lieuNaissance": "COG, optional"}]}

`prenoms` is the list of given names. A line that cannot be verified says under which rule; it spoils no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.documents.model import Issue
from gateway.insi.model import Ins, Matricule, Traits, Verification
from gateway.rules.model import Hit
from gateway.rules.unreadable import json_fault
from gateway.values import PlaceKind, Text, Where

MAX_LINES = 5_000
MAX_BYTES = 4 * 1024 * 1024
FIELDS = ("matricule", "oid", "nomNaissance", "prenoms", "sexe", "dateNaissance", "lieuNaissance")

_UNKEPT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_LOT = Where(PlaceKind.FILE, "$")
_LINES = Where(PlaceKind.FILE, "$.lignes")
_TOO_DEEP = Text("trop de niveaux emboîtés", "too many nested levels")
_SHAPE = '{"lignes": [{"matricule", "oid", "nomNaissance", "prenoms", "sexe", "dateNaissance"}]}'


@dataclass(frozen=True, slots=True)
class Lot:
    """The lines of a lot, in their order; `issues` when it could not be read."""

    lines: tuple[Verification, ...] = ()
    issues: tuple[Issue, ...] = ()


def open_lot(body: bytes, content_type: str) -> Lot:
    """Read a lot. Never raises."""
    media = content_type.partition(";")[0].strip().lower()
    if media != "application/json":
        place = Where(PlaceKind.HTTP, "Content-Type")
        return Lot(issues=(Issue("INSI-11", Hit(place, content_type[:120] or "∅", "application/json")),))
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Lot(
            issues=(
                Issue(
                    "INSI-20",
                    Hit(_LOT, json_fault(error) if isinstance(error, ValueError) else _TOO_DEEP, "JSON (UTF-8)"),
                ),
            )
        )
    lines = read.get("lignes") if isinstance(read, Mapping) else None
    if not isinstance(lines, list) or not lines or not all(isinstance(line, Mapping) for line in lines):
        return Lot(issues=(Issue("INSI-20", Hit(_LINES, type(lines).__name__, _SHAPE)),))
    if len(lines) > MAX_LINES:
        return Lot(issues=(Issue("INSI-21", Hit(_LINES, str(len(lines)), f"<= {MAX_LINES}")),))
    for number, line in enumerate(lines):
        wrong = next((n for n in FIELDS if not _is_text(line.get(n, ""))), "")
        if wrong:
            place = Where(PlaceKind.FILE, f"$.lignes[{number}].{wrong}")
            return Lot(issues=(Issue("INSI-20", Hit(place, type(line[wrong]).__name__, Text("texte", "text"))),))
    return Lot(tuple(_verification(line) for line in lines))


def _is_text(value: object) -> bool:
    """Text that can be kept: no control character, no half of a surrogate pair."""
    return isinstance(value, str) and not _UNKEPT.search(value)


def _verification(line: Mapping[str, Any]) -> Verification:
    whole = line.get("matricule", "")
    traits = Traits(
        family=line.get("nomNaissance", ""),
        given=(given,) if (given := line.get("prenoms", "")) else (),
        sex=line.get("sexe", ""),
        birth_date=line.get("dateNaissance", ""),
        birth_place=line.get("lieuNaissance", ""),
        given_list=line.get("prenoms", ""),
    )
    return Verification(Ins(Matricule(whole[:13], whole[13:]), line.get("oid", "")), traits)


def write_lot(lines: tuple[Verification, ...]) -> bytes:
    """The JSON of a lot."""
    written = [
        {
            "matricule": v.ins.matricule.whole,
            "oid": v.ins.oid,
            "nomNaissance": v.traits.family,
            "prenoms": v.traits.given_list or " ".join(v.traits.given),
            "sexe": v.traits.sex,
            "dateNaissance": v.traits.birth_date,
            **({"lieuNaissance": v.traits.birth_place} if v.traits.birth_place else {}),
        }
        for v in lines
    ]
    return json.dumps({"lignes": written}, ensure_ascii=False).encode()
