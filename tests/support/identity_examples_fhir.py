"""The examples of INS-079 and 120 to 129: a Patient the rule accepts, then the nearest one it refuses, as received."""

from __future__ import annotations

from typing import Any

from gateway.identity.model import INS_NIA, INS_NIR, IdentityView
from gateway.identity.rules_fhir import STATUS_2_2
from tests.support.fhir_resources import fhir_view, identifier, status
from tests.support.identity_views import ODETTE


def _official(**members: Any) -> list[dict[str, Any]]:
    return [{"use": "official", "family": "BRUNEL", "given": ["ODETTE"], **members}]


def _extensions(*kept: dict[str, Any]) -> list[dict[str, Any]]:
    return list(kept)


NSS = {
    "use": "usual",
    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NH"}]},
    "system": f"urn:oid:{INS_NIR}",
    "value": ODETTE,
}
NO_INS = [{"use": "usual", "system": "urn:oid:1.2.250.1.999.1", "value": "CH000102"}]

VIEWS: dict[str, tuple[IdentityView, IdentityView]] = {
    "INS-079": (fhir_view(), fhir_view(extension=None)),
    "INS-120": (fhir_view(), fhir_view(identifier=[identifier(code="INS-NIA")])),
    "INS-121": (
        fhir_view(identifier=[identifier(oid=INS_NIA, code="INS-NIA", use="temp")]),
        fhir_view(identifier=[identifier(oid=INS_NIR, code="INS-NIR", use="temp")]),
    ),
    "INS-122": (
        fhir_view(version="2.2", identifier=NO_INS, extension=_extensions(status("VALI", STATUS_2_2)), meta=None),
        fhir_view(identifier=NO_INS, meta=None),
    ),
    "INS-123": (fhir_view(version="2.2"), fhir_view(extension=_extensions(status("VALI", "urn:oid:1.2.3")))),
    "INS-124": (fhir_view(), fhir_view(name=_official())),
    "INS-125": (fhir_view(), fhir_view(extension=_extensions(status()))),
    "INS-126": (fhir_view(), fhir_view(gender="unknown")),
    "INS-127": (
        fhir_view(),
        fhir_view(
            extension=_extensions(
                status("VALI", "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-fiabilite-identite")
            )
        ),
    ),
    "INS-128": (fhir_view(), fhir_view(identifier=[identifier(), NSS])),
    "INS-129": (fhir_view(), fhir_view(identifier=[{**identifier(), "period": {"end": "2020-01-01"}}])),
}
