"""The coded values that builders write: code, system and label always come together from one table.

Tables: `fixtures/codes/*.csv` (value sets of the CI-SIS) and `fixtures/documents/kinds.yaml` (documents we know how to write).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gateway.documents.model import Code
from gateway.tables import read_csv, read_yaml

CONFIDENTIALITY = {
    "N": Code("N", "2.16.840.1.113883.5.25", "Normal"),
    "R": Code("R", "2.16.840.1.113883.5.25", "Restreint"),
    "V": Code("V", "2.16.840.1.113883.5.25", "Très restreint"),
    "MASQUE_PS": Code("MASQUE_PS", "1.2.250.1.213.1.1.4.13", "Masqué aux professionnels de santé"),
    "INVISIBLE_PATIENT": Code("INVISIBLE_PATIENT", "1.2.250.1.213.1.1.4.13", "Non visible par le patient"),
    "INVISIBLE_REPRESENTANTS_LEGAUX": Code(
        "INVISIBLE_REPRESENTANTS_LEGAUX", "1.2.250.1.213.1.1.4.13", "Non visible par les représentants légaux"
    ),
}
SPECIALTY_SYSTEM = "1.2.250.1.213.1.1.4.5"


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A document we know how to write. `paragraphs` hold {patient}, {structure}, {author} and {date} to fill in."""

    name: str
    type: Code
    class_code: Code
    format: Code
    nature: str
    title: str
    file_label: str  # short label without accents: subject and PDF name
    content_type: Code  # activity of the lot that carries it
    paragraphs: tuple[str, ...]


@cache
def _table(name: str) -> Mapping[str, Code]:
    return {row["code"]: Code(row["code"], row["system"], row["label"]) for row in read_csv(f"codes/{name}.csv")}


def facility_type(code: str) -> Code:
    """healthcareFacilityTypeCode (JDV_J02), for instance SA17. Raises KeyError when it is not in the value set."""
    return _table("facility_type")[code]


def practice_setting(code: str) -> Code:
    """practiceSettingCode (JDV_J04), for instance ESSMS. Raises KeyError when it is not in the value set."""
    return _table("practice_setting")[code]


def content_type(code: str) -> Code:
    """contentTypeCode of a lot, for instance 11. Raises KeyError when it is not in the value set."""
    return _table("content_type")[code]


@cache
def document_type(code: str) -> tuple[Code, Code, str]:
    """The type (JDV_J07), its class (ASS_X04) and its nature. Raises KeyError when the type is not in the value set."""
    for row in read_csv("codes/nature.csv"):
        if row["code"] == code:
            return Code(code, row["system"], row["label"]), _table("class")[row["class"]], row["nature"]
    raise KeyError(code)


@cache
def document_kinds() -> Mapping[str, DocumentKind]:
    """Every kind of `fixtures/documents/kinds.yaml`, by name (`lettre-sortie`, `dlu`, `evaluation`, ...)."""
    data = read_yaml("documents/kinds.yaml")
    kinds: dict[str, DocumentKind] = {}
    for row in data["kinds"]:
        type_code, class_code, nature = document_type(row["type"])
        kinds[row["name"]] = DocumentKind(
            name=row["name"],
            type=type_code,
            class_code=class_code,
            format=Code(**data["format"]),
            nature=nature,
            title=row["title"],
            file_label=row["file_label"],
            content_type=content_type(row["content_type"]),
            paragraphs=tuple(row["paragraphs"]),
        )
    return kinds
