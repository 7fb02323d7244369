"""Records of a patient index and entries of the queue, as the API and the console show them: masked.

Traits and INS stand in clear in three places only: the answer to `reveal`, the INS datamatrix, and the octets of an answer of
INSi. All are journalled, and refused for an INS under a production OID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.exchange.identities import Remark, shown_status
from gateway.exchange.indexed import IndexedIdentity
from gateway.exchange.insi_answers import differences
from gateway.exchange.quarantine_checks import unlike
from gateway.exchange.received import Told, told_of
from gateway.identity.local import STRICT, Ins, InsiTrace, LocalIdentity, Traits
from gateway.identity.printing import svg, symbol, text_of
from gateway.identity.proofs import proof_kinds
from gateway.identity.status import moves_by_hand
from gateway.ports import QuarantineRow
from gateway.rules.masking import mask_matricule, mask_text, mask_trait

PLAIN = frozenset({"sex"})  # one letter, which tells nobody apart


def identity_brief(record: IndexedIdentity) -> dict[str, Any]:
    """One line of an index."""
    local = record.local
    return {
        "id": record.id,
        "structure": record.structure,
        "ipp": mask_text(local.ipp),
        "version": record.version,
        "status": local.reliability.status.value,
        "attributes": sorted(a.value for a in local.reliability.attributes),
        "sends_ins": local.sends_ins,
        "ins": ins_view(local.ins),
        "traits": traits_view(local.traits),
        "origin": local.origin,
        "updated_at": record.updated_at.isoformat() if record.updated_at else "",
    }


def identity_full(record: IndexedIdentity) -> dict[str, Any]:
    """One record: its proofs, the INS it had and the one it received, and local traits beside those of INSi."""
    local = record.local
    trace = local.verified_by
    return {
        **identity_brief(record),
        "used_family": mask_trait(local.used_family) if local.used_family else "",
        "used_given": mask_trait(local.used_given) if local.used_given else "",
        "birth_date_uncertain": local.traits.birth_date_uncertain,
        "deceased": bool(local.deceased_on),
        "ins_history": [ins_view(ins) for ins in local.ins_history],
        "ins_received": ins_view(local.ins_received),
        "proofs": [
            {
                "kind": p.kind,
                "label": {"fr": known.label.fr, "en": known.label.en} if (known := proof_kinds().get(p.kind)) else {},
                "high_trust": p.high_trust,
                "source": mask_text(p.source),
                "checked_at": p.checked_at.isoformat(),
                "checked_by": p.checked_by,
                "invalidated": p.invalidated,
            }
            for p in local.proofs
        ],
        "beside_insi": beside(local.traits, trace.traits, differences(local.traits, trace))
        if trace is not None and trace.traits is not None
        else [],
        "altered": list(local.altered),
        "moves": [event.value for event in moves_by_hand(local.reliability)],
    }


def ins_view(ins: Ins | None) -> dict[str, str] | None:
    """An INS, masked, never without its OID."""
    return None if ins is None else {"matricule": mask_matricule(ins.matricule), "oid": ins.oid}


def traits_view(traits: Traits) -> dict[str, str]:
    """The strict traits, masked; '' for one that is not told."""
    return {n: _shown(n, getattr(traits, n)) for n in STRICT}


def _shown(name: str, value: str, others: Sequence[str] = ()) -> str:
    if not value or name in PLAIN:
        return value
    return mask_trait(value, others)


def beside(local: Traits, told: Traits, differing: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Two sets of traits side by side, each masked against the other. `differing`: which are held to differ, else all
    that are not written alike."""
    lines = []
    for name in STRICT:
        ours, theirs = getattr(local, name), getattr(told, name)
        same = ours == theirs if differing is None else name not in differing
        lines.append(
            {
                "trait": name,
                "local": _shown(name, ours, () if same or not theirs else [theirs]),
                "told": _shown(name, theirs, () if same or not ours else [ours]),
                "same": same,
            }
        )
    return lines


