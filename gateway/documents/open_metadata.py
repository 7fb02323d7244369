"""Open XDS metadata: the METADATA.XML of a package and the SubmitObjectsRequest of a deposit are the same thing.

Names of slots and schemes are those of IHE ITI TF-3 (ebRIM 3.0); the French constraints are in the CI-SIS and the DMP
guide. What real packages get wrong (a patientId given by a slot, references that name another object, misspelt
identifier names) is read all the same and told, so that rules can explain it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from lxml import etree

from gateway.directory.nature import SOCIAL, nature_of
from gateway.documents.model import Actor, Association, Code, DocumentEntry, Issue, SubmissionSet, XdsMetadata
from gateway.documents.open_nodes import MOST, Node, plain_text
from gateway.documents.open_patient import LOT_LABEL, metadata_identity
from gateway.documents.xml import local, namespace, parse_xml, xpath_of
from gateway.identity.model import IdentityView
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits
from gateway.values import Located, PlaceKind, Where

RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
XDSB = "urn:ihe:iti:xds-b:2007"

SUBMISSION_SET_NODE = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
FOLDER_NODE = "urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2"
STABLE_DOCUMENT = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"

# Classification schemes of a DocumentEntry: metadata name, and the most that may occur.
ENTRY_SCHEMES = {
    "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d": ("author", 0),
    "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a": ("classCode", 1),
    "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f": ("confidentialityCode", 4),
    "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d": ("formatCode", 1),
    "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1": ("healthcareFacilityTypeCode", 1),
    "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead": ("practiceSettingCode", 1),
    "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983": ("typeCode", 1),
    "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4": ("eventCodeList", 0),
}
SET_SCHEMES = {
    "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d": ("author", 0),
    "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500": ("contentTypeCode", 1),
}
ENTRY_IDENTIFIERS = {
    "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427": "patientId",
    "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab": "uniqueId",
}
SET_IDENTIFIERS = {
    "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446": "patientId",
    "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832": "sourceId",
    "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8": "uniqueId",
}
ACTION_SLOT = "urn:action:extraMetadataSlot"


def open_metadata(data: bytes, label: str, where: Where, limits: Limits = Limits()) -> XdsMetadata:
    """The metadata found in `data`. Never raises; an XML that cannot be read is issue XDM-02 (or ABU-xx when hostile)."""
    root, issue = parse_xml(data, limits, where)
    if root is None:
        issues = (_as_metadata(issue),) if issue else ()
        return XdsMetadata(label, where, None, (), (), issues=issues, submission_sets=0)
    return metadata_from_element(root, label, where)


def metadata_from_element(element: etree._Element, label: str, where: Where) -> XdsMetadata:
    """The metadata of a parsed SubmitObjectsRequest, or of an element that holds one (ProvideAndRegisterDocumentSetRequest).

    Paths start at the SubmitObjectsRequest, lines are those of the document parsed. Never raises.
    """
    request = _request(element)
    if request is None:
        hit = Hit(
            where=Where(PlaceKind.XPATH, xpath_of(element), element.sourceline),
            received=f"{{{namespace(element)}}}{local(element)}"[:200],
            expected=f"{{{LCM}}}SubmitObjectsRequest",
        )
        return XdsMetadata(label, where, None, (), (), issues=(Issue("XDM-02", hit),), submission_sets=0)
    objects = Node(request, "/SubmitObjectsRequest").one("RegistryObjectList")
    if objects is None:
        hit = Hit(Where(PlaceKind.XPATH, "/SubmitObjectsRequest", request.sourceline), "∅", "RegistryObjectList")
        return XdsMetadata(label, where, None, (), (), issues=(Issue("XDM-02", hit),), submission_sets=0)
    return _Lot(objects).told(label, where)


def _as_metadata(issue: Issue) -> Issue:
    return Issue("XDM-02", issue.hit) if issue.rule_id == "CDA-01" else issue


def _request(element: etree._Element) -> etree._Element | None:
    if local(element) == "SubmitObjectsRequest":
        return element
    return next((child for child in element if local(child) == "SubmitObjectsRequest"), None)


class _Lot:
    """Reads one RegistryObjectList, counting on the way what names the wrong object."""

    def __init__(self, objects: Node) -> None:
        self._objects = objects
        self._stray = 0
        self._ids: Counter[str] = Counter()

    def told(self, label: str, where: Where) -> XdsMetadata:
        objects = self._objects
        # The node that makes a package a SubmissionSet may stand inside it or beside it.
        nodes = {
            c.attribute("classifiedObject"): c.attribute("classificationNode") for c in objects.all("Classification")
        }
        sets: list[SubmissionSet] = []
        folders = 0
        for package in objects.all("RegistryPackage"):
            inside = {c.attribute("classificationNode") for c in package.all("Classification")}
            inside.add(nodes.get(package.attribute("id"), ""))
            if FOLDER_NODE in inside:
                folders += 1
            else:
                sets.append(self._set(package, classified=SUBMISSION_SET_NODE in inside))
        entries = tuple(self._entry(e) for e in objects.all("ExtrinsicObject"))
        associations = tuple(self._association(a) for a in objects.all("Association"))
        return XdsMetadata(
            label=label,
            where=where,
            submission_set=sets[0] if sets else None,
            entries=entries,
            associations=associations,
            folders=folders,
            submission_sets=len(sets),
            stray_references=self._stray,
            duplicate_ids=tuple(i for i, n in self._ids.items() if n > 1)[:20],
        )

    def _set(self, node: Node, *, classified: bool) -> SubmissionSet:
        parts = _Parts(node, SET_SCHEMES, SET_IDENTIFIERS)
        self._count(node, parts)
        patient_id = parts.identifiers.get("patientId") or parts.slot("patientId")
        return SubmissionSet(
            entry_id=node.attribute("id"),
            where=node.where,
            unique_id=parts.identifiers.get("uniqueId"),
            source_id=parts.identifiers.get("sourceId"),
            patient_id=patient_id,
            submission_time=parts.value("submissionTime"),
            content_type=parts.code("contentTypeCode"),
            title=_label(node.one("Name")),
            comments=_label(node.one("Description")),
            authors=parts.authors,
            identity=metadata_identity(LOT_LABEL, node.where, patient_id) if patient_id is not None else None,
            classified=classified,
        )

    def _entry(self, node: Node) -> DocumentEntry:
        parts = _Parts(node, ENTRY_SCHEMES, ENTRY_IDENTIFIERS)
        self._count(node, parts)
        uri = parts.slot("URI")
        label = f"metadata:{uri.value if uri is not None and uri.value else node.attribute('id')}"
        patient_id = parts.identifiers.get("patientId") or parts.slot("patientId")
        source_id = parts.slot("sourcePatientId")
        info = parts.slots.get("sourcePatientInfo", ())
        type_code = parts.code("typeCode")
        return DocumentEntry(
            entry_id=node.attribute("id"),
            where=node.where,
            label=label,
            mime_type=node.attribute("mimeType"),
            unique_id=parts.identifiers.get("uniqueId"),
            patient_id=patient_id,
            source_patient_id=source_id,
            source_patient_info=info,
            identity=_entry_identity(label, node.where, patient_id, source_id, info, type_code),
            title=_label(node.one("Name")),
            type_code=type_code,
            class_code=parts.code("classCode"),
            format_code=parts.code("formatCode"),
            confidentiality=parts.codes.get("confidentialityCode", ()),
            facility_type=parts.code("healthcareFacilityTypeCode"),
            practice_setting=parts.code("practiceSettingCode"),
            event_codes=parts.codes.get("eventCodeList", ()),
            authors=parts.authors,
            legal_authenticator=_person(value) if (value := parts.value("legalAuthenticator")) else None,
            creation_time=parts.value("creationTime"),
            service_start=parts.value("serviceStartTime"),
            service_stop=parts.value("serviceStopTime"),
            language=parts.value("languageCode"),
            hash_sha1=parts.slot("hash"),
            size=parts.slot("size"),
            uri=uri,
            action=parts.action,
            reference_ids=tuple(v.value for v in parts.slots.get("urn:ihe:iti:xds:2013:referenceIdList", ())),
            logical_id=node.attribute("lid"),
            repeated=parts.repeated,
            unknown_schemes=parts.unknown_schemes,
            unlabelled=parts.unlabelled,
        )

    def _association(self, node: Node) -> Association:
        self._ids[node.attribute("id")] += 1
        slots = tuple((slot.attribute("name"), value.value) for slot in node.all("Slot") for value in _values(slot))
        return Association(
            kind=node.attribute("associationType").rpartition(":")[2],
            source=node.attribute("sourceObject"),
            target=node.attribute("targetObject"),
            slots=slots,
        )

    def _count(self, node: Node, parts: _Parts) -> None:
        owner = node.attribute("id")
        self._ids[owner] += 1
        for part_id, reference in parts.references:
            if part_id:
                self._ids[part_id] += 1
            if reference != owner:
                self._stray += 1


class _Parts:
    """Slots, classifications and identifiers of one registry object, sorted by metadata name."""

    def __init__(self, node: Node, schemes: dict[str, tuple[str, int]], identifiers: dict[str, str]) -> None:
        self.references: list[tuple[str, str]] = []
        self.slots: dict[str, tuple[Located, ...]] = {s.attribute("name"): _values(s) for s in node.all("Slot")}
        self.codes: dict[str, tuple[Code, ...]] = {}
        self.identifiers: dict[str, Located] = {}
        self.authors: tuple[Actor, ...] = ()
        counts: Counter[str] = Counter()
        unknown: list[str] = []
        unlabelled: list[str] = []
        codes: dict[str, list[Code]] = {}
        authors: list[Actor] = []
        for part in node.all("Classification"):
            self.references.append((part.attribute("id"), part.attribute("classifiedObject")))
            scheme = part.attribute("classificationScheme")
            if not scheme:
                continue
            name = schemes.get(scheme.lower(), ("", 0))[0]
            if not name:
                unknown.append(scheme)
            elif name == "author":
                authors.append(_author(part))
            else:
                code = _classified(part)
                codes.setdefault(name, []).append(code)
                if not code.system or not code.label:
                    unlabelled.append(name)
            counts[name] += 1
        for part in node.all("ExternalIdentifier"):
            self.references.append((part.attribute("id"), part.attribute("registryObject")))
            scheme = part.attribute("identificationScheme")
            name = identifiers.get(scheme.lower(), "")
            # Some packages reuse the uniqueId scheme for the patient: the name beside the value then tells.
            if _label(part.one("Name")).endswith(".patientId"):
                name = "patientId"
            if not name:
                unknown.append(scheme)
                continue
            counts[name] += 1
            value = part.located("value")
            if value is not None:
                self.identifiers.setdefault(name, value)
        self.codes = {name: tuple(found) for name, found in codes.items()}
        self.authors = tuple(authors)
        most = {name: number for name, number in schemes.values() if number} | dict.fromkeys(identifiers.values(), 1)
        self.repeated = tuple(name for name, number in most.items() if counts[name] > number)
        self.unknown_schemes = tuple(unknown[:20])
        self.unlabelled = tuple(dict.fromkeys(unlabelled))

    def slot(self, name: str) -> Located | None:
        """The first value of a slot; its name may differ by case."""
        values = self.slots.get(name)
        if values is None:
            wanted = name.lower()
            values = next((v for n, v in self.slots.items() if n.lower() == wanted), ())
        return values[0] if values else None

    def value(self, name: str) -> str:
        """The first value of a slot, '' when absent."""
        found = self.slot(name)
        return found.value if found is not None else ""

    def code(self, name: str) -> Code | None:
        """The first code of a metadata."""
        found = self.codes.get(name)
        return found[0] if found else None

    @property
    def action(self) -> str:
        """C (replace), D (delete) or '': the slot of the MSSanté volet, or one whose name holds `action`."""
        named = self.value(ACTION_SLOT)
        if named:
            return named
        return next((v[0].value for n, v in self.slots.items() if v and "action" in n.lower()), "")


def _entry_identity(
    label: str,
    where: Where,
    patient_id: Located | None,
    source_id: Located | None,
    info: tuple[Located, ...],
    type_code: Code | None,
) -> IdentityView | None:
    if patient_id is None and source_id is None and not info:
        return None
    view = metadata_identity(label, where, patient_id, source_id, info)
    # The IPP of the source is often the INS again: one identifier is enough.
    told = {(i.oid, i.value): i for i in reversed(view.identifiers)}
    identifiers = view.identifiers if len(told) == len(view.identifiers) else view.identifiers[:1]
    social = type_code is not None and nature_of(type_code.code, type_code.system) == SOCIAL
    return replace(view, identifiers=identifiers, ins_optional=social)


def _values(slot: Node) -> tuple[Located, ...]:
    """The values of a slot. Read without grouping: there are three levels for each of a hundred slots."""
    element = slot.element
    texts = [value for values in element for value in values if local(value) == "Value"]
    if not texts:
        return ()
    path = f"{slot.path.rpartition('/')[0]}/Slot[@name='{element.get('name', '')}']/ValueList/Value"
    if len(texts) == 1:
        return (Located(plain_text(texts[0]), Where(PlaceKind.XPATH, path, texts[0].sourceline)),)
    return tuple(
        Located(plain_text(value), Where(PlaceKind.XPATH, f"{path}[{i}]", value.sourceline))
        for i, value in enumerate(texts[:MOST], 1)
    )


def _label(name: Node | None) -> str:
    if name is None:
        return ""
    return next((text.get("value", "") for text in name.element if local(text) == "LocalizedString"), "")


def _system(part: Node) -> str:
    """The codingScheme of a classification."""
    for slot in part.groups.get("Slot", ()):
        if slot.get("name") == "codingScheme":
            return next((plain_text(v) for values in slot for v in values if local(v) == "Value"), "")
    return ""


def _classified(part: Node) -> Code:
    return Code(part.attribute("nodeRepresentation"), _system(part), _label(part.one("Name")))


def _author(part: Node) -> Actor:
    slots = {s.attribute("name"): _values(s) for s in part.all("Slot")}

    def first(name: str) -> str:
        values = slots.get(name)
        return values[0].value if values else ""

    person = _person(first("authorPerson"))
    institution = first("authorInstitution").split("^")
    specialty = first("authorSpecialty").split("^")
    return Actor(
        person_id=person.person_id,
        family=person.family,
        given=person.given,
        structure_id=institution[9] if len(institution) > 9 else "",
        structure_name=institution[0],
        specialty=_specialty(specialty),
        role=first("authorRole"),
    )


def _specialty(parts: list[str]) -> Code | None:
    if not parts[0]:
        return None
    return Code(parts[0], parts[2] if len(parts) > 2 else "", parts[1] if len(parts) > 1 else "")


def _person(value: str) -> Actor:
    """An XCN: `PS_IdNat^NOM^Prénom^^^^^^&OID&ISO^D^^^IDNPS`."""
    parts = value.split("^")
    return Actor(
        person_id=parts[0],
        family=parts[1] if len(parts) > 1 else "",
        given=parts[2] if len(parts) > 2 else "",
    )
