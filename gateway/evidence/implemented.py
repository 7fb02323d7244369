"""Which rules of the catalogue are judged today.

A rule is judged when a function of a `RULES` tuple bears its id, or when opening, a door or a protocol raises it by name.
The few that are not are listed here, so that nobody reads a card for a check; a test holds this list against the code.
Those that judge the product itself are proved by its tests (`proofs.py`); the others are not judged yet.
"""

from __future__ import annotations

from functools import cache

from gateway.rules import load_catalogue

NOT_JUDGED = frozenset(
    {
        *("INS-200", "INS-201", "INS-202", "INS-203"),
    }
)


@cache
def implemented_rules() -> frozenset[str]:
    """The ids of the catalogue that a message can break here."""
    return frozenset(card.id for card in load_catalogue()) - NOT_JUDGED
