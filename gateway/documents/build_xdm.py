"""IHE_XDM.zip: the package that carries documents and their metadata in a MSSanté mail.

Layout of IHE ITI-32 as the CI-SIS asks: INDEX.HTM and README.TXT at the root, one subset. The same lot and time always
give the same bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import Lot, LotEntry, LotIds, submit_objects_request
from gateway.documents.build_record import CdaRecord, source_oid

PACKAGE_NAME = "IHE_XDM.zip"
SUBSET = "IHE_XDM/SUBSET01/"
METADATA = SUBSET + "METADATA.XML"


def lot_of(record: CdaRecord, ids: LotIds, submitted_at: datetime) -> Lot:
    """The lot of one document, ready for a package: the record is written, its hash and size will be those octets'."""
    return Lot(
        unique_id=ids.set_unique_id,
        source_id=source_oid(record.structure),
        submitted_at=submitted_at,
        author=record.author,
        structure=record.structure,
        entries=(LotEntry(record, build_cda(record), ids.entry_id),),
        set_id=ids.set_id,
        package=True,
    )


def build_xdm(lot: Lot) -> bytes:
    """The package of a lot: its documents under the URI of their entry, and METADATA.XML."""
    return zip_of(package_files(lot), lot.submitted_at)


def package_files(lot: Lot) -> tuple[tuple[str, bytes], ...]:
    """The files of a package, in the order they are written."""
    packaged = replace(lot, package=True)
    uris = [entry.uri for entry in lot.entries]
    return (
        ("INDEX.HTM", _index(lot)),
        ("README.TXT", _readme(lot, uris)),
        ("IHE_XDM/", b""),
        (SUBSET, b""),
        (METADATA, submit_objects_request(packaged)),
        *((SUBSET + entry.uri, entry.document) for entry in lot.entries),
    )


def zip_of(files: Sequence[tuple[str, bytes]], at: datetime) -> bytes:
    """A ZIP of these files, deflated, all stamped `at`; a name that ends with a slash is a folder."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=zlib.Z_BEST_COMPRESSION) as package:
        for name, data in files:
            info = ZipInfo(name, at.timetuple()[:6])
            info.create_system = 0
            info.compress_type = ZIP_DEFLATED
            package.writestr(info, data)
    return out.getvalue()


def _index(lot: Lot) -> bytes:
    sender = escape(f"{lot.structure.name} ({lot.structure.struct_id_nat})")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" lang="fr"><head><title>IHE_XDM</title></head><body>\r\n'
        f"<p>Émetteur : {sender}</p>\r\n"
        '<p>Lire <a href="README.TXT">README.TXT</a>.</p>\r\n'
        "</body></html>\r\n"
    ).encode()


def _readme(lot: Lot, uris: Sequence[str]) -> bytes:
    documents = "".join(f"                {uri}\r\n" for uri in uris)
    author = lot.author
    return (
        "Émetteur\r\n"
        f"    Nom : {author.family} {author.given}\r\n"
        f"    Structure : {lot.structure.name} ({lot.structure.struct_id_nat})\r\n"
        "\r\n"
        "Application de l'émetteur\r\n"
        "    Nom : passerelle, bac à sable des services socles\r\n"
        "\r\n"
        "Instructions\r\n"
        "    Ouvrir ce fichier avec le logiciel métier. Les documents sont fictifs.\r\n"
        "\r\n"
        "Arborescence\r\n"
        "    INDEX.HTM\r\n"
        "    README.TXT\r\n"
        "    IHE_XDM\r\n"
        "        SUBSET01\r\n"
        "                METADATA.XML\r\n"
        f"{documents}"
    ).encode()
