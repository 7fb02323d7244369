"""Open one HL7 v2 message: octets in, frozen values out; what is wrong is an issue, never an exception.

Order: size, frame, charset, separators, segments, header, patients, documents. Each step goes on with what it could read.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.documents.model import Issue
from gateway.hl7v2.charset import decode, unwrapped
from gateway.hl7v2.documents import documents_of
from gateway.hl7v2.er7 import (
    MOST_SEGMENTS,
    STANDARD,
    Segment,
    Separators,
    is_segment,
    labelled,
    separators_of,
    split_segments,
    strange_escapes,
)
from gateway.hl7v2.identity import MOST_PATIENTS, groups_of, views_of
from gateway.hl7v2.model import Hl7Message, OpenedHl7
from gateway.rules.model import Hit
from gateway.rules.phrases import characters
from gateway.sandbox.model import Limits
from gateway.values import PlaceKind, Where

_LISTED = 1000  # names of segments kept
_TOLD = 10  # findings of one kind
_NEEDS_PATIENT = frozenset({"ADT", "ORU", "MDM"})
_ONE_PATIENT = frozenset({"ORU", "MDM"})


def open_hl7(raw: bytes, limits: Limits = Limits()) -> OpenedHl7:
    """The message found in `raw`. Issues: HL7-01 to HL7-14, those of the documents, HL7-20 (size)."""
    if len(raw) > limits.hl7_bytes:
        hit = Hit(_place("MSH"), f"{len(raw)} octets", f"<= {limits.hl7_bytes} octets")
        return OpenedHl7(None, issues=(Issue("HL7-20", hit),))
    octets, issues = unwrapped(raw)
    if not octets.startswith(b"MSH"):
        batch = octets[:3].decode("latin-1")
        rule_id = "HL7-08" if batch in ("FHS", "BHS") else "HL7-01"
        issues = (*issues, Issue(rule_id, Hit(_place("MSH"), batch if batch.isprintable() else "?", "MSH")))
        at = octets.find(b"\nMSH")
        at = octets.find(b"\rMSH") if at < 0 else at
        if at < 0:
            return OpenedHl7(None, issues=issues)
        octets = octets[at + 1 :]
    decoded = decode(octets)
    lines = split_segments(decoded.text)
    seps = separators_of(lines[0])
    if seps is None:
        return OpenedHl7(None, issues=(*issues, Issue("HL7-01", Hit(_place("MSH-2"), lines[0][3:9], STANDARD))))
    segments, broken = _segments(lines, seps, decoded.codec)
    message = _header(segments, decoded.declared, decoded.codec, len(raw))
    groups = groups_of(segments)
    documents, faults = documents_of(segments, limits)
    issues += (
        *decoded.issues,
        *_separator_issues(seps),
        *broken,
        *_header_issues(message),
        *_patient_issues(message, [g.pid for g in groups]),
        *faults,
    )
    views = views_of(groups, message.message, message.event)
    views += tuple(d.identity for d in documents if d.identity is not None)
    return OpenedHl7(message, views, documents, issues)


def _segments(lines: list[str], seps: Separators, codec: str) -> tuple[list[Segment], tuple[Issue, ...]]:
    """The lines that are segments, and issues for the others (HL7-06), a second MSH (HL7-08), too many of them (HL7-20)."""
    issues: list[Issue] = []
    if len(lines) > MOST_SEGMENTS:
        issues.append(Issue("HL7-20", Hit(_place("MSH"), f"{len(lines)} segments", f"<= {MOST_SEGMENTS} segments")))
        lines = lines[:MOST_SEGMENTS]
    segments: list[Segment] = []
    for number, line in enumerate(lines, 1):
        if not is_segment(line, seps.field):
            if len(issues) < _TOLD:
                issues.append(Issue("HL7-06", Hit(_place("?", number), characters(len(line)), "XXX|…")))
            continue
        if number > 1 and line.startswith(("MSH", "FHS", "BHS")):
            issues.append(Issue("HL7-08", Hit(_place(line[:3], number), line[:3], "1 MSH")))
            break
        segments.append(Segment(line, number, seps, codec))
    return labelled(segments), tuple(issues)


def _header(segments: list[Segment], declared: str, codec: str, size_bytes: int) -> Hl7Message:
    msh = segments[0]
    kind = msh.first(9)
    return Hl7Message(
        message=kind.text(1).strip()[:20],
        event=kind.text(2).strip()[:20],
        structure=kind.text(3).strip()[:20],
        control_id=msh.text(10)[:200],
        processing=msh.text(11)[:20],
        version=msh.raw_field(12)[:40],
        profile=msh.raw_field(21).strip()[:200],
        charset=declared,
        codec=codec,
        sender=f"{msh.text(3)}|{msh.text(4)}"[:200],
        receiver=f"{msh.text(5)}|{msh.text(6)}"[:200],
        sent_at=msh.text(7)[:40],
        segments=tuple(s.name for s in segments[:_LISTED]),
        size_bytes=size_bytes,
    )


def _separator_issues(seps: Separators) -> Iterator[Issue]:
    if seps.written != STANDARD:
        yield Issue("HL7-02", Hit(_place("MSH-2"), seps.written, STANDARD))


def _header_issues(message: Hl7Message) -> Iterator[Issue]:
    if not message.message:
        yield Issue("HL7-12", Hit(_place("MSH-9"), "∅", "ADT^A28^ADT_A05, ORU^R01^ORU_R01, MDM^T02^MDM_T02…"))
    if not message.control_id:
        yield Issue("HL7-12", Hit(_place("MSH-10"), "∅", "id"))
    if not message.version:
        yield Issue("HL7-12", Hit(_place("MSH-12"), "∅", "2.5, 2.6"))


def _patient_issues(message: Hl7Message, pids: list[Segment]) -> Iterator[Issue]:
    if not pids and message.message in _NEEDS_PATIENT:
        yield Issue("HL7-11", Hit(_place("PID"), "0 PID", "1 PID"))
    if len(pids) > 1 and message.message in _ONE_PATIENT:
        yield Issue("HL7-13", Hit(pids[1].where(), f"{len(pids)} PID", "1 PID"))
    count = message.segments.count("PID")
    if count > MOST_PATIENTS:
        yield Issue("HL7-20", Hit(_place("PID"), f"{count} PID", f"<= {MOST_PATIENTS} PID"))
    for pid in pids[:_TOLD]:
        for strange in strange_escapes(pid.raw, pid.seps):
            yield Issue("HL7-05", Hit(pid.where(), _shown(strange), "\\F\\ \\S\\ \\T\\ \\R\\ \\E\\ \\X..\\ \\.br\\"))


def _shown(sequence: str) -> str:
    """A sequence without the text it may have swallowed: it stands in a PID, where text is somebody's."""
    return sequence if len(sequence) <= 6 else f"{sequence[:2]}… ({len(sequence)})"


def _place(path: str, line: int = 1) -> Where:
    return Where(PlaceKind.HL7, path, line)
