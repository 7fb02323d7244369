"""What looks like a matricule in a text, what does not, and how it is shown."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rules.masking import mask_json, mask_text, shown_address
from gateway.rules.spotting import quoted, right_key, spot

TERRITORY = "239034890101755"


def _with_key(number: str) -> str:
    return next(f"{number}{key:02d}" for key in range(1, 98) if right_key(f"{number}{key:02d}"))


CORSICAN_A, CORSICAN_B = _with_key("239062A004012"), _with_key("239062B004012")


WRITTEN = (
    "239034890101755",
    "2 39 03 48 901 017 55",
    "2\u00a039\u00a003\u00a048\u00a0901\u00a0017\u00a055",
    "2\u202f39\u202f03\u202f48\u202f901\u202f017\u202f55",
    "2.39.03.48.901.017.55",
    "2-39-03-48-901-017-55",
    "2/39/03/48/901/017/55",
    "2_39_03_48_901_017_55",
    "2390348901017 55",
    "2390348901017-55",
    "2 39 03 48901017 55",
    "2 39 03 48 901 017",
    "2390348901017",
    "239 034 890 101 755",
    "２３９０３４８９０１０１７５５",
    "²³⁹⁰³⁴⁸⁹⁰¹⁰¹⁷⁵⁵",
    "٢٣٩٠٣٤٨٩٠١٠١٧٥٥",
    "2\u200b39\u200b03\u200b48\u200b901\u200b017\u200b55",
    "2390348\u030190101755",
    "2%2039%2003%2048%20901%20017%2055",
    "%20239034890101755%20",
    "x239034890101755",
    "239034890101755x",
    "S1239034890101755S2",
    "·239034890101755·",
    "a\n239034890101755\n",
    "1.2.250.1.213.1.4.10.239034890101755",
    "urn:oid:1.2.3.239034890101755",
    "239034890101754",  # a wrong key is no reason to show it
    "2 39 03 48 901 017 54",
    _with_key("2391348901017"),  # an impossible month, the key right
    CORSICAN_A,
    "2 39 06 2A 004 012 31",
    "239062a00401231",
    "0239062A004012",
)


@pytest.mark.parametrize("written", WRITTEN)
def test_a_matricule_is_hidden_however_it_is_written(written: str) -> None:
    for around in ("{}", "Mme D. ({}), née", "<s.{}@exemple.mssante.fr>", "nom_{}.pdf", '{{"a":"{}"}}', "12 {} 14"):
        text = around.format(written)
        shown = mask_text(text)
        assert spot(shown) == ()
        hidden = sum(a != b for a, b in zip(text, shown, strict=True))
        assert hidden >= 8, shown


OTHERS = (
    "20261124135820.031323@vm",
    "20260115103000",
    "20260115103000+0100",
    "20261124135820031",
    "2026-01-15T10:30:00.123456+00:00",
    "17/03/2025 10:30:00",
    "1764012345678.JavaMail.root@poste",
    "1764012345.678",
    "1764012345.67812",
    "1.2.250.1.213.1.4.10",
    "1.2.250.1.71.4.2.1764012345678",
    "1.2.250.1.999.20260115103000.1",
    "2.25.329800735698586629295641978511506172918",
    "26480000100017",
    "264 800 001 00017",
    "480000017",
    "300048000000000",
    "326480000100017",
    "810000123456",
    "01 23 45 67 89 01 23 45 67",
    "127.0.0.1:52325",
    "192.168.100.200:52325",
    "0199f2a4c5d6e7f8a9b0c1d2390348901017",
    "a2390348901017f0199f2a4c5d6e7f8a",
    "239034890101754f0199f2a4c5d6e7f8",
    "FR76 3000 6000 0112 3456 7890 189",
    "4111 1111 1111 1111",
    "26214400 octets, <= 26214400",
    "523456789012345",
)


@pytest.mark.parametrize("text", OTHERS)
def test_other_long_numbers_stand_as_they_are(text: str) -> None:
    for around in ("{}", "<{}>", "id {} fin", "x={}"):
        assert mask_text(around.format(text)) == around.format(text)


def test_the_first_four_characters_the_key_and_the_separators_stand() -> None:
    assert mask_text("INS 239034890101755.") == "INS 2390·········55."
    assert mask_text("2 39 03 48 901 017 55") == "2 39 0· ·· ··· ··· 55"
    assert mask_text("2390348901017") == "2390·········"
    assert mask_text("S1239034890101755S2DUPONT") == "S·2390·········55S2DUPONT"


def test_a_whole_tree_is_masked_names_included() -> None:
    tree = {
        "a": ["x239034890101755", {"239034890101755@x": 3}],
        "b": ("2 39 03 48 901 017 55",),
        "c": None,
        "d": 239034890101755,
    }
    assert mask_json(tree) == {
        "a": ["x2390·········55", {"2390·········55@x": 3}],
        "b": ["2 39 0· ·· ··· ··· 55"],
        "c": None,
        "d": 239034890101755,
    }


def test_an_address_is_masked_where_it_holds_a_matricule_whoever_it_belongs_to() -> None:
    assert shown_address("dupont.279035121518989@ehpad.mssante.fr") == "dupont.2790·········89@ehpad.mssante.fr"
    assert shown_address("s.239034890101755@ailleurs.fr") == "s.2390·········55@ailleurs.fr"
    assert shown_address("accueil@239034890101755.mssante.fr") == "accueil@2390·········55.mssante.fr"
    assert shown_address("accueil@ehpad.mssante.fr") == "accueil@ehpad.mssante.fr"


def test_identifiers_that_a_protocol_wants_back_change_only_for_a_right_key() -> None:
    assert mask_text("urn:poste:1770412345678", sure=True) == "urn:poste:1770412345678"
    assert mask_text("urn:ins:239034890101755", sure=True) == "urn:ins:2390·········55"


def test_an_identifier_in_hexadecimal_is_masked_only_when_the_key_is_right() -> None:
    identifier = "239034890101755f0199f2a4c5d6e7f8"
    assert mask_text(identifier) == "2390·········55f0199f2a4c5d6e7f8"


def test_a_matricule_is_quoted_in_a_sentence_and_a_bank_account_is_not() -> None:
    text = (
        "Patient 236024890704179, ou 2 36 02 48 907 041 79 ; tél. 0123456789, réf. 236024890704180, FR76236024890704179, "
        "239034890101755f0199f2a4c5d6e7f8"
    )
    assert [one.value for one in quoted(text)] == ["236024890704179", "236024890704179"]
    assert len(spot(text)) == 5


@given(st.text(alphabet="0123456789 .-ABab·x%\u00a02", max_size=80))
@settings(max_examples=500, deadline=None)
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once
    assert len(once) == len(text)


@given(
    st.text(alphabet="ab .<>@·\u00a0-", max_size=20),
    st.sampled_from(["", " ", ".", "-", "\u00a0", "\u202f", "_"]),
    st.sampled_from([TERRITORY, CORSICAN_A, CORSICAN_B.lower()]),
    st.text(alphabet="ab .<>@·\u00a0-", max_size=20),
)
@settings(max_examples=300, deadline=None)
def test_no_surroundings_bring_a_matricule_back(before: str, separator: str, matricule: str, after: str) -> None:
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    written = separator.join(matricule[a:b] for a, b in pairwise(cuts))
    shown = mask_text(before + written + after)
    assert matricule[4:13] not in "".join(c for c in shown if c.isalnum())


@pytest.mark.parametrize(
    "unit", ["2 ", "2", "2390348901", "1 39 03 48 901 017 ", "2390348901017f", "%20", "1-2-", "239062A"]
)
def test_half_a_megabyte_of_near_misses_is_gone_through_once(unit: str) -> None:
    """No pattern looks further than a bounded number of characters: quadratic work would last minutes here."""
    text = unit * (500_000 // len(unit))
    assert len(mask_text(text)) == len(text)
