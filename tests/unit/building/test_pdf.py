"""The PDF body: same bytes for the same letter, the PDF/A-1 marks, the French text readable."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.directory.territory import load_territory
from gateway.documents.build_codes import document_kinds
from gateway.documents.build_pdf import FOOTER, Letter, letter_pdf
from gateway.documents.build_record import datamatrix_of, kind_pdf, letter_of
from gateway.documents.open_pdf import pdf_facts
from gateway.identity.datamatrix import decode
from gateway.identity.model import INS_TEST
from gateway.tables import fixtures_dir
from tests.support.dmtx import read
from tests.support.documents import AT, pdf
from tests.support.reference import need_tool


def letter_of_the_story() -> Letter:
    actors = load_territory()
    return letter_of(
        document_kinds()["lettre-sortie"],
        actors.patients["delmas-suzanne"],
        actors.professionals["vannier-claire"],
        actors.structures["ch-brumeval"],
        AT,
    )


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


def page(data: bytes, number: int, folder: Path) -> Path:
    """One page as a printer would lay it down, at a scanner's 150 points an inch."""
    tool = need_tool("pdftoppm", "apt-get install poppler-utils")
    (folder / "lettre.pdf").write_bytes(data)
    args = ["-r", "150", "-gray", "-singlefile", "-f", str(number), "-l", str(number)]
    subprocess.run([tool, *args, str(folder / "lettre.pdf"), str(folder / f"page{number}")], check=True)
    return folder / f"page{number}.pgm"


def test_the_first_page_of_a_qualified_identity_bears_its_datamatrix_and_it_alone(tmp_path: Path) -> None:
    letter = letter_of_the_story()
    told = decode(read(page(letter_pdf(letter), 1, tmp_path)))
    assert (told.matricule, told.oid) == ("239034890101755", INS_TEST)
    assert (told.birth_family, told.given_list) == ("DELMAS", "SUZANNE MARIE LOUISE")
    assert (told.sex, told.birth_date, told.birth_place) == ("F", "08-03-1939", "48901")
    longer = replace(letter, paragraphs=tuple(f"Paragraphe {n}. " * 20 for n in range(30)))
    assert read(page(letter_pdf(longer), 2, tmp_path)) == ""


@pytest.mark.parametrize(
    "changes",
    [{"status": "VALI"}, {"status": "RECUP"}, {"matricule": "", "oid": ""}, {"attributes": ("douteuse",)}],
    ids=str,
)
def test_no_other_identity_has_a_datamatrix_to_print(changes: dict[str, Any]) -> None:
    assert datamatrix_of(replace(load_territory().patients["delmas-suzanne"], **changes)) == ""


def test_a_letter_without_a_datamatrix_has_none_on_its_first_page(tmp_path: Path) -> None:
    assert read(page(letter_pdf(replace(letter_of_the_story(), datamatrix="")), 1, tmp_path)) == ""


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
