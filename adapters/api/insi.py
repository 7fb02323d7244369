"""Incidents of the simulated INSi: an outage, slowness, traits that changed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from adapters.api.context import Context, WorkspaceName
from adapters.api.known import ApiContext
from adapters.api.problems import Problem
from gateway.exchange.insi import Insi
from gateway.insi.faults import MAX_DELAY_S, InsiFaults, UnknownIncident, faults_from
from gateway.values import Text

router = APIRouter(tags=["insi"])


class Change(BaseModel):
    """One trait of one person is from now on another. `person` is a patient's key or a published identity's id."""

    model_config = ConfigDict(extra="forbid")

    person: str = Field(max_length=100)
    trait: str = Field(description="family, given_list, sex, birth_date, birth_place or matricule", max_length=20)
    value: str = Field(max_length=200)


class Incidents(BaseModel):
    """What to switch on; what is left out is switched off."""

    model_config = ConfigDict(extra="forbid")

    outage: str = Field("", description="'' none, fault (siram_40) or http (503 without SOAP)", max_length=10)
    slow_s: float = Field(0.0, ge=0, le=MAX_DELAY_S, description="seconds waited before each answer")
    changes: list[Change] = Field([], max_length=100)


@router.get("/insi/faults")
async def incidents(known: Context, workspace: WorkspaceName) -> dict[str, Any]:
    """What is switched on; of changed traits, which ones."""
    return _service(known).faults(workspace).to_json()


@router.put("/insi/faults")
async def switch(known: Context, workspace: WorkspaceName, asked: Incidents) -> dict[str, Any]:
    """Switch incidents on or off. They live until they are changed, the workspace is reset, or the gateway stops."""
    try:
        faults: InsiFaults = faults_from(asked.model_dump())
    except UnknownIncident as error:
        raise Problem(422, "unknown-incident", error.why) from error
    await _service(known).set_faults(workspace, faults)
    return faults.to_json()


def _service(known: ApiContext) -> Insi:
    if known.insi is None:
        raise Problem(404, "no-insi", Text("cette passerelle ne joue pas d'INSi", "this gateway plays no INSi"))
    return known.insi
