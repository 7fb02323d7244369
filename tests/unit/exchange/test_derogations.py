"""A workspace's changes to the rules have a name, a reason and a line in the journal, and outlive a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.sandboxes import LiveSandboxes
from adapters.storage import open_store
from gateway.exchange.derogations import overridden, restored
from gateway.exchange.identities import NotAllowed
from gateway.rules import Override, Severity, load_catalogue
from gateway.sandbox.model import Policy

AT = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
CATALOGUE = load_catalogue()


def test_who_what_when_and_why_stand_in_the_journal() -> None:
    policy, event = overridden(Policy(), CATALOGUE, "demo", "INS-072", None, " recette ", "aubry-paul", AT)
    assert policy.overrides == {"INS-072": Override(None, "recette", "aubry-paul", AT)}
    assert (event.kind, event.at, event.workspace) == ("rule-override", AT, "demo")
    assert event.data == {
        "rule": "INS-072",
        "before": "card",
        "now": "silenced",
        "card": {"emission": "blocking", "reception": CATALOGUE["INS-072"].reception.value},
        "by": "aubry-paul",
        "reason": "recette",
    }
    done = restored(policy, CATALOGUE, "demo", "INS-072", "fin de recette", "aubry-paul", AT)
    assert done is not None
    assert (done[0].overrides, done[1].data["before"], done[1].data["now"]) == ({}, "silenced", "card")
    assert restored(Policy(), CATALOGUE, "demo", "INS-072", "x", "y", AT) is None


@pytest.mark.parametrize(
    ("rule", "reason", "by"),
    [("INS-999", "x", "y"), ("INS-204", "x", "y"), ("INS-072", " ", "y"), ("INS-072", "x", "")],
)
def test_a_derogation_without_a_name_or_a_reason_or_of_ins_204_itself_is_refused(
    rule: str, reason: str, by: str
) -> None:
    with pytest.raises(NotAllowed) as refused:
        overridden(Policy(), CATALOGUE, "demo", rule, None, reason, by, AT)
    assert refused.value.rule == "INS-204"
    assert refused.value.why.fr != refused.value.why.en


async def test_it_outlives_a_restart_and_the_rest_of_the_policy_still_follows_the_settings(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    sandboxes = LiveSandboxes(store, Policy(profile="strict"))
    await sandboxes.load()
    changed, event = overridden(sandboxes.policy("demo"), CATALOGUE, "demo", "INS-072", Severity.INFO, "x", "y", AT)
    await sandboxes.set_overrides("demo", changed, event)
    assert sandboxes.policy("demo").overrides == changed.overrides
    again = LiveSandboxes(store, Policy(profile="lenient_canonical"))
    await again.load()
    assert again.policy("demo").overrides == changed.overrides
    assert again.policy("demo").profile == "lenient_canonical"
    assert [e.kind for e in await store.events("demo")] == ["rule-override"]
    await store.close()
