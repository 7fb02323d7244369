"""Calls of INSi as rules see them, without a socket."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from gateway.directory.territory import load_territory
from gateway.insi.base import NationalBase, national_base
from gateway.insi.case import Case
from gateway.insi.faults import TraitChange
from gateway.insi.model import Caller, CardData, Ins, Matricule, Operation, Query, Traits, Verification
from gateway.insi.opening import OpenedCall
from gateway.rules import Finding, Rule, RuleBook, RuleContext, load_catalogue
from gateway.soap.certificates import Holder, Peer
from gateway.values import Direction, Door

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CTX = RuleContext(Direction.EMISSION, Door.INSI, date(2026, 3, 2))
BOOK = RuleBook(load_catalogue())
CALLER = Caller("PASSERELLE01", "passerelle", "1", "900000001", has_lps=True, has_bam=True)
GOOD = Traits("DELMAS", ("SUZANNE",), "F", "1939-03-08", "48901")
INS = Ins(Matricule("2390348901017", "55", "NIR"), "1.2.250.1.213.1.4.10")
CARD = CardData(own=Matricule("2390348901017", "55"), family="DELMAS", birth_date="1939-03-08", rank="1")


def base(environment: str = "test", *changes: TraitChange) -> NationalBase:
    return national_base(load_territory(), environment, changes)


def holder(name: str = "INSI-AUTO", *, authenticates: bool = True) -> Holder:
    return Holder(b"der", f"CN={name}", name, "EDITEUR", (), 1, may_sign=False, may_authenticate=authenticates)


def case(query: Query | None = GOOD, operation: Operation = Operation.TRAITS, **changes: object) -> Case:
    call = OpenedCall(operation=operation, query=query, caller=CALLER)
    made = Case(call, Peer(True, holder()), NOW)
    return replace(made, **changes)  # type: ignore[arg-type]


def verification(traits: Traits = GOOD, ins: Ins = INS) -> Case:
    return case(Verification(ins, traits), Operation.VERIFY)


def card(data: CardData = CARD) -> Case:
    return case(data, Operation.CARD)


def judged(rules: tuple[Rule[Case], ...], subject: Case) -> list[Finding]:
    return BOOK.judge(rules, subject, CTX, "insi:demande")


def ids(rules: tuple[Rule[Case], ...], subject: Case) -> set[str]:
    return {f.rule for f in judged(rules, subject)}