def changes_view(local: LocalIdentity) -> list[dict[str, Any]]:
    """The history of a record, oldest first."""
    return [
        {
            "at": c.at.isoformat(),
            "event": c.event,
            "by": c.by,
            "before": c.before,
            "after": c.after,
            "note": mask_text(c.note),
        }
        for c in local.changes
    ]


def trace_view(trace: InsiTrace, local: LocalIdentity) -> dict[str, Any]:
    """One answer of INSi: its octets are fetched by their SHA-256."""
    differing = differences(local.traits, trace)
    return {
        "code": trace.code,
        "operation": trace.operation,
        "at": trace.at.isoformat(),
        "asked_by": trace.asked_by,
        "sha256": trace.answer_sha256,
        "reason": mask_text(trace.reason),
        "ins": ins_view(trace.ins),
        "history": [ins_view(ins) for ins in trace.history],
        "differences": list(differing),
        "beside": beside(local.traits, trace.traits, differing) if trace.traits is not None else [],
        "holds": trace.ins is not None and trace.ins == local.ins,
        "confirmable": trace == local.confirmable,
    }


def remark_view(remark: Remark) -> dict[str, str]:
    """What a user should look at."""
    return {"rule": remark.rule, "fr": mask_text(remark.why.fr), "en": mask_text(remark.why.en)}


def clear_view(local: LocalIdentity) -> dict[str, Any]:
    """Everything in clear: only after a journalled demand, and only for identities of test."""

    def told(ins: Ins | None) -> Mapping[str, str] | None:
        return None if ins is None else {"matricule": ins.matricule, "oid": ins.oid}

    return {
        "traits": {n: getattr(local.traits, n) for n in STRICT},
        "used_family": local.used_family,
        "used_given": local.used_given,
        "ins": told(local.ins),
        "ins_received": told(local.ins_received),
    }


def datamatrix_view(local: LocalIdentity) -> dict[str, Any]:
    """The INS datamatrix, in clear like the values above: its text form, and the picture to print.

    Raises NotPrintable for an identity that may not carry one.
    """
    text = text_of(local.traits, local.ins, local.reliability)
    return {"text": text, "svg": svg(symbol(text))}


# ----------------------------------------------------------------------------------------------------------------- queue


def entry_brief(entry: QuarantineRow) -> dict[str, Any]:
    """One entry of the queue."""
    told = told_of(entry.record["received"])
    return {
        "id": entry.id,
        "exchange_id": entry.exchange_id,
        "structure": entry.structure,
        "row": entry.line,
        "ack": entry.ack,
        "state": entry.state,
        "rules": list(entry.record.get("rules", ())),
        "candidates": list(entry.record.get("candidates", ())),
        "ins": ins_view(told.received.ins),
        "traits": traits_view(told.received.traits),
        "at": entry.at.isoformat(),
        "decided_by": entry.decided_by,
        "decided_at": entry.decided_at.isoformat() if entry.decided_at else "",
        "record": entry.record.get("record", ""),
        "copy": entry.record.get("copy", ""),
        "note": mask_text(str(entry.record.get("note", ""))),
    }


def candidate_view(record: IndexedIdentity, told: Told) -> dict[str, Any]:
    """A local record beside what was received."""
    received = told.received
    ours, theirs = record.local.ins, received.ins
    ins = {
        "trait": "matricule",
        "local": mask_matricule(ours.matricule, [theirs.matricule] if theirs and theirs != ours else [])
        if ours
        else "",
        "told": mask_matricule(theirs.matricule, [ours.matricule] if ours and theirs != ours else []) if theirs else "",
        "same": ours is not None and ours == theirs,
    }
    return {
        "id": record.id,
        "ipp": mask_text(record.local.ipp),
        "status": shown_status(record.local.reliability),
        "set_aside": record.local.reliability.set_aside,
        "lines": [ins, *beside(record.local.traits, received.traits)],
        "differences": list(unlike(received, record.local)),
    }
