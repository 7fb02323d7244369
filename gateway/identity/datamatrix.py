"""The INS datamatrix in its text form: what a scanner types, and what is to be drawn.

    IS01 + 22 zeros, then fields, each an identifier of two characters and its value:

| field | value                          | length            |
|-------|--------------------------------|-------------------|
| S1    | matricule with its key         | 15                |
| S2    | OID                            | 19 or 20          |
| S3    | list of given names            | 1 to 100          |
| S4    | birth name                     | 1 to 100          |
| S5    | sex: M, F                      | 1                 |
| S6    | birth date JJ-MM-AAAA          | 10                |
| S7    | birthplace, COG (may be absent)| 5                 |

A field of variable length (S2, S3, S4) ends with GS (ASCII 29) unless it has its greatest length or is the last. Fields may
come in any order. Only a qualified identity may be printed: `encode` refuses any other.

Source: ANS, datamatrix INS 2.2 (2023-09-26); Guide d'implémentation INS, EXI DIF 02, EXI REC 02.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.identity import matricule as m
from gateway.identity.cog import is_well_formed
from gateway.identity.dates import parse_date
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.status import Status
from gateway.identity.traits import first_given_agrees, is_clean
from gateway.values import Located, PlaceKind, Where

HEADER = "IS01" + "0" * 22
GS = "\x1d"
MOST = 1000  # characters read: a whole datamatrix holds fewer than 400

# greatest length of each field, and whether it may be shorter
FIELDS: dict[str, tuple[int, bool]] = {
    "S1": (15, False),
    "S2": (20, True),
    "S3": (100, True),
    "S4": (100, True),
    "S5": (1, False),
    "S6": (10, False),
    "S7": (5, False),
}
_GS_WRITTEN = ("<GS>", "{GS}", "␝", "\\x1d", "\\u001d")  # how scanners and texts show it
_FRAME = ("]d2", "]C1", "]d1")  # symbology identifiers some readers type first


class DatamatrixError(Exception):
    """The text is no INS datamatrix. `received` and `expected` explain it in a finding, without any trait."""

    def __init__(self, received: str, expected: str) -> None:
        super().__init__(f"{received}; {expected}")
        self.received = received
        self.expected = expected


class NotPrintable(Exception):
    """This identity may not be printed as a datamatrix. `lacking` names what forbids it."""

    def __init__(self, lacking: str) -> None:
        super().__init__(lacking)
        self.lacking = lacking


@dataclass(frozen=True, slots=True)
class InsDatamatrix:
    """The fields of one datamatrix as written, '' when absent. `unknown` names fields that no version knows."""

    matricule: str = ""
    oid: str = ""
    given_list: str = ""
    birth_family: str = ""
    sex: str = ""
    birth_date: str = ""  # JJ-MM-AAAA
    birth_place: str = ""
    unknown: tuple[str, ...] = ()

    def view(self, label: str = "datamatrix", where: Where | None = None) -> IdentityView:
        """Who the printed page says the patient is. `label` names the document it is printed on (`datamatrix:DOC0001.XML`)."""
        at = where or Where(PlaceKind.FILE, "datamatrix")

        def told(value: str, field: str) -> Located | None:
            return Located(value, Where(at.kind, f"{at.path} {field}", at.line)) if value else None

        place = Where(at.kind, f"{at.path} S1", at.line)
        found = (PatientIdentifier(self.matricule, self.oid, place, "INS"),) if self.matricule or self.oid else ()
        return IdentityView(
            kind=ContainerKind.DATAMATRIX,
            label=label,
            where=at,
            identifiers=found,
            birth_family=told(self.birth_family, "S4"),
            given_list=told(self.given_list, "S3"),
            sex=told(self.sex, "S5"),
            birth_date=told(self.birth_date, "S6"),
            birth_place=told(self.birth_place, "S7"),
            ins_expected=True,
        )


def is_datamatrix(text: str) -> bool:
    """It begins as an INS datamatrix does."""
    return _bare(text).startswith("IS01")


def decode(text: str) -> InsDatamatrix:
    """The fields of a text form. Raises DatamatrixError when it cannot be cut into fields; judges no value."""
    written = _bare(text[:MOST])
    if not written.startswith("IS01"):
        raise DatamatrixError(f"{written[:4]!r}" if written[:4].isprintable() else "?", "IS01")
    if len(written) < len(HEADER) or not written[4 : len(HEADER)].isdigit():
        raise DatamatrixError(f"IS01 + {len(written[4 : len(HEADER)])}", "IS01 + 22 x 0")
    fields: dict[str, str] = {}
    unknown: list[str] = []
    at = len(HEADER)
    while at < len(written):
        if written[at] == GS:
            at += 1
            continue
        name = written[at : at + 2]
        value, at = _value(written, at + 2, name)
        if name not in FIELDS:
            unknown.append(name if name.isalnum() else "?")
            continue
        if name in fields:
            raise DatamatrixError(f"{name} x 2", f"{name} x 1")
        fields[name] = value
    return InsDatamatrix(
        matricule=fields.get("S1", ""),
        oid=fields.get("S2", ""),
        given_list=fields.get("S3", ""),
        birth_family=fields.get("S4", ""),
        sex=fields.get("S5", ""),
        birth_date=fields.get("S6", ""),
        birth_place=fields.get("S7", ""),
        unknown=tuple(unknown[:5]),
    )


def _bare(text: str) -> str:
    """Without what a reader types around, GS as one character."""
    text = text[:MOST].strip("\ufeff \t\r\n\x04\x1e")
    for frame in _FRAME:
        text = text.removeprefix(frame)
    for written in _GS_WRITTEN:
        if written in text:
            text = text.replace(written, GS)
    return text


def _value(written: str, start: int, name: str) -> tuple[str, int]:
    """The value that starts there, and where the next field does."""
    length, variable = FIELDS.get(name, (MOST, True))
    end = written.find(GS, start, start + length)
    if end >= 0:
        return written[start:end], end + 1
    value = written[start : start + length]
    if not variable and len(value) < length:
        raise DatamatrixError(f"{name} : {len(value)}", f"{name} : {length}")
    return value, start + len(value)


def encode(view: IdentityView, status: Status) -> str:
    """The text to draw for one identity. Raises NotPrintable unless it is qualified and every trait is sound.

    The view may come from any container; the date is rewritten JJ-MM-AAAA, everything else is printed as told.
    """
    if status is not Status.QUAL:
        raise NotPrintable("QUAL")
    ins = view.ins
    if ins is None or not m.has_right_key(ins.value):
        raise NotPrintable("INS")
    values = {
        "S1": ins.value,
        "S2": ins.oid,
        "S3": _text(view.given_list),
        "S4": _text(view.birth_family),
        "S5": {"male": "M", "female": "F"}.get(_text(view.sex), _text(view.sex)),
        "S6": _date(view),
        "S7": _text(view.birth_place),
    }
    _sound(values, _text(view.birth_given))
    out = [HEADER]
    for name, value in values.items():
        if value:
            length, variable = FIELDS[name]
            out.append(f"{name}{value}{GS if variable and len(value) < length else ''}")
    return "".join(out)


def _text(trait: Located | None) -> str:
    return trait.value if trait is not None else ""


def _date(view: IdentityView) -> str:
    born = parse_date(_text(view.birth_date), view.kind)
    return f"{born.day:02d}-{born.month:02d}-{born.year:04d}" if born is not None and born.is_full else ""


def _sound(values: dict[str, str], first_given: str) -> None:
    for name in ("S3", "S4"):
        if not 1 <= len(values[name]) <= 100 or not is_clean(values[name].replace("--", "-")):
            raise NotPrintable(name)
    if first_given and not first_given_agrees(first_given, values["S3"]):
        raise NotPrintable("S3")
    if values["S5"] not in ("M", "F"):
        raise NotPrintable("S5")
    if not values["S6"]:
        raise NotPrintable("S6")
    if values["S7"] and not is_well_formed(values["S7"]):
        raise NotPrintable("S7")
