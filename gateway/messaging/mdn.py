"""Message disposition notifications: what the recipient's system made of the documents of a mail, told to who asked (RFC 8098).

Three parts: a text in French and English with the code, the cause and the cure, `message/disposition-notification` for programs,
and the whole original. The error stands in the field `Error`, as the HL7 volet of 2026 writes it; the older form, inside the
Disposition modifier, breaks the parsers of RFC 8098 and is not written. Source: digest §6.5, volet Transmission au LPS d'un
document CDA par courriel MSSanté 1.1.3; codes of the table applicationErrorCondition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from gateway.messaging.model import MailMessage
from gateway.messaging.open_headers import mailboxes
from gateway.messaging.part_rules import is_report
from gateway.messaging.report_parts import automatic_headers, field, lines, multipart, original_part, text_part
from gateway.rules.masking import mask_text
from gateway.tables import read_yaml
from gateway.values import Text

REQUEST = "Disposition-Notification-To"
OTHER = "906"
_NOTHING = Text("", "")
_DISPOSITION = "automatic-action/MDN-sent-automatically; "


@dataclass(frozen=True, slots=True)
class Disposition:
    """What became of the documents of one mail. `code` is '' when they joined a record, else 900 to 906.

    `recipient` is the mailbox that speaks, `asked_by` who asked; `about` the Message-ID of the mail; `subject` its own.
    `cause` and `cure` are those of the rule that stopped the integration.
    """

    recipient: str
    recipient_name: str
    asked_by: str
    message_id: str
    at: datetime
    about: str = ""
    subject: str = ""
    code: str = ""
    rule: str = ""
    cause: Text = _NOTHING
    cure: Text = _NOTHING

    @property
    def label(self) -> Text:
        """The words of the code; those of 906 for a code of another table."""
        return label_of(self.code) if self.code else _NOTHING


def asked_by(mail: MailMessage, mail_from: str) -> str:
    """Who asked to be told, lower case; '' when nobody may be told without a human.

    Nobody when the address is not that of the envelope (RFC 8098 §2.1), when several are named, when the mail was itself
    written by a program (RFC 3834 §2) or is a report.
    """
    told = mail.all_headers(REQUEST)
    written = (mail.header("Auto-Submitted") or "no").strip().lower()
    if len(told) != 1 or not mail_from or is_report(mail) or written != "no":
        return ""
    named = mailboxes(told[0])
    if len(named) != 1 or named[0].address.casefold() != mail_from.casefold():
        return ""
    return mail_from.casefold()


def build_mdn(told: Disposition, original: bytes, *, whole: bool = True) -> bytes:
    """The notification as octets. `original` is b'' when it is gone; `whole` False attaches its header alone."""
    parts = [text_part(_text(told)), _fields(told)]
    if original:
        parts.append(original_part(original, whole=whole))
    headers = automatic_headers(
        sender=told.recipient,
        sender_name=told.recipient_name,
        to=told.asked_by,
        subject=subject_of(told.code, told.subject),
        at=told.at,
        message_id=told.message_id,
        about=told.about,
    )
    return multipart(headers, "report; report-type=disposition-notification", parts, told.message_id)


def subject_of(code: str, subject: str) -> str:
    """The subject of the original, behind the error when there is one."""
    return f"{_words()['failed']['subject']}[{code}] {subject}" if code else subject


def label_of(code: str) -> Text:
    """The words of a code of applicationErrorCondition; those of 906 (other) when it is none."""
    words = _words()["codes"]
    held = words.get(code, words[OTHER])
    return Text(held["fr"], held["en"])


def _fields(told: Disposition) -> bytes:
    """message/disposition-notification (RFC 8098 §3.1)."""
    fields = [field("Reporting-UA", f"{told.recipient.rpartition('@')[2]}; passerelle")]
    fields += [
        field("Original-Recipient", f"rfc822;{told.recipient}"),
        field("Final-Recipient", f"rfc822;{told.recipient}"),
    ]
    if told.about:
        fields.append(field("Original-Message-ID", f"<{told.about}>"))
    fields.append(field("Disposition", _DISPOSITION + ("processed/error" if told.code else "processed")))
    if told.code:
        fields.append(field("Error", f"{told.code}^{_plain(told.label.fr)}"))
        if told.rule:
            fields.append(field("X-Passerelle-Regle", told.rule))
    return lines(["Content-Type: message/disposition-notification"]) + b"\r\n" + lines(fields)


def _plain(words: str) -> str:
    """Fields of a report are ASCII: accents are left out, not replaced by signs."""
    return words.translate(_ACCENTS)


_ACCENTS = str.maketrans("àâçéèêëîïôùûüÀÂÇÉÈÊËÎÏÔÙÛÜ’", "aaceeeeiiouuuAACEEEEIIOUUU'")


def _text(told: Disposition) -> str:
    return f"{_told_in('fr', told)}\n-- English --\n\n{_told_in('en', told)}"


def _told_in(lang: str, told: Disposition) -> str:
    words = _words()["failed" if told.code else "processed"]["text"][lang]
    text = words.format(
        recipient=mask_text(told.recipient),
        code=told.code,
        label=told.label.in_(lang),
        rule=told.rule,
        cause=told.cause.in_(lang),
        cure=told.cure.in_(lang),
    )
    return str(text)


@cache
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = read_yaml("notices.yaml")["disposition"]
    return words
