"""One call with everything its judgement needs: what was opened, who is at the door, whom it is about, what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.insi.model import Answer, Traits, Verification
from gateway.insi.opening import OpenedCall
from gateway.soap.certificates import ChainFault, Peer


@dataclass(frozen=True, slots=True)
class Case:
    """The subject of the INSi rules. `now` is real time: certificates and assertions follow it.

    `signer_chain` and `signer_may_sign` judge the certificate that signed the assertion, when there is one. `marked` is
    the attribute (douteuse, fictive) of the workspace's patient who is asked for. `technical` is the INSi code of a
    technical fault about to be answered, '' for none.
    """

    call: OpenedCall
    peer: Peer
    now: datetime
    signer_chain: ChainFault = ChainFault.NONE
    signer_may_sign: bool = True
    marked: str = ""
    answer: Answer | None = None
    technical: str = ""

    @property
    def traits(self) -> Traits | None:
        """The traits the call sends; None for a card."""
        query = self.call.query
        if isinstance(query, Verification):
            return query.traits
        return query if isinstance(query, Traits) else None
