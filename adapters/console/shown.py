"""Stored rows as a page shows them: short words, marks for what differs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from adapters.api.views import worst_of
from adapters.console.parties import Party, by_address, by_certificate, operator_name, structure_of
from adapters.console.words import (
    DOORS,
    EVENTS,
    INTEGRATIONS,
    KINDS,
    NOTICES,
    OUTCOMES,
    STAGES,
    meaning,
    said,
)
from adapters.identity_words import TRAITS
from gateway.directory.model import Territory
from gateway.ports import EventRow, ExchangeRow
from gateway.rules.masking import DOT
from gateway.rules.words import ACTIONS, SEVERITIES
from gateway.values import Lang, in_lang, words_from_json

RULES_SHOWN = 4
INS_ARC = "1.2.250.1.213.1.4."
_XDM = re.compile(r"XDM/1\.0/DDM\+?")


_NOTICE_TONES = {"failed": "reject", "delayed": "accept_with_alerts", "not-integrated": "quarantine"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list. `href` is the page that explains it; `seq` is '' for a refusal that left no exchange."""

    id: str
    seq: int
    event: int
    href: str
    at: datetime
    door: str
    door_label: str
    sender: Party
    recipients: tuple[Party, ...]
    subject: str
    xdm: bool
    documents: tuple[str, ...]
    outcome: str
    outcome_label: str
    integration: str
    integration_label: str
    meaning: str
    worst: str
    rules: tuple[str, ...]
    answer: str
    duplicate_of: str = ""
    notice: str = ""

    @property
    def tone(self) -> str:
        """The colour of its outcome: a notice is always accepted, what it tells may be bad."""
        if self.door != "notice":
            return self.outcome
        return _NOTICE_TONES.get(self.notice, "accept")

    @property
    def more_rules(self) -> int:
        """How many rules are not shown on the line."""
        return max(0, len(self.rules) - RULES_SHOWN)


def shown_row(row: ExchangeRow, territory: Territory, lang: Lang) -> Row:
    """A stored exchange as a line."""
    s = row.summary
    outcome, door, integration = (str(s.get(name, "")) for name in ("outcome", "door", "integration"))
    kind, duplicate_of = str(s.get("kind", "")), str(s.get("duplicate_of", ""))
    subject = "" if door == "dmp" else str(s.get("subject", ""))
    notice = str(s.get("notice", "")) if door == "notice" else ""
    documents = tuple(str(d.get("type_label") or d.get("type") or d.get("label")) for d in s.get("documents", ()))
    return Row(
        id=row.id,
        seq=row.seq,
        event=0,
        href=f"/echanges/{row.id}",
        at=row.at,
        door=door,
        door_label=said(DOORS, door, lang),
        sender=sender_of(row, territory, lang),
        recipients=tuple(by_address(str(r), territory, lang) for r in s.get("recipients", ())),
        subject=_XDM.sub("", subject) or said(KINDS, kind, lang),
        xdm=_XDM.match(subject) is not None,
        documents=documents,
        outcome=outcome,
        outcome_label=said(NOTICES, notice, lang).capitalize() if notice else said(OUTCOMES, outcome, lang),
        integration=integration,
        integration_label=said(INTEGRATIONS, integration, lang),
        meaning=meaning(door, outcome, integration, duplicate=bool(duplicate_of)).in_(lang),
        worst=worst_of(row),
        rules=tuple(str(r) for r in s.get("rules", ())),
        answer=str(s.get("answer", "")),
        duplicate_of=duplicate_of,
        notice=notice,
    )


def sender_of(row: ExchangeRow, territory: Territory, lang: Lang) -> Party:
    """Who sent it: the address of the envelope, else the structure of the VIHF, else the certificate."""
    s = row.summary
    if s.get("door") == "notice":
        return Party(operator_name(str(s.get("operator", "")), territory))
    if s.get("door") != "dmp":
        return by_address(str(s.get("mail_from", "")), territory, lang)
    name = structure_of(str(s.get("structure", "")), territory)
    return Party(name) if name else by_certificate(str(s.get("sender", "")), territory)


