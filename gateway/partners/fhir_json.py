"""FHIR JSON as plain values: parsed with bounds, read by functions that take whatever stands there.

Nothing is re-serialised: the received octets stay the evidence (a decimal written `1.10` would come back as `1.1`).
Source: HL7 FHIR 4.0.1, JSON representation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gateway.documents.model import Issue
from gateway.rules.model import Hit
from gateway.rules.unreadable import json_fault
from gateway.sandbox.model import Limits
from gateway.values import Located, PlaceKind, Where, Words

Json = dict[str, Any]

MOST = 200  # members of an array that are read: nobody has more names or identifiers; hostile input may
_DEPTH = 100


def parse_json(raw: bytes, limits: Limits) -> tuple[Json | None, tuple[Issue, ...]]:
    """The object, or why there is none: FHIR-01 (not JSON), FHIR-02 (XML), FHIR-03 (no object), FHIR-20 (too large or deep)."""
    if len(raw) > limits.json_bytes:
        return None, (_issue("FHIR-20", f"{len(raw)} octets", f"<= {limits.json_bytes} octets"),)
    start = raw[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    if start.startswith(b"<"):
        return None, (_issue("FHIR-02", "XML", "application/fhir+json"),)
    twice: list[str] = []
    try:
        found = json.loads(raw, object_pairs_hook=_pairs(twice), parse_constant=_constant)
    except RecursionError:
        return None, (_issue("FHIR-20", "> 900", f"<= {_DEPTH}"),)
    except ValueError as error:
        return None, (_issue("FHIR-01", json_fault(error), "JSON, UTF-8"),)
    if not isinstance(found, dict):
        return None, (_issue("FHIR-03", type(found).__name__, "{ resourceType }"),)
    if _deeper(found, _DEPTH):
        return None, (_issue("FHIR-20", f"> {_DEPTH}", f"<= {_DEPTH}"),)
    told = tuple(dict.fromkeys(twice))[:10]
    return found, tuple(_issue("FHIR-05", name[:40], f"{name[:40]} x 1") for name in told)


def _pairs(twice: list[str]) -> Any:
    def gather(pairs: list[tuple[str, Any]]) -> Json:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    twice.append(name)
                seen.add(name)
        return found

    return gather


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _deeper(value: Any, limit: int) -> bool:
    """More levels than allowed; walks level by level, so that no depth is too deep for it."""
    level: list[Any] = [value]
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def text(value: Any) -> str:
    """A string, or a number written where a string belongs; '' for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        return str(value)
    return ""


def obj(value: Any) -> Json:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def members(value: Any, path: str, most: int = MOST) -> Iterator[tuple[Json, str]]:
    """The objects of an array with their paths. An object where an array belongs is read as its only member."""
    if isinstance(value, dict):
        yield value, path
    elif isinstance(value, list):
        for at, member in enumerate(value[:most]):
            if isinstance(member, dict):
                yield member, f"{path}[{at}]"


def texts(value: Any) -> list[str]:
    """The strings of an array, or a lone string."""
    if isinstance(value, list):
        return [told for member in value[:MOST] if (told := text(member))]
    told = text(value)
    return [told] if told else []


def at(path: str) -> Where:
    """A FHIRPath place."""
    return Where(PlaceKind.FHIRPATH, path)


def located(parent: Json, name: str, path: str) -> Located | None:
    """A member that is there, with its place."""
    if name not in parent:
        return None
    return Located(text(parent[name]), at(f"{path}.{name}"))


def extensions(parent: Json, path: str, *endings: str) -> Iterator[tuple[Json, str]]:
    """The extensions whose URL ends with one of the names, hyphens and case aside (`FrPatientBirthPlace` is an older habit)."""
    for extension, place in members(parent.get("extension"), f"{path}.extension"):
        last = text(extension.get("url")).rpartition("/")[2].replace("-", "").casefold()
        if last.endswith(endings):
            yield extension, place


def coding_of(value: Json) -> tuple[Json, str]:
    """The coding of `valueCoding`, the first of `valueCodeableConcept`, or a bare `valueCode`; with the step that leads there."""
    if isinstance(value.get("valueCoding"), dict):
        return value["valueCoding"], "valueCoding"
    concept = obj(value.get("valueCodeableConcept"))
    for coding, place in members(concept.get("coding"), "valueCodeableConcept.coding"):
        return coding, place
    if "valueCode" in value:
        return {"code": value["valueCode"]}, "valueCode"
    return {}, ""


def _issue(rule_id: str, received: Words, expected: str) -> Issue:
    return Issue(rule_id, Hit(at("$this"), received, expected))
