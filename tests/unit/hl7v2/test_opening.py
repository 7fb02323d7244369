"""A message opened: its header, its patients, its documents, and what kept something from opening."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from gateway.exchange.opening import open_message
from gateway.hl7v2.opening import open_hl7
from gateway.rules import Severity
from tests.support.handmade import cda_bytes
from tests.support.hl7_messages import (
    BIRTHPLACE,
    HOME,
    INS,
    IPP,
    NULL_INS,
    Pid,
    adt,
    judged_message,
    oru,
    view_of,
    written,
)
from tests.support.identity_views import COLETTE, ODETTE, ids


def issues(raw: bytes) -> list[str]:
    return [i.rule_id for i in open_hl7(raw).issues]


def test_the_header_is_told_without_any_content() -> None:
    message = open_message(adt(), "hl7v2").hl7
    assert message is not None
    assert (message.message, message.event, message.structure, message.control_id) == ("ADT", "A28", "ADT_A05", "SBX-1")
    assert (message.version, message.charset, message.codec) == ("2.5^FRA^2.11", "UNICODE UTF-8", "utf-8")
    assert message.segments == ("MSH", "EVN", "PID")
    assert ODETTE not in repr(message)


def test_a_pid_is_read_into_a_view() -> None:
    view = view_of(adt(Pid(others={13: f"^NET^Internet^{ODETTE}@patient.mssante.fr", 25: "2"})))
    assert [(i.value, i.oid, i.type_code) for i in view.identifiers] == [
        ("CH000102", "1.2.250.1.999.1", "PI"),
        (ODETTE, "1.2.250.1.213.1.4.10", "INS"),
    ]
    told = (view.birth_family, view.birth_given, view.given_list, view.used_family, view.birth_date, view.sex)
    assert [t.value if t else "" for t in told] == ["BRUNEL", "ODETTE", "ODETTE JEANNE", "MARTIN", "19360214", "F"]
    assert view.birth_place is not None
    assert (view.birth_place.value, str(view.birth_place.where)) == ("48907", "PID-11[2].9 (l. 3)")
    assert view.status is not None
    assert view.status.value == "VALI"
    assert view.mailbox is not None
    assert view.hl7 is not None
    assert view.hl7.birth_rank is not None


def test_a_sound_message_gives_no_finding() -> None:
    assert judged_message(adt(None, "ZFD|||Y|N|INSI|20260301|CN")) == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_files_that_an_editor_touched_read_the_same(end: bytes) -> None:
    assert judged_message(adt().replace(b"\r", end)) == []


def test_an_authority_that_is_no_oid_is_no_oid() -> None:
    view = view_of(adt(Pid(ids="000003^^^CHU&000897406&N^PI~X^^^LOCALE^PI")))
    assert [(i.oid, i.assigning_name) for i in view.identifiers] == [("", "CHU&000897406"), ("", "LOCALE")]


def test_an_ins_under_a_flat_oid_has_no_oid() -> None:
    findings = judged_message(adt(Pid(ids=f"{ODETTE}^^^1.2.250.1.213.1.4.10^INS")))
    assert "INS-020" in ids(findings)


def test_the_older_type_of_a_birthplace_is_read_and_told() -> None:
    raw = adt(Pid(addresses="^^^^^^BR^^48907"))
    assert view_of(raw).birth_place is not None
    assert ids(judged_message(raw)) == {"INS-108"}


def test_several_patients_of_an_adt_are_several_persons() -> None:
    other = Pid(ids=INS.replace(ODETTE, COLETTE), names="BRUNEL^COLETTE^COLETTE JEANNE^^^^L")
    raw = adt(None, "PV1|1|N", other.er7(), event="A24", structure="ADT_A24")
    assert [(v.label, v.person) for v in open_hl7(raw).views] == [("pid", "pid"), ("pid#2", "pid#2")]
    assert judged_message(raw) == []


def test_several_patients_of_a_document_message_are_a_fault() -> None:
    other = Pid(ids=INS.replace(ODETTE, COLETTE), names="BRUNEL^COLETTE^COLETTE JEANNE^^^^L")
    found = ids(judged_message(oru(cda_bytes(), second=other)))
    assert {"HL7-13", "INS-150", "INS-153"} <= found


def test_ten_patients_in_one_message_are_ten_views() -> None:
    raw = adt(None, *(Pid().er7() for _ in range(9)), event="A40", structure="ADT_A39")
    assert [v.where.path for v in open_hl7(raw).views] == [f"PID[{n}]" for n in range(1, 11)]


@pytest.mark.parametrize(
    ("raw", "rules"),
    [
        (b"", ["HL7-01"]),
        (b"PID|1||X\r", ["HL7-01"]),
        (b"MSH|^^^^|A\r", ["HL7-01"]),
        (b"FHS|^~\\&|A\rBHS|^~\\&\r" + adt(), ["HL7-08"]),
        (adt() + adt(), ["HL7-08"]),
        (adt().replace(b"MSH|^~", b"MSH|^\xcb\x9c"), ["HL7-02"]),
        (adt() + b"ligne sans segment\r", ["HL7-06"]),
        (adt(Pid(names="D\\ARC^ODETTE^ODETTE JEANNE^^^^L")), ["HL7-05"]),
        (written(["MSH|^~\\&|A|B|C|D|20260301||ORU^R01^ORU_R01|1|T|2.5||||||UNICODE UTF-8", "PV1|1"]), ["HL7-11"]),
        (written(["MSH|^~\\&|A|B|C|D|20260301|||||||||||UNICODE UTF-8"]), ["HL7-12", "HL7-12", "HL7-12"]),
    ],
)
def test_what_keeps_a_message_from_being_read_is_told(raw: bytes, rules: list[str]) -> None:
    assert issues(raw) == rules


def test_an_acknowledgement_needs_no_patient() -> None:
    assert issues(b"MSH|^~\\&|A|B|C|D|2026||ACK^R01^ACK|1|T|2.5||||||UNICODE UTF-8\rMSA|AA|2\r") == []


def test_the_document_is_opened_and_its_patient_stands_beside_the_pid() -> None:
    opened = open_message(oru(cda_bytes()), "hl7v2")
    assert [v.label for v in opened.views] == ["pid", "cda:OBX[1]"]
    assert opened.documents[0].where.path == "OBX[1]-5.5"


def _with_base64(change: str) -> bytes:
    data = base64.b64encode(b"<ClinicalDocument" + b" " * 600 + b'xmlns="urn:hl7-org:v3"/>').decode()
    edits = {
        "padding": data.rstrip("="),
        "cut": data[: len(data) // 4 * 4 - 3],
        "letters": data[:40] + "%%%%" + data[40:],
        "accent": data[:40] + "éééé",
        "empty": "",
        "spaces": f" {data[:20]} {data[20:]} ",
    }
    raw = oru(b"@").decode()
    return raw.replace(base64.b64encode(b"@").decode(), edits[change]).encode()


@pytest.mark.parametrize(
    ("change", "severity", "documents"),
    [
        ("padding", Severity.WARNING, 1),
        ("cut", None, 0),
        ("letters", None, 0),
        ("accent", None, 0),
        ("empty", None, 0),
    ],
)
def test_each_defect_of_base64(change: str, severity: Severity | None, documents: int) -> None:
    opened = open_hl7(_with_base64(change))
    assert [(i.rule_id, i.hit.severity) for i in opened.issues] == [("HL7-09", severity)]
    assert len(opened.documents) == documents


def test_blanks_inside_base64_are_allowed() -> None:
    assert len(open_hl7(_with_base64("spaces")).documents) == 1


def test_a_few_words_are_no_document() -> None:
    assert issues(oru(b"Document au format CDA")) == ["HL7-10"]
    assert issues(oru(b"<?xml version='1.0' encodi")) == ["HL7-10"]


def test_a_document_type_inside_a_document_is_abuse() -> None:
    bomb = (
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><ClinicalDocument xmlns='urn:hl7-org:v3'>"
        + b"&x;" * 300
        + b"</ClinicalDocument>"
    )
    assert "ABU-01" in ids(judged_message(oru(bomb)))


def test_another_encoding_than_base64_is_told() -> None:
    raw = oru(cda_bytes()).replace(b"^XML^Base64^", b"^XML^A^", 1)
    assert issues(raw) == ["HL7-09"]


def test_the_segments_of_a_group_belong_to_the_pid_before_them() -> None:
    raw = adt(
        None,
        f"MRG|{INS}",
        "ZFA|ACTIF|20260301|||||||IO|20260301|INC|20260301",
        "ZFD|||Y|Y|SM|20260301|CN|20300101",
        event="A47",
        structure="ADT_A30",
    )
    facts, declared = view_of(raw).hl7, view_of(raw).declared
    assert facts is not None
    assert declared is not None
    assert [(m.value, m.type_code) for m in facts.merged] == [(ODETTE, "INS")]
    assert facts.dmp_feeding is not None
    assert (facts.dmp_feeding.value, str(facts.dmp_feeding.where)) == ("IO", "ZFA-9 (l. 5)")
    assert facts.corrected_date is not None
    told = (declared.method, declared.asked_on, declared.proof, declared.proof_ends)
    assert [t.value if t else "" for t in told] == ["SM", "20260301", "CN", "20300101"]


def test_a_deletion_is_told_without_a_matricule() -> None:
    raw = adt(replace(Pid(), ids=f"{IPP}~{NULL_INS}", status="PROV"), f"MRG|{INS}", event="A47", structure="ADT_A30")
    assert judged_message(raw) == []


def test_the_home_address_is_no_birthplace() -> None:
    assert ids(judged_message(adt(Pid(addresses=f"{HOME}^^48907")))) == {"INS-108", "INS-109"}
    assert BIRTHPLACE in Pid().addresses
