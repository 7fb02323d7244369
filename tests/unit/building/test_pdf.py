"""The PDF body: same bytes for the same letter, the PDF/A-1 marks, the French text readable."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from gateway.directory.territory import load_territory
from gateway.documents.build_codes import document_kinds
from gateway.documents.build_pdf import FOOTER, Letter, letter_pdf
from gateway.documents.build_record import kind_pdf, letter_of
from gateway.documents.open_pdf import pdf_facts
from gateway.tables import fixtures_dir
from tests.support.documents import AT, pdf
from tests.support.reference import need_tool


def test_the_same_letter_and_date_give_the_same_bytes() -> None:
    actors = load_territory()
    args = (
        document_kinds()["lettre-sortie"],
        actors.patients["delmas-suzanne"],
        actors.professionals["vannier-claire"],
        actors.structures["ch-brumeval"],
    )
    assert kind_pdf(*args, AT) == pdf()
    assert kind_pdf(*args, AT + timedelta(days=1)) != pdf()


def test_the_pdf_bears_the_marks_of_pdf_a_1b() -> None:
    facts = pdf_facts(pdf())
    assert pdf().startswith(b"%PDF-1.4")
    assert facts.pdfa_part == "1"
    assert b"OutputIntent" in pdf()
    assert b"FontFile2" in pdf()


def test_the_pdf_stays_small() -> None:
    assert len(pdf()) < 40_000


def test_a_reader_finds_patient_text_and_footer(tmp_path: Path) -> None:
    tool = need_tool("pdftotext", "apt-get install poppler-utils")
    file = tmp_path / "lettre.pdf"
    file.write_bytes(pdf())
    text = subprocess.run([tool, "-layout", str(file), "-"], capture_output=True, check=True).stdout.decode()
    flat = " ".join(text.split())
    assert "DELMAS" in flat
    assert "239034890101755" in flat
    assert "Évolution favorable" in flat
    assert FOOTER in flat


def test_a_long_letter_runs_over_several_pages() -> None:
    letter = Letter("Titre", "Structure", "", ("Nom : X",), tuple(f"Paragraphe {n}. " * 20 for n in range(30)), "X", AT)
    assert letter_pdf(letter).count(b"/Type /Page\n") > 1


def test_the_letter_of_an_unqualified_identity_hides_the_matricule() -> None:
    actors = load_territory()
    letter = letter_of(
        document_kinds()["cr-consultation"],
        actors.patients["moreau-camille"],
        actors.professionals["vannier-claire"],
        actors.structures["ch-brumeval"],
        AT,
    )
    assert not any("INS" in line for line in letter.identity)
    assert "{" not in " ".join(letter.paragraphs)


def test_the_font_is_shipped_with_its_licence() -> None:
    fonts = fixtures_dir() / "fonts"
    assert (fonts / "DejaVuSans.ttf").stat().st_size < 1_000_000
    assert "Permission is hereby granted" in (fonts / "DejaVuSans.LICENSE.txt").read_text(encoding="utf-8")
