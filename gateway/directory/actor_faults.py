"""What can be said of an actor that a user brings: a fault, in words, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.rules.model import Severity
from gateway.values import Text

_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


@dataclass(frozen=True, slots=True)
class ActorFault:
    """What is wrong with one actor. `place` is the line of the file or the number of the entry, '' on a command line."""

    actor: str  # kind and key: `structure ehpad-x`
    field: str
    received: str
    message: Text
    cure: Text
    severity: Severity = Severity.BLOCKING
    place: str = ""

    def line(self, lang: str) -> str:
        """One sentence for a terminal."""
        where = f"{self.place}, " if self.place else ""
        return f"{where}{self.actor}, {self.field}: {self.message.in_(lang)} {self.cure.in_(lang)}"


Fault = tuple[str, str, Text, Text, Severity]  # field, received, message, cure, severity
Found = Iterator[Fault]


def bad(field: str, received: str, fr: str, en: str, cure_fr: str, cure_en: str) -> Fault:
    """A fault that keeps the actor out."""
    return field, received, Text(fr, en), Text(cure_fr, cure_en), Severity.BLOCKING


def warn(field: str, received: str, fr: str, en: str, cure_fr: str, cure_en: str) -> Fault:
    """A fault to look at; the actor comes in."""
    return field, received, Text(fr, en), Text(cure_fr, cure_en), Severity.WARNING


def key_form(key: str) -> Found:
    """The key that commands use: lower case, digits, hyphens, dots, at most 63 characters."""
    if _KEY.fullmatch(key) is None:
        yield bad(
            "key",
            key,
            "clé illisible.",
            "unreadable key.",
            "Utiliser des minuscules, chiffres et tirets (ehpad-les-tilleuls).",
            "Use lower-case letters, digits and hyphens (ehpad-les-tilleuls).",
        )
