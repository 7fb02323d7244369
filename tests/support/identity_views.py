"""Identity views for tests: one sound fictional patient in every kind of container, and changes to it.

The patient is born in a fictional commune (48907), so that her matricule belongs to nobody.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from gateway.identity.matricule import key_of
from gateway.identity.model import INS_TEST, ContainerKind, IdentityView, PatientIdentifier
from gateway.rules import Finding, RuleBook, RuleContext, load_catalogue
from gateway.values import Direction, Door, Located, PlaceKind, Where

ODETTE = "236024890704179"
COLETTE = "236024890704278"  # her twin
TODAY = date(2026, 3, 1)
PLACE = Where(PlaceKind.XPATH, "/ClinicalDocument/recordTarget/patientRole", 18)
LOT_PLACE = Where(PlaceKind.XPATH, "/SubmitObjectsRequest/RegistryObjectList/RegistryPackage")
ENTRY_PLACE = Where(PlaceKind.XPATH, "/SubmitObjectsRequest/RegistryObjectList/ExtrinsicObject")


def context(
    direction: Direction = Direction.EMISSION,
    door: Door = Door.SUBMISSION,
    profile: str = "strict",
    ins_environment: str = "test",
    today: date = TODAY,
) -> RuleContext:
    """What rules may know besides their subject."""
    return RuleContext(direction, door, today, profile, ins_environment)


def told(value: str, path: str = "x") -> Located:
    """A value as written, somewhere."""
    return Located(value, PLACE / path)


def with_key(number: str) -> str:
    """A number of 13 characters and its right key."""
    return number + key_of(number)


def ins(value: str = ODETTE, oid: str = INS_TEST, type_code: str = "", **more: str) -> PatientIdentifier:
    """An identifier, an INS unless said otherwise."""
    return PatientIdentifier(value, oid, PLACE / "id[1]", type_code, **more)


def ipp(value: str = "CH000102", oid: str = "1.2.250.1.999.1", type_code: str = "PI") -> PatientIdentifier:
    """A local identifier."""
    return PatientIdentifier(value, oid, PLACE / "id[2]", type_code)


def _five_traits(birth_date: str, sex: str) -> dict[str, Any]:
    return {
        "birth_family": told("BRUNEL", "family"),
        "birth_given": told("ODETTE", "given[1]"),
        "given_list": told("ODETTE JEANNE", "given[2]"),
        "birth_date": told(birth_date, "birthTime"),
        "sex": told(sex, "sex"),
        "birth_place": told("48907", "county"),
    }


def _changed(view: IdentityView, changes: dict[str, Any]) -> IdentityView:
    located: dict[str, Any] = {
        name: told(value, name) if isinstance(value, str) and name != "label" else value
        for name, value in changes.items()
    }
    return replace(view, **located)


def cda(**changes: Any) -> IdentityView:
    """A CDA header. Traits may be given as plain strings."""
    view = IdentityView(
        ContainerKind.CDA,
        "cda:DOC0001.XML",
        PLACE,
        identifiers=(ins(), ipp(type_code="")),
        document_date=told("20260105101500+0100", "effectiveTime"),
        name_qualifiers=(told("BR"), told("BR")),
        ins_expected=True,
        **_five_traits("19360214", "F"),
    )
    return _changed(view, changes)


def metadata(**changes: Any) -> IdentityView:
    """A metadata entry: patientId, sourcePatientId, and the traits of sourcePatientInfo."""
    view = IdentityView(
        ContainerKind.XDM,
        "metadata:DOC0001.XML",
        ENTRY_PLACE,
        identifiers=(ins(type_code="NH"), ipp()),
        birth_family=told("BRUNEL"),
        birth_given=told("ODETTE"),
        birth_date=told("19360214"),
        sex=told("F"),
        ins_expected=True,
        has_source_id=True,
    )
    return _changed(view, changes)


def lot(**changes: Any) -> IdentityView:
    """The submission set of the same metadata: a patientId and nothing else."""
    view = IdentityView(
        ContainerKind.XDM, "metadata:lot", LOT_PLACE, identifiers=(ins(type_code="NH"),), ins_expected=True
    )
    return _changed(view, changes)


def hl7(**changes: Any) -> IdentityView:
    """A PID segment."""
    view = IdentityView(
        ContainerKind.HL7,
        "pid",
        Where(PlaceKind.HL7, "PID"),
        identifiers=(ins(type_code="INS"), ipp()),
        ins_expected=True,
        **_five_traits("19360214", "F"),
    )
    return _changed(view, changes)


def fhir(**changes: Any) -> IdentityView:
    """A Patient resource."""
    view = IdentityView(
        ContainerKind.FHIR,
        "Patient/1",
        Where(PlaceKind.FHIRPATH, "Patient"),
        identifiers=(ins(type_code="INS-NIR-TEST"),),
        ins_expected=True,
        **_five_traits("1936-02-14", "female"),
    )
    return _changed(view, changes)


def datamatrix(**changes: Any) -> IdentityView:
    """The INS datamatrix printed on the first page."""
    view = IdentityView(
        ContainerKind.DATAMATRIX,
        "datamatrix:DOC0001.XML",
        PLACE,
        identifiers=(ins(),),
        **_five_traits("14-02-1936", "F"),
    )
    return _changed(view, changes)


def mail(address: str = f"{ODETTE}@patient.mssante.fr", **changes: Any) -> IdentityView:
    """A mail to or from a patient's mailbox."""
    where = Where(PlaceKind.HEADER, "To")
    return _changed(IdentityView(ContainerKind.MAIL, "mail", where, mailbox=Located(address, where)), changes)


def vihf(**changes: Any) -> IdentityView:
    """The patient a VIHF was issued for."""
    view = IdentityView(ContainerKind.VIHF, "vihf", PLACE, identifiers=(ins(type_code="NH"),))
    return _changed(view, changes)


def judged(*views: IdentityView, ctx: RuleContext | None = None, book: RuleBook | None = None) -> list[Finding]:
    """Every finding of the identity rules on the views of one message."""
    from gateway.identity.rules import CROSS_RULES, VIEW_RULES

    book = book or RuleBook(load_catalogue())
    ctx = ctx or context()
    findings = [finding for view in views for finding in book.judge(VIEW_RULES, view, ctx, view.label)]
    return findings + book.judge(CROSS_RULES, views, ctx, "message")


def ids(findings: list[Finding]) -> set[str]:
    """The rules that fired."""
    return {finding.rule for finding in findings}
