"""The patients of a resource or a Bundle: standing alone, contained, or pointed at; and which of them are one person.

A submission (a Bundle of type document or message, or a transaction that brings documents) is about one person: all its
containers must agree. Any other Bundle may hold many: each Patient is a person of its own, and what refers to it joins it.

References read: `#contained`, `Type/id`, `urn:uuid:` and absolute URLs found in the Bundle, `Patient?identifier=system|value`
and `reference.identifier`. Source: FHIR 4.0.1 (references, Bundle.entry.fullUrl); IHE MHD 4.2 (sourcePatientInfo).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from gateway.identity.model import IdentityView
from gateway.partners.fhir_json import Json, extensions, members, obj, text
from gateway.partners.fhir_patient import patient_view, reference_view, with_person
from gateway.rules.masking import mask_matricule

MOST_RESOURCES = 5000
MOST_VIEWS = 2000
_MOST_POINTERS = 10_000  # looked at, most of them saying the same thing again
_ONE_PERSON = frozenset({"document", "message"})
_BRINGS_DOCUMENTS = frozenset({"List", "DocumentReference", "Composition"})
_POINTING = ("subject", "patient", "for", "beneficiary", "individual")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a message: its body, its FHIRPath, the URL it is known by in its Bundle."""

    body: Json
    path: str
    full_url: str = ""

    @property
    def type(self) -> str:
        """resourceType."""
        return text(self.body.get("resourceType"))[:64]

    @property
    def name(self) -> str:
        """`Patient/1`; an id that looks like a matricule is masked."""
        identifier = text(self.body.get("id"))[:64]
        if sum(map(str.isdigit, identifier)) >= 13:
            identifier = mask_matricule(identifier)
        return f"{self.type}/{identifier}" if identifier else self.type


@dataclass(slots=True)
class Found:
    """The resources of a message, and how references find them."""

    resources: list[Resource]
    bundle_type: str = ""
    count: int = 1  # entries of the Bundle, those above MOST_RESOURCES included
    by_reference: dict[str, Resource] = field(default_factory=dict)
    by_identifier: dict[tuple[str, str], Resource] | None = None

    def holder(self, system: str, value: str) -> Resource | None:
        """The Patient of this message that has this identifier."""
        if self.by_identifier is None:
            self.by_identifier = {}
            for resource in self.resources:
                if resource.type == "Patient":
                    for held, _ in members(resource.body.get("identifier"), ""):
                        self.by_identifier.setdefault(_pair(held), resource)
        return self.by_identifier.get((system, value))

    def resolve(self, reference: str) -> Resource | None:
        """The resource of this message that a reference names; None when it stands elsewhere."""
        found = self.by_reference.get(reference)
        if found is None and "/" in reference:
            found = self.by_reference.get("/".join(reference.partition("/_history")[0].rsplit("/", 2)[-2:]))
        return found


def resources_of(root: Json) -> Found:
    """The root, or the resources of a Bundle, nested Bundles excepted."""
    if text(root.get("resourceType")) != "Bundle":
        return Found([Resource(root, text(root.get("resourceType"))[:64] or "$this")])
    entries = root.get("entry")
    found = Found([], text(root.get("type"))[:40], len(entries) if isinstance(entries, list) else 1)
    for entry, path in members(entries, "Bundle.entry", MOST_RESOURCES):
        body = obj(entry.get("resource"))
        if not body:
            continue
        resource = Resource(body, f"{path}.resource", text(entry.get("fullUrl")))
        found.resources.append(resource)
        for name in (resource.full_url, f"{resource.type}/{text(body.get('id'))}"):
            if name and not name.endswith("/"):
                found.by_reference.setdefault(name, resource)
    return found


def views_of(found: Found) -> tuple[IdentityView, ...]:
    """One view for each place where a patient appears; pointers that say the same thing again are left out."""
    apart = _apart(found)
    views: list[IdentityView] = []
    persons = _Persons()
    seen: set[tuple[object, ...]] = set()
    looked = 0
    for resource in found.resources[:MOST_RESOURCES]:
        if resource.type == "Patient" and len(views) < MOST_VIEWS:
            person = persons.of_patient(resource) if apart else ""
            views.append(patient_view(resource.body, resource.path, resource.name, person=person))
    for resource in found.resources:
        if resource.type == "Patient":
            continue
        person = persons.of(resource, found) if apart else ""
        for view in _pointers(resource, found):
            looked += 1
            if looked > _MOST_POINTERS:
                return tuple(views)
            key = (*_said(view), person)
            if key not in seen and len(views) < MOST_VIEWS:
                seen.add(key)
                views.append(with_person(view, person))
    return tuple(views)


