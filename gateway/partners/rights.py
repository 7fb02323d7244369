"""The routing guard: may each recipient receive each document?

Subject: a `Routing`, built by the road from the envelope, the directory and what was opened. A recipient the directory
does not know is not judged here (the envelope rules say so). Source: partners' table of who may receive what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from gateway.rules.masking import shown_address
from gateway.rules.model import Hit, Rule, RuleContext, rule
from gateway.tables import read_csv
from gateway.values import PlaceKind, Where


def recipient_place(address: str) -> Where:
    """The place of a recipient in the envelope: by it a finding tells whom it is about."""
    return Where(PlaceKind.SMTP, f"RCPT TO:<{shown_address(address)}>")


@dataclass(frozen=True, slots=True)
class RoutedDocument:
    """One document on its way: its nature (`sante`, `medico-social`, `social`) and whether it carries an INS."""

    label: str
    nature: str
    type_code: str
    carries_ins: bool
    where: Where


@dataclass(frozen=True, slots=True)
class Addressee:
    """One recipient with the routing class of the structure that holds the mailbox."""

    address: str
    routing_class: str
    structure: str
    personal: bool
    where: Where


@dataclass(frozen=True, slots=True)
class Routing:
    """Who would receive what."""

    addressees: tuple[Addressee, ...]
    documents: tuple[RoutedDocument, ...]
    consent: bool


@dataclass(frozen=True, slots=True)
class Right:
    """One line of the table: `yes`, `no` or `consent` per nature of document, and for the INS."""

    natures: Mapping[str, str]
    ins: str


@cache
def rights_table() -> Mapping[str, Right]:
    """The table of `fixtures/codes/rights.csv`, by routing class."""
    return {
        row["class"]: Right({n: row[n] for n in ("sante", "medico-social", "social")}, row["ins"])
        for row in read_csv("codes/rights.csv")
    }


def _refused(routing: Routing, verdict: str) -> Iterator[Hit]:
    table = rights_table()
    for addressee in routing.addressees:
        right = table.get(addressee.routing_class)
        if right is None:
            continue
        for document in routing.documents:
            if right.natures.get(document.nature, "yes") == verdict:
                yield _hit(addressee, document, f"{document.nature} ({document.type_code})")


def _hit(addressee: Addressee, document: RoutedDocument, received: str) -> Hit:
    allowed = ", ".join(n for n, v in rights_table()[addressee.routing_class].natures.items() if v == "yes")
    return Hit(
        where=addressee.where,
        received=received,
        expected=allowed,
        params={
            "recipient": addressee.address,
            "class": addressee.routing_class,
            "document": document.label,
        },
        container=document.label,
    )


@rule("GW-RIGHTS-01")
def health_document_to_a_class_not_entitled(routing: Routing, ctx: RuleContext) -> Iterator[Hit]:
    """Some classes never receive health documents (SIAO, administrative services of a department)."""
    yield from _refused(routing, "no")


@rule("GW-RIGHTS-03")
def health_document_without_consent(routing: Routing, ctx: RuleContext) -> Iterator[Hit]:
    """Social structures of article L312-1 receive them only with the person's consent."""
    if not routing.consent:
        yield from _refused(routing, "consent")


@rule("GW-RIGHTS-04")
def ins_to_a_class_outside_its_circle(routing: Routing, ctx: RuleContext) -> Iterator[Hit]:
    """The INS stays within the circle of those who may use it."""
    table = rights_table()
    for addressee in routing.addressees:
        right = table.get(addressee.routing_class)
        if right is None or right.ins != "no":
            continue
        for document in routing.documents:
            if document.carries_ins:
                yield _hit(addressee, document, "INS")


@rule("GW-RIGHTS-07")
def personal_mailbox_of_a_non_entitled_agent(routing: Routing, ctx: RuleContext) -> Iterator[Hit]:
    """Partners outside care are written to at their organisational mailbox."""
    for addressee in routing.addressees:
        if addressee.personal and addressee.routing_class in ("SOC-SIAO", "CD-ADM", "MDPH", "CD-EMS"):
            yield Hit(
                where=addressee.where,
                received="PER",
                expected="ORG",
                params={"recipient": addressee.address, "class": addressee.routing_class},
            )


RULES: tuple[Rule[Routing], ...] = (
    health_document_to_a_class_not_entitled,
    health_document_without_consent,
    ins_to_a_class_outside_its_circle,
    personal_mailbox_of_a_non_entitled_agent,
)
