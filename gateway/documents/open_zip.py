"""A ZIP of strangers, read with a short leash.

The directory is judged before anything is inflated: number of files, names, sizes announced, ratio, overlap, links,
encryption, method. Then each file is inflated with a ceiling, because announced sizes lie. Archives inside are files
like others: they are not opened.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from gateway.documents.model import Issue
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits
from gateway.values import PlaceKind, Text, Where, Words

_LOCAL = struct.Struct("<4s22xHH")
_END = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
_CONTROL = re.compile(r"[\x00-\x1f]")
_DRIVE = re.compile(r"^[A-Za-z]:")
_LINK, _KIND = 0o120000, 0o170000
_REGULAR = frozenset({0, 0o100000, 0o040000})
_SYMBOLIC_LINK = Text("lien symbolique", "symbolic link")
_SPECIAL_FILE = Text("fichier spécial", "special file")
_OVERLAPPING = Text("entrées superposées", "overlapping entries")
_DISJOINT = Text("entrées disjointes", "disjoint entries")
_UNREADABLE = Text("données compressées illisibles", "unreadable compressed data")
_OUTSIDE = Text("en-tête de {name} hors du fichier", "header of {name} outside the file")
_NO_HEADER = Text("pas d'en-tête pour {name}", "no header for {name}")
_NO_ZIP = Text("ce n'est pas une archive ZIP, ou elle est tronquée", "this is no ZIP archive, or it is cut short")
_OTHER = Text("répertoire de l'archive illisible ({name})", "unreadable directory of the archive ({name})")
_TOLD = {  # the first word of what the reader of the standard library says
    "Bad": Text("répertoire de l'archive faux ou déplacé", "wrong or misplaced directory of the archive"),
    "Corrupt": Text("champ supplémentaire d'une entrée illisible", "unreadable extra field of an entry"),
    "Truncated": Text("répertoire de l'archive tronqué", "directory of the archive cut short"),
    "zipfiles": Text("archive en plusieurs volumes", "archive in several volumes"),
}
_RATIO_FROM = 1024 * 1024  # a small file of blanks is no bomb, whatever its ratio


class _BadEntry(Exception):
    """An entry that is not where the directory says."""

    def __init__(self, words: Text) -> None:
        super().__init__(words.en)
        self.words = words


@dataclass(frozen=True, slots=True)
class Inflated:
    """One file of the archive: its path as written and its octets."""

    path: str
    data: bytes


def open_zip(data: bytes, where: Where, limits: Limits) -> tuple[tuple[Inflated, ...], tuple[Issue, ...]]:
    """The files of an archive, directories left out, and what is wrong with it. Never raises.

    When an abuse is seen in the directory nothing is inflated: no file, one issue or more (ABU-02 to 06, XDM-01).
    """
    try:
        refused = _too_many(data, where, limits)
        if refused is not None:
            return (), (refused,)
        with ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
        issues = tuple(_judged(data, entries, where, limits))
        if issues:
            return (), issues
        return _inflated(data, entries, where, limits)
    # The directory reader of the standard library raises a dozen unrelated classes on hostile bytes.
    except Exception as error:
        return (), (_issue("XDM-01", where, _unreadable(error), "ZIP"),)


def _too_many(data: bytes, where: Where, limits: Limits) -> Issue | None:
    """Counts the directory without reading it: a directory of a million names must cost nothing."""
    end = data.rfind(_END)
    if end < 0 or len(data) < end + 22:
        return None
    announced, size = struct.unpack_from("<HI", data, end + 10)
    whole = announced == 0xFFFF or size == 0xFFFFFFFF
    found = data.count(_ENTRY, 0 if whole else max(0, end - size - 76), end)
    if found > limits.zip_files:
        return _issue("ABU-06", where, _files(f"{found}"), _files(f"<= {limits.zip_files}"))
    return None


def _judged(data: bytes, entries: list[ZipInfo], where: Where, limits: Limits) -> Iterator[Issue]:
    if len(entries) > limits.zip_files:
        yield _issue("ABU-06", where, _files(f"{len(entries)}"), _files(f"<= {limits.zip_files}"))
        return
    total = sum(e.file_size for e in entries)
    if total > limits.zip_total_bytes:
        yield _issue("ABU-02", where, f"{total} octets", f"<= {limits.zip_total_bytes} octets")
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        place = Where(PlaceKind.ZIP, printable(name))
        if unsafe_name(name):
            yield _issue("ABU-03", place, printable(name), "IHE_XDM/SUBSET01/DOC0001.XML")
        key = name.casefold()
        if key in seen:
            yield _issue("ABU-05", place, f"{printable(name)} (2)", printable(name))
        seen.add(key)
        if (entry.external_attr >> 16) & _KIND not in _REGULAR:
            kind = _SYMBOLIC_LINK if (entry.external_attr >> 16) & _KIND == _LINK else _SPECIAL_FILE
            yield _issue("ABU-04", place, kind, Text("fichier", "file"))
        if entry.flag_bits & 0x1:
            yield _issue("XDM-01", place, Text("chiffré", "encrypted"), Text("non chiffré", "not encrypted"))
        elif entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            yield _issue(
                "XDM-01",
                place,
                Text(f"méthode {entry.compress_type}", f"method {entry.compress_type}"),
                "stored, deflate",
            )
        if entry.file_size > _RATIO_FROM and entry.file_size > limits.zip_ratio * max(1, entry.compress_size):
            yield _issue(
                "ABU-02", place, f"{entry.file_size // max(1, entry.compress_size)}:1", f"<= {limits.zip_ratio}:1"
            )
    if _overlap(data, entries):
        yield _issue("ABU-05", where, _OVERLAPPING, _DISJOINT)


def _overlap(data: bytes, entries: list[ZipInfo]) -> bool:
    """Two entries share octets: the trick by which a small archive inflates to a huge one."""
    spans = sorted((e.header_offset, _start(data, e) + e.compress_size) for e in entries)
    return any(end > after for (_, end), (after, _) in pairwise(spans))


def _start(data: bytes, entry: ZipInfo) -> int:
    """Where the octets of an entry begin. Raises _BadEntry when its local header is not where the directory says."""
    if entry.header_offset < 0 or entry.header_offset + 30 > len(data):
        raise _BadEntry(_OUTSIDE.filled({"name": printable(entry.orig_filename)}))
    signature, name_length, extra_length = _LOCAL.unpack_from(data, entry.header_offset)
    if signature != b"PK\x03\x04":
        raise _BadEntry(_NO_HEADER.filled({"name": printable(entry.orig_filename)}))
    return int(entry.header_offset + 30 + name_length + extra_length)


def _inflated(
    data: bytes, entries: list[ZipInfo], where: Where, limits: Limits
) -> tuple[tuple[Inflated, ...], tuple[Issue, ...]]:
    files: list[Inflated] = []
    issues: list[Issue] = []
    left = limits.zip_total_bytes
    for entry in entries:
        if entry.orig_filename.endswith("/"):
            continue
        place = Where(PlaceKind.ZIP, printable(entry.orig_filename))
        octets = _octets(data, entry)
        if octets is None:
            issues.append(_issue("XDM-01", place, _UNREADABLE, "deflate"))
            continue
        if len(octets) != entry.file_size:
            issues.append(_issue("ABU-05", place, f"≠ {entry.file_size} octets", f"{entry.file_size} octets"))
            continue
        if zlib.crc32(octets) != entry.CRC:
            issues.append(_issue("XDM-01", place, Text("CRC faux", "wrong CRC"), f"CRC {entry.CRC:08x}"))
            continue
        left -= len(octets)
        if left < 0:
            return (), (_issue("ABU-02", where, f"> {limits.zip_total_bytes} octets", f"<= {limits.zip_total_bytes}"),)
        files.append(Inflated(printable(entry.orig_filename), octets))
    return tuple(files), tuple(issues)


def _octets(data: bytes, entry: ZipInfo) -> bytes | None:
    """The octets of one file, at most one more than announced; None when they do not inflate."""
    start = _start(data, entry)
    packed = data[start : start + entry.compress_size]
    if len(packed) != entry.compress_size:
        return None
    if entry.compress_type == ZIP_STORED:
        return packed
    try:
        engine = zlib.decompressobj(-15)
        octets = engine.decompress(packed, entry.file_size + 1)
        return octets if engine.eof or len(octets) > entry.file_size else None
    except zlib.error:
        return None


def unsafe_name(name: str) -> bool:
    """A name that could write elsewhere when unpacked: absolute, drive, `..`, backslash, NUL or control character."""
    return (
        name.startswith("/")
        or "\\" in name
        or _CONTROL.search(name) is not None
        or _DRIVE.match(name) is not None
        or ".." in name.split("/")
        or not name.strip("/. ")
    )


def printable(name: str) -> str:
    """A name of a stranger made safe to show: no control character, at most 200 characters."""
    if len(name) <= 200 and name.isprintable():
        return name
    return "".join(c if c.isprintable() else "�" for c in name[:200])


def _unreadable(error: Exception) -> Text:
    """Why the directory cannot be read: in our words, with the class of an error that nobody foresaw."""
    if isinstance(error, _BadEntry):
        return error.words
    if isinstance(error, BadZipFile):
        return _TOLD.get(str(error).partition(" ")[0], _NO_ZIP)
    return _OTHER.filled({"name": type(error).__name__})


def _files(count: str) -> Text:
    return Text(f"{count} fichiers", f"{count} files")


def _issue(rule_id: str, where: Where, received: Words, expected: Words) -> Issue:
    return Issue(rule_id, Hit(where=where, received=received, expected=expected))