def person_of(resource: Resource, found: Found) -> str:
    """Which person a resource is about; '' where the message is about one."""
    return _Persons().of(resource, found) if _apart(found) else ""


def _apart(found: Found) -> bool:
    """The message may be about several persons."""
    if found.bundle_type in _ONE_PERSON or not found.bundle_type:
        return False
    if found.bundle_type == "transaction" and any(r.type in _BRINGS_DOCUMENTS for r in found.resources):
        return False
    return sum(r.type == "Patient" for r in found.resources) > 1 or len(found.resources) > 1


class _Persons:
    """Names persons by the Patient of the Bundle, else by the identifier they are pointed at with."""

    def of_patient(self, patient: Resource) -> str:
        return patient.path

    def of(self, resource: Resource, found: Found) -> str:
        for reference, _ in _references(resource.body, resource.path):
            target = found.resolve(text(reference.get("reference")))
            if target is not None and target.type == "Patient":
                return self.of_patient(target)
            identifier = _logical(reference)
            if identifier:
                known = found.holder(*_pair(identifier))
                return self.of_patient(known) if known is not None else "|".join(_pair(identifier))
        return resource.path


def _pair(identifier: Json) -> tuple[str, str]:
    return text(identifier.get("system")), text(identifier.get("value"))


def _references(body: Json, path: str) -> Iterator[tuple[Json, str]]:
    """The references of a resource to its patient."""
    for name in _POINTING:
        reference = body.get(name)
        if isinstance(reference, dict):
            yield reference, f"{path}.{name}"
    context = obj(body.get("context"))
    if isinstance(context.get("sourcePatientInfo"), dict):
        yield context["sourcePatientInfo"], f"{path}.context.sourcePatientInfo"
    for extension, place in extensions(body, path, "sourcepatientid", "sourcepatientinfo"):
        if isinstance(extension.get("valueReference"), dict):
            yield extension["valueReference"], f"{place}.valueReference"


def _pointers(resource: Resource, found: Found) -> Iterator[IdentityView]:
    """Contained patients, then references that name their patient by an identifier."""
    for contained, path in members(resource.body.get("contained"), f"{resource.path}.contained"):
        if contained.get("resourceType") == "Patient":
            inside = Resource(contained, path)
            label = f"{resource.name}#{inside.name.partition('/')[2] or 'patient'}"
            view = patient_view(contained, path, label, whole=False, subject_of=resource.type)
            yield _as_declared(view, contained, path, label, resource.type)
    for reference, path in _references(resource.body, resource.path):
        if found.resolve(text(reference.get("reference"))) is None:
            identifier = _logical(reference)
            if identifier:
                yield reference_view(identifier, path, f"{resource.name}.{path.rpartition('.')[2]}", resource.type)


def _as_declared(view: IdentityView, contained: Json, path: str, label: str, subject_of: str) -> IdentityView:
    """A contained patient that claims a profile with an INS is judged as a whole one."""
    if view.fhir is not None and view.fhir.declares_ins:
        return patient_view(contained, path, label, whole=True, subject_of=subject_of)
    return view


def _logical(reference: Json) -> Json:
    """The identifier a reference names its patient by: `identifier`, or `Patient?identifier=system|value`."""
    if isinstance(reference.get("identifier"), dict):
        return obj(reference["identifier"])
    written = text(reference.get("reference"))
    if not written.startswith("Patient?"):
        return {}
    for parameter in written.partition("?")[2][:2000].split("&"):
        name, _, value = parameter.partition("=")
        if name == "identifier":
            system, bar, number = unquote(value).partition("|")
            return {"system": system, "value": number} if bar else {"value": system}
    return {}


def _said(view: IdentityView) -> tuple[object, ...]:
    """What a pointer says, its place aside."""
    traits = (view.birth_family, view.birth_given, view.given_list, view.birth_date, view.sex, view.birth_place)
    identifiers = tuple((i.oid, i.value, i.type_code) for i in view.identifiers)
    return (identifiers, *(t.value if t is not None else None for t in traits))


def unresolved(resource: Resource, found: Found) -> Iterator[tuple[str, str]]:
    """References to a patient, inside a submission, that name nothing in it: (FHIRPath, what is missing)."""
    contained = {text(c.get("id")) for c, _ in members(resource.body.get("contained"), "")}
    for reference, path in _references(resource.body, resource.path):
        written = text(reference.get("reference"))
        if written.startswith("#") and written[1:] not in contained:
            yield path, "#contained"
        elif written.startswith("urn:uuid:") and found.resolve(written) is None:
            yield path, "urn:uuid"
