"""Files to try a product with: valid ones and faulty ones, each named after what it shows.

One line of a table = one file: its name, how it is made, the rules that must speak, what to look at. All persons come
from the fictitious territory. The same time always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from gateway.exchange.model import Envelope
from gateway.exchange.sample_parts import SECRETARIAT, TILLEULS, Bench
from gateway.values import Text

SAMPLE_TIME = datetime(2025, 3, 17, 10, 30, tzinfo=timezone(timedelta(hours=1)))


@dataclass(frozen=True, slots=True)
class Sample:
    """One file. `kind` is mail, xdm, cda or metadata; `envelope` is how to send a mail.

    `expected_rules` must all be found when the file is emitted: by a check of its octets, except rules of the envelope
    (`GW-ENV-…`), which only a door can see. () for a valid file, where nothing blocking may be found.
    """

    name: str
    filename: str
    kind: str
    build: Callable[[], bytes]
    expected_rules: tuple[str, ...]
    title: Text
    envelope: Envelope | None = None


_ENDINGS = {"mail": "eml", "xdm": "zip", "cda": "xml", "metadata": "xml"}


def sample(
    name: str,
    kind: str,
    build: Callable[[], bytes],
    rules: tuple[str, ...],
    fr: str,
    en: str,
    *,
    sender: str = SECRETARIAT,
    to: tuple[str, ...] = (TILLEULS,),
) -> Sample:
    """A sample; a mail gets its envelope, other kinds none."""
    return Sample(
        name=name,
        filename=f"{name}.{_ENDINGS[kind]}",
        kind=kind,
        build=build,
        expected_rules=rules,
        title=Text(fr, en),
        envelope=Envelope(sender, to) if kind == "mail" else None,
    )


def samples(at: datetime = SAMPLE_TIME) -> tuple[Sample, ...]:
    """Every sample, valid ones first. Nothing is built before its `build` is called."""
    from gateway.exchange.sample_documents import document_faults, identity_faults
    from gateway.exchange.sample_mails import mail_faults, package_faults
    from gateway.exchange.sample_valid import valid_samples

    bench = Bench(at)
    return (
        *valid_samples(bench),
        *identity_faults(bench),
        *document_faults(bench),
        *package_faults(bench),
        *mail_faults(bench),
    )


def sample_named(name: str, at: datetime = SAMPLE_TIME) -> Sample:
    """One sample by its name. Raises KeyError when there is none."""
    for candidate in samples(at):
        if candidate.name == name:
            return candidate
    raise KeyError(name)


def readdressed(chosen: Sample, sender: str, to: tuple[str, ...]) -> Sample:
    """The same file under another envelope: for instance the same mail, from a foreign operator."""
    return replace(chosen, envelope=Envelope(sender, to))
