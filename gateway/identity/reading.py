"""How rules read a view: which identifiers are INS in that kind of container, and which traits it tells.

The same CX type does not say the same thing everywhere: NH is the INS in XDS metadata, the VIHF and the DMP, and the
social-security number (never an INS) in HL7v2 and FHIR.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.identity.matricule import canonical
from gateway.identity.model import INS_OIDS, ContainerKind, IdentityView, PatientIdentifier
from gateway.values import Located

NSS_OIDS = frozenset({"1.2.250.1.213.1.4.13", "1.2.250.1.213.1.4.14"})
INS_C_OIDS = frozenset({"1.2.250.1.213.1.4.2", "1.2.250.1.213.1.4.6", "1.2.250.1.213.1.4.7"})
METADATA_LIKE = frozenset({ContainerKind.XDM, ContainerKind.VIHF, ContainerKind.DMP})

_NH_IS_NOT_INS = frozenset({ContainerKind.HL7, ContainerKind.FHIR})
_HL7_NULL = '""'


@dataclass(frozen=True, slots=True)
class TraitName:
    """A strict trait: its field in `IdentityView`, and what findings call it."""

    field: str
    fr: str
    en: str

    @property
    def params(self) -> dict[str, str]:
        """What fills `{trait}` and `{trait_en}` of a card."""
        return {"trait": self.fr, "trait_en": self.en}


FAMILY = TraitName("birth_family", "nom de naissance", "birth name")
GIVEN = TraitName("birth_given", "premier prénom", "first given name")
GIVEN_LIST = TraitName("given_list", "liste des prénoms", "list of given names")
SEX = TraitName("sex", "sexe", "sex")
BIRTH_DATE = TraitName("birth_date", "date de naissance", "birth date")
BIRTH_PLACE = TraitName("birth_place", "lieu de naissance", "birthplace")

TRAITS = {name.field: name for name in (FAMILY, GIVEN, GIVEN_LIST, SEX, BIRTH_DATE, BIRTH_PLACE)}


def all_ins(view: IdentityView) -> list[PatientIdentifier]:
    """Every identifier that is an INS in this container, each (OID, value) once.

    Not one: a billing NIR (type NH) in HL7v2 and FHIR, the HL7 null `""` of a deletion, a patient's mail address, an
    identifier of `use` old (FHIR, history of INSi) beside the one that replaced it.
    """
    found: list[PatientIdentifier] = []
    for identifier in view.identifiers:
        if identifier.oid not in INS_OIDS or identifier.value == _HL7_NULL:
            continue
        if identifier.type_code == "NH" and view.kind in _NH_IS_NOT_INS:
            continue
        if not found or not any(f.oid == identifier.oid and f.value == identifier.value for f in found):
            found.append(identifier)
    if view.kind in (ContainerKind.FHIR, ContainerKind.INSI) and len(found) > 1:
        found = [f for f in found if f.use != "old"] or found
    return found if view.kind is not ContainerKind.MAIL else []


def by_person(views: tuple[IdentityView, ...]) -> list[tuple[IdentityView, ...]]:
    """The views of a message, one group for each person it is about: only views of one group are compared."""
    if all(view.person == views[0].person for view in views):
        return [views] if views else []
    groups: dict[str, list[IdentityView]] = {}
    for view in views:
        groups.setdefault(view.person, []).append(view)
    return [tuple(group) for group in groups.values()]


def ins_of(view: IdentityView) -> PatientIdentifier | None:
    """The INS of a view, the first when it holds several."""
    found = all_ins(view)
    return found[0] if found else None


def ins_key(identifier: PatientIdentifier) -> tuple[str, str]:
    """What two INS are compared by: OID and canonical matricule, never the matricule alone."""
    return identifier.oid, canonical(identifier.value)


def patient_id(view: IdentityView) -> PatientIdentifier | None:
    """The patientId of a metadata view; None when it carries only a sourcePatientId."""
    return view.identifiers[0] if view.identifiers and view.ins_expected else None


def is_submission_set(view: IdentityView) -> bool:
    """A metadata view of the lot itself, which tells no trait, and not of one of its entries."""
    return view.kind is ContainerKind.XDM and "RegistryPackage" in view.where.path


def claims_ins(identifier: PatientIdentifier, kind: ContainerKind) -> bool:
    """Declared as an INS by its type, whatever its OID."""
    return identifier.type_code.startswith("INS") or (identifier.type_code == "NH" and kind in METADATA_LIKE)


def is_missing(trait: Located | None) -> bool:
    """Absent or empty."""
    return trait is None or not trait.value


def names(view: IdentityView) -> Iterator[tuple[TraitName, Located]]:
    """The name traits that are told and not empty: birth name, first given name, list of given names."""
    if view.birth_family is not None and view.birth_family.value:
        yield FAMILY, view.birth_family
    if view.birth_given is not None and view.birth_given.value:
        yield GIVEN, view.birth_given
    if view.given_list is not None and view.given_list.value:
        yield GIVEN_LIST, view.given_list


def sex_of(view: IdentityView) -> str:
    """M or F, from the code of any container; '' when absent or undetermined."""
    return _SEX.get(view.sex.value, "") if view.sex is not None else ""


_SEX = {"M": "M", "F": "F", "male": "M", "female": "F"}
