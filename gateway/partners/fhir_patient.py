"""Who a FHIR Patient says the patient is, as FR Core 2.1 and 2.2 write it.

| element                                                   | read as                                             |
|-----------------------------------------------------------|-----------------------------------------------------|
| identifier (system urn:oid:…, type, use, period)          | identifiers                                         |
| name use=official: family, given[0], birth-list-given-name| birth name, first given name, list                  |
| name use=usual                                            | names in use                                        |
| gender, birthDate                                         | sex, birth date                                     |
| extension patient-birthPlace, fr-core-address-insee-code  | birthplace                                          |
| extension fr-core-identity-reliability                    | declared status, with the code system of each code  |

Values stay as written, each with its FHIRPath. Source: Interop'Santé, FR Core 2.1.0 and 2.2.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gateway.identity.facts import CodeTold, DeclaredStatus, FhirFacts
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.rules_fhir import OBSOLETE_STATUS, TYPES
from gateway.partners.fhir_json import Json, at, coding_of, extensions, located, members, obj, text, texts
from gateway.values import Located

_OID = "urn:oid:"
_PATIENT_DOMAIN = "@patient."
# parts of the reliability extension as FR Core named them before version 2
_OLD_PARTS = frozenset({"identityreliability", "reliability", "fiabilite", "datecollection"})
_ABSENT = "dataabsentreason"


def patient_view(
    patient: Json, path: str, label: str, *, whole: bool = True, subject_of: str = "", person: str = ""
) -> IdentityView:
    """The view of one Patient. `whole` is False for one that only describes the source of a document."""
    profiles = tuple(texts(obj(patient.get("meta")).get("profile")))
    names = list(members(patient.get("name"), f"{path}.name"))
    official = [(name, place) for name, place in names if name.get("use") == "official"]
    chosen = official[0] if official else _unnamed(names, whole=whole)
    used = next(((n, p) for n, p in names if n.get("use") == "usual"), None)
    identifiers = tuple(_identifier(i, p) for i, p in members(patient.get("identifier"), f"{path}.identifier"))
    declared, obsolete, corrected = _reliability(patient, path)
    facts = FhirFacts(
        whole=whole,
        profiles=profiles,
        official_names=len(official),
        official_given=len(texts(chosen[0].get("given"))) if chosen else 0,
        has_given_list=chosen is not None and _given_list(*chosen) is not None,
        official_where=at(chosen[1]) if chosen else None,
        obsolete=obsolete,
        subject_of=subject_of,
        corrected_date=corrected,
    )
    return IdentityView(
        kind=ContainerKind.FHIR,
        label=label,
        where=at(path),
        identifiers=identifiers,
        birth_family=located(chosen[0], "family", chosen[1]) if chosen else None,
        birth_given=_first_given(*chosen) if chosen else None,
        given_list=_given_list(*chosen) if chosen else None,
        used_family=located(used[0], "family", used[1]) if used else None,
        used_given=_first_given(*used) if used else None,
        birth_date=located(patient, "birthDate", path),
        sex=located(patient, "gender", path),
        birth_place=_birth_place(patient, path),
        status=Located(declared.codes[0].code, declared.codes[0].where) if declared.codes else None,
        mailbox=_mailbox(patient, path),
        null_traits=tuple(_nulls(patient, path, chosen)),
        ins_expected=facts.declares_ins or any(i.is_ins or i.type_code.startswith("INS") for i in identifiers),
        person=person,
        declared=declared,
        fhir=facts,
    )


def reference_view(identifier: Json, path: str, label: str, subject_of: str, person: str = "") -> IdentityView:
    """The view of a reference that names its patient by an identifier alone."""
    found = _identifier(identifier, path)
    return IdentityView(
        kind=ContainerKind.FHIR,
        label=label,
        where=at(path),
        identifiers=(found,),
        ins_expected=found.is_ins or found.type_code.startswith("INS"),
        person=person,
        fhir=FhirFacts(whole=False, subject_of=subject_of),
    )


def with_person(view: IdentityView, person: str) -> IdentityView:
    """The same view, attached to one of the persons of a message."""
    return view if view.person == person else replace(view, person=person)


def _unnamed(names: list[tuple[Json, str]], *, whole: bool) -> tuple[Json, str] | None:
    """A source patient may leave `use` out: its first name then is the birth name."""
    if whole:
        return None
    return next(((n, p) for n, p in names if not text(n.get("use"))), None)


def _identifier(identifier: Json, path: str) -> PatientIdentifier:
    system = text(identifier.get("system"))
    code, code_system = _type_of(identifier)
    period = obj(identifier.get("period"))
    return PatientIdentifier(
        value=text(identifier.get("value")),
        oid=system[len(_OID) :] if system.startswith(_OID) else "",
        where=at(path),
        type_code=code,
        assigning_name="" if system.startswith(_OID) else system[:200],
        type_system=code_system,
        use=text(identifier.get("use"))[:40],
        starts=text(period.get("start"))[:40],
        ends=text(period.get("end"))[:40],
    )


def _type_of(identifier: Json) -> tuple[str, str]:
    """The code of FR Core among the codings, else the first one."""
    found = [
        (text(coding.get("code")), text(coding.get("system")))
        for coding, _ in members(obj(identifier.get("type")).get("coding"), "")
    ]
    return next((pair for pair in found if pair[1] == TYPES), found[0] if found else ("", ""))


def _first_given(name: Json, path: str) -> Located | None:
    given = name.get("given")
    if isinstance(given, list):
        told = next(((n, text(g)) for n, g in enumerate(given) if text(g)), None)
        return Located(told[1], at(f"{path}.given[{told[0]}]")) if told is not None else None
    return located(name, "given", path)


def _given_list(name: Json, path: str) -> Located | None:
    for extension, place in extensions(name, path, "birthlistgivenname"):
        if "valueString" in extension:
            return Located(text(extension["valueString"]), at(f"{place}.valueString"))
    return None


def _birth_place(patient: Json, path: str) -> Located | None:
    """The COG of the birthplace; an empty value when the place is told without it."""
    for extension, place in extensions(patient, path, "birthplace"):
        address, below = obj(extension.get("valueAddress")), f"{place}.valueAddress"
        for insee, deeper in extensions(address, below, "inseecode"):
            coding, step = coding_of(insee)
            if coding:
                return Located(text(coding.get("code")), at(f"{deeper}.{step}.code"))
        return Located("", at(below))
    return None


def _mailbox(patient: Json, path: str) -> Located | None:
    for telecom, place in members(patient.get("telecom"), f"{path}.telecom"):
        address = text(telecom.get("value")).removeprefix("mailto:")
        if _PATIENT_DOMAIN in address.lower():
            return Located(address, at(f"{place}.value"))
    return None


def _reliability(patient: Json, path: str) -> tuple[DeclaredStatus, tuple[CodeTold, ...], Located | None]:
    """Every reliability extension together: statuses, annotations, how and when; and the codes FR Core has left."""
    codes: list[CodeTold] = []
    comments: list[CodeTold] = []
    obsolete: list[CodeTold] = []
    told: dict[str, Located] = {}
    for extension, place in extensions(patient, path, "identityreliability"):
        for part, below in members(extension.get("extension"), f"{place}.extension"):
            name = text(part.get("url")).rpartition("/")[2]
            coding, step = coding_of(part)
            code = (
                CodeTold(text(coding.get("code")), at(f"{below}.{step}"), text(coding.get("system")))
                if coding
                else None
            )
            if code is not None and code.system.rpartition("/")[2] == OBSOLETE_STATUS:
                obsolete.append(code)
            elif name.replace("-", "").casefold() in _OLD_PARTS:
                obsolete.append(CodeTold(name, at(below), "FR Core < 2"))
            if name == "identityStatus" and code is not None:
                codes.append(code)
            elif name == "comment" and code is not None:
                comments.append(code)
            elif code is not None:
                told.setdefault(name, Located(code.code, code.where))
            else:
                date = part.get("valueDate", part.get("valueDateTime"))
                told.setdefault(name, Located(text(date), at(below)))
    asked = told.get("dateInterrogationINSi") or told.get("date")
    declared = DeclaredStatus(
        codes=tuple(codes),
        comments=tuple(comments),
        method=told.get("methodCollection") or told.get("method"),
        asked_on=asked,
        proof=told.get("validationMode"),
    )
    return declared, tuple(obsolete), _corrected(patient, path)


def _corrected(patient: Json, path: str) -> Located | None:
    """The indicator of a birth date corrected by rule."""
    for extension, place in extensions(patient, path, "birthdateupdateindicator"):
        if extension.get("valueBoolean") is True:
            return Located("true", at(f"{place}.valueBoolean"))
    return None


def _nulls(patient: Json, path: str, name: tuple[Json, str] | None) -> Iterator[Located]:
    """Traits declared absent with a reason."""
    for member, trait in (("_gender", "sex"), ("_birthDate", "birth_date")):
        if any(extensions(obj(patient.get(member)), path, _ABSENT)):
            yield Located(trait, at(f"{path}.{member[1:]}"))
    if name is not None:
        official, place = name
        if any(extensions(obj(official.get("_family")), place, _ABSENT)):
            yield Located("birth_family", at(f"{place}.family"))
        for given, below in members(official.get("_given"), f"{place}.given"):
            if any(extensions(given, below, _ABSENT)):
                yield Located("birth_given", at(below))
                break
