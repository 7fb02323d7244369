"""A simple letter as PDF/A-1b: the body of a CDA N1 and its twin beside the package.

The same letter and date always give the same bytes. The claim PDF/A-1b is that of fpdf2 (embedded font, output intent,
XMP); no independent validator judged it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from gateway.identity.printing import MODULE_MM, QUIET, symbol
from gateway.tables import fixtures_dir

if TYPE_CHECKING:
    from fpdf import FPDF

FOOTER = "Document fictif, fabriqué par un bac à sable : aucune personne réelle."
_FONT = "DejaVu"
_PRODUCER = "passerelle"
_PADDING_MM = 2.5  # between the frame of the identity and its lines
_INSET_MM = 1.5  # between that frame and the quiet zone of the datamatrix


@dataclass(frozen=True, slots=True)
class Letter:
    """What is printed. `identity` are the lines of the patient block, `at` a timezone-aware time.

    `datamatrix` is the text form of the INS datamatrix drawn beside them on the first page, '' when none may be printed.
    """

    title: str
    structure: str
    structure_address: str
    identity: tuple[str, ...]
    paragraphs: tuple[str, ...]
    signature: str
    at: datetime
    datamatrix: str = ""


def letter_pdf(letter: Letter) -> bytes:
    """The letter on A4 pages, PDF 1.4, about 25 KB (most of it the embedded font subset)."""
    from fpdf import FPDF
    from fpdf.enums import DocumentCompliance

    pdf = FPDF(enforce_compliance=DocumentCompliance.PDFA_1B)
    pdf.set_creation_date(letter.at)
    pdf.set_title(letter.title)
    pdf.set_lang("fr-FR")
    pdf.set_producer(_PRODUCER)
    pdf.set_xmp_metadata(_xmp(letter))
    pdf.add_font(_FONT, "", fixtures_dir() / "fonts" / "DejaVuSans.ttf")
    pdf.set_auto_page_break(auto=True, margin=25)
    pdf.set_margins(20, 18, 20)
    pdf.add_page()
    _heading(pdf, letter)
    _identity(pdf, letter)
    for paragraph in letter.paragraphs:
        _lines(pdf, paragraph, size=10.5, height=5.6, after=3)
    pdf.ln(4)
    _lines(pdf, letter.signature, size=10.5, height=5.6, after=0)
    _footer(pdf)
    return bytes(pdf.output())


def _xmp(letter: Letter) -> str:
    """The PDF/A-1b mark and the same title, producer and date as the Info dictionary (ISO 19005-1 § 6.7).

    Ours, because fpdf2 stamps its own with the time of day.
    """
    at = letter.at.astimezone(UTC).isoformat(timespec="seconds")
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        "<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>"
        f"<xmp:CreateDate>{at}</xmp:CreateDate><pdf:Producer>{_PRODUCER}</pdf:Producer>"
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(letter.title)}</rdf:li></rdf:Alt></dc:title>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def _heading(pdf: FPDF, letter: Letter) -> None:
    _lines(pdf, letter.structure, size=13, height=6.5, after=0)
    if letter.structure_address:
        _lines(pdf, letter.structure_address, size=9, height=4.6, after=0)
    pdf.ln(3)
    pdf.set_draw_color(90, 110, 130)
    pdf.line(pdf.l_margin, pdf.get_y(), pdf.w - pdf.r_margin, pdf.get_y())
    pdf.ln(6)
    _lines(pdf, letter.title, size=15, height=7.5, after=1)
    _lines(pdf, letter.at.strftime("Le %d/%m/%Y"), size=9, height=4.6, after=4)


def _identity(pdf: FPDF, letter: Letter) -> None:
    top, right = pdf.get_y(), pdf.w - pdf.r_margin
    lowest = top
    if letter.datamatrix:
        side = _datamatrix(pdf, letter.datamatrix, right - _INSET_MM, top + _INSET_MM)
        lowest, right = top + side + 2 * _INSET_MM, right - side - 2 * _INSET_MM
    pdf.set_y(top + _PADDING_MM)
    for line in letter.identity:
        pdf.set_x(pdf.l_margin + 4)
        _lines(pdf, line, size=9.5, height=4.9, after=0, right=right)
    bottom = max(pdf.get_y() + _PADDING_MM, lowest)
    pdf.rect(pdf.l_margin, top, pdf.w - pdf.l_margin - pdf.r_margin, bottom - top)
    pdf.set_y(bottom + 6)


def _datamatrix(pdf: FPDF, text: str, right: float, top: float) -> float:
    """The symbol, its upper right corner there; its side in millimetres, quiet zone included."""
    drawn = symbol(text)
    side = drawn.side * MODULE_MM
    pdf.set_fill_color(0, 0, 0)
    for run in drawn.runs:
        x, y = right - side + (run.column + QUIET) * MODULE_MM, top + (run.row + QUIET) * MODULE_MM
        pdf.rect(x, y, run.length * MODULE_MM, MODULE_MM, style="F")
    return side


def _footer(pdf: FPDF) -> None:
    pdf.set_auto_page_break(auto=False)
    pdf.set_y(-16)
    _lines(pdf, FOOTER, size=8, height=4, after=0)


def _lines(pdf: FPDF, text: str, *, size: float, height: float, after: float, right: float | None = None) -> None:
    pdf.set_font(_FONT, "", size)
    edge = pdf.w - pdf.r_margin if right is None else right
    pdf.multi_cell(edge - pdf.get_x(), height, text, new_x="LMARGIN", new_y="NEXT", align="L")
    if after:
        pdf.ln(after)
