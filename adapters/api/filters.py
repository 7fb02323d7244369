"""What to list or to wait for: the same words in a query string and in a body.

An address may hold a matricule (a citizen's mailbox). Such a look-up travels in the body, never in a path or a query.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.api.problems import Problem
from gateway.ports import ExchangeFilter
from gateway.rules.masking import mask_text, shown_address
from gateway.rules.verdict import Outcome
from gateway.sandbox.model import DEFAULT_WORKSPACE
from gateway.values import Door, Text

MAX_SEQ = 2**53  # what every JSON reader counts up to
_IN_THE_BODY = Text(
    "ce qui porte un matricule va dans le corps : POST des mêmes champs sur cette ressource",
    "what holds a matricule goes in the body: POST the same fields to this resource",
)


class Wanted(BaseModel):
    """Filters. Absent ones do not filter; a word that is not one of them is refused, as a misspelt filter would lie."""

    model_config = ConfigDict(extra="forbid")

    workspace: str = DEFAULT_WORKSPACE
    door: Door | None = None
    decision: Outcome | None = Field(None, description="same as `outcome`")
    outcome: Outcome | None = None
    participant: str = Field("", description="an address, or the DN of a certificate")
    rule: str = Field("", description="id of a rule that spoke: INS-150")
    message_id: str = ""
    correlation_id: str = Field("", description="the story: every hop of one message")

    def filter(self, *, after: int = 0, before: int = 0, newest_first: bool = True, limit: int = 50) -> ExchangeFilter:
        """The store's own question. Citizens' addresses are looked up as they are stored: masked."""
        outcome = self.outcome or self.decision
        return ExchangeFilter(
            self.workspace,
            door=self.door.value if self.door else "",
            outcome=outcome.value if outcome else "",
            participant=participant(self.participant),
            rule=self.rule.strip().upper(),
            message_id=mask_text(self.message_id.strip().strip("<>")),
            correlation_id=self.correlation_id,
            after_seq=after,
            before_seq=before,
            newest_first=newest_first,
            limit=limit,
        )


class Listed(Wanted):
    """Filters and paging."""

    before: Annotated[int, Field(ge=0, le=MAX_SEQ, description="sequence number: older than")] = 0
    since: Annotated[int, Field(ge=0, le=MAX_SEQ, description="sequence number: newer than")] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Awaited(Wanted):
    """Filters, how far the exchange must have come, and how long to wait for it."""

    since: Annotated[int, Field(ge=0, le=MAX_SEQ, description="exchanges after this one; 0: since the last reset")] = 0
    until: Literal["decided", "delivered", "read"] = "decided"
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10


def participant(given: str) -> str:
    """An address as it is stored: in lower case, a citizen's masked. Anything else (a DN) as it was given, masked too."""
    return shown_address(given.strip().casefold()) if "@" in given else mask_text(given.strip())


def in_the_query(wanted: Wanted) -> None:
    """Refuse a matricule in a query string. Raises a 422 problem.

    Of other people's identifiers only those with a right key are: a Message-ID may be made of a time.
    """
    others = (wanted.message_id, wanted.correlation_id, wanted.rule)
    if mask_text(wanted.participant) != wanted.participant or any(mask_text(o, sure=True) != o for o in others):
        raise Problem(422, "matricule-in-query", _IN_THE_BODY)
