"""Open a mail and apply every rule to it: one pure function of its octets, so that it runs wherever there is room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from gateway.documents.model import CdaDocument
from gateway.documents.open_cda import unreadable
from gateway.exchange.checking import Checker
from gateway.exchange.model import Envelope, OpenedMessage
from gateway.exchange.opening import open_message
from gateway.exchange.received import Said, said_by
from gateway.exchange.routing import routing_between
from gateway.identity.base_rules import Carrier, carriers_in
from gateway.identity.used_names import UsedName, used_names
from gateway.messaging.shown_subject import masked_subject, words_of
from gateway.partners.rights import Addressee
from gateway.rules import Finding, RuleBook, RuleContext, load_catalogue
from gateway.rules.book import Overrides
from gateway.rules.model import Family, Hit
from gateway.sandbox.model import Limits
from gateway.values import Door, PlaceKind, Where

MOST_OF_ONE_RULE = 25
_NOTHING = unreadable(b"", "", Where(PlaceKind.FILE, ""), ())
_UNTOLD: Mapping[str, Any] = MappingProxyType(
    {field.name: getattr(_NOTHING, field.name) for field in fields(CdaDocument)}
)


@dataclass(frozen=True, slots=True)
class Case:
    """All that judging needs besides the octets: small and picklable."""

    envelope: Envelope
    limits: Limits
    ctx: RuleContext
    overrides: Overrides
    addressees: tuple[Addressee, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What was inside (`told`), and what was found. Not yet a decision.

    `carriers` is where an INS stands, for the sender's index; `said` who the patient is, for the recipients'; `used_names`
    what is told of them, for the sender's habits.
    """

    opened: OpenedMessage
    findings: list[Finding]
    carriers: tuple[Carrier, ...] = ()
    said: Said | None = None
    used_names: tuple[UsedName, ...] = ()


def judge_mail(raw: bytes, case: Case) -> Judged:
    """Open and check one mail. Never raises."""
    opened = open_message(raw, "mail", case.envelope, case.limits)
    checker = Checker(RuleBook(load_catalogue(), case.overrides))
    findings = checker.check(opened, case.ctx, routing_between(opened, case.addressees))
    said = said_by(opened.views) if case.ctx.door is Door.RECEPTION else None
    used = used_names(opened.views) if case.ctx.door is Door.SUBMISSION else ()
    return Judged(told(opened), bounded(findings), carriers_in(opened.views), said, used)


def unjudged(error: Exception, case: Case) -> Judged:
    """A mail nobody could judge (a worker brought down, a fault of ours): said, never an exception at the door."""
    hit = Hit(Where(PlaceKind.MIME, "message"), type(error).__name__, "judge_mail", params={"rule": "judge_mail"})
    book = RuleBook(load_catalogue(), case.overrides)
    return Judged(OpenedMessage("mail"), book.findings("INS-205", hit, case.ctx, "mail"))


def told(opened: OpenedMessage) -> OpenedMessage:
    """The same message without what only rules read: what travels back to the event loop is small."""
    if opened.mail is None:
        return opened
    documents = tuple(_told_of(document) for document in opened.mail.documents)
    subject = masked_subject(opened.mail.subject, _names(opened))
    mail = replace(
        opened.mail, parts=(), packages=(), loose_documents=documents, identity=None, issues=(), subject=subject
    )
    return OpenedMessage(kind=opened.kind, mail=mail)


def _names(opened: OpenedMessage) -> frozenset[str]:
    """The words of the patients' names, as each container tells them."""
    traits = ("birth_family", "birth_given", "given_list", "used_family", "used_given")
    return words_of(told.value for view in opened.views for name in traits if (told := getattr(view, name)) is not None)


def _told_of(document: CdaDocument) -> CdaDocument:
    """Its label, its code and its body."""
    kept = {"label": document.label, "where": document.where, "code": document.code, "body": document.body}
    return CdaDocument(**{**_UNTOLD, **kept})


def bounded(findings: list[Finding]) -> list[Finding]:
    """At most 25 findings of one rule: who has mended these will see the others. Rights are told for each recipient."""
    if len(findings) <= MOST_OF_ONE_RULE:
        return findings
    seen: Counter[str] = Counter()
    kept = []
    for finding in findings:
        seen[finding.rule] += 1
        if seen[finding.rule] <= MOST_OF_ONE_RULE or finding.family is Family.RIGHTS:
            kept.append(finding)
    return kept


def ready() -> None:
    """Read what judging needs, so that the first mail does not wait for it."""
    load_catalogue()
