"""Delivery status notifications: what became of a mail, told to its sender (RFC 3461, 3464, 6522).

Three parts: a text in French and English with the cause and the cure, `message/delivery-status` for programs, and the
original or its headers. A DSN goes out with the null sender, so that none is ever sent about a DSN.

The text shows addresses and answers with their matricules masked: it is read aloud, quoted, forwarded to a support. The fields
for programs keep the recipient as its sender wrote it (RFC 3464 §2.3.1 and 2.3.2): he could not tell his recipients apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum

from gateway.messaging.report_parts import automatic_headers, field, lines, multipart, original_part, text_part
from gateway.rules.masking import DOT, mask_text
from gateway.values import Text

WHOLE_BYTES = 256 * 1024  # up to here the whole original goes back when the sender did not say (RET)
_DIAGNOSTIC = 1000
_NOTHING = Text("", "")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


class Fate(StrEnum):
    """The Action field of RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"

    @property
    def notify(self) -> str:
        """The word of NOTIFY (RFC 3461 §4.1) by which a sender asks for it."""
        return _NOTIFY[self.value]


_NOTIFY = {"failed": "FAILURE", "delayed": "DELAY", "delivered": "SUCCESS", "relayed": "SUCCESS"}
_ASSUMED = frozenset({"FAILURE", "DELAY"})  # what a sender is told when he did not say


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient of a report. `answer` is the last native answer, `orcpt` ORCPT as given, `label` the ANS's code."""

    address: str
    status: str
    answer: str = ""
    cause: Text = _NOTHING
    cure: Text = _NOTHING
    label: str = ""
    orcpt: str = ""
    remote: str = ""  # host that answered


@dataclass(frozen=True, slots=True)
class Report:
    """What to tell one sender about one mail. `about` is its Message-ID; `arrived_at` when it reached this operator.

    `ret` and `envid` are as given in MAIL. `until` is when a delayed mail is given up.
    """

    fate: Fate
    told: tuple[Told, ...]
    to: str
    postmaster: str
    postmaster_name: str
    reporting: str  # host name of the operator that reports
    message_id: str
    at: datetime
    arrived_at: datetime
    about: str = ""
    ret: str = ""
    envid: str = ""
    until: datetime | None = None


def wanted(fate: Fate, notify: Sequence[str]) -> bool:
    """Whether a recipient's NOTIFY asks for this report; without NOTIFY, failures and delays are told (RFC 3461 §4.1)."""
    return fate.notify in (notify or _ASSUMED)


def build_report(report: Report, original: bytes) -> bytes:
    """The report as octets. `original` is b'' when it is gone."""
    parts = [text_part(_text(report)), _status_part(report)]
    if original:
        parts.append(original_part(original, whole=_whole(report, original)))
    headers = automatic_headers(
        sender=report.postmaster,
        sender_name=report.postmaster_name,
        to=report.to,
        subject=SUBJECTS[report.fate],
        at=report.at,
        message_id=report.message_id,
        about=report.about,
    )
    return multipart(headers, "report; report-type=delivery-status", parts, report.message_id)


def _whole(report: Report, original: bytes) -> bool:
    """RET speaks of failures; what arrived, or still may, is known to its sender: headers do (RFC 3461 §4.3)."""
    if report.fate is not Fate.FAILED or report.ret == "HDRS":
        return False
    return report.ret == "FULL" or len(original) <= WHOLE_BYTES


def _status_part(report: Report) -> bytes:
    """message/delivery-status: a group about the mail, then one for each recipient (RFC 3464 §2)."""
    head = [field("Original-Envelope-Id", from_xtext(report.envid))] if report.envid else []
    head += [
        field("Reporting-MTA", f"dns; {report.reporting}"),
        field("Arrival-Date", format_datetime(report.arrived_at)),
    ]
    groups = [head, *(_recipient(told, report) for told in report.told)]
    return lines(["Content-Type: message/delivery-status"]) + b"".join(b"\r\n" + lines(group) for group in groups)


