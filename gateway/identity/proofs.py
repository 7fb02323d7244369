"""The kinds of identity proof that may be recorded, and their level of trust (RNIV EXI SI 10 and 23, Guide INS EXI ID 19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from gateway.tables import read_csv
from gateway.values import Text


@dataclass(frozen=True, slots=True)
class ProofKind:
    """One kind. `high_trust` is what the table says; `to_decide`: it says nothing, the structure does."""

    code: str
    label: Text
    high_trust: bool
    to_decide: bool = False


@cache
def proof_kinds() -> Mapping[str, ProofKind]:
    """Every kind by its code, in the order of `fixtures/codes/proofs.csv`."""
    return MappingProxyType(
        {
            row["code"]: ProofKind(
                row["code"], Text(row["fr"], row["en"]), row["high_trust"] == "yes", row["high_trust"] == "local"
            )
            for row in read_csv("codes/proofs.csv")
        }
    )
