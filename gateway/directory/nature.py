"""The nature of a document by its type: health, medico-social or social. It decides who may receive it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gateway.tables import read_csv

SANTE = "sante"
MEDICO_SOCIAL = "medico-social"
SOCIAL = "social"


@cache
def _natures() -> Mapping[tuple[str, str], str]:
    table: dict[tuple[str, str], str] = {}
    for row in read_csv("codes/nature.csv"):
        table[row["code"], row["system"]] = row["nature"]
        table.setdefault((row["code"], ""), row["nature"])
    return table


def nature_of(type_code: str, system: str = "") -> str:
    """`sante`, `medico-social` or `social` for a typeCode (JDV_J07).

    Without its code system the code alone is looked up. An unknown type, or a known code under another system, is
    `sante`: what nobody can classify is guarded as health data. The table is a choice of this product
    (`fixtures/codes/nature.csv`).
    """
    return _natures().get((type_code, system), SANTE)