def _recipient(told: Told, report: Report) -> list[str]:
    kind, _, original = told.orcpt.partition(";")
    fields = [field("Original-Recipient", f"{kind}; {from_xtext(original)}")] if original else []
    fields += [
        field("Final-Recipient", f"rfc822; {told.address}"),
        field("Action", report.fate.value),
        field("Status", told.status),
    ]
    if told.remote:
        fields.append(field("Remote-MTA", f"dns; {told.remote}"))
    if told.answer:
        fields.append(field("Diagnostic-Code", f"smtp; {_shown(told.answer).replace(DOT, '.')}"))
    if report.until is not None:
        fields.append(field("Will-Retry-Until", format_datetime(report.until)))
    if told.label:
        fields.append(field("X-Passerelle-SMTPERRORCODE", told.label))
    return fields


def from_xtext(value: str) -> str:
    """The characters an xtext stands for (RFC 3461 §4); printable ASCII only, `?` for the rest."""
    plain = _XTEXT.sub(lambda found: chr(int(found[1], 16)), value)
    return "".join(c if 32 <= ord(c) < 127 else "?" for c in plain)


# ------------------------------------------------------------------------------------------------------------- the text

SUBJECTS = {
    Fate.FAILED: "Non remis : votre message n'est pas arrivé / Undelivered mail",
    Fate.DELAYED: "Retard : votre message n'est pas encore arrivé / Delayed mail",
    Fate.DELIVERED: "Remis : votre message est arrivé / Delivered mail",
    Fate.RELAYED: "Relayé : votre message est parti / Relayed mail",
}
_OPENINGS = {
    Fate.FAILED: Text(
        "Votre message n'a pas pu être remis aux destinataires ci-dessous.",
        "Your message could not be delivered to the recipients below.",
    ),
    Fate.DELAYED: Text(
        "Votre message n'a pas encore pu être remis aux destinataires ci-dessous ; les essais continuent.",
        "Your message could not be delivered yet to the recipients below; attempts go on.",
    ),
    Fate.DELIVERED: Text(
        "Votre message a été déposé dans la boîte aux lettres des destinataires ci-dessous. "
        "Cela ne dit pas qu'il a été lu.",
        "Your message was put in the mailbox of the recipients below. This does not say that it was read.",
    ),
    Fate.RELAYED: Text(
        "Votre message a été transmis à l'opérateur des destinataires ci-dessous, qui n'annonce pas la suite.",
        "Your message was handed to the operator of the recipients below, which does not report further.",
    ),
}
_CAUSE, _CURE = Text("Cause : ", "Cause: "), Text("Que faire : ", "What to do: ")
_ANSWER, _UNTIL = Text("Réponse reçue : ", "Reply received: "), Text("Abandon prévu : ", "Given up at: ")
_TIRED = Text(
    "Les essais ont duré tout le temps prévu, sans succès.", "Attempts lasted all the time allowed, without success."
)


def _text(report: Report) -> str:
    return f"{_told_in('fr', report)}\n-- English --\n\n{_told_in('en', report)}"


def _shown(answer: str) -> str:
    return mask_text(answer)[:_DIAGNOSTIC]


def _told_in(lang: str, report: Report) -> str:
    out = [_OPENINGS[report.fate].in_(lang), ""]
    for told in report.told:
        out.append(f"  {mask_text(told.address)}")
        for label, value in ((_CAUSE, told.cause), (_CURE, told.cure)):
            if value.in_(lang):
                out.append(f"    {label.in_(lang)}{value.in_(lang)}")
        if told.answer and report.fate in (Fate.FAILED, Fate.DELAYED):
            out.append(f"    {_ANSWER.in_(lang)}{_shown(told.answer)}")
        if report.fate is Fate.FAILED and told.status.startswith("4"):
            out.append(f"    {_TIRED.in_(lang)}")
        out.append("")
    if report.until is not None:
        out += [f"{_UNTIL.in_(lang)}{report.until:%Y-%m-%d %H:%M} UTC", ""]
    return "\n".join(out)
