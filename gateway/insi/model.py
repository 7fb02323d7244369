"""The nouns of INSi: what a call asks, who is in the national base, what the service answers, what a client makes of it.

Values stand as written. Dates are AAAA-MM-JJ and may be no calendar date (lunar dates). `birth_place` is a COG code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    """The operations of the service, by their WSDL name."""

    TRAITS = "rechercherInsAvecTraitsIdentite"  # WS_INS2
    CARD = "rechercherInsAvecCarteVitale"  # WS_INS1
    VERIFY = "verifierInsAvecTraitsIdentite"  # WS_INS3


@dataclass(frozen=True, slots=True)
class Matricule:
    """A NIR or a NIA as INSi writes it: 13 characters and a key apart. `type_code` is NIR, NIA or ''."""

    number: str
    key: str = ""
    type_code: str = ""

    @property
    def whole(self) -> str:
        """The 15 characters."""
        return self.number + self.key


@dataclass(frozen=True, slots=True)
class Ins:
    """A matricule with its OID, always together. `since` and `until` are AAAA-MM-JJ, often '' and sometimes reversed."""

    matricule: Matricule
    oid: str
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Traits:
    """Traits as one call sends them. `given` holds each `Prenom` element; `given_list` only a verification has it."""

    family: str = ""
    given: tuple[str, ...] = ()
    sex: str = ""
    birth_date: str = ""
    birth_place: str = ""
    given_list: str = ""


@dataclass(frozen=True, slots=True)
class CardData:
    """What a software reads on a carte Vitale: the beneficiary's matricule or the insured person's, date and rank."""

    own: Matricule | None = None
    holder: Matricule | None = None  # MatriculeOD: the insured person (ouvrant droit)
    family: str = ""
    birth_date: str = ""
    rank: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """An INS and the traits said to go with it."""

    ins: Ins
    traits: Traits


Query = Traits | CardData | Verification


@dataclass(frozen=True, slots=True)
class Caller:
    """The software that calls, as ContexteLPS and ContexteBAM tell it. `has_bam` is whether the second was there."""

    idam: str = ""
    software: str = ""
    version: str = ""
    emitter: str = ""
    has_lps: bool = False
    has_bam: bool = False


@dataclass(frozen=True, slots=True)
class Individual:
    """An identity as INSi tells it (INDIVIDU). `given` and `given_list` are '' where the answer leaves them out."""

    active: Ins
    family: str
    given_list: str
    sex: str
    birth_date: str
    birth_place: str = ""
    given: str = ""
    history: tuple[Ins, ...] = ()

    @property
    def given_names(self) -> str:
        """The list of given names; `Prenom` is the list where the answer has no list."""
        return self.given_list or self.given


class Code(StrEnum):
    """CodeCR. 03 and above were found in no public source: a client takes them for a technical failure."""

    FOUND = "00"
    NONE = "01"
    SEVERAL = "02"


LABELS = {
    Code.FOUND: "OK",
    Code.NONE: "Aucune identite trouvee",
    Code.SEVERAL: "Plusieurs identites trouvees",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """RESULTAT: a code, and the individual when there is one (a verification never gives one)."""

    code: Code
    individual: Individual | None = None


# ------------------------------------------------------------------------------------------------ what a client makes of it


@dataclass(frozen=True, slots=True)
class LocalIdentity:
    """The identity a software wants to search or verify. `given_names` are those of the civil register, in its order.

    `attributes` among homonyme, douteuse, fictive: the last two forbid the call (RNIV EXI SI 22).
    """

    family: str
    given_names: tuple[str, ...]
    sex: str
    birth_date: str
    birth_place: str = ""
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """The evidence of one call: what EXI REC 07 asks to keep with the identity.

    `raw` is the answer, octet for octet (b'' when none came); `trace_id` the exchange at the gateway, else the call's
    MessageID; `at` an ISO instant; `method` the operation.
    """

    method: str
    message_id: str
    trace_id: str
    at: str
    status: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """CR 00: one identity. `differences` names the traits that are not as entered: the user confirms before they replace."""

    individual: Individual
    trace: Trace
    differences: tuple[str, ...] = ()
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Verified:
    """CR 00 of a verification: INS and traits agree with the national base."""

    trace: Trace


@dataclass(frozen=True, slots=True)
class Contradicted:
    """CR 01 of a verification: INS and traits do not agree, or no longer."""

    trace: Trace


@dataclass(frozen=True, slots=True)
class NotFound:
    """CR 01 to every try: the base knows nobody with these traits."""

    trace: Trace
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Several:
    """CR 02 to the fullest question: a person must add traits; nobody chooses."""

    trace: Trace
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No answer about the identity: outage, time-out, technical fault, unreadable answer. The status stays as it is.

    `code` is the INSi code (insi_102, …), the CR (03, …) or a word (timeout, connection, unreadable, http-503).
    """

    code: str
    reason: str
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The call itself was wrong or forbidden: nothing is known of the identity, and the same call would fail again."""

    code: str
    reason: str
    trace: Trace | None = None


SearchResult = Found | NotFound | Several | Unavailable | Refused
VerifyResult = Verified | Contradicted | Unavailable | Refused
