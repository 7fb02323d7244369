"""Incidents: what may be switched on, and what is refused in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.insi.faults import InsiFaults, Outage, TraitChange, faults_from


def test_incidents_are_read_from_json() -> None:
    change = {"person": "delmas-suzanne", "trait": "family", "value": "DURAND"}
    read = faults_from({"outage": "fault", "slow_s": 3, "changes": [change]})
    assert read == InsiFaults(Outage.FAULT, 3.0, (TraitChange("delmas-suzanne", "family", "DURAND"),))
    assert faults_from({}) == InsiFaults()


def test_the_journal_learns_neither_whose_trait_changed_nor_into_what() -> None:
    told = InsiFaults(changes=(TraitChange("delmas-suzanne", "family", "DURAND"),)).to_json()
    assert told == {"outage": "", "slow_s": 0.0, "changes": ["family"]}


@pytest.mark.parametrize(
    "record",
    [
        {"outage": "partial"},
        {"slow_s": -1},
        {"slow_s": 1e9},
        {"slow_s": "3"},
        {"slow_s": True},
        {"slow_s": float("nan")},
        {"changes": "x"},
        {"changes": [{}]},
        {"changes": [{"person": "a", "trait": "oid", "value": "1"}]},
        {"changes": [{"person": "a", "trait": "matricule", "value": "1"}]},
        {"panne": True},
    ],
)
def test_what_cannot_be_played_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        faults_from(record)
