"""The nature of a document follows from its type; the unknown is guarded as health data."""

from __future__ import annotations

import csv

import pytest

from gateway.directory.nature import nature_of
from gateway.partners.rights import rights_table
from gateway.tables import read_csv
from tests.support.reference import reference

LOINC = "2.16.840.1.113883.6.1"


def test_health_letters_social_files_and_evaluations_differ() -> None:
    assert nature_of("11490-0", LOINC) == "sante"
    assert nature_of("28653-4", LOINC) == "social"
    assert nature_of("34842-5", LOINC) == "medico-social"
    assert nature_of("BIL_AUTO", "1.2.250.1.213.1.1.4.12") == "medico-social"


def test_what_nobody_can_classify_is_guarded_as_health_data() -> None:
    assert nature_of("00000-0", LOINC) == "sante"
    assert nature_of("", "") == "sante"
    assert nature_of("28653-4", "1.2.3") == "sante"


def test_the_code_alone_is_enough_when_the_system_is_not_told() -> None:
    assert nature_of("28653-4") == "social"


def test_every_nature_is_one_the_rights_table_knows() -> None:
    known = {nature for right in rights_table().values() for nature in right.natures}
    assert {row["nature"] for row in read_csv("codes/nature.csv")} == known


@pytest.mark.reference
def test_every_type_of_the_published_value_set_has_a_nature() -> None:
    with reference("dmp/valuesets/typeCode_with_class.csv").open(encoding="utf-8") as file:
        published = {(r["code"], r["codeSystem"], r["classCode"]) for r in csv.DictReader(file) if r["code"] != "E1762"}
    assert {(r["code"], r["system"], r["class"]) for r in read_csv("codes/nature.csv")} == published
