"""Small values shared by every room: bilingual texts, places inside a message, doors and directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Lang(StrEnum):
    """The two languages the product speaks; French comes first."""

    FR = "fr"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in French and in English."""

    fr: str
    en: str

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return bool(self.fr or self.en)

    def in_(self, lang: Lang | str) -> str:
        """The sentence in one language; anything that is not English reads as French."""
        return self.en if lang == Lang.EN else self.fr

    def filled(self, params: Mapping[str, Words]) -> Text:
        """The same sentences with `{name}` replaced by `params["name"]`; unknown names stay as written."""
        return Text(_fill(self.fr, params, Lang.FR), _fill(self.en, params, Lang.EN))


# A value as it was written, the same in every language (`str`), or words about it (`Text`).
Words = str | Text


def in_lang(words: Words, lang: Lang | str) -> str:
    """Words in one language; a value is given as it is."""
    return words if isinstance(words, str) else words.in_(lang)


def words_json(words: Words) -> str | dict[str, str]:
    """A value as a JSON string, words as `{"fr", "en"}`."""
    return words if isinstance(words, str) else {"fr": words.fr, "en": words.en}


def words_from_json(told: str | Mapping[str, str]) -> Words:
    """The words of `words_json`."""
    return told if isinstance(told, str) else Text(told["fr"], told["en"])


def _fill(template: str, params: Mapping[str, Words], lang: Lang) -> str:
    if "{" not in template:
        return template
    for name, value in params.items():
        template = template.replace("{" + name + "}", in_lang(value, lang))
    return template


class PlaceKind(StrEnum):
    """The notation in which a place inside a message is written."""

    XPATH = "xpath"
    HL7 = "hl7"
    FHIRPATH = "fhirpath"
    MIME = "mime"
    ZIP = "zip"
    HEADER = "header"
    SMTP = "smtp"
    TLS = "tls"
    HTTP = "http"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Where:
    """A place a reader can go to: `xpath /ClinicalDocument/recordTarget/patientRole/id[1]`, line 18."""

    kind: PlaceKind
    path: str
    line: int | None = None

    def __truediv__(self, step: str) -> Where:
        """The place one step below this one."""
        return Where(self.kind, f"{self.path}/{step}", self.line)

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.path} (l. {self.line})"


@dataclass(frozen=True, slots=True)
class Located:
    """A value as it was written, and where."""

    value: str
    where: Where

    def __str__(self) -> str:
        return self.value


class Direction(StrEnum):
    """Whose duty a rule judges: the sender's when emitting, the recipient's when receiving."""

    EMISSION = "emission"
    RECEPTION = "reception"


class Door(StrEnum):
    """The door a message came by; the decision policy and the native answer depend on it."""

    SUBMISSION = "smtp-submission"
    RECEPTION = "smtp-reception"
    DMP = "dmp"
    INSI = "insi"
    MLLP = "mllp"
    FHIR = "fhir"
    FILE = "file"
    COPY = "copy"  # a copy of a received mail without the INS, made by a human decision
    NOTICE = "notice"  # a mail the gateway itself writes to a sender: report, « Message non distribué »
