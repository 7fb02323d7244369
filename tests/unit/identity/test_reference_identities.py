"""The published test identities: what must fire on each, and the key of each, reproduced exactly."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from gateway.identity import matricule as m
from gateway.identity.known import known_ins, published_identities
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.rules import VIEW_RULES
from gateway.rules import RuleBook, load_catalogue
from gateway.values import Direction, Located, PlaceKind, Where
from tests.support.identity_views import context
from tests.support.reference import reference

WHERE = Where(PlaceKind.FHIRPATH, "Patient")
# The groups the reference covers: matricule, completeness of list and place, spelling, matricule against traits.
GROUPS = {f"INS-{n:03d}" for n in (*range(1, 11), 35, 36, *range(40, 50), 60, 61, 62, 65)}
NO_PLACE_IN_THE_SHEET = {"INS-036", "INS-065"}


def _identities() -> dict[str, dict[str, Any]]:
    read = json.loads(reference("ins/test_identities.json").read_text(encoding="utf-8"))
    return {identity["id"]: identity for identity in read["identities"]}


def _view(identity: dict[str, Any]) -> IdentityView:
    def told(name: str) -> Located | None:
        return Located(identity[name], WHERE) if identity.get(name) else None

    matricule = identity.get("matricule")
    return IdentityView(
        ContainerKind.FHIR,
        "Patient",
        WHERE,
        identifiers=(PatientIdentifier(matricule, identity["oid"], WHERE, "INS-NIR"),) if matricule else (),
        birth_family=told("birth_family"),
        birth_given=told("first_given"),
        given_list=told("given_list"),
        birth_date=told("birth_date"),
        sex=told("sex"),
        birth_place=told("birth_cog"),
        ins_expected=bool(matricule),
    )


@pytest.mark.reference
@pytest.mark.parametrize("direction", list(Direction))
def test_the_rules_that_must_fire_on_each_published_identity(direction: Direction) -> None:
    expected = json.loads(reference("ins/expected_single_identity_rules.json").read_text(encoding="utf-8"))["expected"]
    book = RuleBook(load_catalogue())
    fired = {}
    for name, identity in _identities().items():
        findings = book.judge(VIEW_RULES, _view(identity), context(direction), name)
        left_out = NO_PLACE_IN_THE_SHEET if name.startswith("DMP-") else set()
        fired[name] = {finding.rule for finding in findings} & GROUPS - left_out
    assert fired == {name: set(rules) for name, rules in expected.items()}


@pytest.mark.reference
def test_the_key_of_each_published_identity() -> None:
    for name, identity in _identities().items():
        if identity.get("matricule"):
            assert m.key_of(identity["matricule"][:13]) == identity["key_expected"], name
            assert m.has_right_key(identity["matricule"]) is identity["key_ok"], name


@pytest.mark.reference
def test_our_list_of_published_identities_is_the_reference_one() -> None:
    ours = {
        (i.id, i.birth_family, i.birth_given, i.sex, i.birth_date, i.matricule, i.oid) for i in published_identities()
    }
    theirs = {
        (
            i["id"],
            i["birth_family"],
            i["first_given"],
            i["sex"],
            i["birth_date"],
            i.get("matricule") or "",
            i.get("oid") or "",
        )
        for i in _identities().values()
    }
    assert ours == theirs
    former = {
        (h["oid"], h["matricule"]) for i in _identities().values() for h in i.get("insi_history", ()) if h["matricule"]
    }
    assert former <= known_ins()


@pytest.mark.reference
def test_our_cards_say_what_the_catalogue_of_the_reference_says() -> None:
    catalogue = load_catalogue()
    cards = yaml.safe_load(reference("ins/rules.yaml").read_text(encoding="utf-8"))["rules"]
    assert len(cards) == 166
    for card in cards:
        ours = catalogue[card["id"]]
        assert ours.emission.value == card["severity"], card["id"]
        assert ours.reception.value == card["severity_reception"], card["id"]
        assert ours.reception_action.value == card["reception_action"], card["id"]
        assert list(ours.applies_to) == card["applies_to"], card["id"]
        assert (ours.title.fr, ours.title.en) == (card["title_fr"], card["title_en"])
        assert ours.message.fr == card["error_fr"]
        assert ours.message.en.replace("{trait_en}", "{trait}") == card["error_en"]
        assert ours.hl7_error == str(card.get("hl7_app_error") or "")
        assert ours.source == card["source"]
