"""The published identities in a PID and in a FHIR Patient: what must fire on each does, by the rule of its container."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.exchange.opening import open_message
from gateway.identity.model import INS_NIA, IdentityView
from gateway.identity.rules import RULES_FOR
from gateway.rules import RuleBook, load_catalogue
from gateway.values import Direction
from tests.support.fhir_resources import CORE, identifier, octets, patient, status
from tests.support.hl7_messages import Pid, adt
from tests.support.identity_views import context
from tests.support.reference import reference

pytestmark = pytest.mark.reference
GROUPS = {f"INS-{n:03d}" for n in (*range(1, 11), 35, 36, *range(40, 50), 60, 61, 62, 65)}
BOOK = RuleBook(load_catalogue())
SLICES = {".8": "INS-NIR", ".9": "INS-NIA", "10": "INS-NIR-TEST", "11": "INS-NIR-DEMO"}


def _pid(told: dict[str, Any]) -> bytes:
    held = f"{told['matricule']}^^^ASIP-SANTE&{told['oid']}&ISO^INS" if told.get("matricule") else ""
    names = "^".join([told["birth_family"], told["first_given"] or "", told["given_list"] or "", "", "", "", "L"])
    place = f"^^^^^^BDL^^{told['birth_cog']}" if told.get("birth_cog") else ""
    born = (told["birth_date"] or "").replace("-", "")
    return adt(Pid(ids=held, names=names, birth_date=born, sex=told["sex"] or "", addresses=place))


def _patient(told: dict[str, Any]) -> bytes:
    listed = {"url": f"{CORE}/fr-core-patient-birth-list-given-name", "valueString": told["given_list"]}
    name = {"use": "official", "family": told["birth_family"], "given": [told["first_given"]]}
    extension: list[dict[str, Any]] = [status()]
    if told.get("birth_cog"):
        insee = {"url": f"{CORE}/fr-core-address-insee-code", "valueCoding": {"code": told["birth_cog"]}}
        birthplace = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
        extension.append({"url": birthplace, "valueAddress": {"extension": [insee]}})
    oid = told.get("oid") or ""
    use = "temp" if oid == INS_NIA else "official"
    held = [identifier(told["matricule"], oid, SLICES[oid[-2:]], use)] if told.get("matricule") else []
    return octets(
        patient(
            identifier=held,
            name=[{**name, **({"extension": [listed]} if told["given_list"] else {})}],
            gender={"F": "female", "M": "male"}.get(told["sex"]),
            birthDate=told["birth_date"],
            extension=extension,
            meta=None,
        )
    )


def _fired(view: IdentityView, own: dict[str, str]) -> set[str]:
    found = {f.rule for f in BOOK.judge(RULES_FOR[view.kind], view, context(Direction.EMISSION), "x")}
    return {own.get(rule, rule) for rule in found} & GROUPS


@pytest.mark.parametrize(
    ("written", "own"),
    [(_pid, {"INS-105": "INS-035", "INS-108": "INS-036"}), (_patient, {"INS-124": "INS-035", "INS-125": "INS-036"})],
    ids=["PID", "FHIR"],
)
def test_what_fires_on_each_published_identity(written: Any, own: dict[str, str]) -> None:
    expected = json.loads(reference("ins/expected_single_identity_rules.json").read_text(encoding="utf-8"))["expected"]
    identities = json.loads(reference("ins/test_identities.json").read_text(encoding="utf-8"))["identities"]
    wrong = {}
    for told in identities:
        left_out = {"INS-036", "INS-065"} if told["id"].startswith("DMP-") else set()
        fired = _fired(open_message(written(told), structure=False).views[0], own) - left_out
        if fired != set(expected[told["id"]]) - left_out:
            wrong[told["id"]] = (fired, expected[told["id"]])
    assert wrong == {}
