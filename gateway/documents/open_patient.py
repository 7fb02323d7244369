"""Who a CDA header and an XDS metadata entry say the patient is: values as written, each with its place.

Sources: CI-SIS Structuration minimale (recordTarget, qualifiers BR and CL), IHE ITI TF-3 (CX, sourcePatientInfo) as
constrained by the French DMP.
"""

from __future__ import annotations

from gateway.directory.nature import SOCIAL, nature_of
from gateway.documents.open_nodes import Node
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.values import Located, Where

LOT_LABEL = "metadata:lot"
_PATIENT_DOMAIN = "@patient."


def cda_identity(document: Node, label: str) -> IdentityView:
    """The view of a ClinicalDocument: its first recordTarget; `subject_count` tells when there are none or several."""
    targets = document.all("recordTarget")
    effective = document.one("effectiveTime")
    document_date = effective.located("value") if effective is not None else None
    role = targets[0].one("patientRole") if targets else None
    if role is None:
        return IdentityView(
            kind=ContainerKind.CDA,
            label=label,
            where=document.where,
            document_date=document_date,
            subject_count=document.count("recordTarget") if len(targets) > 1 else 0,
        )
    patient = role.one("patient")
    names = patient.all("name") if patient is not None else []
    told = _Names(names[0] if names else None)
    gender = patient.one("administrativeGenderCode") if patient is not None else None
    birth = patient.one("birthTime") if patient is not None else None
    county = patient.at("birthplace", "place", "addr", "county") if patient is not None else None
    identifiers = _identifiers(role)
    return IdentityView(
        kind=ContainerKind.CDA,
        label=label,
        where=role.where,
        identifiers=identifiers,
        birth_family=told.birth_family,
        birth_given=told.birth_given,
        given_list=told.given_list,
        used_family=told.used_family,
        used_given=told.used_given,
        birth_date=birth.located("value") if birth is not None else None,
        sex=gender.located("code") if gender is not None else None,
        birth_place=_text(county),
        mailbox=_mailbox(role),
        document_date=document_date,
        name_qualifiers=told.qualifiers,
        null_traits=told.nulls + _nulls((("sex", gender), ("birth_date", birth), ("birth_place", county))),
        subject_count=document.count("recordTarget") if len(targets) > 1 else len(names),
        ins_expected=any(i.is_ins for i in identifiers),
        ins_optional=_is_social(document.one("code")),
    )


def _is_social(code: Node | None) -> bool:
    return code is not None and nature_of(code.attribute("code"), code.attribute("codeSystem")) == SOCIAL


def _identifiers(role: Node) -> tuple[PatientIdentifier, ...]:
    return tuple(
        PatientIdentifier(
            value=node.attribute("extension"),
            oid=node.attribute("root"),
            where=node.where,
            assigning_name=node.attribute("assigningAuthorityName"),
        )
        for node in role.all("id")
        if node.attribute("root") or node.attribute("extension")
    )


class _Names:
    """The parts of one patient/name sorted by qualifier. A qualifier may hold several codes, separated by spaces."""

    __slots__ = ("birth_family", "birth_given", "given_list", "nulls", "qualifiers", "used_family", "used_given")

    def __init__(self, name: Node | None) -> None:
        self.birth_family: Located | None = None
        self.birth_given: Located | None = None
        self.used_family: Located | None = None
        self.used_given: Located | None = None
        qualifiers: list[Located] = []
        nulls: list[Located] = []
        listed: list[Node] = []
        for node in name.all("family") if name is not None else ():
            codes = _qualifiers(node, qualifiers)
            if "BR" in codes or not codes:
                _null(node, "birth_family", nulls)
            if "BR" in codes:
                self.birth_family = self.birth_family or _told(node)
            if "CL" in codes or "SP" in codes:
                self.used_family = self.used_family or _told(node)
        for node in name.all("given") if name is not None else ():
            codes = _qualifiers(node, qualifiers)
            if not codes:
                _null(node, "given_list", nulls)
                listed.append(node)
            if "BR" in codes:
                _null(node, "birth_given", nulls)
                self.birth_given = self.birth_given or _told(node)
            if "CL" in codes or "SP" in codes:
                self.used_given = self.used_given or _told(node)
        self.given_list = _joined([node for node in listed if _told(node) is not None])
        self.qualifiers = tuple(qualifiers)
        self.nulls = tuple(nulls)


