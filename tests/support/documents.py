"""A document of the territory, for tests that need one: the letter of the main story."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cache

from gateway.directory.territory import load_territory
from gateway.documents.build_codes import document_kinds
from gateway.documents.build_metadata import LotIds, ids_from
from gateway.documents.build_record import CdaRecord, kind_pdf

AT = datetime(2025, 3, 17, 10, 30, tzinfo=timezone(timedelta(hours=1)))
IDS = ids_from("test")


@cache
def pdf(kind: str = "lettre-sortie") -> bytes:
    """The PDF of a kind, made once."""
    actors = load_territory()
    return kind_pdf(
        document_kinds()[kind],
        actors.patients["delmas-suzanne"],
        actors.professionals["vannier-claire"],
        actors.structures["ch-brumeval"],
        AT,
    )


def letter(
    patient: str = "delmas-suzanne", kind: str = "lettre-sortie", ids: LotIds = IDS, **changes: object
) -> CdaRecord:
    """A letter of CH de Brumeval about one patient; `changes` replace fields of the record."""
    actors = load_territory()
    record = CdaRecord(
        document_id=ids.document_id,
        set_id=ids.document_set_id,
        kind=document_kinds()[kind],
        patient=actors.patients[patient],
        author=actors.professionals["vannier-claire"],
        structure=actors.structures["ch-brumeval"],
        at=AT,
        service_start=AT - timedelta(days=5),
        service_stop=AT,
        pdf=pdf(),
    )
    return replace(record, **changes)  # type: ignore[arg-type]
