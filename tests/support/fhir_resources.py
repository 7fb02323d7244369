"""FHIR resources for tests: one sound fictional patient under FR Core 2.1 or 2.2, and changes to her."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

from gateway.identity.model import IdentityView
from gateway.identity.rules_fhir import STATUS_2_1, STATUS_2_2, TYPES
from gateway.partners.fhir import open_fhir
from tests.support.identity_views import COLETTE, ODETTE

CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition"
Change = Callable[[dict[str, Any]], None]


def status(code: str = "VALI", system: str = STATUS_2_1, *more: dict[str, Any]) -> dict[str, Any]:
    """A reliability extension."""
    coding = {"code": code, **({"system": system} if system else {})}
    parts = [{"url": "identityStatus", "valueCoding": coding}, *more]
    return {"url": f"{CORE}/fr-core-identity-reliability", "extension": parts}


def identifier(
    value: str = ODETTE, oid: str = "1.2.250.1.213.1.4.10", code: str = "INS-NIR-TEST", use: str = "official"
) -> dict[str, Any]:
    """An identifier of a slice of FR Core."""
    coded = {"coding": [{"system": TYPES, "code": code}]}
    found: dict[str, Any] = {"system": f"urn:oid:{oid}", "value": value, "type": coded}
    return {**found, "use": use} if use else found


def patient(*changes: Change, version: str = "2.1", **members: Any) -> dict[str, Any]:
    """The sound patient; `members` replace elements, None takes one away."""
    code = ("VALI", STATUS_2_1) if version == "2.1" else ("QUAL", STATUS_2_2)
    insee = {"url": f"{CORE}/fr-core-address-insee-code", "valueCoding": {"code": "48907"}}
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "id": "odette",
        "meta": {"profile": [f"{CORE}/fr-core-patient-ins"]},
        "extension": [
            status(*code),
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                "valueAddress": {"extension": [insee]},
            },
        ],
        "identifier": [
            identifier(),
            {
                "use": "usual",
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PI"}]},
                "system": "urn:oid:1.2.250.1.999.1",
                "value": "CH000102",
            },
        ],
        "name": [
            {
                "use": "official",
                "family": "BRUNEL",
                "given": ["ODETTE"],
                "extension": [{"url": f"{CORE}/fr-core-patient-birth-list-given-name", "valueString": "ODETTE JEANNE"}],
            },
            {"use": "usual", "family": "MARTIN", "given": ["ODETTE"]},
        ],
        "gender": "female",
        "birthDate": "1936-02-14",
    }
    found.update({name: value for name, value in members.items() if value is not None})
    for name in [name for name, value in members.items() if value is None]:
        del found[name]
    for change in changes:
        change(found)
    return found


def colette() -> dict[str, Any]:
    """Her twin."""
    found = patient(id="colette", identifier=[identifier(COLETTE)])
    found["name"][0] |= {"given": ["COLETTE"]}
    found["name"][0]["extension"][0]["valueString"] = "COLETTE JEANNE"
    return found


def document_reference(data: bytes | None = None, subject: str = "Patient/odette", **members: Any) -> dict[str, Any]:
    """A DocumentReference with its octets inline."""
    attachment: dict[str, Any] = {"contentType": "text/xml"}
    if data is not None:
        attachment |= {"data": base64.b64encode(data).decode(), "size": len(data)}
    return {
        "resourceType": "DocumentReference",
        "id": "doc1",
        "status": "current",
        "subject": {"reference": subject},
        "content": [{"attachment": attachment}],
        **members,
    }


def bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    """A Bundle whose entries are known by `Type/id`."""
    entries = [
        {"fullUrl": f"https://ehpad.test/fhir/{r['resourceType']}/{r.get('id', n)}", "resource": r}
        for n, r in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def octets(resource: Any) -> bytes:
    """As sent."""
    return json.dumps(resource, ensure_ascii=False).encode("utf-8", "surrogatepass")


def fhir_view(*changes: Change, version: str = "2.1", **members: Any) -> IdentityView:
    """The view of the sound patient after some changes."""
    return open_fhir(octets(copy.deepcopy(patient(*changes, version=version, **members)))).views[0]