def shown_refusal(event: EventRow, territory: Territory, lang: Lang) -> Row:
    """A refusal at the door, before any message: it left no exchange, only a line of the journal."""
    data = event.data
    mail_from, certificate = str(data.get("mail_from") or ""), str(data.get("certificate") or "")
    if mail_from:
        sender = by_address(mail_from, territory, lang)
    elif certificate:
        sender = by_certificate(certificate, territory)
    else:
        sender = Party(str(data.get("peer", "")))
    recipient = str(data.get("recipient") or data.get("rcpt") or "")
    door = str(data.get("door", ""))
    findings = data.get("findings", ())
    title = findings[0]["title"][lang.value] if findings else str(data.get("answer", ""))
    stage = str(data.get("stage", ""))
    return Row(
        id="",
        seq=0,
        event=event.seq,
        href=f"/refus/{event.seq}",
        at=event.at,
        door=door,
        door_label=said(DOORS, door, lang),
        sender=sender,
        recipients=(by_address(recipient, territory, lang),) if recipient else (),
        subject=title,
        xdm=False,
        documents=(said(STAGES, stage, lang),) if stage else (),
        outcome="reject",
        outcome_label=said(OUTCOMES, "reject", lang),
        integration="",
        integration_label="",
        meaning=said(EVENTS, "refused", lang),
        worst="blocking",
        rules=tuple(str(r) for r in data.get("rules", ())),
        answer=str(data.get("answer", "")),
    )


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the journal, in words."""

    at: datetime
    kind: str
    label: str
    detail: str
    exchange_id: str = ""
    door_label: str = ""


def shown_event(event: EventRow, lang: Lang, door: str = "") -> Happening:
    """An event in words."""
    data = event.data
    outcome = said(OUTCOMES, str(data.get("outcome", "")), lang)
    parts = [
        outcome,
        ", ".join(data.get("rules", ())),
        data.get("answer") if event.kind != "decided" else "",
        data.get("destination"),
        ", ".join(data.get("mailboxes", ())) or data.get("mailbox"),
        data.get("reason"),
    ]
    detail = " · ".join(str(p) for p in parts if p)
    named = said(DOORS, door or str(data.get("door", "")), lang)
    return Happening(event.at, event.kind, said(EVENTS, event.kind, lang), detail, event.exchange_id, named)


@dataclass(frozen=True, slots=True)
class Line:
    """One trait: its name, one value for each container, whether they differ."""

    label: str
    values: tuple[Markup, ...]
    differ: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Identities side by side: one column a container, one line a trait."""

    containers: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def differ(self) -> bool:
        """At least one trait differs."""
        return any(line.differ for line in self.lines)


def compared(identities: Sequence[Mapping[str, Any]], lang: Lang) -> Comparison:
    """The identities of an opened message as a table. A trait nobody tells is left out."""
    lines = []
    for name, label in TRAITS.items():
        values = [str(i[name] if name in ("matricule", "oid") else i["traits"].get(name, "")) for i in identities]
        told = {v for v in values if v}
        if told:
            # a used name may well not be the birth name: only strict traits must be the same everywhere
            differ = len(told) > 1 and not name.startswith("used_")
            shown = [f"….{v.rpartition('.')[2]}" if name == "oid" and v.startswith(INS_ARC) else v for v in values]
            # a long trait keeps its length in brackets: its dots need not all stand there
            lines.append(Line(label.in_(lang), tuple(marked(_DOTS.sub(f"{DOT * 6}…", v)) for v in shown), differ))
    return Comparison(tuple(str(i["container"]) for i in identities), tuple(lines))


_DOTS = re.compile(rf"{DOT}{{9,}}(?=\()")
_DIFFERENCE = re.compile(r"\[([^\]]*)\]")


def marked(masked: str) -> Markup:
    """A masked value with its differing positions marked."""
    return Markup(_DIFFERENCE.sub(r"<mark>\1</mark>", str(escape(masked))))  # noqa: S704  # escaped just before


@dataclass(frozen=True, slots=True)
class Card:
    """A finding in one language."""

    rule: str
    severity: str
    severity_label: str
    action: str
    title: str
    message: str
    cure: str
    container: str
    where: str
    received: str
    expected: str
    values: tuple[tuple[str, Markup, str], ...]
    source: str


def card(finding: Mapping[str, Any], lang: Lang) -> Card:
    """A stored finding as a card."""
    where = finding["where"]
    line = f" (l. {where['line']})" if where.get("line") else ""
    return Card(
        rule=finding["rule"],
        severity=finding["severity"],
        severity_label=said(SEVERITIES, finding["severity"], lang),
        action=said(ACTIONS, finding["action"], lang),
        title=finding["title"][lang.value],
        message=finding["message"][lang.value],
        cure=finding["cure"][lang.value],
        container=finding["container"],
        where=f"{where['path']}{line}",
        received=in_lang(words_from_json(finding["received"]), lang),
        expected=in_lang(words_from_json(finding["expected"]), lang),
        values=tuple((v["container"], marked(v["value"]), v["path"]) for v in finding["values"]),
        source=finding["source"],
    )
