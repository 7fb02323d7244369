"""What a call is: a request of the DMP or of INSi as one file, ready to be posted by a client that holds a certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from uuid import UUID

from gateway.directory.model import Patient, Professional, Structure
from gateway.documents.build_metadata import oid_from
from gateway.samples.parts import Bench
from gateway.sharing.build import RequestIds, vihf_of
from gateway.sharing.vihf import Vihf
from gateway.soap.signing import Seal
from gateway.values import Text

STRUCTURE, DOCTOR, PATIENT = "ehpad-les-tilleuls", "aubry-paul", "delmas-suzanne"


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted: the media type of the request and its octets."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class CallBench:
    """Where calls are made: the territory, a time they bear (they live five minutes), the seal of the structure."""

    bench: Bench
    seal: Seal

    @property
    def structure(self) -> Structure:
        """Who calls."""
        return self.bench.territory.structures[STRUCTURE]

    @property
    def doctor(self) -> Professional:
        """For whom it calls."""
        return self.bench.territory.professionals[DOCTOR]

    @property
    def patient(self) -> Patient:
        """About whom."""
        return self.bench.territory.patients[PATIENT]

    def seed(self, name: str) -> str:
        """What the identifiers of a call are made from: another time makes other documents."""
        return f"{name} {self.bench.at.isoformat()}"

    def ids(self, name: str) -> RequestIds:
        """The identifiers of one request."""
        seed = self.seed(name)
        return RequestIds(uuid_from(seed, "message"), uuid_from(seed, "assertion"), oid_from(seed, "signature"))

    def vihf(self, patient: Patient) -> Vihf:
        """The assertion of the structure about a patient, not signed yet."""
        at = self.bench.at.astimezone(UTC)
        return vihf_of(self.structure, self.doctor, patient.matricule, patient.oid, at)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `service` is `repository`, `registry` or `patients` of the DMP, or `insi`.

    `answer` is the native answer of the door, as one reads it: a status, an error code, the subcode of a Fault, a CodeCR.
    `told` are the rules that answer cites, the deciding one at least; `expected_rules` all that a check of the file finds,
    which sees neither signature nor clock. Both are () for a valid call.
    """

    name: str
    filename: str
    service: str
    build: Callable[[], Request]
    answer: str
    told: tuple[str, ...]
    expected_rules: tuple[str, ...]
    title: Text


def uuid_from(seed: str, purpose: str) -> str:
    """A UUID that depends on the seed and purpose alone."""
    return str(UUID(bytes=sha256(f"{purpose}|{seed}".encode()).digest()[:16], version=4))
