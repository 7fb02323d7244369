"""What a sender is owed: recipients sorted after an attempt, recipients left out at the door, and who is told of it."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count

import pytest

from gateway.directory.model import MailboxState, Territory
from gateway.directory.territory import load_territory, with_actors
from gateway.exchange.decision import decide
from gateway.exchange.model import (
    Decision,
    DeliveryState,
    DsnRequest,
    Envelope,
    Integration,
    OpenedMessage,
    Outcome,
    Payload,
    Sender,
    Submission,
)
from gateway.exchange.notice_desk import NoticeDesk
from gateway.exchange.notices import Taken, asking, left_to_try, notices_for, settle, told_late
from gateway.exchange.opening import open_message
from gateway.exchange.routing import mails_for, relays_for
from gateway.messaging.dsn import Fate
from gateway.partners.rights import recipient_place
from gateway.ports import Delivered, Delivery, ExchangeRow, NewDelivery, RecipientOutcome
from gateway.rules import Action, Family, Finding, RuleBook, Severity, load_catalogue
from gateway.sandbox.model import Policy
from gateway.values import Door, Text

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ME = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"
COLLEAGUE = "urgences@ch-brumeval.val-de-brume.mssante.fr"
TILLEULS = "soins@ehpad-les-tilleuls.val-de-brume.mssante.fr"
SIAO = "orientation@siao.val-de-brume.mssante.fr"
CITIZEN = "238054890300588@patient.mssante.fr"
RAW = b"Message-ID: <m1@ch>\r\nSubject: lettre\r\n\r\nBonjour\r\n"
PARTIAL = Policy(partial=True)
BARRED = Finding(
    rule="GW-RIGHTS-01",
    family=Family.RIGHTS,
    severity=Severity.BLOCKING,
    action=Action.REJECT,
    container="cda",
    where=recipient_place(SIAO),
    received="sante",
    expected="social",
    values=(),
    title=Text("t", "t"),
    message=Text("non admis", "not allowed"),
    cure=Text("retirez", "remove"),
    source="",
)


@dataclasses.dataclass
class Outside:
    """Sandboxes, clock and ids."""

    territory_: Territory
    numbers: count[int] = dataclasses.field(default_factory=count)

    def territory(self, workspace: str) -> Territory:
        return self.territory_

    def policy(self, workspace: str) -> Policy:
        return Policy()

    def workspace_of_domain(self, domain: str) -> str:
        return "demo"

    def workspace_of_certificate(self, fingerprint: str) -> str:
        return ""

    def now(self) -> datetime:
        return AT

    def virtual_now(self, workspace: str) -> datetime:
        return AT

    def new(self) -> str:
        return f"n{next(self.numbers)}"


def submission(*recipients: str, door: Door = Door.SUBMISSION, mail_from: str = ME, **dsn: DsnRequest) -> Submission:
    payload = Payload(len(RAW), sha256(RAW).hexdigest(), RAW)
    asked = dict(zip(recipients, dsn.values(), strict=False))
    envelope = Envelope(mail_from, recipients, dsn=asked)
    operator = "op-plateau" if door is Door.SUBMISSION else "op-citoyen"
    return Submission("demo", door, operator, Sender("mailbox", ME), payload, AT, "127.0.0.1:1", envelope)


def owed(given: Submission, decision: Decision | None = None, raw: bytes = RAW) -> tuple[NewDelivery, ...]:
    territory = load_territory()
    taken = decision or Decision(Outcome.ACCEPT, Integration.ALLOWED, ())
    mails = mails_for(given, "x1", "m1@ch", territory, taken.integration)
    return notices_for(Taken(given, "x1", open_message(raw, "mail"), taken, mails, AT), territory)


# --------------------------------------------------------------------------------------------------------- at the door


def test_an_ordinary_mail_owes_nothing() -> None:
    assert owed(submission(COLLEAGUE, TILLEULS)) == ()
    assert owed(submission(COLLEAGUE, a=DsnRequest(("FAILURE", "DELAY")))) == ()


def test_success_is_owed_for_the_mailboxes_reached_here_only() -> None:
    asked = DsnRequest(("SUCCESS",), "rfc822;urgences@ch")
    (notice,) = owed(submission(COLLEAGUE, TILLEULS, a=asked, b=asked))
    assert (notice.kind, notice.payload["fate"], notice.payload["recipients"]) == ("notice", "delivered", [COLLEAGUE])
    assert notice.payload["dsn"] == {COLLEAGUE: {"orcpt": "rfc822;urgences@ch"}}
    assert notice.dedup_key


@pytest.mark.parametrize(
    ("to", "form"),
    [
        (CITIZEN, "undelivered"),
        ("jeanne@patient.mssante.fr", "undelivered"),
        ("reponse.automatique-test@patient.mssante.fr", "answer"),
    ],
)
def test_a_citizen_who_is_not_there_owes_a_mail_and_no_mailbox_is_written_to(to: str, form: str) -> None:
    given = submission(to, door=Door.RECEPTION)
    (notice,) = owed(given)
    assert notice.payload["form"] == form
    assert mails_for(given, "x1", "m1@ch", load_territory(), Integration.ALLOWED) == ()
    assert relays_for(given, "x1", "m1@ch", load_territory(), AT) == ()


def test_nothing_is_owed_to_the_null_sender_and_the_test_mailbox_does_not_answer_machines() -> None:
    assert owed(submission(CITIZEN, door=Door.RECEPTION, mail_from="")) == ()
    machine = b"Auto-Submitted: auto-generated\r\n" + RAW
    assert owed(submission("reponse.automatique-test@patient.mssante.fr", door=Door.RECEPTION), raw=machine) == ()


def test_a_mailbox_deleted_meanwhile_owes_a_failure() -> None:
    gone = "parti@ehpad-les-tilleuls.val-de-brume.mssante.fr"
    (notice,) = owed(submission(gone, door=Door.RECEPTION))
    assert (notice.payload["form"], notice.payload["fate"]) == ("report", "failed")
    assert owed(submission(gone, door=Door.RECEPTION, a=DsnRequest(("NEVER",)))) == ()


# ------------------------------------------------------------------------------------------------------------- partial


def test_without_partial_one_barred_recipient_refuses_the_mail() -> None:
    decision = decide([BARRED], Door.SUBMISSION, Policy(), (TILLEULS, SIAO))
    assert (decision.outcome, decision.excluded) == (Outcome.REJECT, ())


def test_with_partial_the_barred_recipient_is_left_out_and_owed_a_report() -> None:
    decision = decide([BARRED], Door.SUBMISSION, PARTIAL, (TILLEULS, SIAO))
    assert (decision.outcome, decision.excluded) == (Outcome.ACCEPT_WITH_ALERTS, (SIAO,))
    (notice,) = owed(submission(TILLEULS, SIAO), decision)
    told = notice.payload["told"][SIAO]
    assert (notice.payload["recipients"], told["cure"]) == ([SIAO], {"fr": "retirez", "en": "remove"})
    assert told["answer"].startswith("550 5.7.1 GW-RIGHTS-01")
    assert owed(submission(TILLEULS, SIAO, a=DsnRequest(), b=DsnRequest(("NEVER",))), decision) == ()


@pytest.mark.parametrize(
    ("findings", "recipients"),
    [
        ([BARRED], (SIAO,)),  # nobody would be left
        ([BARRED, replace(BARRED, family=Family.IDENTITY, rule="INS-150")], (TILLEULS, SIAO)),
        ([replace(BARRED, where=recipient_place("autre@x.fr"))], (TILLEULS, SIAO)),  # about nobody of this mail
    ],
)
def test_partial_does_not_save_a_mail_that_is_wrong_in_itself(
    findings: list[Finding], recipients: tuple[str, ...]
) -> None:
    assert decide(findings, Door.SUBMISSION, PARTIAL, recipients).refused


def test_partial_is_for_submissions() -> None:
    assert decide([BARRED], Door.FHIR, PARTIAL, (TILLEULS, SIAO)).refused


# ----------------------------------------------------------------------------------------------------- after an attempt

REACHED = RecipientOutcome("a@x.fr", True, False, "250 2.0.0")
REFUSED = RecipientOutcome("b@x.fr", False, True, "550 5.1.1 non")
WAITING = RecipientOutcome("c@x.fr", False, False, "450 4.2.1 plus tard")


def delivery(mail_from: str = ME, **more: object) -> Delivery:
    payload = {
        "mail_from": mail_from,
        "recipients": ["a@x.fr", "b@x.fr", "c@x.fr"],
        "operator": "op-plateau",
        "dsn": {"a@x.fr": {"notify": ["SUCCESS"], "orcpt": ""}, "b@x.fr": {"notify": ["NEVER"], "orcpt": ""}},
        **more,
    }
    return Delivery("1", "demo", "relay", "x.fr", payload, "x1", DeliveryState.LEASED, 1, AT, AT)


def test_recipients_are_sorted_one_by_one_or_all_by_one_answer() -> None:
    settled = settle(delivery(), Delivered(False, False, "450", recipients=(REACHED, REFUSED, WAITING)))
    assert (settled.reached, settled.refused, settled.waiting) == ((REACHED,), (REFUSED,), (WAITING,))
    whole = settle(delivery(), Delivered(False, permanent=False, answer="connect failed", reason="connect"))
    assert [o.address for o in whole.waiting] == ["a@x.fr", "b@x.fr", "c@x.fr"]
    assert settle(delivery(), Delivered(True, permanent=False, answer="250")).refused == ()


def test_only_those_left_are_in_the_next_attempt() -> None:
    left = left_to_try(delivery(), (WAITING,), late=True)
    assert left["recipients"] == ["c@x.fr"]
    assert told_late(replace(delivery(), payload=left))
    assert not told_late(delivery())


def test_reports_follow_notify_and_never_go_to_the_null_sender() -> None:
    everyone = (REACHED, REFUSED, WAITING)
    assert asking(delivery(), Fate.RELAYED, everyone) == (REACHED,)
    assert asking(delivery(), Fate.FAILED, everyone) == (WAITING,)
    assert asking(delivery(mail_from=""), Fate.FAILED, everyone) == ()


# -------------------------------------------------------------------------------------------------------------- the desk


def desk(territory: Territory | None = None) -> NoticeDesk:
    outside = Outside(territory or load_territory())
    return NoticeDesk(outside, outside, outside, RuleBook(load_catalogue()))


def test_a_sender_of_this_operator_finds_the_report_in_his_inbox() -> None:
    result = Delivered(False, permanent=True, answer="550 5.1.1 non", reason="rcpt", recipients=(WAITING,))
    (record,) = desk().after_attempt(delivery(), result, {Fate.FAILED: (WAITING,)}, RAW, None)
    assert [(m.address, m.folder) for m in record.mails] == [(ME, "INBOX")]
    assert (record.deliveries, record.parent_id, record.correlation_id) == ((), "x1", "x1")
    assert record.payload.data is not None
    assert record.payload.sha256 == sha256(record.payload.data).hexdigest()


def test_a_sender_of_another_operator_is_written_to_with_the_null_sender() -> None:
    elsewhere = delivery(mail_from=TILLEULS)
    (record,) = desk().after_attempt(elsewhere, Delivered(False, True, "550"), {Fate.FAILED: (WAITING,)}, RAW, None)
    assert record.mails == ()
    (relay,) = record.deliveries
    assert (relay.payload["mail_from"], relay.payload["recipients"]) == ("", [TILLEULS])
    assert relay.payload["sha256"] == record.payload.sha256
    assert relay.payload["dsn"] == {TILLEULS: {"notify": ("NEVER",), "orcpt": ""}}


def test_a_sender_who_left_is_not_written_to() -> None:
    territory = load_territory()
    gone = with_actors(territory, (replace(territory.mailboxes[ME], state=MailboxState.DELETED),))
    assert (
        desk(gone).after_attempt(delivery(), Delivered(False, True, "550"), {Fate.FAILED: (WAITING,)}, RAW, None) == ()
    )


def test_the_card_of_the_rule_that_refused_explains_it() -> None:
    refused = replace(WAITING, permanent=True, answer="554 5.7.5 GW-TLS-06 DN non inscrit")
    result = Delivered(False, permanent=True, answer=refused.answer, reason="GW-TLS-06", recipients=(refused,))
    (record,) = desk().after_attempt(delivery(), result, {Fate.FAILED: (refused,)}, RAW, None)
    assert record.summary["rules"] == ["GW-TLS-06"]
    assert record.summary["about"] == [{"recipient": "c@x.fr", "status": "5.7.5", "label": "554"}]


def test_a_report_answers_the_message_id_as_written_though_the_summary_keeps_it_masked() -> None:
    raw = b"Subject: x\r\nMessage-ID:\r\n <m.239034890101755@ch.fr>\r\n\r\nMessage-ID: <autre@ch.fr>\r\n"
    original = ExchangeRow("x1", 1, "demo", AT, "", "c1", len(raw), "", {"message_id": "m.2390·········55@ch.fr"}, ())
    (record,) = desk().after_attempt(
        delivery(), Delivered(False, True, "550"), {Fate.FAILED: (WAITING,)}, raw, original
    )
    assert record.payload.data is not None
    assert b"In-Reply-To: <m.239034890101755@ch.fr>\r\n" in record.payload.data


def test_an_undelivered_notice_is_written_from_its_delivery() -> None:
    (owing,) = owed(submission(CITIZEN, door=Door.RECEPTION))
    stored = Delivery("2", "demo", owing.kind, "x", owing.payload, "x1", DeliveryState.LEASED, 1, AT, AT)
    record = desk().owed(stored, RAW, None)
    assert record is not None
    assert record.summary["notice"] == "undelivered"
    assert CITIZEN not in str(record.summary)
    assert record.payload.data is not None
    assert RAW in record.payload.data
    assert [d.payload["operator"] for d in record.deliveries] == ["op-citoyen"]


def test_a_mail_that_could_not_be_opened_still_owes_its_notices() -> None:
    given = submission(CITIZEN, door=Door.RECEPTION)
    taken = Taken(given, "x1", OpenedMessage("mail"), Decision(Outcome.ACCEPT, Integration.ALLOWED, ()), (), AT)
    (notice,) = notices_for(taken, load_territory())
    assert notice.dedup_key == ""
