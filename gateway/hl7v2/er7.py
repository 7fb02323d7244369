r"""ER7: the encoding of HL7 v2 with separators. Splitting on demand, unescaping leaf by leaf.

MSH-1 is the fourth character, MSH-2 gives component, repetition, escape and sub-component separators: they are read,
never assumed. Segments end with CR, and with LF or CRLF in files that an editor touched. A value is unescaped once, after
splitting. Empty means *not sent*; `""` means *erase what you hold*.

| written      | means                  | written            | means                                    |
|--------------|------------------------|--------------------|------------------------------------------|
| `\F\`        | field separator        | `\X0D0A\`          | these octets, in the message's charset   |
| `\S\`        | component separator    | `\.br\`            | a line break (`\.sp n\`: n of them)      |
| `\T\`        | sub-component separator| `\H\`, `\N\`       | highlighting: dropped                    |
| `\R\`        | repetition separator   | anything else      | kept as written                          |
| `\E\`        | escape character       |                    |                                          |

Nothing here raises, whatever the text. Source: HL7 v2.5 chapter 2 (2.6, 2.7, 2.10); IHE PAM France, data types 1.8.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.values import Located, PlaceKind, Where

NULL = '""'
STANDARD = "|^~\\&"

MOST_SEGMENTS = 20_000
MOST_REPETITIONS = 200  # of one field: nobody has more names or identifiers; hostile input may
LONGEST_ESCAPE = 512  # characters between two escape characters; beyond, the first one is text

_SEGMENT_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_LETTERS = frozenset("FSTRE")
_SPACES = re.compile(r"\.sp ?([0-9]{0,2})")


@dataclass(frozen=True, slots=True)
class Separators:
    """The five delimiters of one message, in the order of `|^~\\&`."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def written(self) -> str:
        """As MSH-1 and MSH-2 write them."""
        return self.field + self.component + self.repetition + self.escape + self.subcomponent

    @property
    def distinct(self) -> bool:
        """No delimiter plays two parts."""
        return len({*self.written}) == len(self.written)


def separators_of(line: str) -> Separators | None:
    """The delimiters announced by an MSH line; None when it does not announce five different ones."""
    if len(line) < 5 or not line.startswith("MSH"):
        return None
    sep = line[3]
    rest = line[4:].partition(sep)[0]
    if sep.isalnum() or sep.isspace() or not 4 <= len(rest) <= 5 or any(c.isalnum() or c.isspace() for c in rest):
        return None
    found = Separators(sep, rest[0], rest[1], rest[2], rest[3])
    return found if found.distinct else None


def split_segments(text: str) -> list[str]:
    """The lines of a message, whatever ends them; blank lines are left out."""
    if "\n" in text:
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    return [line for line in text.split("\r") if line and not line.isspace()]


def is_segment(line: str, separator: str) -> bool:
    """Three characters that may name a segment, then the field separator or nothing."""
    return _SEGMENT_NAME.match(line) is not None and (len(line) == 3 or line[3] == separator)


def strange_escapes(value: str, seps: Separators) -> list[str]:
    """The sequences that mean nothing or do not end, as written; at most five, each shown by 20 characters."""
    found: list[str] = []
    at = value.find(seps.escape)
    while at >= 0 and len(found) < 5:
        end = value.find(seps.escape, at + 1, at + LONGEST_ESCAPE)
        if end < 0:
            found.append(value[at : at + 20])
            end = at
        elif value[at + 1 : end] not in _LETTERS and _sequence(value[at + 1 : end], "latin-1") is None:
            found.append(value[at : end + 1][:20])
        at = value.find(seps.escape, end + 1)
    return found


def unescape(value: str, seps: Separators, codec: str = "utf-8") -> str:
    """A leaf value as it reads. Linear; unknown and unfinished sequences are kept as written."""
    escape = seps.escape
    if escape not in value:
        return value
    meanings = {"F": seps.field, "S": seps.component, "T": seps.subcomponent, "R": seps.repetition, "E": escape}
    out: list[str] = []
    at = 0
    while True:
        start = value.find(escape, at)
        if start < 0:
            break
        end = value.find(escape, start + 1, start + LONGEST_ESCAPE)
        if end < 0:
            out.append(value[at : start + 1])
            at = start + 1
            continue
        out.append(value[at:start])
        sequence = value[start + 1 : end]
        meaning = meanings.get(sequence)
        if meaning is None:
            meaning = _sequence(sequence, codec)
        out.append(value[start : end + 1] if meaning is None else meaning)
        at = end + 1
    out.append(value[at:])
    return "".join(out)


def _sequence(sequence: str, codec: str) -> str | None:
    """What a longer sequence means; None when it is kept as written."""
    if sequence in ("H", "N"):
        return ""
    if sequence == ".br":
        return "\n"
    spaces = _SPACES.fullmatch(sequence)
    if spaces is not None:
        return "\n" * int(spaces[1] or 1)
    if sequence[:1] == "X" and _HEX.fullmatch(sequence, 1):
        return bytes.fromhex(sequence[1:]).decode(codec, "replace")
    return None


