"""What a rule is, and how its hits become findings.

A rule is a pure function with an identity card. The function says *where* and *what*; the card in the catalogue says
how severe it is, in which words, from which source. This room knows no domain type.
"""

from gateway.rules.book import Override, Overrides, RuleBook
from gateway.rules.catalogue import Catalogue, load_catalogue
from gateway.rules.model import (
    Action,
    ComparedValue,
    Family,
    Finding,
    Hit,
    Rule,
    RuleCard,
    RuleContext,
    Scope,
    Severity,
    rule,
)

__all__ = [
    "Action",
    "Catalogue",
    "ComparedValue",
    "Family",
    "Finding",
    "Hit",
    "Override",
    "Overrides",
    "Rule",
    "RuleBook",
    "RuleCard",
    "RuleContext",
    "Scope",
    "Severity",
    "load_catalogue",
    "rule",
]