def _qualifiers(node: Node, seen: list[Located]) -> tuple[str, ...]:
    written = node.located("qualifier")
    if written is None:
        return ()
    seen.append(written)
    return tuple(written.value.split())


def _null(node: Node, trait: str, nulls: list[Located]) -> None:
    if node.element.get("nullFlavor") is not None:
        nulls.append(Located(trait, node.where))


def _nulls(traits: tuple[tuple[str, Node | None], ...]) -> tuple[Located, ...]:
    nulls: list[Located] = []
    for trait, node in traits:
        if node is not None:
            _null(node, trait, nulls)
    return tuple(nulls)


def _told(node: Node) -> Located | None:
    """The text of a name part; None when it only says that it is unknown."""
    told = node.told
    return None if not told.value and node.element.get("nullFlavor") is not None else told


def _text(node: Node | None) -> Located | None:
    return None if node is None else _told(node)


def _joined(nodes: list[Node]) -> Located | None:
    if not nodes:
        return None
    return Located(" ".join(node.text for node in nodes), nodes[0].where)


def _mailbox(role: Node) -> Located | None:
    for node in role.all("telecom"):
        value = node.attribute("value")
        address = value[7:] if value[:7].lower() == "mailto:" else value
        if _PATIENT_DOMAIN in address.lower():
            return Located(address, node.where / "@value")
    return None


def parse_cx(value: str) -> tuple[str, str, str]:
    """`matricule^^^&OID&ISO^NH` as (matricule, OID, type). Missing components are ''."""
    parts = value.split("^")
    authority = parts[3].split("&") if len(parts) > 3 else []
    return (
        parts[0],
        authority[1] if len(authority) > 1 else "",
        parts[4] if len(parts) > 4 else "",
    )


def metadata_identity(
    label: str,
    where: Where,
    patient_id: Located | None,
    source_patient_id: Located | None = None,
    source_patient_info: tuple[Located, ...] = (),
) -> IdentityView:
    """The view of patientId, sourcePatientId and the PID lines of sourcePatientInfo.

    PID-5 of type L (or of no type) is the birth name: family, first given name, list of given names; type D the used
    name. PID-7 birth date, PID-8 sex, PID-11 of type BDL the COG code.
    """
    identifiers = tuple(_cx(written) for written in (patient_id, source_patient_id) if written is not None)
    traits = _pid(source_patient_info)
    return IdentityView(
        kind=ContainerKind.XDM,
        label=label,
        where=where,
        identifiers=identifiers,
        birth_family=traits.get("birth_family"),
        birth_given=traits.get("birth_given"),
        given_list=traits.get("given_list"),
        used_family=traits.get("used_family"),
        used_given=traits.get("used_given"),
        birth_date=traits.get("birth_date"),
        sex=traits.get("sex"),
        birth_place=traits.get("birth_place"),
        ins_expected=patient_id is not None,
        has_source_id=bool(source_patient_id is not None and source_patient_id.value) if label != LOT_LABEL else None,
    )


def _cx(written: Located) -> PatientIdentifier:
    value, oid, kind = parse_cx(written.value)
    return PatientIdentifier(value=value, oid=oid, where=written.where, type_code=kind, written=written.value)


def _pid(lines: tuple[Located, ...]) -> dict[str, Located]:
    traits: dict[str, Located] = {}

    def tell(trait: str, value: str, line: Located) -> None:
        if value:
            traits.setdefault(trait, Located(value, line.where))

    for line in lines:
        field, _, content = line.value.partition("|")
        field = field.strip().upper()
        for repetition in content.split("~"):
            parts = repetition.split("^")
            if field == "PID-5":
                used = _part(parts, 7) == "D"
                tell("used_family" if used else "birth_family", parts[0], line)
                tell("used_given" if used else "birth_given", _part(parts, 2), line)
                if not used:
                    tell("given_list", _part(parts, 3), line)
            elif field == "PID-7":
                tell("birth_date", parts[0], line)
            elif field == "PID-8":
                tell("sex", parts[0], line)
            elif field == "PID-11" and _part(parts, 7) == "BDL":
                tell("birth_place", _part(parts, 9), line)
    return traits


def _part(parts: list[str], number: int) -> str:
    """The component of that number, counted from 1."""
    return parts[number - 1] if len(parts) >= number else ""
