"""TD0.2: the query read and the answers written, element for element those of the example messages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from gateway.sharing.constants import HL7
from gateway.sharing.td02 import Existence, Td02Query, answer_td02, read_td02, write_td02
from tests.support.reference import reference

AT = datetime(2026, 1, 5, 10, 44, 1, tzinfo=UTC)
ANSWER_ID = "0b6f3f5e-0000-4000-8000-0000000000cc"


def example(name: str, element: str) -> etree._Element:
    found = etree.parse(reference(f"dmp/own-examples/{name}")).find(f".//{{{HL7}}}{element}")
    assert found is not None
    return found


def flat(element: etree._Element) -> list[tuple[str, dict[str, str], str]]:
    return [
        (str(e.tag), {str(k): str(v) for k, v in e.attrib.items()}, (e.text or "").strip())
        for e in element.iter()
        if isinstance(e.tag, str)
    ]


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "existence"),
    [
        ("td02_response_active.xml", Existence("active", "VALIDE", False, "PAT-TROIS", "DOMINIQUE", "F", "19790328")),
        ("td02_response_not_found.xml", Existence("absent")),
    ],
)
def test_the_answer_is_that_of_the_example(name: str, existence: Existence) -> None:
    query = read_td02(example("td02_request.xml", "PRPA_IN201307UV02"))
    assert query is not None
    ours = etree.fromstring(answer_td02(query, existence, ANSWER_ID, AT))
    assert flat(ours) == flat(example(name, "PRPA_IN201308UV02"))


@pytest.mark.reference
def test_a_closed_record_is_terminated_as_in_the_example() -> None:
    theirs = example("td02_response_closed.xml", "PRPA_IN201308UV02")
    status = next(theirs.iter(f"{{{HL7}}}patient"))[1].get("code")
    query = read_td02(example("td02_request.xml", "PRPA_IN201307UV02"))
    assert query is not None
    ours = etree.fromstring(answer_td02(query, Existence("closed"), ANSWER_ID, AT))
    assert next(ours.iter(f"{{{HL7}}}patient"))[1].get("code") == status == "terminated"


def test_what_we_ask_we_can_read() -> None:
    asked = write_td02(("1.2.3", "m1"), ("1.2.4", "q1"), "279035121518989", "1.2.250.1.213.1.4.10", AT)
    read = read_td02(etree.fromstring(asked))
    assert read is not None
    assert (read.message_id, read.query_id, read.reason) == (("1.2.3", "m1"), ("1.2.4", "q1"), "TEST_EXST")
    assert read.view().identifiers[0].value == "279035121518989"


def test_a_query_without_patient_has_an_empty_view() -> None:
    read = read_td02(etree.fromstring(f'<PRPA_IN201307UV02 xmlns="{HL7}"/>'))
    assert read == Td02Query(("", ""), ("", ""), "", "", "")
    assert read.view().identifiers == ()
    assert read_td02(etree.fromstring("<other/>")) is None


def test_values_of_the_query_are_escaped_in_the_answer() -> None:
    query = Td02Query(('1"<', "&"), ("1.2", "q"), "2790", "1.2", "TEST_EXST", sender_name="<script>&")
    ours = etree.fromstring(answer_td02(query, Existence("active"), ANSWER_ID, AT))
    assert ours.findtext(f".//{{{HL7}}}receiver/{{{HL7}}}device/{{{HL7}}}softwareName") == "<script>&"
