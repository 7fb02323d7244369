"""Bundles, references and documents opened: who is one person, what is compared, what keeps something from opening."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
import sys
from hashlib import sha1
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.exchange.opening import open_message, sniff
from gateway.partners.fhir import open_fhir
from gateway.rules import Severity, load_catalogue
from gateway.sandbox.model import Limits
from tests.support.fhir_resources import bundle, colette, document_reference, identifier, octets, patient, status
from tests.support.handmade import cda_bytes
from tests.support.hl7_messages import judged_message
from tests.support.identity_views import COLETTE, ODETTE, ids
from tests.support.reference import ROOT

OID = "1.2.250.1.213.1.4.10"


def labels(resource: Any) -> list[tuple[str, str]]:
    return [(v.label, v.person) for v in open_fhir(octets(resource)).views]


def issues(raw: bytes, *, structure: bool = True) -> list[str]:
    return [i.rule_id for i in open_fhir(raw, structure=structure).issues]


def source(**members: Any) -> dict[str, Any]:
    held = {"system": f"urn:oid:{OID}", "value": ODETTE}
    return {"resourceType": "Patient", "id": "src", "identifier": [held], **members}


def described(cda: bytes | None = None, **members: Any) -> dict[str, Any]:
    found = document_reference(cda, **members)
    found["contained"] = [source()]
    found["subject"] = {"reference": f"Patient?identifier=urn:oid:{OID}|{ODETTE}"}
    found["context"] = {"sourcePatientInfo": {"reference": "#src"}}
    return found


def test_every_patient_of_a_collection_is_a_person_of_its_own() -> None:
    raw = bundle(patient(), colette())
    assert labels(raw) == [
        ("Patient/odette", "Bundle.entry[0].resource"),
        ("Patient/colette", "Bundle.entry[1].resource"),
    ]
    assert judged_message(octets(raw)) == []


def test_ten_patients_are_ten_views_and_no_disagreement() -> None:
    raw = bundle(*[{**(patient() if n % 2 else colette()), "id": f"p{n}"} for n in range(10)], kind="searchset")
    assert len(open_fhir(octets(raw)).views) == 10
    assert judged_message(octets(raw)) == []


def test_a_document_joins_the_patient_it_refers_to() -> None:
    other = document_reference(cda_bytes(), subject="Patient/colette", id="doc2")
    raw = bundle(patient(), colette(), other)
    assert labels(raw)[2] == ("cda:DocumentReference/doc2", "Bundle.entry[1].resource")
    rules = ids(judged_message(octets(raw)))
    assert "INS-150" in rules


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/odette",
        "https://ehpad.test/fhir/Patient/odette",
        "Patient/odette/_history/3",
        "https://autre.test/Patient/odette",
    ],
)
def test_each_form_of_reference_is_resolved(reference: str) -> None:
    raw = bundle(patient(), colette(), document_reference(cda_bytes(), subject=reference))
    assert labels(raw)[-1] == ("cda:DocumentReference/doc1", "Bundle.entry[0].resource")


def test_a_reference_by_identifier_joins_its_holder() -> None:
    pointing = document_reference(cda_bytes(), subject=f"Patient?identifier=urn%3Aoid%3A{OID}%7C{COLETTE}")
    raw = bundle(patient(), colette(), pointing)
    assert [person for _, person in labels(raw)[2:]] == ["Bundle.entry[1].resource"] * 2


def test_a_submission_is_about_one_person() -> None:
    listing = {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "subject": {"identifier": identifier(COLETTE)},
    }
    raw = bundle(listing, described(), patient(), kind="transaction")
    assert {person for _, person in labels(raw)} == {""}
    assert "INS-150" in ids(judged_message(octets(raw)))


def test_source_patient_info_is_compared_and_not_asked_for_every_trait() -> None:
    assert ids(judged_message(octets(described()))) == set()
    named = described()
    named["contained"] = [source(name=[{"family": "BRUNET", "given": ["ODETTE"]}], birthDate="1936")]
    raw = bundle(patient(), named, kind="transaction")
    assert "INS-151" in ids(judged_message(octets(raw)))


def test_pointers_that_say_the_same_are_told_once() -> None:
    assert labels(described()) == [("DocumentReference/doc1#src", "")]


def test_a_document_without_an_ins_is_told_as_such() -> None:
    raw = document_reference()
    raw["subject"] = {"identifier": {"system": "urn:oid:1.2.250.1.999.1", "value": "CH000102"}}
    assert ids(judged_message(octets(raw))) == {"INS-031"}


def test_a_contained_patient_that_claims_the_ins_profile_is_judged_whole() -> None:
    raw = document_reference()
    raw["contained"] = [{**patient(), "id": "src", "gender": "unknown"}]
    assert "INS-126" in ids(judged_message(octets(raw)))


def test_an_inline_cda_is_opened_and_compared() -> None:
    opened = open_message(octets(described(cda_bytes())), "fhir")
    assert [d.label for d in opened.documents] == ["cda:DocumentReference/doc1"]
    assert opened.documents[0].where.path == "DocumentReference.content[0].attachment.data"


def test_a_cda_in_a_binary_of_the_bundle_is_opened() -> None:
    binary = {
        "resourceType": "Binary",
        "id": "b1",
        "contentType": "text/xml",
        "data": base64.b64encode(cda_bytes()).decode(),
    }
    reference = document_reference(id="doc9")
    reference["content"][0]["attachment"]["url"] = "urn:uuid:0b6f3f5e-0000-4000-8000-000000000009"
    raw = bundle(patient(), reference, binary, kind="transaction")
    raw["entry"][2]["fullUrl"] = "urn:uuid:0b6f3f5e-0000-4000-8000-000000000009"
    opened = open_fhir(octets(raw))
    assert [d.where.path for d in opened.documents] == ["Bundle.entry[2].resource.data"]


def test_size_and_hash_of_an_attachment_are_those_of_its_octets() -> None:
    raw = document_reference(b"<ClinicalDocument/>")
    raw["content"][0]["attachment"]["hash"] = base64.b64encode(sha1(b"<ClinicalDocument/>").digest()).decode()
    assert "FHIR-10" not in issues(octets(raw))
    raw["content"][0]["attachment"] |= {"size": 80, "hash": "AAAA"}
    assert issues(octets(raw)).count("FHIR-10") == 2


@pytest.mark.parametrize(
    ("raw", "rules"),
    [
        (b"{", ["FHIR-01"]),
        (b'{"resourceType":"Patient",}', ["FHIR-01"]),
        (b'{"resourceType":"Patient","x":NaN}', ["FHIR-01"]),
        (b'{"resourceType":"Patient","id":"\xe9"}', ["FHIR-01"]),
        (b'{"a":' + b"9" * 5000 + b"}", ["FHIR-01"]),
        (b'<Patient xmlns="http://hl7.org/fhir"/>', ["FHIR-02"]),
        (b"[1]", ["FHIR-03"]),
        (b'{"sub":"x"}', ["FHIR-03"]),
        (b'{"resourceType":"Patiente"}', ["FHIR-03"]),
        (b'{"resourceType":{"a":1}}', ["FHIR-03"]),
        (b'{"resourceType":"Patient","nom":"X"}', ["FHIR-04"]),
        (b'{"resourceType":"Patient","gender":"male","gender":"female"}', ["FHIR-05"]),
        (b'{"resourceType":"Bundle","type":"lot"}', ["FHIR-08"]),
        (
            b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","name":"X"}}]}',
            ["FHIR-04"],
        ),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, ["FHIR-20"]),
        (b'{"a":' * 200 + b"1" + b"}" * 200, ["FHIR-20"]),
    ],
)
def test_what_keeps_a_resource_from_being_read_is_told(raw: bytes, rules: list[str]) -> None:
    assert issues(raw) == rules


def test_a_resource_above_the_limit_is_refused_unread() -> None:
    assert [i.rule_id for i in open_fhir(octets(patient()), Limits(json_bytes=100)).issues] == ["FHIR-20"]


def test_a_structural_fault_is_told_in_the_readers_words_at_its_place() -> None:
    raw = octets(document_reference(date="2026-03-01T10:00:00"))
    [finding] = [f for f in judged_message(raw) if f.rule == "FHIR-04"]
    assert finding.where.path == "DocumentReference.date"
    assert "fuseau" in finding.message.fr
    assert "zone" in finding.message.en


def test_a_broken_base64_is_told() -> None:
    raw = document_reference(b"x")
    raw["content"][0]["attachment"]["data"] = "%%%"
    assert "FHIR-09" in issues(octets(raw), structure=False)


def test_a_pointer_to_nothing_is_told() -> None:
    raw = document_reference(subject="#nobody")
    assert issues(octets(raw)) == ["FHIR-06"]
    assert issues(octets(bundle(document_reference(subject="urn:uuid:1"), kind="transaction"))) == ["FHIR-06"]


def test_an_id_that_is_a_matricule_is_never_shown() -> None:
    raw = octets(patient(id=ODETTE, gender="other"))
    for finding in judged_message(raw):
        assert ODETTE not in str(finding.to_json())


def test_kinds_of_fhir_are_recognised() -> None:
    assert sniff(b'<Patient xmlns="http://hl7.org/fhir"/>') == "fhir"
    assert sniff(octets(bundle(patient()))) == "fhir"


def test_the_summary_holds_no_content() -> None:
    message = open_message(octets(bundle(patient())), "fhir").fhir
    assert message is not None
    assert (message.type, message.bundle_type, message.types) == ("Bundle", "collection", ("Patient",))
    assert ODETTE not in repr(message)


def test_plain_opening_never_loads_the_heavy_library() -> None:
    code = (
        "import sys; from gateway.exchange.opening import open_message;"
        "open_message(b'{\"resourceType\":\"Patient\"}', 'fhir', structure=False);"
        "assert not {'fhir', 'pydantic', 'fhir.resources'} & set(sys.modules), 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ELEMENTS = st.sampled_from(
    sorted({*patient(), *document_reference(), "contained", "context", "_gender", "entry", "telecom"})
)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(ELEMENTS, JSON, max_size=5), st.sampled_from(["Patient", "DocumentReference", "Bundle", "List"]))
def test_any_value_in_any_element_is_opened_and_judged(changes: dict[str, Any], kind: str) -> None:
    base = patient() if kind == "Patient" else document_reference(b"<ClinicalDocument/>")
    raw = octets({**base, **changes, "resourceType": kind})
    pickle.dumps(open_fhir(raw))
    assert [f for f in judged_message(raw) if f.rule == "INS-205"] == []


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 2000))
def test_damaged_octets_open(noise: bytes, at: int) -> None:
    raw = octets(bundle(patient(), described(cda_bytes()), kind="transaction"))
    pickle.dumps(open_fhir(raw[:at] + noise + raw[at + len(noise) :]))


@given(JSON, st.sampled_from(["identifier", "name", "extension"]))
def test_any_value_inside_a_patient_is_read(value: Any, element: str) -> None:
    found = patient()
    found[element][0] = value
    pickle.dumps(open_fhir(octets(found)))


def test_a_megabyte_of_name_is_told_within_bounds() -> None:
    name = {**patient()["name"][0], "family": "É" * 1_000_000}
    for finding in judged_message(octets(patient(name=[name]))):
        assert len(finding.received) < 1000


def test_a_crowd_is_judged_in_part_and_says_so() -> None:
    crowd = bundle(*[{"resourceType": "Patient"}] * 6000, kind="searchset")
    opened = open_fhir(octets(crowd))
    assert [i.rule_id for i in opened.issues] == ["FHIR-21"]
    assert len(opened.views) == 2000


def test_resources_full_of_contained_patients_are_looked_at_within_bounds() -> None:
    full = document_reference()
    full["contained"] = [{"resourceType": "Patient", "gender": str(n)} for n in range(1000)]
    opened = open_fhir(octets(bundle(*[full] * 300)))
    assert 0 < len(opened.views) <= 2000


def test_a_lone_surrogate_goes_through() -> None:
    raw = octets(patient(name=[{"use": "official", "family": "X"}])).replace(b'"X"', b'"\\ud800"')
    assert pickle.dumps(open_fhir(raw))


def test_each_fault_has_its_card_in_two_languages() -> None:
    for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 20, 21):
        card = load_catalogue()[f"FHIR-{number:02}"]
        assert card.message.fr != card.message.en
        assert card.cure.fr.endswith(".")
        assert card.passing
        assert card.breaking


def test_the_status_of_a_person_is_not_that_of_another() -> None:
    doubtful = colette()
    doubtful["extension"][0] = status("PROV")
    assert Severity.BLOCKING not in {f.severity for f in judged_message(octets(bundle(patient(), doubtful)))}


def test_json_numbers_are_left_as_received() -> None:
    raw = json.dumps({"resourceType": "Patient", "multipleBirthInteger": 2}).encode()
    assert issues(raw) == []
