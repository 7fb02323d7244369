"""What the bytes of a PDF tell without opening it: version, PDF/A marker, active features.

A scan, not a parser: an object hidden in a compressed stream is not seen (PDF/A-1 forbids such streams). Nothing is
rendered or run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(rb"%PDF-(\d\.\d)")
_PART = re.compile(rb"""pdfaid:part\s*(?:>|=\s*["'])\s*(\d)""")
# One literal first byte: the search runs at the speed of memchr.
_ACTIVE = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToE|Movie|Rendition)(?![A-Za-z0-9])"
)


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """`version` is that of the header ('' when it is not a PDF), `pdfa_part` the part claimed in the XMP marker."""

    starts_with_pdf: bool
    version: str = ""
    pdfa_part: str = ""
    active_content: tuple[str, ...] = ()


def pdf_facts(data: bytes) -> PdfFacts:
    """The facts of one PDF; any bytes are accepted."""
    if not data.startswith(b"%PDF-"):
        return PdfFacts(starts_with_pdf=False)
    version = _VERSION.match(data)
    marker = data.find(b"pdfaid:part")
    part = _PART.match(data, marker) if marker >= 0 else None
    active = dict.fromkeys(found.decode("ascii") for found in _ACTIVE.findall(data))
    return PdfFacts(
        starts_with_pdf=True,
        version=version[1].decode("ascii") if version else "",
        pdfa_part=part[1].decode("ascii") if part else "",
        active_content=tuple(active),
    )
