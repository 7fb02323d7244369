"""Stored rows as a page shows them: short words, marks for what differs, a story across hops."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from adapters.api.views import worst_of
from gateway.ports import EventRow, ExchangeRow
from gateway.values import Lang, Text

DOORS = {
    "smtp-submission": Text("Envoi", "Submission"),
    "smtp-reception": Text("Réception", "Reception"),
    "dmp": Text("DMP", "DMP"),
    "insi": Text("INSi", "INSi"),
    "mllp": Text("HL7v2", "HL7v2"),
    "fhir": Text("FHIR", "FHIR"),
}
OUTCOMES = {
    "accept": Text("Accepté", "Accepted"),
    "accept_with_alerts": Text("Accepté, alertes", "Accepted, alerts"),
    "quarantine": Text("Quarantaine", "Quarantine"),
    "reject": Text("Refusé", "Refused"),
}
EVENTS = {
    "received": Text("Reçu", "Received"),
    "decided": Text("Jugé", "Judged"),
    "delivered": Text("Déposé en boîte", "Put in the mailbox"),
    "relayed": Text("Relayé à l'opérateur suivant", "Relayed to the next operator"),
    "deferred": Text("Remis à plus tard", "Deferred"),
    "dead": Text("Abandonné", "Given up"),
    "read": Text("Lu", "Read"),
    "refused": Text("Refusé à la porte", "Refused at the door"),
    "duplicate": Text("Doublon", "Duplicate"),
    "registered": Text("Enregistré au DMP", "Registered in the DMP"),
}
TRAITS = {
    "matricule": Text("Matricule INS", "INS matricule"),
    "oid": Text("OID", "OID"),
    "birth_family": Text("Nom de naissance", "Birth name"),
    "birth_given": Text("Premier prénom", "First given name"),
    "given_list": Text("Liste des prénoms", "Given names"),
    "birth_date": Text("Date de naissance", "Birth date"),
    "sex": Text("Sexe", "Sex"),
    "birth_place": Text("Lieu de naissance (COG)", "Birthplace (COG)"),
    "used_family": Text("Nom utilisé", "Used name"),
    "used_given": Text("Prénom utilisé", "Used given name"),
}
_INTEGRATION = {
    "allowed": Text("intégration possible", "integration allowed"),
    "without_ins": Text("intégration sans l'INS", "integration without the INS"),
    "stopped": Text("intégration arrêtée", "integration stopped"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    id: str
    seq: int
    at: datetime
    door: str
    door_label: str
    sender: str
    recipients: str
    subject: str
    outcome: str
    outcome_label: str
    integration: str
    worst: str
    rules: tuple[str, ...]
    answer: str


def shown_row(row: ExchangeRow, lang: Lang) -> Row:
    """A stored exchange as a line."""
    s = row.summary
    recipients = [str(r) for r in s.get("recipients", ())]
    outcome, door = str(s.get("outcome", "")), str(s.get("door", ""))
    return Row(
        id=row.id,
        seq=row.seq,
        at=row.at,
        door=door,
        door_label=_said(DOORS, door, lang),
        sender=str(s.get("mail_from") or s.get("sender", "")),
        recipients=", ".join(recipients[:2]) + (f" +{len(recipients) - 2}" if len(recipients) > 2 else ""),
        subject=str(s.get("subject") or s.get("kind", "")),
        outcome=outcome,
        outcome_label=_said(OUTCOMES, outcome, lang),
        integration=_said(_INTEGRATION, str(s.get("integration", "")), lang),
        worst=worst_of(row),
        rules=tuple(str(r) for r in s.get("rules", ()))[:6],
        answer=str(s.get("answer", "")),
    )


def _said(table: Mapping[str, Text], key: str, lang: Lang) -> str:
    found = table.get(key)
    return found.in_(lang) if found else key


@dataclass(frozen=True, slots=True)
class Happening:
    """One event on the timeline."""

    at: datetime
    kind: str
    label: str
    detail: str


def shown_event(event: EventRow, lang: Lang) -> Happening:
    """An event in words."""
    data = event.data
    parts = [data.get("answer"), data.get("destination"), ", ".join(data.get("mailboxes", ())), data.get("reason")]
    return Happening(event.at, event.kind, _said(EVENTS, event.kind, lang), " · ".join(str(p) for p in parts if p))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Identities side by side: one column a container, one line a trait."""

    containers: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Markup, ...], bool], ...]  # label, values, whether they differ


def compared(identities: Sequence[Mapping[str, Any]], lang: Lang) -> Comparison:
    """The identities of an opened message as a table. A trait nobody tells is left out."""
    lines = []
    for name, label in TRAITS.items():
        values = [str(i[name] if name in ("matricule", "oid") else i["traits"].get(name, "")) for i in identities]
        told = {v for v in values if v}
        if told:
            lines.append((label.in_(lang), tuple(marked(v) for v in values), len(told) > 1))
    return Comparison(tuple(str(i["container"]) for i in identities), tuple(lines))


_DIFFERENCE = re.compile(r"\[([^\]]*)\]")


def marked(masked: str) -> Markup:
    """A masked value with its differing positions marked."""
    return Markup(_DIFFERENCE.sub(r"<mark>\1</mark>", str(escape(masked))))  # noqa: S704  # escaped just before


@dataclass(frozen=True, slots=True)
class Card:
    """A finding in one language."""

    rule: str
    severity: str
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
        title=finding["title"][lang.value],
        message=finding["message"][lang.value],
        cure=finding["cure"][lang.value],
        container=finding["container"],
        where=f"{where['path']}{line}",
        received=finding["received"],
        expected=finding["expected"],
        values=tuple((v["container"], marked(v["value"]), v["path"]) for v in finding["values"]),
        source=finding["source"],
    )