def escaped(value: str, seps: Separators = Separators()) -> str:
    """A value fit to be written: delimiters and line ends escaped."""
    out = value.replace(seps.escape, f"{seps.escape}E{seps.escape}")
    for char, letter in (
        (seps.field, "F"),
        (seps.component, "S"),
        (seps.subcomponent, "T"),
        (seps.repetition, "R"),
        ("\r", "X0D"),
        ("\n", "X0A"),
    ):
        if char in out:
            out = out.replace(char, f"{seps.escape}{letter}{seps.escape}")
    return out


class Repetition:
    """One repetition of a field. Components and sub-components are numbered from 1; an absent one is ''."""

    __slots__ = ("_parts", "codec", "line", "path", "raw", "seps")

    def __init__(self, raw: str, path: str, line: int, seps: Separators, codec: str) -> None:
        self.raw = raw
        self.path = path  # `PID-3[1]`
        self.line = line
        self.seps = seps
        self.codec = codec
        self._parts: list[str] | None = None

    @property
    def parts(self) -> list[str]:
        """Components, still escaped."""
        parts = self._parts
        if parts is None:
            parts = self._parts = self.raw.split(self.seps.component)
        return parts

    def text(self, component: int = 1, sub: int = 1) -> str:
        """One leaf, unescaped. The HL7 null reads as `""`."""
        parts = self.parts
        if component > len(parts):
            return ""
        value = parts[component - 1]
        if self.seps.subcomponent in value:
            leaves = value.split(self.seps.subcomponent)
            value = leaves[sub - 1] if sub <= len(leaves) else ""
        elif sub > 1:
            return ""
        return unescape(value, self.seps, self.codec)

    def where(self, component: int = 0, sub: int = 0) -> Where:
        """The place of this repetition, of one component, or of one sub-component."""
        path = self.path
        if component:
            path = f"{path}.{component}.{sub}" if sub else f"{path}.{component}"
        return Where(PlaceKind.HL7, path, self.line)

    def located(self, component: int = 1, sub: int = 1) -> Located | None:
        """A leaf with its place; None when empty. The HL7 null reads as an empty value: the sender erases the trait."""
        value = self.text(component, sub)
        if not value:
            return None
        return Located("" if value == NULL else value, self.where(component))


class Segment:
    """One segment. Fields are numbered as in the standard (in MSH the separator itself is field 1)."""

    __slots__ = ("_fields", "codec", "label", "line", "name", "raw", "seps")

    def __init__(self, raw: str, line: int, seps: Separators, codec: str, label: str = "") -> None:
        self.raw = raw
        self.line = line
        self.seps = seps
        self.codec = codec
        self.name = raw[:3]
        self.label = label or self.name
        self._fields: list[str] | None = None

    @property
    def fields(self) -> list[str]:
        """Fields as written; index 0 is the name of the segment."""
        fields = self._fields
        if fields is None:
            fields = self.raw.split(self.seps.field)
            if self.name == "MSH":
                fields.insert(1, self.seps.field)
            self._fields = fields
        return fields

    def raw_field(self, number: int) -> str:
        """A whole field as written, '' when absent."""
        fields = self.fields
        return fields[number] if number < len(fields) else ""

    def first(self, number: int) -> Repetition:
        """The first repetition of a field; an empty one when the field is absent."""
        raw = self.raw_field(number)
        if self.seps.repetition in raw and not (self.name == "MSH" and number <= 2):
            raw = raw.partition(self.seps.repetition)[0]
        return Repetition(raw, f"{self.label}-{number}", self.line, self.seps, self.codec)

    def repetitions(self, number: int) -> Iterator[Repetition]:
        """The repetitions of a field that hold something, numbered from 1, at most `MOST_REPETITIONS`."""
        raw = self.raw_field(number)
        if not raw:
            return
        written = raw.split(self.seps.repetition, MOST_REPETITIONS)[:MOST_REPETITIONS]
        for at, repetition in enumerate(written, 1):
            if repetition:
                yield Repetition(repetition, f"{self.label}-{number}[{at}]", self.line, self.seps, self.codec)

    def text(self, number: int, component: int = 1, sub: int = 1) -> str:
        """A leaf of the first repetition, unescaped."""
        return self.first(number).text(component, sub)

    def located(self, number: int, component: int = 1) -> Located | None:
        """A leaf of the first repetition with its place; None when empty."""
        raw = self.raw_field(number)
        if not raw:
            return None
        told = self.first(number)
        value = told.text(component)
        if not value:
            return None
        where = told.where(component if component > 1 else 0)
        return Located("" if value == NULL else value, where)

    def where(self, number: int = 0) -> Where:
        """The place of the segment, or of one of its fields."""
        return Where(PlaceKind.HL7, f"{self.label}-{number}" if number else self.label, self.line)


def labelled(segments: list[Segment]) -> list[Segment]:
    """The same segments, each named by its rank where its name occurs several times (`OBX[2]`)."""
    counts: dict[str, int] = {}
    for segment in segments:
        counts[segment.name] = counts.get(segment.name, 0) + 1
    ranks: dict[str, int] = {}
    for segment in segments:
        if counts[segment.name] > 1:
            ranks[segment.name] = ranks.get(segment.name, 0) + 1
            segment.label = f"{segment.name}[{ranks[segment.name]}]"
    return segments
