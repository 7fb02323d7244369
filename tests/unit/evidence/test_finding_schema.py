"""The published schema of a finding, and every finding of every sample against it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.cli.check import Asked, judge_octets
from gateway.exchange.opening import sniff
from gateway.rules import Action, Family, Severity, load_catalogue
from gateway.samples import Sample, samples
from gateway.values import Lang, PlaceKind
from tests.support.json_schema import faults
from tests.support.reference import ROOT

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "finding.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("sample", samples(), ids=lambda s: s.name)
@pytest.mark.parametrize("direction", ["emission", "reception"])
def test_every_finding_of_the_samples_has_the_published_shape(sample: Sample, direction: str) -> None:
    raw = sample.build()
    found = judge_octets(raw, sniff(raw, sample.filename), Asked("strict", direction, Lang.FR), sample.filename)
    for finding in found:
        published = json.loads(json.dumps(finding.to_json()))
        assert list(faults(published, SCHEMA)) == []


def test_the_schema_names_the_very_words_of_the_code() -> None:
    words = SCHEMA["properties"]
    assert words["family"]["enum"] == [f.value for f in Family]
    assert sorted(words["severity"]["enum"]) == sorted(s.value for s in Severity)
    assert words["action"]["enum"] == [a.value for a in Action]
    assert words["where"]["properties"]["kind"]["enum"] == [k.value for k in PlaceKind]


def test_every_rule_id_has_the_published_form() -> None:
    for card in load_catalogue():
        assert list(faults(card.id, SCHEMA["properties"]["rule"], SCHEMA)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"severity": "fatal"}, "not one of"),
        ({"rule": "ins 4"}, "does not match"),
        ({"title": {"fr": "x"}}, "en is missing"),
        ({"where": {"kind": "xpath", "path": "/", "line": -1}}, "too small"),
        ({"where": {"kind": "xpath", "path": "/", "line": True}}, "is no integer or null"),
        ({"values": [{"container": "c", "path": "p"}]}, "value is missing"),
        ({"extra": 1}, "extra is not expected"),
        ({"source": ""}, "too short"),
    ],
)
def test_the_validator_sees_what_is_wrong(change: dict[str, Any], told: str) -> None:
    raw = next(s for s in samples() if s.name == "cda-cle-fausse").build()
    good = judge_octets(raw, "cda", Asked("strict", "emission", Lang.FR))[0].to_json()
    assert list(faults(good, SCHEMA)) == []
    assert any(told in fault for fault in faults({**good, **change}, SCHEMA))
