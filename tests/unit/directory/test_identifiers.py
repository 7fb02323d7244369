"""Keys and composed forms of national identifiers, and the fictitious blocks."""

from __future__ import annotations

import re

import pytest
from stdnum.fr import siren as stdnum_siren
from stdnum.fr import siret as stdnum_siret
from stdnum.luhn import is_valid as stdnum_luhn

from gateway.directory.identifiers import (
    RESERVED_BLOCKS,
    finess_ok,
    luhn_key,
    luhn_ok,
    matricule_key,
    parse_ps_id_nat,
    parse_struct_id_nat,
    reserved,
    rpps_ok,
    siren_ok,
    siret_of,
    siret_ok,
)


def test_the_luhn_key_agrees_with_an_independent_library() -> None:
    for body in ("4809900", "00048001", "9994800012", "1", "0"):
        assert stdnum_luhn(body + luhn_key(body))
        assert luhn_ok(body + luhn_key(body))


@pytest.mark.parametrize("value", ["", "7", "12a4", "１２３", "4809900190"])
def test_what_is_not_a_number_with_a_key_is_refused(value: str) -> None:
    assert not luhn_ok(value)


def test_a_corsican_finess_counts_2a_as_21_and_2b_as_22() -> None:
    assert all(finess_ok(n) for n in ("2A0000014", "2A0000022", "2B0000012", "2B0000020", "2B0000038"))
    assert not finess_ok("2A0000015")
    assert not finess_ok("2C0000014")


def test_rpps_siren_and_siret_have_their_length_and_key() -> None:
    assert rpps_ok("99700218896")
    assert not rpps_ok("10102727017")
    assert siren_ok("100000009")
    assert siret_ok("10000000800019")
    assert not siret_ok("10000000800018")


def test_la_poste_establishments_follow_their_own_sum() -> None:
    assert siret_ok("35600000049837")
    assert stdnum_siret.is_valid("35600000049837")
    assert siret_ok("35600000000048")


def test_fictitious_sirets_are_valid_and_reserved() -> None:
    for number in (0, 7, 999):
        value = siret_of(number, 2)
        assert siret_ok(value)
        assert stdnum_siren.is_valid(value[:9])
        assert reserved("SIRET", value)


def test_a_real_looking_number_is_not_reserved() -> None:
    assert not reserved("FINESS", "750712184")
    assert not reserved("RPPS", "10000000001")
    assert not reserved("ADELI", "759900001")


def test_ps_id_nat_is_taken_apart_by_its_first_digit() -> None:
    rpps = parse_ps_id_nat("899948000015")
    assert rpps is not None
    assert (rpps.kind, rpps.value, rpps.key_ok) == ("RPPS", "99948000015", True)
    internal = parse_ps_id_nat("3480990019/agent-7")
    assert internal is not None
    assert (internal.kind, internal.value, internal.local) == ("FINESS interne", "480990019", "agent-7")
    social = parse_ps_id_nat("10maud.texier@siao.val-de-brume.mssante.fr")
    assert social is not None
    assert social.kind == "adresse MSSanté"
    assert parse_ps_id_nat("8123") is None
    assert parse_ps_id_nat("") is None


def test_struct_id_nat_tells_a_wrong_key_from_a_wrong_form() -> None:
    right, wrong = parse_struct_id_nat("1480990019"), parse_struct_id_nat("1480990018")
    assert right is not None
    assert right.key_ok is True
    assert wrong is not None
    assert wrong.key_ok is False
    assert parse_struct_id_nat("148099001") is None
    assert parse_struct_id_nat("9480990019") is None


def test_the_key_of_a_matricule_counts_the_corsican_letters() -> None:
    assert matricule_key("297022A020778") == "78"
    assert matricule_key("180032B020401") == "23"
    assert matricule_key("2790351215189") == "89"


def test_every_reserved_block_says_why() -> None:
    assert {b.kind for b in RESERVED_BLOCKS} == {"FINESS", "RPPS", "SIREN", "SIRET"}
    assert all(re.search(r"\w{4}", b.reason) for b in RESERVED_BLOCKS)
