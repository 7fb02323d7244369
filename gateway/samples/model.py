"""What a sample is: a file to try a product with, named after what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from gateway.exchange.model import Envelope
from gateway.samples.parts import SECRETARIAT, TILLEULS
from gateway.values import Text

SAMPLE_TIME = datetime(2025, 3, 17, 10, 30, tzinfo=timezone(timedelta(hours=1)))
ENDINGS = {"mail": "eml", "xdm": "zip", "cda": "xml", "metadata": "xml", "hl7v2": "er7", "fhir": "json"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One file. `kind` is one of ENDINGS; `envelope` is how to send a mail.

    `expected_rules` are all that a check of its octets finds when the file is emitted, the one it is named after first;
    rules of the envelope (`GW-ENV-…`) only a door can see. () for a valid file, where nothing blocking may be found.
    """

    name: str
    filename: str
    kind: str
    build: Callable[[], bytes]
    expected_rules: tuple[str, ...]
    title: Text
    envelope: Envelope | None = None


def sample(
    name: str,
    kind: str,
    build: Callable[[], bytes],
    rules: tuple[str, ...],
    fr: str,
    en: str,
    *,
    sender: str = SECRETARIAT,
    to: tuple[str, ...] = (TILLEULS,),
) -> Sample:
    """A sample, its file named after it; a mail gets its envelope, other kinds none."""
    envelope = Envelope(sender, to) if kind == "mail" else None
    return Sample(name, f"{name}.{ENDINGS[kind]}", kind, build, rules, Text(fr, en), envelope)


def is_told_offline(rule: str) -> bool:
    """Whether a check of the file alone can tell the rule: what an envelope breaks, only a door sees."""
    return not rule.startswith("GW-ENV-")
