"""The levers: mailboxes, actors, deliveries, DMPs, reset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from adapters.api.context import Context, WorkspaceName
from adapters.api.problems import Problem, not_found, safe
from adapters.api.views import delivery_view
from gateway import __version__
from gateway.directory.actors import read_actor, read_actors
from gateway.directory.territory import to_record
from gateway.exchange.model import DeliveryState
from gateway.ports import ResetWorkspace
from gateway.rules.masking import mask_json, mask_text, shown_address
from gateway.sandbox.model import DEFAULT_WORKSPACE
from gateway.values import Text

router = APIRouter(tags=["sandbox"])

KINDS = ("operator", "structure", "professional", "bal")


class MailboxQuery(BaseModel):
    """Addresses may hold a matricule: they travel in the body, never in the path."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field(max_length=320)
    folder: str = Field("INBOX", max_length=255)
    after_uid: Annotated[int, Field(ge=0, le=2**32, description="mails newer than this uid")] = 0


class DmpQuery(BaseModel):
    """A patient's INS, in the body."""

    model_config = ConfigDict(extra="forbid")

    matricule: str
    oid: str


class NewActors(BaseModel):
    """Actors to add: one by `kind` and `fields` (`name=value` words), or many by the text of a YAML or CSV file."""

    model_config = ConfigDict(extra="forbid")

    kind: str = ""
    fields: list[str] = []
    filename: str = ""
    text: str = ""


class Reset(BaseModel):
    """What to empty. `actors` also brings the territory back to what is shipped."""

    model_config = ConfigDict(extra="forbid")

    actors: bool = False


@router.get("/health")
async def health(known: Context) -> dict[str, Any]:
    """The version that answers, its doors, and whether its store does."""
    await known.store.last_seq(DEFAULT_WORKSPACE)
    return {"status": "stopping" if known.closing.is_set() else "ready", "version": __version__, "ports": known.ports}


@router.get("/mailboxes")
async def mailboxes(known: Context, workspace: WorkspaceName) -> list[dict[str, Any]]:
    """The mailboxes of the territory; citizens' addresses are masked."""
    territory = known.sandboxes.territory(workspace)
    return [
        {
            "address": shown_address(m.address),
            "kind": m.kind.value,
            "operator": m.operator,
            "holder": mask_text(m.holder),
            "service": mask_text(m.service),
            "state": m.state.value,
        }
        for m in territory.mailboxes.values()
    ]


@router.post("/mailboxes/messages")
async def messages(known: Context, workspace: WorkspaceName, query: MailboxQuery) -> list[dict[str, Any]]:
    """The mails of one folder."""
    address = query.address.casefold()
    if address not in known.sandboxes.territory(workspace).mailboxes:
        raise not_found("mailbox-not-found", Text("cette adresse", "this address"))
    rows = await known.store.mails(workspace, address, query.folder, after_uid=query.after_uid)
    return [
        {
            "uid": r.uid,
            "received_at": r.received_at.isoformat(),
            "flags": mask_json(r.flags),
            "size_bytes": r.size_bytes,
            "sha256": r.sha256,
            "exchange_id": r.exchange_id,
        }
        for r in rows
    ]


@router.get("/actors")
async def actors(known: Context, workspace: WorkspaceName, kind: str = "") -> dict[str, list[dict[str, Any]]]:
    """The territory. Patients and citizens' mailboxes are left out: ask `/patients`."""
    territory = known.sandboxes.territory(workspace)
    groups = {
        "operator": territory.operators.values(),
        "structure": territory.structures.values(),
        "professional": territory.professionals.values(),
        "bal": (m for m in territory.mailboxes.values() if m.kind.value != "PATIENT"),
    }
    if kind and kind not in groups:
        raise Problem(422, "unknown-kind", _expected(kind, groups))
    return {name: [mask_json(_public(a)) for a in group] for name, group in groups.items() if kind in ("", name)}


def _expected(given: str, values: Iterable[str]) -> Text:
    told, one_of = safe(given), ", ".join(values)
    return Text(f"{told} : attendu parmi {one_of}", f"{told}: one of {one_of} is expected")


def _both(faults: Sequence[Mapping[str, str]]) -> Text:
    return Text("; ".join(f["fr"] for f in faults), "; ".join(f["en"] for f in faults))


def _public(actor: Any) -> dict[str, Any]:
    record = to_record(actor)
    if "secret" in record:
        record["secret"] = bool(record["secret"])
    return record


@router.post("/actors", status_code=201)
async def add_actors(known: Context, workspace: WorkspaceName, given: NewActors) -> dict[str, Any]:
    """Add or replace actors; operators, structures and APP mailboxes receive certificates, domains enter the whitelist."""
    territory = known.sandboxes.territory(workspace)
    if given.text:
        read = read_actors(given.text, given.filename, territory, workspace)
    else:
        read = read_actor(given.kind, given.fields, territory, workspace)
    faults = [{"fr": f.line("fr"), "en": f.line("en"), "severity": f.severity.value} for f in read.faults]
    if read.blocked or not read.actors:
        raise Problem(422, "actors-refused", _both(faults), faults=faults)
    added: dict[str, Any] = mask_json({**await known.add_actors(workspace, read), "faults": faults})
    return added


@router.get("/patients")
async def patients(known: Context, workspace: WorkspaceName) -> list[dict[str, Any]]:
    """The synthetic patients, by key and note; their traits are in the shipped data, their INS is not shown."""
    return [
        {
            "key": mask_text(p.key),
            "status": p.status,
            "attributes": list(p.attributes),
            "dmp_state": p.dmp_state,
            "note": mask_text(p.note),
        }
        for p in known.sandboxes.territory(workspace).patients.values()
    ]


@router.get("/deliveries")
async def deliveries(known: Context, workspace: WorkspaceName, state: str = "") -> list[dict[str, Any]]:
    """The outbox: what waits, what died and why."""
    try:
        wanted = DeliveryState(state) if state else None
    except ValueError as error:
        raise Problem(422, "unknown-state", _expected(state, DeliveryState)) from error
    return [delivery_view(d) for d in await known.store.deliveries(workspace, state=wanted)]


@router.post("/dmp/search")
async def dmp(known: Context, workspace: WorkspaceName, query: DmpQuery) -> dict[str, Any]:
    """One patient's DMP and its documents."""
    row = await known.store.dmp(workspace, query.matricule, query.oid)
    if row is None:
        raise not_found("dmp-not-found", Text("ce patient", "this patient"))
    entries = await known.store.entries(workspace, query.matricule, query.oid)
    return {
        "state": row.state,
        "entries": [
            {
                "entry_uuid": e.entry_uuid,
                "unique_id": mask_text(e.unique_id),
                "status": e.status,
                "version": e.version,
                "registered_at": e.registered_at.isoformat(),
                "size_bytes": e.size_bytes,
            }
            for e in entries
        ],
    }


@router.post("/reset", status_code=204)
async def reset(known: Context, workspace: WorkspaceName, asked: Reset | None = None) -> None:
    """Empty the workspace: exchanges, mails, deliveries, DMPs, incidents. Its journal is closed and a new one begins."""
    actors = bool(asked and asked.actors)
    await known.store.commit(ResetWorkspace(workspace, known.clock.now(), actors=actors))
    await known.restore(workspace, actors)
    if known.insi is not None:
        known.insi.forget(workspace)
