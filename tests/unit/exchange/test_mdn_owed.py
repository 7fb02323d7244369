"""Which work of integration owes an MDN: that of a mail that asked, where the workspace has not turned it off."""

from __future__ import annotations

import pytest

from gateway.directory.territory import load_territory
from gateway.exchange.decision import decide
from gateway.exchange.integration import integrations_for
from gateway.exchange.judging import Case, judge_mail
from gateway.exchange.model import Envelope, Payload, Sender, Submission
from gateway.exchange.routing import mails_for
from gateway.samples import sample_named
from gateway.sandbox.model import Limits, MdnMode, Policy
from gateway.values import Direction, Door
from tests.support.identity_views import context
from tests.support.live import LETTER, NURSING_HOME, SENDER
from tests.support.stores import NOW

ASKED = f"Disposition-Notification-To: <{SENDER}>\r\n".encode()


def owed(raw: bytes, mode: MdnMode) -> list[str]:
    """Whom each piece of work is to tell."""
    envelope, policy = Envelope(SENDER, (NURSING_HOME,)), Policy(mdn=mode)
    ctx = context(Direction.RECEPTION, Door.RECEPTION)
    judged = judge_mail(raw, Case(envelope, Limits(), ctx, {}, ()))
    payload, sender = Payload(len(raw), "0" * 64, raw), Sender("certificate", "CN=x")
    territory = load_territory()
    serving = territory.operator_of_domain(NURSING_HOME.rpartition("@")[2])
    assert serving is not None
    submission = Submission("demo", Door.RECEPTION, serving.id, sender, payload, NOW, "127.0.0.1:1", envelope)
    decision = decide(judged.findings, Door.RECEPTION, policy)
    mails = mails_for(submission, "x", "m", territory, decision.integration)
    work = integrations_for(submission, judged, decision, mails, territory, policy, NOW)
    assert len(work) == 1
    return [str(one.payload["mail_from"]) for one in work if "mail_from" in one.payload]


@pytest.mark.parametrize(("mode", "told"), [(MdnMode.ERRORS, [SENDER]), (MdnMode.ALL, [SENDER]), (MdnMode.OFF, [])])
def test_a_mail_that_asked_is_owed_an_answer_unless_the_workspace_says_nothing(mode: MdnMode, told: list[str]) -> None:
    assert owed(ASKED + sample_named(LETTER).build(), mode) == told


def test_a_mail_that_did_not_ask_is_owed_none() -> None:
    assert owed(sample_named(LETTER).build(), MdnMode.ALL) == []
