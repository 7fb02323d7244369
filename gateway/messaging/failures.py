"""What a failure means: the answer of the other side as a status (RFC 3463), a cause and a cure, and the ANS's code.

The sentences stand in `fixtures/notices.yaml`. Sources: RFC 3463, RFC 5321 §4.2; table SMTPERRORCODE of the ANS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from gateway.tables import read_yaml
from gateway.values import Text

_ANSWER = re.compile(r"\s*(?P<code>[245]\d\d)(?:[ -]+(?P<status>[245]\.\d{1,3}\.\d{1,3})(?=[\s:;]|$))?")
_RULE = re.compile(r"\b[A-Z]{2,4}(?:-[A-Z]+)?-\d{2,3}\b")

# what the courier saw, when the other side said nothing
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "connect": "4.4.1",
        "lost": "4.4.2",
        "unanswered": "4.4.2",
        "greeting": "4.3.2",
        "tls": "4.7.5",
        "starttls": "4.7.10",
        "envelope": "5.1.3",
        "payload": "5.3.5",
        "certificate": "5.3.5",
        "blob": "5.3.5",
        "error": "4.3.5",
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure. `status` is `5.1.1`; `label` a code of the table SMTPERRORCODE; `rules` the rules the answer names."""

    status: str
    label: str
    cause: Text
    cure: Text
    rules: tuple[str, ...] = ()


def failure_of(answer: str, reason: str = "", *, permanent: bool = True) -> Failure:
    """What an answer means. `reason` is the courier's short label, read when the answer bears no code."""
    found = _ANSWER.match(answer)
    code = found["code"] if found else ""
    status = (
        (found["status"] if found else "") or _REASONS.get(reason, "") or f"{code[:1] or (5 if permanent else 4)}.0.0"
    )
    if not code and permanent:
        status = f"5{status[1:]}"
    later = status[0] == "4"
    row = _row(status)
    label = str((row.get("label_later") if later else None) or row.get("label") or "")
    if not label:
        known = {str(one) for one in _table()["labels"]}
        label = code if code in known else str(_table()["statuses"]["0"]["label_later" if later else "label"])
    return Failure(
        status,
        label,
        Text(row["cause_fr"], row["cause_en"]),
        Text(row["cure_fr"], row["cure_en"]),
        tuple(dict.fromkeys(_RULE.findall(answer))),
    )


def without_repeats(answer: str) -> str:
    """An answer of several lines, joined: the enhanced code that begins each line is kept once."""
    found = _ANSWER.match(answer)
    if found is None or not found["status"]:
        return answer.strip()
    head, rest = answer[: found.end()], answer[found.end() :]
    return (head + rest.replace(f" {found['status']} ", " ")).strip()


def _row(status: str) -> Mapping[str, Any]:
    statuses: Mapping[str, Mapping[str, Any]] = _table()["statuses"]
    _, subject, detail = status.split(".")
    return statuses.get(f"{subject}.{detail}") or statuses.get(subject) or statuses["0"]


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = read_yaml("notices.yaml")
    return table
