"""Each envelope rule: a subject that passes it, a subject that breaks it, a card that teaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gateway.directory.model import MailboxState
from gateway.messaging.envelope_rules import (
    RECIPIENT_RULES,
    REPLIES,
    RULES,
    SENDER_RULES,
    SESSION_RULES,
    SIZE_RULES,
    RecipientAtDoor,
    SenderAtDoor,
    SessionFact,
    SizeSaid,
)
from gateway.rules import RuleBook, RuleContext
from gateway.rules.catalogue import load_catalogue
from gateway.rules.masking import shown_address
from gateway.values import Direction, Door

CTX = RuleContext(Direction.RECEPTION, Door.RECEPTION, date(2026, 11, 24))
BOOK = RuleBook(load_catalogue())
ME = "a@b.mssante.fr"
SENDER = SenderAtDoor(ME, 10, 100, must_authenticate=True, account=ME, own=frozenset((ME, "")))
RECIPIENT = RecipientAtDoor(ME, True, True, True, MailboxState.ACTIVE, 1, 2)
RELAYED = replace(RECIPIENT, served=False, judged_here=False, state=None, relays=True)


def broken(rules: tuple[object, ...], subject: object) -> list[str]:
    return [f.rule for f in BOOK.judge(rules, subject, CTX, "smtp")]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "rules"),
    [
        (SENDER, []),
        (replace(SENDER, address=""), []),
        (replace(SENDER, state=MailboxState.FULL), []),
        (replace(SENDER, account=""), ["GW-ENV-09"]),
        (replace(SENDER, account="", must_authenticate=False), []),
        (replace(SENDER, address="x@b.mssante.fr"), ["GW-ENV-10"]),
        (replace(SENDER, state=MailboxState.SUSPENDED), ["GW-ENV-12"]),
        (replace(SENDER, too_fast=True, per_minute=3), ["GW-ENV-13"]),
        (replace(SENDER, declared_bytes=100), []),
        (replace(SENDER, declared_bytes=101), ["GW-ENV-07"]),
    ],
)
def test_senders(subject: SenderAtDoor, rules: list[str]) -> None:
    assert broken(SENDER_RULES, subject) == rules


@pytest.mark.parametrize(
    ("subject", "rules"),
    [
        (RECIPIENT, []),
        (replace(RECIPIENT, served=False, judged_here=False), ["GW-ENV-01"]),
        (RELAYED, []),
        (replace(RELAYED, listed=False), ["GW-ENV-05"]),
        (replace(RECIPIENT, state=None), ["GW-ENV-02"]),
        (replace(RECIPIENT, state=None, judged_here=False), []),
        (replace(RECIPIENT, state=MailboxState.DELETED), ["GW-ENV-02"]),
        (replace(RECIPIENT, state=MailboxState.SUSPENDED), ["GW-ENV-03"]),
        (replace(RECIPIENT, state=MailboxState.FULL), ["GW-ENV-04"]),
        (replace(RECIPIENT, count=3), ["GW-ENV-06"]),
        (replace(RECIPIENT, form_is_sound=False), ["GW-ENV-16"]),
    ],
)
def test_recipients(subject: RecipientAtDoor, rules: list[str]) -> None:
    assert broken(RECIPIENT_RULES, subject) == rules


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("too-large", "GW-ENV-08"),
        ("credentials", "GW-ENV-11"),
        ("injection", "GW-ENV-14"),
        ("interrupted", "GW-ENV-15"),
    ],
)
def test_facts_of_a_session(kind: str, rule: str) -> None:
    assert broken(SESSION_RULES, SessionFact(kind, "1", "0", "DATA")) == [rule]


def test_every_card_has_its_function_and_its_reply_and_the_other_way_round() -> None:
    cards = {card.id for card in load_catalogue() if card.id.startswith("GW-ENV-")}
    assert cards == {rule.id for rule in RULES} == set(REPLIES)
    for rule_id in cards:
        card = load_catalogue()[rule_id]
        assert card.passing
        assert card.breaking
        assert card.cure.fr
        assert card.cure.en
        code, enhanced = REPLIES[rule_id]
        assert str(code)[0] == enhanced[0]


def test_no_sentence_keeps_an_unfilled_brace() -> None:
    subjects = [
        (
            SENDER_RULES,
            replace(SENDER, address="x@y.fr", too_fast=True, declared_bytes=200, state=MailboxState.SUSPENDED),
        ),
        (SENDER_RULES, replace(SENDER, account="")),
        (RECIPIENT_RULES, replace(RECIPIENT, served=False, state=None, count=9)),
        (RECIPIENT_RULES, replace(RECIPIENT, state=MailboxState.FULL)),
        (RECIPIENT_RULES, replace(RECIPIENT, state=MailboxState.SUSPENDED)),
        (RECIPIENT_RULES, replace(RELAYED, listed=False, form_is_sound=False)),
        *(
            (SESSION_RULES, SessionFact(kind, "1", "0", "X"))
            for kind in ("too-large", "credentials", "injection", "interrupted")
        ),
        (SIZE_RULES, SizeSaid(10, 20)),
    ]
    seen = set()
    for rules, subject in subjects:
        for finding in BOOK.judge(rules, subject, CTX, "smtp"):  # type: ignore[arg-type]
            seen.add(finding.rule)
            for text in (finding.message, finding.cure):
                assert "{" not in text.fr + text.en, finding.rule
    assert seen == set(REPLIES)


def test_a_citizens_address_is_masked_and_a_professionals_is_not() -> None:
    assert shown_address("279035121518989@patient.mssante.fr") == "2790·········89@patient.mssante.fr"
    assert shown_address("accueil@ehpad.mssante.fr") == "accueil@ehpad.mssante.fr"
    assert "279035121518989" not in shown_address("279035121518989@ailleurs.fr")
