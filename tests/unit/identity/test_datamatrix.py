"""The INS datamatrix in its text form: fields in any order, variable lengths, and only a qualified identity printed."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange.opening import open_message, sniff
from gateway.identity.datamatrix import (
    GS,
    HEADER,
    DatamatrixError,
    InsDatamatrix,
    NotPrintable,
    decode,
    encode,
    is_datamatrix,
)
from gateway.identity.model import INS_NIR, ContainerKind, IdentityView
from gateway.identity.status import Status
from gateway.rules import load_catalogue
from gateway.values import PlaceKind, Where
from tests.support.hl7_messages import changed, judged_message
from tests.support.identity_views import COLETTE, ODETTE, cda, datamatrix, fhir, hl7, ids, ins, ipp, judged

WRITTEN = f"{HEADER}S1{ODETTE}S21.2.250.1.213.1.4.10S3ODETTE JEANNE{GS}S4BRUNEL{GS}S5FS614-02-1936S748907"  # S2 at its longest


def test_a_datamatrix_is_read() -> None:
    told = decode(WRITTEN)
    assert (told.matricule, told.oid, told.given_list, told.birth_family) == (
        ODETTE,
        "1.2.250.1.213.1.4.10",
        "ODETTE JEANNE",
        "BRUNEL",
    )
    assert (told.sex, told.birth_date, told.birth_place) == ("F", "14-02-1936", "48907")


def test_the_view_of_a_sound_one_gives_no_finding() -> None:
    assert judged(decode(WRITTEN).view()) == []
    assert judged(cda(), decode(WRITTEN).view("datamatrix:DOC0001.XML")) == []


def test_fields_come_in_any_order() -> None:
    fields = [f"S4BRUNEL{GS}", "S748907", "S614-02-1936", f"S3ODETTE JEANNE{GS}", "S5F", f"S1{ODETTE}"]
    told = decode(f"{HEADER}{''.join(fields)}S21.2.250.1.213.1.4.10")
    assert told == decode(WRITTEN)


def test_a_shorter_oid_ends_with_a_separator() -> None:
    view = cda(identifiers=(ins(ODETTE, INS_NIR),))
    text = encode(view, Status.QUAL)
    assert f"S2{INS_NIR}{GS}" in text
    assert decode(text).oid == INS_NIR


@pytest.mark.parametrize("shown", ["<GS>", "{GS}", "␝", "\\x1d"])
def test_separators_are_read_as_scanners_show_them(shown: str) -> None:
    assert decode(WRITTEN.replace(GS, shown)) == decode(WRITTEN)


def test_what_a_reader_types_around_is_ignored() -> None:
    assert decode(f"]d2{WRITTEN}\r\n\x04") == decode(WRITTEN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "IS02" + "0" * 22,
        "IS01",
        "IS01" + "0" * 10,
        "IS01" + "x" * 22,
        f"{HEADER}S1123",
        f"{HEADER}S1{ODETTE}S1{ODETTE}",
        f"{HEADER}S614-02",
    ],
)
def test_what_cannot_be_cut_into_fields_is_refused(text: str) -> None:
    with pytest.raises(DatamatrixError) as refused:
        decode(text)
    assert refused.value.expected


def test_unknown_fields_are_named_and_passed_over() -> None:
    told = decode(f"{HEADER}S9NOUVEAU{GS}S5F")
    assert (told.unknown, told.sex) == (("S9",), "F")


@pytest.mark.parametrize("view", [cda(), hl7(), fhir(), datamatrix(), changed()], ids=lambda view: view.kind.value)
def test_a_qualified_identity_is_printed_and_reads_back(view: IdentityView) -> None:
    assert encode(view, Status.QUAL) == WRITTEN
    assert decode(encode(view, Status.QUAL)) == decode(WRITTEN)


@pytest.mark.parametrize("status", [Status.PROV, Status.RECUP, Status.VALI])
def test_no_other_status_is_printed(status: Status) -> None:
    with pytest.raises(NotPrintable, match="QUAL"):
        encode(cda(), status)


@pytest.mark.parametrize(
    ("view", "lacking"),
    [
        (cda(identifiers=(ipp(),)), "INS"),
        (cda(identifiers=(ins(ODETTE[:13] + "80"),)), "INS"),
        (cda(given_list=None), "S3"),
        (cda(birth_given="MARIE"), "S3"),
        (cda(birth_family="Brunel"), "S4"),
        (cda(birth_family="B" * 101), "S4"),
        (cda(sex="UN"), "S5"),
        (cda(birth_date="1936"), "S6"),
        (cda(birth_place="BRUMEVAL"), "S7"),
    ],
)
def test_an_identity_that_is_not_sound_is_not_printed(view: IdentityView, lacking: str) -> None:
    with pytest.raises(NotPrintable, match=lacking):
        encode(view, Status.QUAL)


def test_the_birthplace_may_be_left_out() -> None:
    text = encode(cda(birth_place=None), Status.QUAL)
    assert "S7" not in text
    assert decode(text).birth_place == ""


def test_a_text_file_of_a_scan_is_recognised_and_judged() -> None:
    raw = WRITTEN.encode()
    assert is_datamatrix(WRITTEN)
    assert sniff(raw, "scan.txt") == "datamatrix"
    assert open_message(raw).views[0].kind is ContainerKind.DATAMATRIX
    assert judged_message(raw) == []
    assert ids(judged_message(raw.replace(ODETTE.encode(), ODETTE[:13].encode() + b"80"))) == {"INS-004"}
    assert ids(judged_message(f"{HEADER}S1123".encode())) == {"DM-01"}
    assert "DM-02" in ids(judged_message(raw + b"S9X"))


def test_a_page_read_without_a_datamatrix_is_told_for_a_qualified_identity_only() -> None:
    empty = datamatrix(identifiers=(), birth_family=None, given_list=None, birth_place=None, subject_count=0)
    assert "INS-159" in ids(judged(empty, cda()))
    assert "INS-159" not in ids(judged(empty, cda(identifiers=(ipp(type_code=""),), ins_expected=False)))


def test_a_datamatrix_beside_a_provisional_status_is_told() -> None:
    assert "INS-159" in ids(judged(datamatrix(), changed(status="PROV")))
    assert "INS-159" not in ids(judged(datamatrix(), changed()))


def test_another_persons_datamatrix_is_told_by_its_own_rule() -> None:
    assert ids(judged(datamatrix(identifiers=(ins(COLETTE),)), cda())) == {"INS-158"}


def test_the_cards_teach() -> None:
    for rule_id in ("DM-01", "DM-02"):
        card = load_catalogue()[rule_id]
        assert card.message.fr != card.message.en
        assert card.cure.en.endswith(".")


def _read(text: str) -> str:
    """What became of a text: '' when it was read, else what the refusal says was received."""
    try:
        pickle.dumps(decode(text).view())
    except DatamatrixError as refused:
        return refused.received
    return ""


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    for written in (text, f"IS01{text}", f"{HEADER}{text}", f"{HEADER}S1{text}", f"{WRITTEN}{text}"):
        assert len(_read(written)) < 60


@pytest.mark.parametrize(
    ("text", "received", "expected"),
    [
        ("", "''", "IS01"),
        ("IS02" + "0" * 22, "'IS02'", "IS01"),
        ("\x07abc", "?", "IS01"),
        ("IS02\x07", "'IS02'", "IS01"),
        ("IS01x" + "0" * 21, "IS01 + 22", "IS01 + 22 x 0"),
        ("IS01" + "0" * 10, "IS01 + 10", "IS01 + 22 x 0"),
        ("IS01" + "0" * 21, "IS01 + 21", "IS01 + 22 x 0"),
        ("IS01" + "x" * 22, "IS01 + 22", "IS01 + 22 x 0"),
        (f"{HEADER}S1123", "S1 : 3", "S1 : 15"),
        (f"{HEADER}S5FS614-02", "S6 : 5", "S6 : 10"),
        (f"{HEADER}S5FS5M", "S5 x 2", "S5 x 1"),
    ],
)
def test_a_refusal_says_what_was_received_and_what_was_expected(text: str, received: str, expected: str) -> None:
    with pytest.raises(DatamatrixError) as refused:
        decode(text)
    assert (refused.value.received, refused.value.expected) == (received, expected)
    assert str(refused.value) == f"{received}; {expected}"


def test_a_header_alone_holds_no_field() -> None:
    assert decode(HEADER) == InsDatamatrix()
    assert decode(f"{HEADER}{GS}{GS}S5F{GS}") == InsDatamatrix(sex="F")


def test_a_field_of_the_greatest_length_needs_no_separator() -> None:
    longest = "A" * 100
    assert decode(f"{HEADER}S3{longest}S4BRUNEL") == InsDatamatrix(given_list=longest, birth_family="BRUNEL")
    assert decode(f"{HEADER}S3{'A' * 99}{GS}S4BRUNEL").given_list == "A" * 99
    written = encode(cda(birth_given=None, given_list=longest, birth_family="B"), Status.QUAL)
    assert f"S3{longest}S4B{GS}S5F" in written


def test_a_field_of_fixed_length_cut_by_a_separator_is_read_as_far_as_it_goes() -> None:
    assert decode(f"{HEADER}S614-02{GS}S5F") == InsDatamatrix(birth_date="14-02", sex="F")
    assert decode(f"{HEADER}S5{GS}S748907") == InsDatamatrix(birth_place="48907")
    assert decode(f"{HEADER}S1{GS}S5F{GS}S614-02-1936") == InsDatamatrix(sex="F", birth_date="14-02-1936")


def test_the_last_field_needs_no_separator_whatever_its_length() -> None:
    assert decode(f"{HEADER}S4BRUNEL").birth_family == "BRUNEL"


def test_five_unknown_fields_are_named_and_strange_names_are_not_shown() -> None:
    told = decode(HEADER + "".join(f"X{n}1{GS}" for n in range(7)) + f"-\x07{GS}")
    assert told.unknown == ("X0", "X1", "X2", "X3", "X4")
    assert decode(f"{HEADER}-+{GS}").unknown == ("?",)


@pytest.mark.parametrize("frame", ["]d2", "]C1", "]d1", "\ufeff", " \t"])
def test_the_frames_that_readers_type_are_taken_off(frame: str) -> None:
    assert is_datamatrix(f"{frame}{WRITTEN}")
    assert decode(f"{frame}{WRITTEN}") == decode(WRITTEN)


def test_a_letter_before_it_is_no_frame() -> None:
    assert not is_datamatrix(f"X{WRITTEN}")


def test_a_long_text_is_read_to_its_thousandth_character() -> None:
    assert decode(f"{HEADER}X1{'A' * 971}{GS}S5F").sex == ""
    assert decode(f"{HEADER}X1{'A' * 960}{GS}S5F").sex == "F"


def test_the_view_of_a_datamatrix_says_which_field_each_trait_stands_in() -> None:
    view = decode(WRITTEN).view("datamatrix:A.XML", Where(PlaceKind.FILE, "page 1", 4))
    assert (view.kind, view.label, view.ins_expected) == (ContainerKind.DATAMATRIX, "datamatrix:A.XML", True)
    assert str(view.where) == "page 1 (l. 4)"
    (found,) = view.identifiers
    assert (found.value, found.oid, found.type_code, str(found.where)) == (
        ODETTE,
        "1.2.250.1.213.1.4.10",
        "INS",
        "page 1 S1 (l. 4)",
    )
    told = (view.given_list, view.birth_family, view.sex, view.birth_date, view.birth_place)
    assert {one.where.kind for one in (found, *told) if one} == {PlaceKind.FILE}
    assert [str(one.where) for one in told if one] == [f"page 1 S{n} (l. 4)" for n in range(3, 8)]
    assert [one.value for one in told if one] == ["ODETTE JEANNE", "BRUNEL", "F", "14-02-1936", "48907"]


def test_the_view_of_an_empty_datamatrix_tells_nothing() -> None:
    view = InsDatamatrix().view()
    assert (view.label, view.where, view.identifiers) == ("datamatrix", Where(PlaceKind.FILE, "datamatrix"), ())
    assert (view.sex, view.birth_family) == (None, None)
    assert (
        len(InsDatamatrix(oid="1.2.3").view().identifiers) == len(InsDatamatrix(matricule="1").view().identifiers) == 1
    )


@pytest.mark.parametrize(
    ("view", "lacking"),
    [
        (cda(identifiers=(ipp(),)), "INS"),
        (cda(given_list=""), "S3"),
        (cda(given_list="ODETTE2"), "S3"),
        (cda(birth_given="MARIE"), "S3"),
        (cda(birth_family=""), "S4"),
        (cda(birth_family="B" * 101), "S4"),
        (cda(sex=None), "S5"),
        (cda(birth_date=None), "S6"),
        (cda(birth_place="2C004"), "S7"),
    ],
)
def test_what_forbids_the_printing_is_named(view: IdentityView, lacking: str) -> None:
    with pytest.raises(NotPrintable) as refused:
        encode(view, Status.QUAL)
    assert (refused.value.lacking, str(refused.value)) == (lacking, lacking)


def test_the_shortest_and_the_longest_names_are_printed_and_so_is_a_double_hyphen() -> None:
    for name in ("B", "B" * 100, "LE--GOFF"):
        assert decode(encode(cda(birth_family=name), Status.QUAL)).birth_family == name
    assert decode(encode(cda(birth_given=None), Status.QUAL)).given_list == "ODETTE JEANNE"


@pytest.mark.parametrize(("view", "written"), [(fhir(sex="male"), "S5M"), (cda(sex="M"), "S5M")])
def test_the_sex_of_a_man_is_printed_by_its_letter(view: IdentityView, written: str) -> None:
    assert written in encode(view, Status.QUAL)


def test_an_ins_outside_its_oids_is_not_printed() -> None:
    view = cda(identifiers=(ins(),))
    assert encode(view, Status.QUAL).startswith(f"{HEADER}S1{ODETTE}S2")
    with pytest.raises(NotPrintable) as refused:
        encode(view, Status.VALI)
    assert refused.value.lacking == "QUAL"
