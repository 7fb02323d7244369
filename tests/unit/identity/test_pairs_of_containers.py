"""Which containers are compared with which, where a difference is told, and what stands side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.identity.facts import CodeTold, DeclaredStatus
from gateway.identity.model import ContainerKind, IdentityView
from gateway.identity.rules_cross import file_of
from gateway.rules import Finding
from gateway.values import Where
from tests.support.hl7_messages import changed
from tests.support.identity_views import (
    COLETTE,
    ODETTE,
    PLACE,
    cda,
    datamatrix,
    fhir,
    hl7,
    ids,
    ins,
    ipp,
    judged,
    lot,
    mail,
    metadata,
    vihf,
)

TWIN, TWIN_ENTRY = (ins(COLETTE),), (ins(COLETTE, type_code="NH"), ipp())


def finding(rule_id: str, *views: IdentityView) -> Finding:
    (found,) = [one for one in judged(*views) if one.rule == rule_id]
    return found


def silent(rule_id: str, *views: IdentityView) -> bool:
    found = ids(judged(*views))
    assert "INS-205" not in found, "a rule failed"
    return rule_id not in found


def containers(found: Finding) -> list[str]:
    return [value.container for value in found.values]


# -------------------------------------------------------------------------------------------------------------- matricule


def test_a_document_is_compared_with_its_own_entry_before_any_other() -> None:
    entries = (metadata(), metadata(label="metadata:2.XML", identifiers=TWIN_ENTRY))
    twin = cda(label="cda:2.xml", identifiers=TWIN)
    assert silent("INS-150", *entries, cda(), twin)
    swapped = finding("INS-150", *entries, cda(label="cda:2.XML"), cda(identifiers=TWIN))
    assert containers(swapped)[:2] == ["metadata:2.XML", "cda:2.XML"]
    assert swapped.container == "cda:2.XML"


def test_a_document_without_an_entry_is_compared_with_every_entry_or_with_the_first_document() -> None:
    loose = finding("INS-150", metadata(), metadata(label="metadata:2.XML"), cda(label="cda:x", identifiers=TWIN))
    assert containers(loose)[:2] == ["metadata:DOC0001.XML", "cda:x"]
    second = finding(
        "INS-150", metadata(), metadata(label="metadata:2.XML", identifiers=TWIN_ENTRY), cda(label="cda:x")
    )
    assert containers(second)[:2] == ["metadata:2.XML", "cda:x"]
    pair = finding("INS-150", cda(), cda(label="cda:2"), cda(label="cda:3", identifiers=TWIN))
    assert (containers(pair)[:2], pair.container) == (["cda:DOC0001.XML", "cda:3"], "cda:3")


def test_another_kind_of_container_is_compared_with_all_but_a_pid_with_a_document() -> None:
    other = finding("INS-150", cda(), fhir(identifiers=(ins(COLETTE, type_code="INS-NIR-TEST"),)))
    assert (containers(other), other.container) == (["cda:DOC0001.XML", "Patient/1"], "Patient/1")
    assert silent("INS-150", hl7(identifiers=(ins(COLETTE, type_code="INS"), ipp())), cda())
    assert silent("INS-150", cda(), hl7(identifiers=(ins(COLETTE, type_code="INS"), ipp())))
    both = finding("INS-150", hl7(), hl7(label="pid[2]", identifiers=(ins(COLETTE, type_code="INS"),)))
    assert set(containers(both)) == {"pid", "pid[2]"}
    among = finding("INS-150", cda(), cda(label="cda:2"), fhir(identifiers=(ins(COLETTE, type_code="INS-NIR-TEST"),)))
    assert containers(among) == ["cda:DOC0001.XML", "Patient/1", "cda:2"]


def test_a_difference_far_down_a_long_message_is_shown_first() -> None:
    entries = [metadata(label=f"metadata:{n}.XML") for n in range(30)]
    last = metadata(label="metadata:30.XML", identifiers=TWIN_ENTRY, birth_family="MARTIN")
    for rule_id in ("INS-131", "INS-151"):
        found = finding(rule_id, *entries, last)
        assert (found.container, len(found.values)) == ("metadata:30.XML", 20)
        assert containers(found)[:3] == ["metadata:0.XML", "metadata:30.XML", "metadata:1.XML"]
        assert (found.expected, found.received) == (found.values[0].value, found.values[1].value)
        assert containers(finding(rule_id, *entries[:19], last))[:2] == ["metadata:0.XML", "metadata:1.XML"]


def test_containers_that_have_a_rule_of_their_own_and_containers_without_an_ins_stand_aside() -> None:
    assert silent("INS-150", cda(), vihf(identifiers=TWIN), datamatrix(identifiers=TWIN), mail())
    assert silent("INS-150", cda(), fhir(identifiers=(ipp(),)))


def test_the_same_ins_with_separators_is_the_same() -> None:
    assert silent("INS-150", metadata(), cda(identifiers=(ins("2 36 02 48 907 041 79"),)))


def test_the_last_arc_of_a_strange_oid_is_shown_cut() -> None:
    assert file_of(cda(label="cda:a:B.XML")) == "a:b.xml"
    assert file_of(cda(label="mail")) == ""


def test_the_oid_of_a_number_is_shown_behind_it() -> None:
    other = finding("INS-150", metadata(), cda(identifiers=(ins(oid="1.2.250.1.213.1.4.8"),)))
    assert [value.value for value in other.values] == ["2360·········79 (.10)", "2360·········79 (.8)"]


# ----------------------------------------------------------------------------------------------------------------- traits


@pytest.mark.parametrize(
    ("rule_id", "field", "value"),
    [
        ("INS-151", "birth_family", "MARTIN"),
        ("INS-153", "birth_given", "JEANNE"),
        ("INS-153", "given_list", "ODETTE MARIE"),
        ("INS-154", "sex", "male"),
        ("INS-155", "birth_date", "1936-02-15"),
        ("INS-156", "birth_place", "48908"),
        ("INS-152", "birth_given", "Odette"),
        ("INS-152", "given_list", "ODETTE-JEANNE"),
    ],
)
def test_a_trait_told_otherwise_by_the_third_container_is_told_at_the_third(
    rule_id: str, field: str, value: str
) -> None:
    found = finding(rule_id, cda(), cda(label="cda:2"), fhir(**{field: value}))
    assert found.container == "Patient/1"
    assert containers(found) == ["cda:DOC0001.XML", "cda:2", "Patient/1"]
    assert found.where.path.endswith(field)
    assert "cda:DOC0001.XML" in found.message.fr
    assert "Patient/1" in found.message.fr


@pytest.mark.parametrize("field", ["birth_family", "birth_given", "given_list", "sex", "birth_date", "birth_place"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_trait_that_a_container_does_not_tell_is_no_difference(field: str, value: str | None) -> None:
    found = ids(judged(cda(), hl7(**{field: value})))
    assert not found & {"INS-064", "INS-151", "INS-152", "INS-153", "INS-154", "INS-155", "INS-156"}


def test_a_printed_datamatrix_and_an_undetermined_sex_are_no_difference() -> None:
    assert silent("INS-151", cda(), datamatrix(birth_family="MARTIN"))
    assert silent("INS-154", cda(), fhir(sex="unknown"), hl7(sex="U"))


def test_a_spelling_is_told_only_where_the_names_are_the_same() -> None:
    assert silent("INS-152", cda(), fhir(birth_family="MARTIN"))
    assert silent("INS-151", cda(), fhir(birth_family="Brunel"))
    assert silent("INS-156", cda(birth_place="2A004"), fhir(birth_place="2a004"))


def test_names_are_compared_over_their_first_five_hundred_characters() -> None:
    long = "A" * 499
    assert silent("INS-151", cda(birth_family=f"{long}BX"), fhir(birth_family=f"{long}BY"))
    assert not silent("INS-151", cda(birth_family=f"{long}B"), fhir(birth_family=f"{long}C"))


def test_what_only_printed_pages_tell_is_not_compared() -> None:
    pages = (datamatrix(), datamatrix(label="datamatrix:2", given_list="MARIE", birth_date="01-01-2000"))
    for rule_id in ("INS-153", "INS-155"):
        assert silent(rule_id, *pages)


def test_the_first_given_names_of_two_lists_are_told_once() -> None:
    found = judged(cda(), fhir(birth_given="COLETTE", given_list="COLETTE JEANNE"))
    assert [f.rule for f in found].count("INS-153") == 1


def test_the_longest_list_decides_and_the_order_of_the_message_is_kept() -> None:
    short, long = fhir(given_list="ODETTE MARIE"), cda(given_list="ODETTE JEANNE LOUISE")
    for views, told_at in (((short, long), "cda:DOC0001.XML"), ((long, short), "Patient/1")):
        found = finding("INS-153", *views)
        assert (found.container, containers(found)) == (told_at, [view.label for view in views])
    assert silent("INS-153", cda(), hl7(given_list="ODETTE"), fhir(given_list="ODETTE JEANNE LOUISE"))


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [("1936", "19360214", False), ("1937", "19360214", True), ("193603", "19360214", True), ("x", "19360214", False)],
)
def test_dates_are_compared_at_the_precision_they_share(one: str, other: str, differ: bool) -> None:
    for views in ((metadata(birth_date=one), cda(birth_date=other)), (metadata(birth_date=other), cda(birth_date=one))):
        assert silent("INS-155", *views) is not differ
        if differ:
            found = finding("INS-155", *views)
            assert (found.container, containers(found)) == (
                "cda:DOC0001.XML",
                ["metadata:DOC0001.XML", "cda:DOC0001.XML"],
            )


def test_the_fullest_date_is_the_one_others_are_compared_with() -> None:
    views = (metadata(birth_date="1936"), cda(), fhir(birth_date="1936-02-15"))
    found = finding("INS-155", *views)
    assert (found.container, found.received) == ("Patient/1", "1·········(10)")
    assert "cda:DOC0001.XML" in found.message.fr


@pytest.mark.parametrize(("year", "told"), [("2036", True), ("1836", True), ("1937", False), ("2035", False)])
def test_a_hundred_years_apart_is_a_century_completed_wrongly(year: str, told: bool) -> None:
    views = (metadata(), cda(birth_date=f"{year}0214"))
    assert silent("INS-064", *views) is not told
    if told:
        found = finding("INS-064", *views)
        assert (found.received, found.expected, found.container) == (year, "1936", "cda:DOC0001.XML")
        assert containers(found) == ["metadata:DOC0001.XML", "cda:DOC0001.XML"]


def test_in_a_package_of_several_patients_each_document_is_compared_with_its_own_entry() -> None:
    entry = metadata(label="metadata:2.XML", identifiers=TWIN_ENTRY, birth_family="PETIT")
    document = cda(label="cda:2.XML", identifiers=TWIN, birth_family="PETIT")
    assert silent("INS-151", metadata(), cda(), entry, document)
    assert not silent("INS-151", metadata(), cda(), entry, replace(document, birth_family=cda().birth_family))
    assert not silent("INS-151", cda(), document)
    wrong = {"birth_date": "20370215", "given_list": "MARIE"}
    both = [
        metadata(birth_date="19370214"),
        cda(given_list="ODETTE"),
        fhir(label="Patient:DOC0001.XML", given_list="MARIE"),
    ]
    both += [entry, replace(cda(label="cda:2.XML", identifiers=TWIN, **wrong), birth_family=entry.birth_family)]
    both += [fhir(label="Patient:2.XML", given_list="ODETTE")]
    told = [f.rule for f in judged(*both)]
    assert (told.count("INS-155"), told.count("INS-153")) == (2, 2)
    centuries = [
        metadata(birth_date="18360214"),
        cda(),
        entry,
        cda(label="cda:2.XML", identifiers=TWIN, birth_date="20360214"),
    ]
    assert [f.rule for f in judged(*centuries)].count("INS-064") == 2
    same = cda(label="cda:2.XML", birth_family="PETIT")
    assert not silent("INS-151", metadata(), cda(), metadata(label="metadata:2.XML", birth_family="PETIT"), same)


# ---------------------------------------------------------------------------------------------------------------- package


def test_the_patient_id_of_any_entry_may_differ_from_the_lot() -> None:
    entry = metadata(label="metadata:2.XML", identifiers=TWIN_ENTRY)
    found = finding("INS-131", lot(), metadata(), entry)
    assert found.container == "metadata:2.XML"
    assert containers(found) == ["metadata:lot", "metadata:DOC0001.XML", "metadata:2.XML"]
    assert silent("INS-131", cda(), vihf(identifiers=TWIN), lot())


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"birth_family": None}, "PID-5 L"),
        ({"birth_date": ""}, "PID-7"),
        ({"sex": "U"}, "PID-8"),
        ({"birth_family": "", "birth_date": None, "sex": None}, "PID-5 L, PID-7, PID-8"),
    ],
)
def test_what_an_entry_leaves_out_of_its_document_is_told(changes: dict[str, str | None], lacking: str) -> None:
    found = finding("INS-132", metadata(**changes), cda())
    assert found.expected == lacking
    assert found.received == lacking.replace(",", " ∅,") + " ∅"
    assert (found.container, containers(found)) == ("metadata:DOC0001.XML", ["metadata:DOC0001.XML", "cda:DOC0001.XML"])
    assert silent("INS-132", metadata(**changes), cda(**changes))


def test_an_entry_is_compared_with_its_document_or_with_the_only_one() -> None:
    silent_entry = metadata(sex="U")
    assert not silent("INS-132", silent_entry, cda(label="cda:elsewhere.XML"))
    assert silent("INS-132", silent_entry, cda(label="cda:a"), cda(label="cda:b"))
    assert silent("INS-132", silent_entry, cda(label="cda:elsewhere.XML"), metadata(label="metadata:elsewhere.XML"))
    assert silent("INS-132", lot(), cda())
    assert silent("INS-132", silent_entry)


def test_a_vihf_is_compared_with_the_metadata_only() -> None:
    found = finding("INS-134", vihf(identifiers=TWIN), lot(), metadata())
    assert (found.container, containers(found)) == ("metadata:lot", ["vihf", "metadata:lot", "metadata:DOC0001.XML"])
    assert silent("INS-134", vihf(identifiers=TWIN), cda())
    assert silent("INS-134", vihf(identifiers=(ipp(),)), lot())
    late = finding("INS-134", vihf(), lot(), metadata(identifiers=TWIN_ENTRY))
    assert late.container == "metadata:DOC0001.XML"


def test_two_patients_are_a_fault_of_a_package_only() -> None:
    third = cda(label="cda:3.XML", identifiers=TWIN)
    found = finding("INS-136", lot(), cda(), cda(label="cda:2.XML"), third)
    assert (found.container, containers(found)) == ("cda:3.XML", ["cda:DOC0001.XML", "cda:2.XML", "cda:3.XML"])
    assert silent("INS-136", cda(), third)


def test_a_patient_who_writes_is_compared_with_the_documents_or_else_with_the_metadata() -> None:
    found = finding("INS-144", mail(f"{COLETTE}@patient.mssante.fr"), lot())
    assert (found.container, found.where.path, containers(found)) == ("mail", "To", ["mail", "metadata:lot"])
    assert silent("INS-144", mail(), lot(identifiers=TWIN_ENTRY[:1]), cda())
    assert silent("INS-144", mail())
    assert silent("INS-144", replace(mail(), mailbox=None), lot(identifiers=TWIN_ENTRY[:1]))
    assert not silent("INS-144", mail(f"{COLETTE}@patient.mssante.fr"), mail(), lot())
    assert not silent("INS-144", mail(), mail(f"{COLETTE}@patient.mssante.fr"), lot())


def test_a_malformed_address_does_not_hide_the_next_one() -> None:
    assert not silent("INS-144", mail("23602@patient.mssante.fr"), mail(f"{COLETTE}@patient.mssante.fr"), lot())


def test_twenty_documents_stand_beside_the_address_of_a_patient() -> None:
    documents = [cda(label=f"cda:{n}") for n in range(25)]
    assert len(finding("INS-144", mail(f"{COLETTE}@patient.mssante.fr"), *documents).values) == 21


# -------------------------------------------------------------------------------------------------------------- datamatrix


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"identifiers": TWIN}, "INS"),
        ({"birth_family": "MARTIN"}, "birth_family"),
        ({"given_list": "ODETTE"}, "given_list"),
        ({"sex": "M"}, "sex"),
        ({"birth_date": "15-02-1936"}, "birth_date"),
        ({"identifiers": TWIN, "sex": "M"}, "INS, sex"),
    ],
)
def test_what_the_printed_page_tells_otherwise_is_named(changes: dict[str, object], differing: str) -> None:
    found = finding("INS-158", datamatrix(**changes), cda())
    assert (found.received, found.expected, found.container) == (differing, "cda:DOC0001.XML", "datamatrix:DOC0001.XML")
    assert containers(found) == ["datamatrix:DOC0001.XML", "cda:DOC0001.XML"]


@pytest.mark.parametrize("field", ["birth_family", "given_list", "sex", "birth_date"])
def test_what_one_of_both_does_not_tell_is_no_difference(field: str) -> None:
    for value in (None, ""):
        assert silent("INS-158", datamatrix(**{field: value}), cda())
        assert silent("INS-158", datamatrix(), cda(**{field: value}))
    assert silent("INS-158", datamatrix(birth_date="x"), cda())
    assert silent("INS-158", datamatrix(), cda(birth_date="x"))


def test_a_page_without_an_ins_or_beside_none_shows_an_empty_one() -> None:
    found = finding("INS-158", datamatrix(identifiers=(), sex="M"), cda())
    assert [value.value for value in found.values] == ["∅", "2360·········79"]
    assert silent("INS-158", datamatrix(identifiers=()), cda())
    assert silent("INS-158", datamatrix(), cda(identifiers=(ipp(),)))
    assert silent("INS-158", datamatrix(sex="M"), lot())


def test_a_page_is_compared_with_the_document_it_is_printed_on_or_with_the_first() -> None:
    documents = (cda(label="cda:1.XML", sex="M"), cda(label="cda:2.XML"))
    assert silent("INS-158", datamatrix(label="datamatrix:2.XML"), *documents)
    assert finding("INS-158", datamatrix(label="datamatrix:9.XML"), *documents).expected == "cda:1.XML"
    assert silent("INS-158", datamatrix(birth_family="Brunel"), cda())
    long = "A" * 500
    assert silent("INS-158", datamatrix(birth_family=f"{long}B"), cda(birth_family=f"{long}C"))


def declared(*codes: str, comments: tuple[str, ...] = ()) -> DeclaredStatus:
    def told(all_codes: tuple[str, ...]) -> tuple[CodeTold, ...]:
        return tuple(CodeTold(code, PLACE) for code in all_codes)

    return DeclaredStatus(codes=told(codes), comments=told(comments))


def test_why_a_page_must_not_be_printed_is_told() -> None:
    doubtful = replace(cda(), declared=declared("VALI", "PROV", comments=("DOUT", "x")))
    assert finding("INS-159", datamatrix(), doubtful).expected == "datamatrix ∅ (PROV, DOUT)"
    assert finding("INS-159", datamatrix(identifiers=()), changed(status="PROV")).received == "IS01…"
    nobody = cda(identifiers=(ipp(type_code=""),), ins_expected=False)
    assert finding("INS-159", datamatrix(), replace(nobody, declared=declared("VALI"))).expected == "INS ∅"


def test_a_page_is_judged_by_its_own_document_or_else_by_any_container() -> None:
    nobody = cda(identifiers=(ipp(type_code=""),), ins_expected=False)
    other = metadata(label="metadata:2.XML")
    assert not silent("INS-159", datamatrix(), nobody, other)
    assert silent("INS-159", datamatrix(label="datamatrix:9.XML"), nobody, other)
    assert silent("INS-159", datamatrix())
    empty = replace(datamatrix(identifiers=()), subject_count=0)
    told = finding("INS-159", cda(), empty)
    assert (told.received, told.expected, told.container) == ("datamatrix ∅", "IS01…", "datamatrix:DOC0001.XML")
    assert not silent("INS-159", nobody, datamatrix(label="datamatrix:x"), datamatrix())


def test_every_value_beside_another_says_where_it_stands() -> None:
    far = replace(cda(identifiers=TWIN), where=Where(PLACE.kind, "/elsewhere", 2))
    assert {value.path for value in finding("INS-158", datamatrix(), far).values} == {str(PLACE), "/elsewhere (l. 2)"}
    assert far.kind is ContainerKind.CDA
    assert ODETTE not in str(finding("INS-158", datamatrix(), far).to_json())
