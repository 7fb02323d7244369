"""Files to try a product with: valid ones and faulty ones, each named after what it shows.

One line of a table = one file: its name, how it is made, the rules that must speak, what to look at. All persons come
from the fictitious territory. The same time always gives the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.exchange.model import Envelope
from gateway.samples.calls import Call, CallBench
from gateway.samples.dmp import dmp_calls
from gateway.samples.documents import document_faults, identity_faults
from gateway.samples.fhir import fhir_samples
from gateway.samples.hl7 import hl7_samples
from gateway.samples.insi import insi_calls
from gateway.samples.mails import mail_faults, package_faults
from gateway.samples.model import SAMPLE_TIME, Sample
from gateway.samples.parts import Bench
from gateway.samples.valid import valid_samples
from gateway.soap.signing import Seal

__all__ = ["SAMPLE_TIME", "Call", "Sample", "calls", "readdressed", "sample_named", "samples"]

_TABLES = (valid_samples, identity_faults, document_faults, package_faults, mail_faults, hl7_samples, fhir_samples)


def samples(at: datetime = SAMPLE_TIME) -> tuple[Sample, ...]:
    """Every sample that needs no signature, table by table. Nothing is built before its `build` is called."""
    bench = Bench(at)
    return tuple(sample for table in _TABLES for sample in table(bench))


def calls(at: datetime, seal: Seal) -> tuple[Call, ...]:
    """Every request of the DMP and of INSi, signed with the seal of the structure that calls. They live five minutes."""
    bench = CallBench(Bench(at), seal)
    return (*dmp_calls(bench), *insi_calls(bench))


def sample_named(name: str, at: datetime = SAMPLE_TIME) -> Sample:
    """One sample by its name. Raises KeyError when there is none."""
    for candidate in samples(at):
        if candidate.name == name:
            return candidate
    raise KeyError(name)


def readdressed(chosen: Sample, sender: str, to: tuple[str, ...]) -> Sample:
    """The same file under another envelope: for instance the same mail, from a foreign operator."""
    return replace(chosen, envelope=Envelope(sender, to))
