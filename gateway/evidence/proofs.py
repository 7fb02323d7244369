"""The rules that judge the product itself, and the tests of the product that prove each.

No message can break them: they are promises of whoever holds identities, kept here by tests. A test names a function, or a
file when all of it proves the rule; `tests/unit/evidence/test_proofs.py` sees that each exists.
"""

from __future__ import annotations

from collections.abc import Mapping

PROVED_BY: Mapping[str, tuple[str, ...]] = {
    "INS-200": (
        "tests/wire/test_masking_story.py::test_no_address_that_the_console_gives_holds_a_matricule_or_a_name",
        "tests/wire/test_masking_story.py::test_no_address_of_the_api_asks_for_a_matricule_or_a_trait",
        "tests/wire/test_masking.py::test_no_planted_matricule_comes_out",
    ),
    "INS-201": (
        "tests/wire/test_masking.py",
        "tests/wire/test_masking_story.py::test_nobody_is_named_and_no_matricule_is_shown",
        "tests/unit/exchange/test_no_matricule_leaves.py",
    ),
    "INS-202": (
        "tests/contract/test_store_indexes.py::test_one_matricule_under_two_oids_is_two_identities",
        "tests/contract/test_store_records.py::test_one_matricule_under_two_oids_is_two_patients_of_the_dmp",
        "tests/contract/test_store_indexes.py::test_a_matricule_without_its_oid_or_in_another_structure_finds_nobody",
    ),
    "INS-203": ("tests/unit/answers/test_identity_refusals.py",),
}
