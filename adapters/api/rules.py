"""The rules as a workspace judges by them: which it silenced, lowered or raised, by whom and why."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from adapters.api.context import Context, WorkspaceName
from adapters.api.known import ApiContext
from adapters.api.problems import Problem, not_found, safe
from gateway.exchange.derogations import overridden, restored
from gateway.exchange.identities import NotAllowed
from gateway.exchange.model import Event
from gateway.rules import Override, Severity
from gateway.rules.masking import mask_text
from gateway.sandbox.model import Policy
from gateway.values import Text

router = APIRouter(tags=["rules"])
_FIXED = Text(
    "la politique de cette passerelle ne change pas en cours de route",
    "the policy of this gateway does not change while it runs",
)


class Reason(BaseModel):
    """Who asks for it, and why: both stay in the journal and on the messages concerned."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(max_length=200)
    reason: str = Field(max_length=1000)


class Derogation(Reason):
    """A rule judged otherwise in this workspace; `silenced` takes its findings away."""

    severity: Literal["blocking", "warning", "info", "silenced"]


@router.get("/rules/overrides")
async def overrides(known: Context, workspace: WorkspaceName) -> list[dict[str, Any]]:
    """The rules this workspace judges otherwise than their cards say."""
    return [_view(known, rule, o) for rule, o in sorted(known.sandboxes.policy(workspace).overrides.items())]


@router.put("/rules/{rule}/override")
async def override(known: Context, workspace: WorkspaceName, rule: str, asked: Derogation) -> dict[str, Any]:
    """Silence, lower or raise a rule. It is journalled; messages that break a rule thus bypassed are told so (INS-204)."""
    severity = None if asked.severity == "silenced" else Severity(asked.severity)
    policy, at = known.sandboxes.policy(workspace), known.clock.now()
    try:
        changed, event = overridden(policy, known.book.catalogue, workspace, rule, severity, asked.reason, asked.by, at)
    except NotAllowed as error:
        raise _refused(error) from error
    await _keep(known, workspace, changed, event)
    return _view(known, rule, changed.overrides[rule])


@router.post("/rules/{rule}/override/lift", status_code=204)
async def lift(known: Context, workspace: WorkspaceName, rule: str, asked: Reason) -> None:
    """Judge by the card again. It is journalled too."""
    policy, at = known.sandboxes.policy(workspace), known.clock.now()
    try:
        done = restored(policy, known.book.catalogue, workspace, rule, asked.reason, asked.by, at)
    except NotAllowed as error:
        raise _refused(error) from error
    if done is None:
        raise not_found("override-not-found", safe(rule))
    await _keep(known, workspace, *done)


async def _keep(known: ApiContext, workspace: str, policy: Policy, event: Event) -> None:
    if known.set_overrides is None:
        raise Problem(501, "policy-fixed", _FIXED)
    await known.set_overrides(workspace, policy, event)


def _refused(error: NotAllowed) -> Problem:
    return Problem(422, "override-refused", error.why, rule=error.rule, why={"fr": error.why.fr, "en": error.why.en})


def _view(known: ApiContext, rule: str, held: Override) -> dict[str, Any]:
    catalogue = known.book.catalogue
    usual: dict[str, str] | None = None
    if rule in catalogue:
        usual = {"emission": catalogue[rule].emission.value, "reception": catalogue[rule].reception.value}
    return {
        "rule": rule,
        "severity": held.severity.value if held.severity else "silenced",
        "card": usual,
        "by": mask_text(held.by),
        "at": held.at.isoformat() if held.at else "",
        "reason": mask_text(held.reason),
    }
