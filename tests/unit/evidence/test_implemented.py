"""The list of rules that nobody judges yet is that of the code: no more, no fewer."""

from __future__ import annotations

import ast
import importlib
import pkgutil

import gateway
from gateway.evidence.implemented import NOT_JUDGED, implemented_rules
from gateway.rules import Rule, load_catalogue
from tests.support.reference import ROOT

_LISTED = ("gateway/evidence/implemented.py", "gateway/evidence/proofs.py")
_ONLY_SPEAK = ("gateway/answers/", "gateway/cohort/", "gateway/exchange/sample")  # quote ids, raise nothing


def functions() -> set[str]:
    """The ids of every rule function, also of those made in a tuple."""
    found = set()
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        for value in vars(importlib.import_module(module.name)).values():
            found |= {one.id for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Rule)}
    return found


def named() -> set[str]:
    """The ids written in the code that raises findings."""
    found = set()
    for room in ("gateway", "adapters"):
        for path in (ROOT / room).rglob("*.py"):
            shown = path.relative_to(ROOT).as_posix()
            if shown in _LISTED or shown.startswith(_ONLY_SPEAK):
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return found


def test_the_list_of_rules_not_judged_is_that_of_the_code() -> None:
    catalogue = {card.id for card in load_catalogue()}
    assert catalogue >= NOT_JUDGED
    assert catalogue - functions() - named() == NOT_JUDGED
    assert implemented_rules() == catalogue - NOT_JUDGED
