"""The INS datamatrix as a picture: which text is drawn for an identity, and the modules of the symbol, as vectors.

Data Matrix ECC 200, square, the text form as it stands (GS is ASCII 29, no FNC1). Source: ISO/IEC 16022; ANS, datamatrix
INS 2.2; Guide d'implémentation INS, EXI DIF 02 (first page of what is printed, qualified identities only).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.identity.datamatrix import InsDatamatrix, NotPrintable, encode
from gateway.identity.local import Ins, Traits
from gateway.identity.status import Reliability, Status
from gateway.values import Located, PlaceKind, Text, Where

QUIET = 2  # light modules around; ISO/IEC 16022 asks for one at least
MODULE_MM = 0.5  # a module as it is printed: 18 to 24 mm a side, quiet zone included

_PLACE = Where(PlaceKind.FILE, "datamatrix")
_WHY = {
    "QUAL": Text("l'identité n'est pas qualifiée", "the identity is not qualified"),
    "INS": Text("l'identité n'a pas d'INS dont la clé soit juste", "the identity has no INS with a right key"),
    "OID": Text("l'OID n'est pas celui d'une INS", "the OID is not that of an INS"),
    "S3": Text("la liste des prénoms est absente ou mal écrite", "the list of given names is missing or badly written"),
    "S4": Text("le nom de naissance est absent ou mal écrit", "the birth name is missing or badly written"),
    "S5": Text("le sexe n'est ni M ni F", "the sex is neither M nor F"),
    "S6": Text("la date de naissance est incomplète", "the birth date is incomplete"),
    "S7": Text("le code du lieu de naissance est mal formé", "the birthplace code is malformed"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """Dark modules side by side: `length` of them from (`row`, `column`), both counted from 0, quiet zone left out."""

    row: int
    column: int
    length: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """One square symbol of `size` modules a side, without its quiet zone."""

    size: int
    runs: tuple[Run, ...]

    @property
    def side(self) -> int:
        """Modules a side with the quiet zone."""
        return self.size + 2 * QUIET

    @property
    def path(self) -> str:
        """The dark modules as an SVG path, one unit a module, the quiet zone counted."""
        return "".join(f"M{r.column + QUIET} {r.row + QUIET}h{r.length}v1h-{r.length}z" for r in self.runs)


def text_of(traits: Traits, ins: Ins | None, reliability: Reliability) -> str:
    """The text form for one identity. Raises NotPrintable unless it is qualified, not set aside, and every trait is sound.

    Where INSi told no list of given names, the list is the first one.
    """
    if reliability.set_aside or ins is None:
        raise NotPrintable("QUAL" if reliability.status is not Status.QUAL or reliability.set_aside else "INS")
    year, _, rest = traits.birth_date.partition("-")
    month, _, day = rest.partition("-")
    fields = InsDatamatrix(
        matricule=ins.matricule,
        oid=ins.oid,
        given_list=traits.given_list or traits.birth_given,
        birth_family=traits.birth_family,
        sex=traits.sex,
        birth_date=f"{day}-{month}-{year}",
        birth_place=traits.birth_place,
    )
    given = Located(traits.birth_given, _PLACE) if traits.birth_given else None
    return encode(replace(fields.view(), birth_given=given), reliability.status)


def why_not(refused: NotPrintable) -> Text:
    """Why an identity may not be printed, in words."""
    return _WHY[refused.lacking]


def symbol(text: str) -> Symbol:
    """The symbol of a text form: 36 to 64 modules a side for the lengths that an identity has."""
    from ppf.datamatrix import DataMatrix

    rows: list[list[int]] = DataMatrix(text).matrix
    return Symbol(len(rows), tuple(run for number, row in enumerate(rows) for run in _runs(number, row)))


def svg(drawn: Symbol) -> str:
    """The picture: dark on light, at its printed size, without style nor script, so that a strict page may show it."""
    side, size_mm = drawn.side, drawn.side * MODULE_MM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size_mm:g}mm" height="{size_mm:g}mm" viewBox="0 0 {side} {side}"'
        f' shape-rendering="crispEdges" role="img"><title>Datamatrix INS</title>'
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path fill="#000" d="{drawn.path}"/></svg>'
    )


def _runs(number: int, row: list[int]) -> list[Run]:
    found: list[Run] = []
    start = -1
    for column, dark in enumerate([*row, 0]):
        if dark and start < 0:
            start = column
        elif not dark and start >= 0:
            found.append(Run(number, start, column - start))
            start = -1
    return found
