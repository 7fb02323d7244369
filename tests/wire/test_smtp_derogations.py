"""A rule of the SMTP session that a derogation keeps silent is told on the mail it would have refused (INS-204)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.rules import Override
from tests.support.smtp_client import RawClient
from tests.support.smtp_world import ALICE, BOB, FULL, Doors, World

pytest_plugins = ("tests.support.smtp_fixtures",)
AT = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)


def bypass(world: World, *rules: str) -> None:
    overrides = {rule: Override(None, "recette", "aubry-paul", AT) for rule in rules}
    world.policy_ = replace(world.policy_, overrides=overrides)


async def told(doors: Doors, certificate: str, to: str, times: int = 1) -> list[list[str]]:
    """The rules that each mail of one session says were bypassed."""
    client = await RawClient.secured(doors.ports["sud"], doors.world.pki, certificate)
    for _ in range(times):
        assert (await client.say(f"MAIL FROM:<{ALICE}>")).code == 250
        assert (await client.say(f"RCPT TO:<{to}>")).code == 250
        assert (await client.data()).code == 250
    for taken in doors.world.taken:
        assert {f.rule for f in taken.bypassed} <= {"INS-204"}
    return [[f.received_in("fr").partition(" ")[0] for f in taken.bypassed] for taken in doors.world.taken]


@pytest.mark.parametrize(
    ("certificate", "to", "rule"),
    [("expired", BOB, "GW-TLS-02"), ("cn-diff", BOB, "GW-TLS-07"), ("nord", FULL, "GW-ENV-04")],
)
async def test_a_mail_says_which_rule_of_its_session_was_bypassed_for_it(
    doors: Doors, certificate: str, to: str, rule: str
) -> None:
    client = await RawClient.secured(doors.ports["sud"], doors.world.pki, certificate)
    replies = [await client.say(f"MAIL FROM:<{ALICE}>"), await client.say(f"RCPT TO:<{to}>")]
    refusal = next(r for r in replies if r.code >= 400)
    cited = [word for word in refusal.text.split() if word.startswith("GW-")]
    assert rule in cited
    bypass(doors.world, *cited)
    assert await told(doors, certificate, to) == [cited]


async def test_every_mail_of_a_session_says_so_though_the_certificate_is_judged_once(doors: Doors) -> None:
    bypass(doors.world, "GW-TLS-02")
    assert await told(doors, "expired", BOB, times=2) == [["GW-TLS-02"]] * 2


async def test_a_mail_that_breaks_no_bypassed_rule_says_nothing(doors: Doors) -> None:
    bypass(doors.world, "GW-TLS-02", "GW-ENV-04")
    assert await told(doors, "nord", BOB) == [[]]
