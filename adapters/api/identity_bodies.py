"""What callers send about patients: an INS and traits stand in bodies, never in a path or a query."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.exchange.identities import Draft
from gateway.identity.local import Traits
from gateway.identity.status import Event

BLANK_ENDS = "no blank at either end, and no character that is not printed"


def fit_to_print(value: str) -> str:
    """A local number is printed, typed and compared as it stands. Raises ValueError for what nobody would see in it."""
    if value != value.strip() or not value.isprintable():
        raise ValueError(BLANK_ENDS)
    return value


Ipp = Annotated[str, AfterValidator(fit_to_print)]
By = Annotated[str, Field(description="who does it, as the history will say", max_length=80)]
Version = Annotated[int | None, Field(description="the version that was read: another one is refused with 409", ge=1)]


class Body(BaseModel):
    """Unknown words are refused: a misspelt trait would be lost."""

    model_config = ConfigDict(extra="forbid")


class TraitsBody(Body):
    """Strict traits as entered. `birth_date` may be incomplete: `1936`, `1936-05`, `1936-??-14` (EXI PP 19)."""

    birth_family: str = Field(max_length=100)
    birth_given: str = Field("", max_length=100)
    given_list: str = Field("", max_length=100)
    sex: str = Field("", pattern="^[MFI]?$")
    birth_date: str = Field(max_length=10)
    birth_place: str = Field("", max_length=5)

    def traits(self) -> Traits:
        """As the core takes them."""
        return Traits(**self.model_dump(include=set(TraitsBody.model_fields)))


class NewIdentity(TraitsBody):
    """A new record, provisional. Used names stay empty unless given: nothing copies the birth names into them."""

    ipp: Ipp = Field("", max_length=64, description="'' = given by the index")
    used_family: str = Field("", max_length=100)
    used_given: str = Field("", max_length=100)
    deceased_on: str = Field("", pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")
    by: By = "api"

    def draft(self) -> Draft:
        """As the core takes it."""
        return Draft(self.traits(), self.ipp, self.used_family, self.used_given, self.deceased_on)


class Search(Body):
    """Several criteria, each its own field (EXI ID 17); absent ones do not filter."""

    matricule: str = Field("", max_length=32)
    oid: str = Field("", max_length=64)
    ipp: str = Field("", max_length=64)
    birth_family: str = Field("", max_length=100, description="the beginning of the name, accents and case aside")
    birth_date: str = Field("", max_length=10)
    sex: str = Field("", pattern="^[MFI]?$")
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class StatusChange(Body):
    """What happened. An answer of INSi is confirmed at `/insi/confirm`, traits are changed at `/traits`."""

    event: Event
    by: By = "api"
    note: str = Field("", max_length=200)
    version: Version = None


class NewProof(Body):
    """A proof that was seen. No kind is chosen by default (EXI SI 10)."""

    kind: str = Field(max_length=8, description="a code of GET /proofs")
    source: str = Field("", max_length=200, description="where it was seen")
    high_trust: bool | None = Field(None, description="only for the kinds whose rank is the structure's to decide")
    by: By = "api"
    version: Version = None


class NewTraits(TraitsBody):
    """Other strict traits. `still_proven`: the recorded proof bears them too."""

    still_proven: bool = False
    by: By = "api"
    note: str = Field("", max_length=200)
    version: Version = None


class Details(Body):
    """Complementary traits; each replaces what the record has."""

    used_family: str = Field("", max_length=100)
    used_given: str = Field("", max_length=100)
    deceased_on: str = Field("", pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")
    by: By = "api"
    version: Version = None


class InsiCall(Body):
    """Search by the record's traits, or verify the INS it holds or received."""

    verify: bool = False
    by: By = "api"
    version: Version = None


class Confirmation(Body):
    """The user confirms an answer: its traits replace the local ones. `accept_differences` when some differ (INS-190)."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    accept_differences: bool = False
    by: By = "api"
    version: Version = None


class Reveal(Body):
    """Who wants to see clear values, and why: journalled."""

    by: By = "api"
    reason: str = Field(min_length=3, max_length=200)
