"""Distinguished names: parsed, written and compared as the whitelist needs it."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.dn import dn_of_getpeercert, format_dn, normal_dn, parse_dn, same_dn, value_in
from tests.support.reference import reference

PLAIN = "CN=smtp-1.operateur-a.example,OU=1999999992,O=HOPITAL FICTIF A,ST=Paris (75),C=FR"


def test_pairs_come_in_the_order_written() -> None:
    assert [name for name, _ in parse_dn(PLAIN)] == ["CN", "OU", "O", "ST", "C"]
    assert value_in(PLAIN, "ST") == "Paris (75)"


@pytest.mark.parametrize(
    "written",
    [
        PLAIN.replace(",", ", "),
        PLAIN.replace("CN=smtp-1.operateur-a.example", "CN=smtp-1.operateur-a.example "),
        PLAIN.replace("FICTIF", "  FICTIF\u00a0"),
        PLAIN.replace("O=HOPITAL FICTIF A", 'O="HOPITAL  FICTIF A"'),
        PLAIN.replace("HOPITAL", "Hopital"),
        PLAIN.replace("ST=", "S="),
        PLAIN.replace("OU=", "2.5.4.11="),
        PLAIN.replace(",C=FR", ";C=FR"),
    ],
)
def test_the_quirks_of_the_whitelist_do_not_make_another_name(written: str) -> None:
    assert same_dn(PLAIN, written)


@pytest.mark.parametrize(
    "written",
    [
        PLAIN.replace("smtp-1", "smtp-2"),
        PLAIN.replace(",C=FR", ""),
        "C=FR,ST=Paris (75),O=HOPITAL FICTIF A,OU=1999999992,CN=smtp-1.operateur-a.example",
        PLAIN.replace("ST=", "L="),
        "",
    ],
)
def test_another_value_another_order_or_a_missing_pair_makes_another_name(written: str) -> None:
    assert not same_dn(PLAIN, written)


def test_a_locality_stands_for_a_county_in_lenient_mode_only() -> None:
    listed = PLAIN.replace("ST=", "L=")
    assert not same_dn(PLAIN, listed)
    assert same_dn(PLAIN, listed, lenient=True)


def test_composed_and_decomposed_accents_are_the_same_county() -> None:
    assert same_dn("CN=a,ST=Bouches-du-Rh\u00f4ne (13)", "CN=a,ST=Bouches-du-Rho\u0302ne (13)")
    assert same_dn("CN=a,ST=Rh\u00f4ne", "CN=a,ST=Rh\\C3\\B4ne")


def test_a_bare_quote_inside_a_value_belongs_to_it() -> None:
    pairs = parse_dn('CN=a,O=CENTRE HOSPITALIER "FRANCK-JOLY",C=FR')
    assert pairs == (("CN", "a"), ("O", 'CENTRE HOSPITALIER "FRANCK-JOLY"'), ("C", "FR"))
    assert parse_dn('O="CARTON" BOIS,C=FR') == (("O", '"CARTON" BOIS'), ("C", "FR"))


def test_a_comma_that_no_type_follows_belongs_to_the_value() -> None:
    assert parse_dn("CN=a,O=Durand, Martin et fils,C=FR")[1] == ("O", "Durand, Martin et fils")
    assert parse_dn('CN=a,O="Durand, CN=b",C=FR') == (("CN", "a"), ("O", "Durand, CN=b"), ("C", "FR"))
    assert parse_dn("CN=a,O=Durand\\, CN=b,C=FR") == (("CN", "a"), ("O", "Durand, CN=b"), ("C", "FR"))


def test_multi_valued_parts_are_read_pair_by_pair() -> None:
    assert parse_dn("CN=899700000001+SN=DOC+GN=KIT,C=FR") == (
        ("CN", "899700000001"),
        ("SN", "DOC"),
        ("GN", "KIT"),
        ("C", "FR"),
    )


@pytest.mark.parametrize("text", ["", "   ", "pas un nom", "=x", ",,,", "CN", '"', "\\", "CN=\\"])
def test_what_is_no_name_gives_no_error(text: str) -> None:
    assert normal_dn(text) in ((), (("CN", "\\"),))


def test_python_gives_the_subject_the_other_way_round() -> None:
    subject = (
        (("countryName", "FR"),),
        (("stateOrProvinceName", "Paris (75)"),),
        (("organizationName", "HOPITAL FICTIF A"),),
        (("organizationalUnitName", "1999999992"),),
        (("commonName", "smtp-1.operateur-a.example"),),
    )
    assert dn_of_getpeercert(subject) == PLAIN


_VALUES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@given(st.lists(st.tuples(st.sampled_from(["CN", "OU", "O", "ST", "C"]), _VALUES), min_size=1, max_size=6))
def test_a_name_written_is_read_back_the_same(pairs: list[tuple[str, str]]) -> None:
    assert normal_dn(format_dn(pairs)) == normal_dn(tuple(pairs))


@given(st.text(max_size=80))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    parse_dn(text)


@pytest.mark.reference
def test_every_listed_name_of_the_real_list_has_its_five_pairs_and_survives_a_round_trip() -> None:
    path = reference("mssante/listeblanche/extract_domain_dn.csv")
    with path.open(encoding="utf-8") as source:
        names = [row["DNCertificatOperateur"] for row in csv.DictReader(source, delimiter=";")]
    assert len(names) > 90
    for dn in names:
        kinds = [name for name, _ in parse_dn(dn)]
        assert kinds in (["CN", "OU", "O", "ST", "C"], ["CN", "OU", "O", "L", "C"]), dn
        assert same_dn(dn, format_dn(parse_dn(dn))), dn
