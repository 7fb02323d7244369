"""The software certificate of a structure: its name, and the workspace that doors read from it."""

from __future__ import annotations

from typing import Any

from adapters.insi.certificates import attributed_certificate, software_certificate
from gateway.directory.territory import load_territory
from tests.support.authority import shared_authority

STRUCTURE = load_territory().structures["ehpad-les-tilleuls"]


class Known:
    """Which certificates belong to which workspace."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    def workspace_of_certificate(self, fingerprint: str) -> str:
        return self.held.get(fingerprint, "")

    async def put(self, workspace: str, actors: list[tuple[str, str, Any]]) -> None:
        for kind, key, _ in actors:
            assert kind == "certificate"
            assert key not in self.held
            self.held[key] = workspace


def test_the_common_name_says_who_starts_the_calls() -> None:
    for manual, name in ((False, "INSI-AUTO"), (True, "INSI-MANU")):
        issued = software_certificate(shared_authority(), STRUCTURE, manual=manual)
        assert issued.dn.startswith(f"CN={name},")
        assert STRUCTURE.struct_id_nat in issued.dn


async def test_a_certificate_is_attributed_once_and_each_workspace_has_its_own() -> None:
    known: Any = Known()
    first = await attributed_certificate(shared_authority(), known, STRUCTURE, "salle-2")
    again = await attributed_certificate(shared_authority(), known, STRUCTURE, "salle-2")
    other = await attributed_certificate(shared_authority(), known, STRUCTURE)
    assert again.fingerprint == first.fingerprint
    assert known.held == {first.fingerprint: "salle-2", other.fingerprint: "demo"}
