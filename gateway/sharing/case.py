"""One request with everything its judgement needs: what was opened, who is at the door, what the registry holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.directory.model import Professional, Structure
from gateway.identity.base_rules import Sent
from gateway.rules.masking import mask_matricule
from gateway.sandbox.model import Limits, SignatureMode
from gateway.sharing.opening import OpenedRequest
from gateway.sharing.rights import NONE
from gateway.sharing.vihf import PATIENT_CX
from gateway.soap.certificates import Peer


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry already in the registry, found by its uniqueId or its entryUUID."""

    entry_uuid: str
    unique_id: str
    status: str
    sha256: str
    author_ids: tuple[str, ...]
    patient_id: str


@dataclass(frozen=True, slots=True)
class Case:
    """The subject of the sharing rules. `now` is real time: certificates and VIHF follow it.

    `structure` is the one the VIHF names, `siege` the legal entity that may hold its certificates; `professional` the one
    named by NameID; each None when the territory does not know it. `by_unique_id` and `by_uuid` hold what the registry
    knows of the lot's documents and of its replacement targets. `sent` is what the lot carries beside what the depositor's
    own patient index says of those patients; empty when it keeps none, or does not hold them.
    """

    request: OpenedRequest
    peer: Peer
    now: datetime
    limits: Limits
    lot_signature: SignatureMode = SignatureMode.PRESENT
    structure: Structure | None = None
    siege: Structure | None = None
    professional: Professional | None = None
    state: str = "absent"  # of the patient's DMP: absent | active | closed
    authorisation: str = NONE
    treating: bool = False
    replayed: bool = False
    by_unique_id: Mapping[str, KnownEntry] = field(default_factory=dict)
    by_uuid: Mapping[str, KnownEntry] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()


def masked_cx(cx: str, others: tuple[str, ...] = ()) -> str:
    """A patientId with its matricule masked; what has another form is shown by its length only."""
    match = PATIENT_CX.match(cx)
    if match is None:
        return f"({len(cx)})" if cx else "∅"
    matricules = tuple(m[1] for other in others if (m := PATIENT_CX.match(other)) is not None)
    return mask_matricule(match[1], matricules) + cx[len(match[1]) :]
