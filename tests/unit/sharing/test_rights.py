"""The rights matrix, cell by cell against the published tables."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from gateway.documents.model import Code
from gateway.sharing.rights import CARD_AND_STRUCTURE, REINFORCED, Operation, Profile, allowed, profile_of
from tests.support import dmp_world as dmp
from tests.support.reference import reference

COLUMNS = {
    "ps_non_medecin": Profile.PROFESSIONAL,
    "medecin_non_mt": Profile.DOCTOR,
    "medecin_traitant": Profile.TREATING_DOCTOR,
    "cpe": Profile.CLERK,
    "structure_cert": Profile.STRUCTURE,
    "pe_non_ps": Profile.NOT_HEALTH,
}
ROWS = {
    "TD0.2": Operation.EXISTENCE,
    "TD2.1": Operation.DEPOSIT,
    "TD3.1_search_metadata": Operation.SEARCH,
    "TD3.1_find_reference": Operation.REFERENCE,
}


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "matrix"),
    [("rights_matrix_526_cps_cpe_structure.csv", CARD_AND_STRUCTURE), ("rights_matrix_606_air.csv", REINFORCED)],
)
def test_every_cell_is_that_of_the_published_matrix(
    name: str, matrix: dict[Operation, dict[Profile, frozenset[str]]]
) -> None:
    seen = 0
    with reference(f"dmp/{name}").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            operation = ROWS.get(row["operation"])
            for column, cell in row.items():
                stem, mode = next(
                    (
                        (column.removesuffix(f"_{m}"), m)
                        for m in ("normal", "regulation", "bris_de_glace")
                        if column.endswith(m)
                    ),
                    ("", ""),
                )
                if operation is None or stem not in COLUMNS:
                    continue
                seen += 1
                assert (mode in matrix[operation].get(COLUMNS[stem], frozenset())) is cell.startswith("yes"), (
                    row,
                    column,
                )
    assert seen >= 30


def test_a_structure_certificate_resolves_references_and_deposits_but_lists_nothing() -> None:
    claimed = dmp.vihf()
    assert profile_of(claimed, treating=False) is Profile.STRUCTURE
    assert [o for o in Operation if allowed(o, claimed, treating=False)] == [
        Operation.EXISTENCE,
        Operation.DEPOSIT,
        Operation.REFERENCE,
    ]


def test_nobody_deposits_in_air() -> None:
    claimed = replace(dmp.vihf(), mode="INDIRECTE_RENFORCEE")
    assert not allowed(Operation.DEPOSIT, claimed, treating=False)
    assert allowed(Operation.SEARCH, claimed, treating=True)


def test_a_card_without_a_health_profession_is_a_clerk() -> None:
    clerk = replace(dmp.vihf(direct=True), roles=(Code("SECRETARIAT_MEDICAL", "1.2.250.1.213.1.1.4.6"),))
    assert profile_of(clerk, treating=False) is Profile.CLERK
    assert not allowed(Operation.SEARCH, clerk, treating=False)
