"""The value sets that rules compare coded values with, and the three ways a coded value can be wrong.

A code outside its set is dated knowledge (sets change twice a year): a warning. A known code under another system is a
fault. A label that differs is untidy.

Tables: `fixtures/codes/*.csv` (CI-SIS value sets J01, J02, J04, J07, associations X04 and A11).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

from gateway.documents.model import Code
from gateway.tables import read_csv

CodeSet = Mapping[str, tuple[Code, ...]]

CONFIDENTIALITY_SYSTEM = "2.16.840.1.113883.5.25"
FACILITY_SYSTEM = "1.2.250.1.71.4.2.4"


@cache
def code_set(name: str) -> CodeSet:
    """One table of `fixtures/codes`, by code. A code may stand under several systems."""
    found: dict[str, tuple[Code, ...]] = {}
    for row in read_csv(f"codes/{name}.csv"):
        code = Code(row["code"], row["system"], row["label"])
        found[code.code] = (*found.get(code.code, ()), code)
    return found


@cache
def class_of_type() -> Mapping[str, str]:
    """classCode by typeCode (ASS_X04)."""
    return {row["code"]: row["class"] for row in read_csv("codes/nature.csv")}


@cache
def format_by_template() -> Mapping[str, tuple[str, ...]]:
    """formatCodes by templateId root (ASS_A11)."""
    found: dict[str, tuple[str, ...]] = {}
    for row in read_csv("codes/format.csv"):
        found[row["template"]] = (*found.get(row["template"], ()), row["code"])
    return found


def unknown(code: Code, known: CodeSet) -> bool:
    """The code is not in the set."""
    return code.code not in known


def wrong_system(code: Code, known: CodeSet) -> str:
    """The system the code should have; '' when it is right, or when the code is unknown."""
    homonyms = known.get(code.code)
    if not homonyms or any(c.system == code.system for c in homonyms):
        return ""
    return homonyms[0].system


def wrong_label(code: Code, known: CodeSet) -> str:
    """The label the code should have; '' when it is right (case, blanks and apostrophe form aside) or not judged."""
    homonyms = known.get(code.code)
    if not homonyms or not code.label:
        return ""
    if any(c.label == code.label for c in homonyms):
        return ""
    told = _plain(code.label)
    return "" if any(_plain(c.label) == told for c in homonyms) else homonyms[0].label


def _plain(label: str) -> str:
    text = unicodedata.normalize("NFC", label).replace("’", "'").casefold()
    return " ".join(text.replace("-", " ").replace("–", " ").split())
