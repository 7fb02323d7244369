"""What an HL7 v2 message says of itself: frozen, picklable, without any of its content."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.documents.model import CdaDocument, Issue
from gateway.identity.model import IdentityView


@dataclass(frozen=True, slots=True)
class Hl7Message:
    """The MSH segment and the list of segments. Components are as written; '' when absent.

    `message` and `event` are MSH-9.1 and .2, `structure` MSH-9.3. `charset` is MSH-18 as declared, `codec` the Python
    codec it was read with. `segments` names every segment in order (the first 1,000).
    """

    message: str
    event: str
    structure: str
    control_id: str
    processing: str
    version: str
    profile: str
    charset: str
    codec: str
    sender: str  # MSH-3 | MSH-4
    receiver: str  # MSH-5 | MSH-6
    sent_at: str
    segments: tuple[str, ...]
    size_bytes: int

    @property
    def kind(self) -> str:
        """`ADT^A28`."""
        return f"{self.message}^{self.event}" if self.event else self.message


@dataclass(frozen=True, slots=True)
class OpenedHl7:
    """One message opened. `message` is None when no MSH could be read; `issues` say why."""

    message: Hl7Message | None
    views: tuple[IdentityView, ...] = ()
    documents: tuple[CdaDocument, ...] = ()
    issues: tuple[Issue, ...] = ()
