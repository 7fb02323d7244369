"""Packages: what a careful reader accepts, and the archives made to hurt it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

import pytest

from gateway.documents.model import XdmPackage
from gateway.documents.open_xdm import open_xdm
from gateway.documents.open_zip import open_zip
from gateway.sandbox.model import Limits
from tests.support.handmade import HERE, ROOM, cda_bytes, files, metadata_bytes, package, zipped

SMALL = Limits(zip_files=10, zip_total_bytes=3_000_000, zip_ratio=50)


def opened(archive: bytes, limits: Limits = Limits()) -> XdmPackage:
    return open_xdm(archive, "xdm", HERE, limits)


def rules(archive: bytes, limits: Limits = Limits()) -> set[str]:
    return {i.rule_id for i in opened(archive, limits).issues}


def with_entry(info: zipfile.ZipInfo, data: bytes) -> bytes:
    out = BytesIO(zipped(files()))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(info, data)
    return out.getvalue()


def patched(archive: bytes, name: str, field: int, value: bytes) -> bytes:
    """The archive with one field of the directory entry of `name` overwritten (offset as in PKWARE 4.3.12)."""
    at = archive.index(b"PK\x01\x02")
    while archive[at + 46 : at + 46 + len(name)] != name.encode():
        at = archive.index(b"PK\x01\x02", at + 4)
    return archive[: at + field] + value + archive[at + field + len(value) :]


def test_a_valid_package_opens_without_an_issue() -> None:
    found = package()
    assert found.issues == ()
    assert found.has_index
    assert found.has_readme
    assert [d.label for d in found.documents] == ["cda:DOC0001.XML"]
    assert [e.label for e in found.metadata[0].entries] == ["metadata:DOC0001.XML"]
    assert found.documents[0].where.path == f"{ROOM}DOC0001.XML"


def test_names_are_compared_without_case_under_any_folder() -> None:
    contents = {f"Export/{name.lower()}": data for name, data in files().items()}
    found = package(contents)
    assert found.issues == ()
    assert len(found.documents) == 1
    assert found.has_index


def test_leftovers_of_a_desktop_are_not_documents() -> None:
    found = package({**files(), "__MACOSX/IHE_XDM/SUBSET01/._DOC0001.XML": b"x", ".DS_Store": b"y"})
    assert len(found.documents) == 1
    assert len(found.files) == 6


def test_labels_tell_subsets_apart() -> None:
    contents = files()
    contents["IHE_XDM/SUBSET02/METADATA.XML"] = metadata_bytes()
    contents["IHE_XDM/SUBSET02/DOC0001.XML"] = cda_bytes()
    assert [d.label for d in package(contents).documents] == [
        "cda:DOC0001.XML",
        "cda:IHE_XDM/SUBSET02/DOC0001.XML",
    ]


def test_a_package_without_subset_or_metadata_says_what_it_lacks() -> None:
    assert rules(zipped({"A.TXT": b"x"})) == {"XDM-01"}
    assert rules(zipped({f"{ROOM}DOC0001.XML": cda_bytes()})) == {"XDM-02"}


def test_metadata_not_well_formed_is_told_by_its_lot() -> None:
    found = package({**files(), f"{ROOM}METADATA.XML": b"<SubmitObjectsRequest>"})
    assert [i.rule_id for i in found.metadata[0].issues] == ["XDM-02"]


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "IHE_XDM\\SUBSET01\\DOC.XML", "C:/x", "IHE_XDM/./../x", "IHE_XDM/a\nb", "."],
)
def test_a_name_that_leaves_the_archive_is_refused(name: str) -> None:
    assert "ABU-03" in rules(zipped({**files(), name: b"x"}))


def test_a_nul_in_a_name_is_seen() -> None:
    archive = zipped({**files(), "IHE_XDM/AxB": b"x"}).replace(b"IHE_XDM/AxB", b"IHE_XDM/A\x00B")
    assert "ABU-03" in rules(archive)


def test_a_symbolic_link_is_refused() -> None:
    info = zipfile.ZipInfo(f"{ROOM}LINK.XML")
    info.external_attr = 0o120777 << 16
    assert "ABU-04" in rules(with_entry(info, b"/etc/passwd"))


def test_two_names_that_differ_by_case_are_ambiguous() -> None:
    assert "ABU-05" in rules(zipped({**files(), f"{ROOM}doc0001.xml": cda_bytes()}))


def test_a_bomb_is_refused_by_its_ratio_before_inflating() -> None:
    found = opened(zipped({**files(), "BOMB": bytes(2_000_000)}), SMALL)
    assert {i.rule_id for i in found.issues} == {"ABU-02"}
    assert found.files == ()


def test_the_total_is_limited_whatever_the_ratio() -> None:
    noise = b"".join(zlib.crc32(struct.pack("<I", n)).to_bytes(4, "little") for n in range(900_000))
    assert rules(zipped({**files(), "NOISE": noise}), SMALL) == {"ABU-02"}


def test_a_size_that_lies_is_seen_while_inflating() -> None:
    archive = patched(zipped({**files(), "LIE": bytes(100_000)}), "LIE", 24, struct.pack("<I", 10))
    assert "ABU-05" in rules(archive)


def test_overlapping_entries_are_refused() -> None:
    archive = zipped({**files(), "A.TXT": b"a" * 50, "B.TXT": b"b" * 50})
    at = archive.index(b"A.TXT") - 30
    archive = patched(archive, "B.TXT", 42, struct.pack("<I", at))
    assert rules(archive) & {"ABU-05", "XDM-01"}


def test_too_many_files_are_counted_without_reading_the_directory() -> None:
    assert rules(zipped({f"F{n}": b"" for n in range(50)}), SMALL) == {"ABU-06"}


def test_a_directory_that_announces_less_than_it_holds_is_counted_all_the_same() -> None:
    archive = zipped({f"F{n}": b"" for n in range(50)})
    end = archive.rindex(b"PK\x05\x06")
    lie = archive[: end + 8] + struct.pack("<HH", 1, 1) + archive[end + 12 :]
    assert rules(lie, SMALL) & {"ABU-06", "XDM-01"}


def test_an_encrypted_file_and_an_unknown_method_are_refused() -> None:
    archive = patched(zipped(files()), "README.TXT", 8, struct.pack("<H", 1))
    assert "XDM-01" in rules(archive)
    archive = patched(zipped(files()), "README.TXT", 10, struct.pack("<H", 12))
    assert "XDM-01" in rules(archive)


def test_a_wrong_crc_is_told_and_the_rest_is_read() -> None:
    archive = patched(zipped(files()), "README.TXT", 16, struct.pack("<I", 1))
    found = opened(archive)
    assert {i.rule_id for i in found.issues} == {"XDM-01"}
    assert len(found.documents) == 1


def test_an_archive_inside_is_a_file_like_another() -> None:
    inner = zipped({"BOMB": bytes(1000)})
    found, issues = open_zip(zipped({"INNER.ZIP": inner}), HERE, Limits())
    assert issues == ()
    assert [(f.path, f.data) for f in found] == [("INNER.ZIP", inner)]


@pytest.mark.parametrize("cut", range(0, 4000, 97))
def test_a_truncated_archive_is_told_not_raised(cut: int) -> None:
    archive = zipped(files())
    assert opened(archive[: min(cut, len(archive) - 1)]).issues


def test_a_zip64_directory_that_lies_is_not_followed() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("A.TXT", "w", force_zip64=True) as file:
        file.write(b"x")
    data = out.getvalue()
    end = data.rindex(b"PK\x05\x06")
    lie = data[: end + 10] + b"\xff\xff" + b"\xff" * 8 + data[end + 20 :]
    assert opened(lie).issues
