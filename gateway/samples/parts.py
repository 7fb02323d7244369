"""The makings of the sample files: one base letter from the territory, and ways to spoil a copy of it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from gateway.directory.model import Patient, Territory
from gateway.directory.territory import load_territory
from gateway.documents.build_cda import build_cda
from gateway.documents.build_codes import document_kinds
from gateway.documents.build_metadata import Lot, LotEntry, ids_from
from gateway.documents.build_record import CdaRecord, kind_pdf, source_oid
from gateway.documents.build_xdm import METADATA, SUBSET, build_xdm, package_files, zip_of
from gateway.messaging.compose import Draft, compose_mail, document_draft, package_part, sender_name, twin_part

DOMAIN = "val-de-brume.mssante.fr"
SECRETARIAT = f"secretariat.geriatrie@ch-brumeval.{DOMAIN}"
TILLEULS = f"soins@ehpad-les-tilleuls.{DOMAIN}"
DOC = SUBSET + "DOC0001.XML"
SAMPLE_TEXT = "Bonjour,\r\n\r\nLa visite de jeudi est déplacée à vendredi, même heure.\r\n\r\nMessage fictif.\r\n"


@cache
def _pdf(kind: str, patient: str, author: str, structure: str, at: datetime) -> bytes:
    actors = load_territory()
    return kind_pdf(
        document_kinds()[kind],
        actors.patients[patient],
        actors.professionals[author],
        actors.structures[structure],
        at,
    )


@dataclass(frozen=True, slots=True)
class Bench:
    """Where samples are made: the territory of `demo` and a time (timezone-aware) that every sample bears."""

    at: datetime

    @property
    def territory(self) -> Territory:
        """The actors."""
        return load_territory()

    def record(
        self,
        seed: str,
        kind: str = "lettre-sortie",
        patient: str = "delmas-suzanne",
        author: str = "vannier-claire",
        structure: str = "ch-brumeval",
        changes: Callable[[Patient], Patient] = lambda p: p,
    ) -> CdaRecord:
        """A document; `changes` spoils the patient it names (not the PDF, which keeps the true one)."""
        ids = ids_from(seed)
        actors = self.territory
        return CdaRecord(
            document_id=ids.document_id,
            set_id=ids.document_set_id,
            kind=document_kinds()[kind],
            patient=changes(actors.patients[patient]),
            author=actors.professionals[author],
            structure=actors.structures[structure],
            at=self.at,
            service_start=self.at - timedelta(days=5),
            service_stop=self.at,
            pdf=_pdf(kind, patient, author, structure, self.at),
        )

    def lot(self, seed: str, record: CdaRecord, document: bytes | None = None) -> Lot:
        """The lot of one document, `document` being its octets when they are not those of the record."""
        ids = ids_from(seed)
        return Lot(
            unique_id=ids.set_unique_id,
            source_id=source_oid(record.structure),
            submitted_at=self.at,
            author=record.author,
            structure=record.structure,
            entries=(LotEntry(record, build_cda(record) if document is None else document, ids.entry_id),),
            set_id=ids.set_id,
            package=True,
        )

    def package(self, seed: str, record: CdaRecord, document: bytes | None = None) -> bytes:
        """IHE_XDM.zip of one document."""
        return build_xdm(self.lot(seed, record, document))

    def repacked(
        self, seed: str, record: CdaRecord, change: Callable[[list[tuple[str, bytes]]], Sequence[tuple[str, bytes]]]
    ) -> bytes:
        """IHE_XDM.zip whose list of files was changed before zipping."""
        return zip_of(change(list(package_files(self.lot(seed, record)))), self.at)

    def mail(
        self,
        seed: str,
        record: CdaRecord,
        *,
        package: bytes | None = None,
        sender: str = SECRETARIAT,
        to: tuple[str, ...] = (TILLEULS,),
        edit: Callable[[Draft], Draft] = lambda d: d,
    ) -> bytes:
        """The mail of one document; `edit` spoils the draft before it is written."""
        archive = self.package(seed, record) if package is None else package
        draft = document_draft(
            record,
            sender=sender,
            sender_name=sender_name(self.territory.mailboxes[sender], self.territory),
            to=to,
            message_id=f"{seed}.{self.at:%Y%m%d%H%M%S}@{sender.rpartition('@')[2]}",
            at=self.at,
            attachments=(package_part(archive), twin_part(record)),
        )
        return compose_mail(edit(draft))


def in_metadata(
    change: Callable[[bytes], bytes],
) -> Callable[[list[tuple[str, bytes]]], Sequence[tuple[str, bytes]]]:
    """A change of METADATA.XML, for `Bench.repacked`."""
    return lambda files: [(name, change(data) if name == METADATA else data) for name, data in files]


def renamed(old: str, new: str) -> Callable[[list[tuple[str, bytes]]], Sequence[tuple[str, bytes]]]:
    """Another name for one file of the package, for `Bench.repacked`."""
    return lambda files: [(new if name == old else name, data) for name, data in files]


def without(name: str) -> Callable[[list[tuple[str, bytes]]], Sequence[tuple[str, bytes]]]:
    """One file less, for `Bench.repacked`."""
    return lambda files: [item for item in files if item[0] != name]


def plus(name: str, data: bytes) -> Callable[[list[tuple[str, bytes]]], Sequence[tuple[str, bytes]]]:
    """One file more, for `Bench.repacked`."""
    return lambda files: [*files, (name, data)]


def emptied(name: str) -> Callable[[list[tuple[str, bytes]]], Sequence[tuple[str, bytes]]]:
    """One file without a single octet, for `Bench.repacked`."""
    return lambda files: [(n, b"" if n == name else data) for n, data in files]


def encrypted(package: bytes) -> bytes:
    """The same ZIP with every entry marked as encrypted (general purpose bit 0), local and central headers alike."""
    out = bytearray(package)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = out.find(signature)
        while start >= 0:
            flags = struct.unpack_from("<H", out, start + offset)[0]
            struct.pack_into("<H", out, start + offset, flags | 1)
            start = out.find(signature, start + 4)
    return bytes(out)


def wrong_key(patient: Patient) -> Patient:
    """The same person with a matricule whose key is one more than it should be."""
    key = int(patient.matricule[13:]) % 97 + 1
    return replace(patient, matricule=f"{patient.matricule[:13]}{key:02d}")


def changed(data: bytes, old: str, new: str) -> bytes:
    """`data` with one text replaced wherever it stands; a sample that no longer spoils anything must not pass unseen."""
    if old.encode() not in data:
        raise ValueError(f"nothing to spoil: {old!r}")
    return data.replace(old.encode(), new.encode())


def in_utf16(document: bytes) -> bytes:
    """The same XML in UTF-16, with its byte order mark and its declaration."""
    return document.decode().replace("encoding='UTF-8'", "encoding='UTF-16'", 1).encode("utf-16")
