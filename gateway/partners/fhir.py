"""Open one FHIR resource or Bundle: octets in, frozen values out; what is wrong is an issue, never an exception.

`structure=False` is the hot path of a door: plain JSON only. `structure=True` adds what fhir.resources says, at the price
of importing it. Source: FHIR 4.0.1; FR Core; PDSm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.documents.model import CdaDocument, Issue
from gateway.identity.model import IdentityView
from gateway.identity.reading import all_ins
from gateway.partners.fhir_bundle import (
    MOST_RESOURCES,
    MOST_VIEWS,
    Resource,
    person_of,
    resources_of,
    unresolved,
    views_of,
)
from gateway.partners.fhir_documents import documents_of
from gateway.partners.fhir_json import Json, at, obj, parse_json, text, texts
from gateway.partners.fhir_patient import with_person
from gateway.partners.fhir_structure import binding_issues, structure_issues
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits

_LISTED = 1000
_STRUCTURE_BYTES = 20 * 1024 * 1024  # above, the structure is not judged: it would take seconds
_TOLD = 50


@dataclass(frozen=True, slots=True)
class FhirMessage:
    """What a resource says of itself, without its content. `types` names the resources of a Bundle, in order."""

    type: str
    bundle_type: str
    profiles: tuple[str, ...]
    types: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OpenedFhir:
    """One resource or Bundle opened. `message` is None when no resource could be read; `issues` say why."""

    message: FhirMessage | None
    views: tuple[IdentityView, ...] = ()
    documents: tuple[CdaDocument, ...] = ()
    issues: tuple[Issue, ...] = ()


def open_fhir(raw: bytes, limits: Limits = Limits(), *, structure: bool = False) -> OpenedFhir:
    """The resource found in `raw`. Issues: FHIR-01 to FHIR-10, those of the documents, FHIR-20 (size, depth)."""
    root, issues = parse_json(raw, limits)
    if root is None:
        return OpenedFhir(None, issues=issues)
    kind = text(root.get("resourceType"))
    if not kind:
        return OpenedFhir(None, issues=(*issues, Issue("FHIR-03", Hit(at("$this"), "∅", "resourceType"))))
    found = resources_of(root)
    faults = list(issues)
    documents = documents_of(found, limits, faults)
    views = views_of(found)
    if found.count > MOST_RESOURCES or len(views) >= MOST_VIEWS:
        hit = Hit(
            at("Bundle.entry"), f"{found.count} ressources", f"{MOST_RESOURCES} ressources, {MOST_VIEWS} patients"
        )
        faults.append(Issue("FHIR-21", hit))
    faults += _bindings(root, found.resources, views)
    for resource in found.resources:
        faults += (Issue("FHIR-06", Hit(at(path), what, "Patient")) for path, what in unresolved(resource, found))
    if structure and len(raw) <= _STRUCTURE_BYTES:
        faults += structure_issues(root, kind[:64])
    views += tuple(
        with_person(document.identity, person_of(resource, found))
        for resource, document in documents
        if document.identity is not None
    )
    message = FhirMessage(
        type=kind[:64],
        bundle_type=found.bundle_type,
        profiles=tuple(p[:200] for p in texts(obj(root.get("meta")).get("profile"))),
        types=tuple(r.type for r in found.resources[:_LISTED]),
        size_bytes=len(raw),
    )
    return OpenedFhir(message, views, tuple(document for _, document in documents), tuple(faults[:_TOLD]))


def _bindings(root: Json, resources: list[Resource], views: tuple[IdentityView, ...]) -> Iterator[Issue]:
    """Codes outside their value set; the gender of a Patient with an INS is INS-126."""
    told = {view.where.path for view in views if view.fhir is not None and view.fhir.whole and all_ins(view)}
    if text(root.get("resourceType")) == "Bundle":
        yield from binding_issues(Resource(root, "Bundle"))
    for resource in resources:
        for issue in binding_issues(resource):
            if not (resource.path in told and issue.hit.where.path == f"{resource.path}.gender"):
                yield issue
