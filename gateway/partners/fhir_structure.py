"""The structure of a resource, judged by fhir.resources: unknown and missing elements, wrong types, malformed dates.

Heavy (0.4 s and 18 MB at first use), so imported at first need and never where a message waits. The R4B modules stand for
FHIR 4.0.1, whose resources used here are the same; the default modules are R5. What it does not check is checked here or by
rules: codes of required bindings (`gender: "klingon"` passes), slices, invariants, profiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from gateway.documents.model import Issue
from gateway.partners.fhir_bundle import Resource
from gateway.partners.fhir_json import Json, at, members, text
from gateway.rules.model import Hit
from gateway.values import Text

_NAME = re.compile(r"[A-Z][A-Za-z]{1,40}")
_TOLD = 15

# Resources whose 4.0.1 form is not that of R4B: not judged.
_NOT_R4 = frozenset(
    {"SubscriptionStatus", "SubscriptionTopic", "Citation", "NutritionProduct", "Evidence", "EvidenceReport"}
)

# What pydantic calls a fault, in the reader's words. Anything else is told as `invalid`.
_WORDS: Mapping[str, Text] = {
    "missing": Text("élément obligatoire absent", "required element missing"),
    "extra_forbidden": Text("élément inconnu", "unknown element"),
    "value_error": Text("valeur non admise", "value not allowed"),
    "string_type": Text("une chaîne est attendue", "a string is expected"),
    "list_type": Text("un tableau est attendu", "an array is expected"),
    "bool_type": Text("true ou false est attendu", "true or false is expected"),
    "bool_parsing": Text("true ou false est attendu", "true or false is expected"),
    "int_parsing": Text("un entier est attendu", "an integer is expected"),
    "string_pattern_mismatch": Text("forme non admise", "form not allowed"),
    "greater_than_equal": Text("nombre négatif", "negative number"),
    "model_type": Text("un objet est attendu", "an object is expected"),
}
# The library tells a malformed date in a sentence: the first word of it says which kind.
_DATES: Mapping[str, Text] = {
    "Instant": Text(
        "instant mal formé (AAAA-MM-JJThh:mm:ss et un fuseau horaire, obligatoire)",
        "malformed instant (YYYY-MM-DDThh:mm:ss and a time zone, which is required)",
    ),
    "DateTime": Text(
        "date et heure mal formées (avec une heure, le fuseau horaire est obligatoire)",
        "malformed date-time (with a time, the time zone is required)",
    ),
    "Date": Text("date mal formée (AAAA, AAAA-MM ou AAAA-MM-JJ)", "malformed date (YYYY, YYYY-MM or YYYY-MM-DD)"),
    "Time": Text("heure mal formée (hh:mm:ss)", "malformed time (hh:mm:ss)"),
}
_OTHER = Text("valeur mal formée", "malformed value")

# Required bindings that the library lets through, by resource and element.
BINDINGS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "Patient": {"gender": frozenset({"male", "female", "other", "unknown"})},
    "DocumentReference": {
        "status": frozenset({"current", "superseded", "entered-in-error"}),
        "docStatus": frozenset({"preliminary", "final", "amended", "entered-in-error"}),
    },
    "List": {"status": frozenset({"current", "retired", "entered-in-error"})},
    "Bundle": {
        "type": frozenset(
            {"document", "message", "transaction", "transaction-response", "batch", "batch-response"}
            | {"history", "searchset", "collection"}
        )
    },
}
_USES: Mapping[str, frozenset[str]] = {
    "identifier": frozenset({"usual", "official", "temp", "secondary", "old"}),
    "name": frozenset({"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"}),
}


def structure_issues(root: Json, path: str) -> Iterator[Issue]:
    """What is wrong with the structure of a resource (FHIR-04), or an unknown type of resource (FHIR-03)."""
    kind = text(root.get("resourceType"))
    if not _NAME.fullmatch(kind):
        yield Issue("FHIR-03", Hit(at(path), kind[:40] if kind.isprintable() and kind else "∅", "resourceType"))
        return
    if kind in _NOT_R4:
        return
    model = _model(kind)
    if model is None:
        yield Issue("FHIR-03", Hit(at(path), kind, "FHIR 4.0.1"))
        return
    yield from _judged(model, root, path)


def _model(kind: str) -> Any:
    try:
        module = import_module(f"fhir.resources.R4B.{kind.lower()}")
    except ImportError:
        return None
    return getattr(module, kind, None)


def _judged(model: Any, root: Json, path: str) -> Iterator[Issue]:
    from pydantic import ValidationError

    try:
        model.model_validate(root)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False)[:_TOLD]:
            place = _fhirpath(path, fault["loc"])
            yield Issue("FHIR-04", Hit(at(place), _words(fault["type"], fault["msg"]), "FHIR 4.0.1"))
    except (ValueError, TypeError, RecursionError, OverflowError, AttributeError, KeyError) as error:
        # the library itself gave up on a form it did not foresee
        yield Issue("FHIR-04", Hit(at(path), _OTHER, f"FHIR 4.0.1 ({type(error).__name__})"))


def _words(kind: str, message: str) -> Text:
    if kind == "value_error":
        named = message.removeprefix("Value error, ").partition(" ")[0]
        return _DATES.get(named, _WORDS[kind])
    return _WORDS.get(kind, _OTHER)


def _fhirpath(path: str, location: Sequence[int | str]) -> str:
    """`('entry', 0, 'resource', 'gender')` as `Bundle.entry[0].resource.gender`. Names come from the message: bounded."""
    for step in location[:20]:
        path += f"[{step}]" if isinstance(step, int) else f".{step[:40]}" if step[:40].isprintable() else ".?"
    return path


def binding_issues(resource: Resource) -> Iterator[Issue]:
    """Codes outside their required value set (FHIR-08)."""
    for name, allowed in BINDINGS.get(resource.type, {}).items():
        if name in resource.body:
            code = text(resource.body[name])
            if code not in allowed:
                yield _binding(f"{resource.path}.{name}", code, allowed)
    if resource.type != "Patient":
        return
    for name, allowed in _USES.items():
        for member, path in members(resource.body.get(name), f"{resource.path}.{name}"):
            if "use" in member and text(member["use"]) not in allowed:
                yield _binding(f"{path}.use", text(member["use"]), allowed)


def _binding(path: str, code: str, allowed: frozenset[str]) -> Issue:
    shown = code[:40] if code.isprintable() else "?"
    return Issue("FHIR-08", Hit(at(path), shown or "∅", " | ".join(sorted(allowed))))
