"""What the rules of a PID show of a fault: the repetition, the component, the codes, and how many at most."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.identity.model import INS_OIDS, IdentityView
from gateway.rules import Finding, Severity
from gateway.values import Located, PlaceKind, Where
from tests.support.hl7_messages import BIRTHPLACE, HOME, INS, IPP, NULL_INS, Pid, adt, changed, view_of
from tests.support.identity_examples_hl7 import OLD_INS
from tests.support.identity_views import COLETTE, ODETTE, cda, hl7, ids, ins, ipp, judged

NAME = "BRUNEL^ODETTE^ODETTE JEANNE"


def finding(view: IdentityView, rule_id: str) -> Finding:
    (found,) = [one for one in judged(view) if one.rule == rule_id]
    return found


def seen(rule_id: str, **changes: str) -> tuple[str, str]:
    found = finding(changed(**changes), rule_id)
    return found.where.path, found.received


def zfd(fields: str, **changes: str) -> IdentityView:
    return view_of(adt(replace(Pid(), **changes), f"ZFD|{fields}"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule_id", "changes", "place", "received"),
    [
        ("INS-100", {"status": "", "ids": IPP}, "PID-32", "∅"),
        ("INS-100", {"status": "DOUA~HOMA", "ids": IPP}, "PID-32[1]", "DOUA, HOMA"),
        ("INS-101", {"status": "PROV~HOMA"}, "PID-32[1]", "PROV, HOMA"),
        ("INS-102", {"status": "VALI~HOMA~" + "Q" * 30}, "PID-32[3]", "Q" * 20),
        ("INS-103", {"names": ""}, "PID-5", "0 x L (∅)"),
        ("INS-103", {"names": f"{NAME}^^^^L~{NAME}~{NAME}^^^^L"}, "PID-5[1]", "2 x L (L, ∅, L)"),
        ("INS-104", {"names": f"{NAME}^^^^L~MARTIN^ODETTE^^^^^{'M' * 30}"}, "PID-5[2]", "M" * 20),
        ("INS-105", {"names": "BRUNEL^ODETTE^^^^^L"}, "PID-5[1].3", "∅"),
        ("INS-106", {"names": f"{NAME}^^^L"}, "PID-5[1]", "XPN-6 L"),
        ("INS-106", {"names": f"{NAME}^^^^^L"}, "PID-5[1]", "XPN-8 L"),
        ("INS-106", {"names": "BRUNEL^^ODETTE JEANNE^^^^L"}, "PID-5[1]", "XPN-2 ∅ + XPN-3 O············(13)"),
        ("INS-108", {"addresses": ""}, "PID-11", "∅"),
        ("INS-108", {"addresses": HOME}, "PID-11", "∅"),
        ("INS-108", {"addresses": f"{HOME}~^^^^^^BDL"}, "PID-11[2]", "XAD-9 ∅"),
        ("INS-108", {"addresses": "^^^^^^BR^^48907"}, "PID-11[1]", "XAD-7 BR"),
        ("INS-108", {"addresses": "^^^^48907^^BR"}, "PID-11[1]", "XAD-5"),
        ("INS-108", {"addresses": '^^^^48907^^BDL^^""'}, "PID-11[1]", "XAD-5"),
        ("INS-109", {"addresses": f"{HOME}^^48907~{HOME}^^{'4' * 30}"}, "PID-11[1]", "H + XAD-9 48907"),
        ("INS-110", {"ids": f"{IPP}~{INS}^^20101207^20201207"}, "PID-3[2]", "CX-7, CX-8"),
        ("INS-110", {"ids": f"{IPP}~{INS}^^^20201207"}, "PID-3[2]", "CX-8"),
        ("INS-112", {"sex": "O" * 30}, "PID-8", "O" * 20),
    ],
)
def test_where_the_fault_stands_and_what_stands_there(
    rule_id: str, changes: dict[str, str], place: str, received: str
) -> None:
    if rule_id == "INS-109":
        findings = [f for f in judged(changed(**changes)) if f.rule == rule_id]
        assert [f.received for f in findings] == [received, f"H + XAD-9 {'4' * 20}"]
        assert findings[0].where.path == place
    else:
        assert seen(rule_id, **changes) == (place, received)


def test_a_birthplace_well_told_beside_another_repetition_is_enough() -> None:
    assert judged(changed(addresses=f"^^^^48907^^BR~{BIRTHPLACE}")) == []
    assert "INS-109" not in ids(judged(changed(addresses=f"{HOME}^^48907~{BIRTHPLACE}")))
    assert "INS-109" not in ids(judged(changed(addresses=HOME)))


def test_without_an_ins_a_pid_owes_neither_list_nor_birthplace_nor_dates() -> None:
    free = {"ids": f"{IPP}^^20101207", "status": "PROV"}
    assert ids(judged(changed(names="BRUNEL^ODETTE^^^^^L", addresses="", **free))) == set()


def test_a_pid_that_declares_nothing_lacks_its_status() -> None:
    assert ids(judged(replace(changed(), declared=None))) == {"INS-100"}


def test_an_empty_sex_is_no_code_outside_the_table() -> None:
    assert "INS-112" not in ids(judged(replace(changed(), sex=Located("", Where(PlaceKind.HL7, "PID-8")))))


def test_two_numbers_under_one_status_are_one_finding() -> None:
    assert finding(changed(ids=f"{INS}~{OLD_INS}", status="PROV"), "INS-101").expected == "VALI (PID-3[1])"


def test_a_shifted_list_says_which_components_were_expected() -> None:
    assert finding(changed(names="BRUNEL^^ODETTE JEANNE^^^^L"), "INS-106").expected == "XPN-2, XPN-3"
    assert finding(changed(names=f"{NAME}^^^^^L"), "INS-106").expected == "XPN-7 L"


def test_another_standard_has_its_own_words_for_how_an_identity_was_obtained() -> None:
    elsewhere = replace(zfd("||Y|N|XX|20260301"), hl7=None)
    assert "INS-116" not in ids(judged(elsewhere))


def test_a_name_without_a_type_or_with_a_right_one_has_nothing_to_say() -> None:
    for letter in ("D", "S", "U"):
        assert judged(changed(names=f"{NAME}^^^^L~MARTIN^ODETTE^^^^^{letter}")) == []
    assert judged(changed(names=f"{NAME}^^^^L~MARTIN^ODETTE")) == []


def test_a_type_letter_in_its_place_excuses_one_beside_it() -> None:
    assert "INS-106" not in ids(judged(changed(names=f"{NAME}^^^L^L")))


def test_twenty_repetitions_are_judged() -> None:
    for rule_id, changes in (
        ("INS-102", {"status": "~".join(["VALI", *["QUAL"] * 25])}),
        ("INS-104", {"names": "~".join([f"{NAME}^^^^L", *["M^O^^^^^M"] * 25])}),
        ("INS-109", {"addresses": "~".join([f"{HOME}^^48907"] * 25)}),
        ("INS-106", {"names": "~".join([f"{NAME}^^^^L", *["M^^O^^^^D"] * 25])}),
    ):
        told = [f for f in judged(changed(**changes)) if f.rule == rule_id]
        assert len(told) in (19, 20), rule_id
    assert seen("INS-103", names="~".join(["M^O^^^^^D"] * 25))[1].count("D") == 20


@pytest.mark.parametrize(("fields", "told"), [("||Y|Y", True), ("||Y| y ", True), ("||Y|N", False), ("||Y|", False)])
def test_a_corrected_date_does_not_travel_with_an_ins(fields: str, told: bool) -> None:
    assert ("INS-107" in ids(judged(zfd(fields)))) is told
    assert "INS-107" not in ids(judged(zfd(fields, ids=IPP, status="PROV")))


@pytest.mark.parametrize(("number", "received"), [(ODETTE, "2360·········79"), ('""', '""'), ("1" * 120, "1111")])
def test_the_social_security_number_has_no_place_in_a_pid(number: str, received: str) -> None:
    found = finding(view_of(adt(Pid(others={19: number}))), "INS-111")
    assert (found.where.path, found.expected) == ("PID-19", "∅")
    assert found.received.startswith(received)


def test_a_sex_outside_the_table_is_named_in_the_words_of_the_card() -> None:
    assert "O" in finding(changed(sex="O"), "INS-112").message.fr
    assert finding(changed(sex="O"), "INS-112").severity is Severity.BLOCKING


@pytest.mark.parametrize(
    ("fields", "received"),
    [
        ("||Y|N|XX|20260301", "XX"),
        ("||Y|N|" + "X" * 30, "X" * 20),
        ("||Y|N|SM", "SM + ZFD-6 ∅"),
        ("||Y|N| CV ", "CV + ZFD-6 ∅"),
    ],
)
def test_how_the_identity_was_obtained_is_a_code_and_asks_for_the_date_of_insi(fields: str, received: str) -> None:
    found = finding(zfd(fields), "INS-116")
    assert (found.where.path, found.received) == ("ZFD-5", received)
    assert found.expected_in("en") == ("ZFD-6: YYYYMMDD" if "ZFD-6" in received else "SM, CV, INSI, CB, RFID")


@pytest.mark.parametrize("fields", ["||Y|N|INSI", "||Y|N|CB", "||Y|N|RFID", "||Y|N|CV|20260301", "||Y|N|", ""])
def test_other_ways_to_obtain_an_identity_ask_for_nothing(fields: str) -> None:
    assert "INS-116" not in ids(judged(zfd(fields)))
    assert "INS-116" not in ids(judged(zfd("||Y|N|SM", ids=IPP, status="PROV")))


def a47(pid_3: str, *more: str) -> Finding | None:
    view = view_of(adt(Pid(ids=pid_3), *more, event="A47", structure="ADT_A30"))
    return next((one for one in judged(view) if one.rule == "INS-113"), None)


NIR = INS.replace("1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.8")
TYPED = OLD_INS.replace("&1.2.250.1.213.1.4.10&ISO", "")
UNTYPED = OLD_INS.removesuffix("^INS")


@pytest.mark.parametrize(
    ("pid_3", "merged", "told"),
    [
        (f"{IPP}~{INS}", "MRG|", ("MRG-1", "∅")),
        (f"{IPP}~{NULL_INS}", 'MRG|""', ("MRG-1[1]", "∅")),
        (f"{IPP}~{NULL_INS}", f"MRG|{IPP}", ("MRG-1[1]", "∅")),
        (f"{IPP}~{INS}", f"MRG|{INS.removeprefix(ODETTE)}", ("MRG-1[1]", "∅")),
        (f"{IPP}~{INS}", f"MRG|{INS}", ("PID-3", "PID-3 2360·········79")),
        (IPP, f"MRG|{INS}", ("PID-3", "PID-3 ∅")),
        (f"{IPP}~{INS}", f"MRG|{OLD_INS}", None),
        (f"{IPP}~{INS}", f"MRG|{NIR}", None),
        (f"{IPP}~{INS}", f"MRG|{INS}~{OLD_INS}", None),
        (IPP, f"MRG|{INS.removeprefix(ODETTE)}~{IPP}", None),
        (IPP, f"MRG|{TYPED}", ("PID-3", "PID-3 ∅")),
        (IPP, f"MRG|{UNTYPED}", ("PID-3", "PID-3 ∅")),
        (f"{IPP}~{INS}", f"MRG|{INS.replace(ODETTE, '2 36 02 48 907 041 79')}", ("PID-3", "PID-3 2360·········79")),
    ],
)
def test_a_change_of_ins_names_both_numbers(pid_3: str, merged: str, told: tuple[str, str] | None) -> None:
    found = a47(pid_3, merged)
    assert (None if found is None else (found.where.path, found.received)) == told


def test_another_event_is_no_change_of_ins() -> None:
    assert "INS-113" not in ids(judged(view_of(adt(Pid(), event="A28"))))


# ------------------------------------------------------------------------------------------------------- PID and document


def sets(pid: IdentityView, document: IdentityView | None = None) -> tuple[str, str, str]:
    (found,) = [one for one in judged(pid, document or cda()) if one.rule == "INS-157"]
    assert [(v.container, v.value) for v in found.values] == [
        ("pid", found.received),
        ("cda:DOC0001.XML", found.expected),
    ]
    assert found.container == "pid"
    return found.where.path.rpartition("/")[2], found.received, found.expected


SAME_IPP = "C·······(8) 1.2.250.1.999.1"


def test_two_sets_of_identifiers_stand_side_by_side_where_they_differ() -> None:
    pid = hl7(identifiers=(ins(COLETTE, type_code="INS"), ipp()))
    assert sets(pid) == (
        "id[1]",
        f"2360········[2]7[8] (.10), {SAME_IPP}",
        f"2360········[1]7[9] (.10), {SAME_IPP}",
    )


def test_an_identifier_that_one_side_lacks_is_told_at_the_pid() -> None:
    lacking = hl7(identifiers=(ins(type_code="INS"),))
    assert sets(lacking) == ("id[1]", "2360·········79 (.10)", f"2360·········79 (.10), {SAME_IPP}")
    assert sets(hl7(identifiers=()))[:2] == ("PID", "∅")


def test_the_same_number_under_two_oids_is_not_the_same_identifier() -> None:
    assert all(oid in INS_OIDS for oid in ("1.2.250.1.213.1.4.11", "1.2.250.1.213.1.4.10"))
    demo = hl7(identifiers=(ins(oid="1.2.250.1.213.1.4.11", type_code="INS"), ipp()))
    assert sets(demo)[1].startswith("2360·········79 (.11)")
    local = hl7(identifiers=(ins(oid="", type_code="PI"), ipp()))
    assert sets(local)[1].startswith("2··············(15), C")


def test_separators_make_no_difference_to_an_ins_and_all_to_an_ipp() -> None:
    assert judged(hl7(identifiers=(ins("2 36 02 48 907 041 79", type_code="INS"), ipp())), cda())[0].rule == "INS-010"
    assert "INS-157" in ids(judged(hl7(identifiers=(ins(type_code="INS"), ipp("CH 000102"))), cda()))


def test_four_identifiers_are_shown_and_long_ones_are_cut() -> None:
    many = hl7(identifiers=tuple(ipp(f"N{n}") for n in range(6)))
    assert sets(many)[1].count("1.2.250.1.999.1") == 4
    long = hl7(identifiers=(ins(type_code="INS"), ipp("A" * 70, "1." + "2" * 70)))
    assert sets(long)[1] == f"2360·········79 (.10), A{'·' * 59}(60) 1.{'2' * 58}"


@pytest.mark.parametrize("aside", [ipp(""), ipp('""'), ins(COLETTE, "1.2.250.1.213.1.4.2")])
def test_empty_withdrawn_and_calculated_identifiers_stand_aside(aside) -> None:
    assert "INS-157" not in ids(judged(hl7(), cda(identifiers=(ins(), ipp(type_code=""), aside))))
    assert "INS-157" not in ids(judged(hl7(identifiers=(ins(type_code="INS"), ipp(), aside)), cda()))


def test_a_document_that_could_not_be_read_is_not_compared() -> None:
    empty = cda(identifiers=(), subject_count=0)
    assert "INS-157" not in ids(judged(hl7(), empty))
    both = judged(hl7(), empty, cda(label="cda:2.XML", identifiers=(ins(COLETTE), ipp(type_code=""))))
    assert "INS-157" in ids(both)
