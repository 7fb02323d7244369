"""The official HL7 v2 examples: their real defects named under `strict`, none of them blocking under `official-samples`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.exchange.opening import open_message
from gateway.identity.profiles import profile_overrides
from gateway.identity.rules import CROSS_RULES
from gateway.rules import Finding, RuleBook, Severity, load_catalogue
from gateway.values import Direction
from tests.support.hl7_messages import judged_message
from tests.support.identity_views import context, ids
from tests.support.reference import reference

pytestmark = pytest.mark.reference
BOOK = RuleBook(load_catalogue())


def samples() -> list[Path]:
    return sorted(reference("hl7v2/messages").iterdir())


def judged(path: Path, profile: str, direction: Direction = Direction.EMISSION) -> list[Finding]:
    book = BOOK.with_overrides(profile_overrides(profile))
    return judged_message(path.read_bytes(), context(direction, profile=profile), book)


def named(part: str) -> set[str]:
    return ids(judged(reference("hl7v2/messages") / part, "strict"))


@pytest.mark.parametrize("direction", list(Direction))
def test_no_known_defect_blocks_an_official_sample(direction: Direction) -> None:
    assert len(samples()) > 30
    for path in samples():
        found = judged(path, "official-samples", direction)
        assert [f.rule for f in found if f.severity is Severity.BLOCKING] == [], path.name
        assert [f for f in found if f.rule == "INS-205"] == []


def test_an_acknowledgement_has_nothing_to_say() -> None:
    assert all(judged(path, "strict") == [] for path in samples() if "ack" in path.name)


def test_every_message_of_a_patient_names_the_date_on_its_ins() -> None:
    for path in samples():
        if "ack" not in path.name:
            assert "INS-110" in ids(judged(path, "strict")), path.name


def test_a_wrong_key_and_a_missing_list_are_named() -> None:
    assert {"INS-004", "INS-105", "INS-061", "INS-062", "INS-065"} <= named("Volets__TD__V1.2__MDM__message.hl7")


def test_mixed_case_and_a_document_of_a_few_words_are_named() -> None:
    found = named("Volets__TD__V2.0__MDM__Transmission_initiale_MDM__message_MDM_CR_Radio_INIT_N1.er7")
    assert {"INS-040", "INS-105", "HL7-10"} <= found


def test_a_typographic_tilde_is_named_and_the_birthplace_behind_it_found() -> None:
    name = "Volets__TD__V2.0__ORU__Suppression_ORU__message_ORU_CR_Bio_DEL_N1_N3.er7"
    assert "HL7-02" in named(name)
    place = open_message((reference("hl7v2/messages") / name).read_bytes()).views[0].birth_place
    assert place is not None
    assert place.value == "63220"


def test_missing_padding_and_a_cut_mail_body_are_named() -> None:
    found = judged(
        reference("hl7v2/messages/V2__TD21__ORU__Remplacement_ORU__message_ORU_CR_Bio_RPLC_N3_SEGUR.hl7"), "strict"
    )
    places = {f.where.path for f in found if f.rule == "HL7-09"}
    assert len(places) == 2


def test_the_document_of_another_patient_is_named_with_both_identities() -> None:
    path = reference(
        "hl7v2/messages/Volets__TD__V2.1__ORU__Suppression_ORU__message_ORU_CR_Bio_DEL_N1_Base64_N3_Base64.er7"
    )
    found = judged(path, "strict")
    assert {"INS-157", "INS-151", "INS-153", "INS-155"} <= ids(found)
    finding = next(f for f in found if f.rule == "INS-157")
    assert [v.container for v in finding.values] == ["pid", "cda:OBX[1]"]
    assert "279035121518989" not in str(finding.to_json())


def test_the_birthplace_of_the_same_patient_differs_from_the_cda_examples() -> None:
    [pid] = open_message(reference("hl7v2/messages/SGL__admission.er7").read_bytes()).views
    told = []
    for path in sorted(reference("cda/examples").rglob("*.[xX][mM][lL]")):
        for view in open_message(path.read_bytes(), filename=path.name).views:
            place = view.birth_place
            if view.ins is not None and view.ins.value == "279035121518989" and place is not None:
                told += [f for f in BOOK.judge(CROSS_RULES, (pid, view), context(), "x") if f.rule == "INS-156"]
    assert {(f.values[0].value, f.values[1].value) for f in told} == {("63220", "51215")}


def test_the_consents_of_pam_fr_are_read() -> None:
    told = {}
    for path in samples():
        if "Consentement" in path.name:
            facts = open_message(path.read_bytes()).views[0].hl7
            assert facts is not None
            feeding, reading = facts.dmp_feeding, facts.dmp_reading
            told[feeding.value if feeding else ""] = reading.value if reading else ""
    assert told == {"INO": "IC", "IO": "INC", "NA": "NA"}
