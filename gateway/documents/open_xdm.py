"""Open an IHE_XDM.zip: its files, the metadata of each subset, the documents they describe.

Names are compared without case. What real packages show is tolerated and told by the package rules: a folder above
IHE_XDM, `__MACOSX` and `.DS_Store` left by a desktop.

Source: IHE ITI TF-2 3.32 (XDM), CI-SIS volet Échange de documents de santé.
"""

from __future__ import annotations

from hashlib import sha1

from gateway.documents.model import CdaDocument, Issue, PackagedFile, XdmPackage, XdsMetadata
from gateway.documents.open_cda import open_cda
from gateway.documents.open_metadata import open_metadata
from gateway.documents.open_zip import Inflated, open_zip
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits
from gateway.values import PlaceKind, Where

_METADATA = "METADATA.XML"
_ROOT = "IHE_XDM"
_XML_TYPES = frozenset({"text/xml", "application/xml", "application/xslt+xml", "application/hl7-sda+xml"})


def open_xdm(data: bytes, label: str, where: Where, limits: Limits = Limits()) -> XdmPackage:
    """The package found in `data`; `where` is its MIME part or file. Never raises: see `issues`.

    Issues: XDM-01 (archive or IHE_XDM folder), XDM-02 (metadata), ABU-02 to 06.
    """
    inflated, issues = open_zip(data, where, limits)
    useful = tuple(f for f in inflated if not is_leftover(f.path))
    found = [f for f in useful if _name(f.path).upper() == _METADATA]
    if not issues:
        issues = _missing(useful, found, where)
    metadata = tuple(_opened(f, len(found), limits) for f in found)
    documents = tuple(_documents(useful, found, metadata, limits))
    known = {d.where.path: d.sha1 for d in documents}
    top = top_folder(tuple(f.path for f in useful))
    names = {f.path[len(top) :].upper() for f in useful if f.path.startswith(top)}
    return XdmPackage(
        label=label,
        where=where,
        files=tuple(
            PackagedFile(f.path, len(f.data), known.get(f.path) or sha1(f.data, usedforsecurity=False).hexdigest())
            for f in inflated
        ),
        metadata=metadata,
        documents=documents,
        has_index="INDEX.HTM" in names or "INDEX.HTML" in names,
        has_readme="README.TXT" in names,
        issues=issues,
    )


def _missing(files: tuple[Inflated, ...], found: list[Inflated], where: Where) -> tuple[Issue, ...]:
    """No IHE_XDM subset, or a subset without metadata."""
    subsets = [f for f in files if _ROOT in f.path.upper().split("/")[:-1]]
    if not subsets:
        hit = Hit(where, ", ".join(f.path for f in files[:5]) or "∅", "IHE_XDM/SUBSET01/METADATA.XML")
        return (Issue("XDM-01", hit),)
    if not found:
        hit = Hit(where, ", ".join(f.path for f in subsets[:5]), "IHE_XDM/SUBSET01/METADATA.XML")
        return (Issue("XDM-02", hit),)
    return ()


def _opened(file: Inflated, subsets: int, limits: Limits) -> XdsMetadata:
    label = "metadata" if subsets == 1 else f"metadata:{folder(file.path).rpartition('/')[2]}"
    return open_metadata(file.data, label, Where(PlaceKind.ZIP, file.path), limits)


def _documents(
    files: tuple[Inflated, ...], found: list[Inflated], metadata: tuple[XdsMetadata, ...], limits: Limits
) -> list[CdaDocument]:
    """Every XML file of the subsets, and every file an entry declares as XML; the first subset keeps the short labels."""
    folders = [folder(f.path) for f in found]
    declared = {
        f"{at}/{e.uri.value}".casefold()
        for at, lot in zip(folders, metadata, strict=True)
        for e in lot.entries
        if e.uri is not None and e.mime_type.lower() in _XML_TYPES
    }
    documents = []
    for file in files:
        at = folder(file.path)
        name = _name(file.path)
        if name.upper() == _METADATA or not any(at == f or at.startswith(f"{f}/") for f in folders):
            continue
        if not name.upper().endswith(".XML") and file.path.casefold() not in declared:
            continue
        short = file.path[len(folders[0]) + 1 :] if at.startswith(folders[0]) else file.path
        documents.append(open_cda(file.data, f"cda:{short}", Where(PlaceKind.ZIP, file.path), limits))
    return documents


def is_leftover(path: str) -> bool:
    """A file that a desktop leaves in archives and that belongs to no package."""
    parts = path.split("/")
    return (
        parts[0] == "__MACOSX" or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini") or parts[-1].startswith("._")
    )


def top_folder(paths: tuple[str, ...]) -> str:
    """The folder that stands above IHE_XDM, with its final slash; '' in a package made as it should be."""
    for path in paths:
        parts = path.split("/")
        upper = [p.upper() for p in parts[:-1]]
        if _ROOT in upper:
            return "".join(f"{p}/" for p in parts[: upper.index(_ROOT)])
    return ""


def folder(path: str) -> str:
    """The folder of a file, without final slash."""
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
