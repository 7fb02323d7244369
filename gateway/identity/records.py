"""A record of a patient index as JSON, and back. What an older release did not write takes its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from gateway.identity.local import Change, Ins, InsiTrace, LocalIdentity, Proof, Traits
from gateway.identity.status import Attribute, Reliability, Status

Record = Mapping[str, Any]


def record_of(local: LocalIdentity) -> dict[str, Any]:
    """The JSON object. A matricule and its OID are one object, or absent."""
    return {
        "ipp": local.ipp,
        "traits": asdict(local.traits),
        "status": local.reliability.status.value,
        "attributes": sorted(a.value for a in local.reliability.attributes),
        "ins": _told(local.ins),
        "used_family": local.used_family,
        "used_given": local.used_given,
        "ins_history": [_told(ins) for ins in local.ins_history],
        "ins_received": _told(local.ins_received),
        "proofs": [{**asdict(p), "checked_at": p.checked_at.isoformat()} for p in local.proofs],
        "insi": [_trace_record(t) for t in local.insi],
        "origin": local.origin,
        "deceased_on": local.deceased_on,
        "changes": [{**asdict(c), "at": c.at.isoformat()} for c in local.changes],
    }


def local_of(record: Record) -> LocalIdentity:
    """The record of a JSON object."""
    return LocalIdentity(
        ipp=record["ipp"],
        traits=Traits(**record["traits"]),
        reliability=Reliability(Status(record["status"]), frozenset(map(Attribute, record["attributes"]))),
        ins=_ins(record.get("ins")),
        used_family=record.get("used_family", ""),
        used_given=record.get("used_given", ""),
        ins_history=tuple(Ins(**i) for i in record.get("ins_history", ())),
        ins_received=_ins(record.get("ins_received")),
        proofs=tuple(
            Proof(**{**p, "checked_at": datetime.fromisoformat(p["checked_at"])}) for p in record.get("proofs", ())
        ),
        insi=tuple(_trace(t) for t in record.get("insi", ())),
        origin=record.get("origin", "local"),
        deceased_on=record.get("deceased_on", ""),
        changes=tuple(Change(**{**c, "at": datetime.fromisoformat(c["at"])}) for c in record.get("changes", ())),
    )


def _told(ins: Ins | None) -> dict[str, str] | None:
    return None if ins is None else {"matricule": ins.matricule, "oid": ins.oid}


def _ins(record: Mapping[str, str] | None) -> Ins | None:
    return Ins(**record) if record else None


def _trace_record(trace: InsiTrace) -> dict[str, Any]:
    return {
        **asdict(trace),
        "at": trace.at.isoformat(),
        "traits": asdict(trace.traits) if trace.traits else None,
        "ins": _told(trace.ins),
        "history": [_told(ins) for ins in trace.history],
    }


def _trace(record: Record) -> InsiTrace:
    traits = record.get("traits")
    return InsiTrace(
        **{
            **record,
            "at": datetime.fromisoformat(record["at"]),
            "traits": Traits(**traits) if traits else None,
            "ins": _ins(record.get("ins")),
            "history": tuple(Ins(**i) for i in record.get("history", ())),
        }
    )
