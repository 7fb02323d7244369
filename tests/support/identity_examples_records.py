"""For every rule on a record of an index, or on a sender: one it accepts, one it refuses.

The patient is that of `identity_views`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.identity.ins_change import Changing, InsChange
from gateway.identity.local import Ins, InsiTrace, LocalIdentity, Traits
from gateway.identity.model import INS_TEST
from gateway.identity.record_rules import ReliedOn
from gateway.identity.status import Reliability, Status
from gateway.identity.used_names import Emitter, UsedName
from tests.support.identity_views import COLETTE, ODETTE, PLACE, TODAY, context

OWN, FORMER = Ins(ODETTE, INS_TEST), Ins(COLETTE, INS_TEST)
TRAITS = Traits("BRUNEL", "ODETTE", "ODETTE JEANNE", "F", "1936-02-14", "48907")
YEARLY = replace(context(), verification_days=365)
_NOW = datetime.combine(TODAY, datetime.min.time(), UTC)


def answered(days_ago: int = 30) -> LocalIdentity:
    """A qualified record whose INS, and a former one, INSi told some days ago."""
    trace = InsiTrace("00", "search", _NOW - timedelta(days=days_ago), "x", "a" * 64, TRAITS, OWN, (FORMER,))
    return LocalIdentity("CH1", TRAITS, Reliability(Status.QUAL), OWN, ins_history=(FORMER,), insi=(trace,))


def relied(record: LocalIdentity) -> ReliedOn:
    """A message that relies on a record."""
    return ReliedOn(record, "ch-brumeval", "cda:DOC0001.XML", PLACE)


def a47(record: LocalIdentity, fresh: Ins | None = None, former: Ins = OWN) -> Changing:
    """An A47 about a record."""
    return Changing(InsChange((former,), fresh, (("CH1", "1.2.3"),), "pid", PLACE), record, "ch-brumeval")


_WITHDRAWN = replace(answered(), ins=None, ins_history=(FORMER, OWN))

_COPIED = UsedName(0, True, "cda:DOC0001.XML", PLACE, "B·····(6)")
_ALIKE = tuple((patient, True) for patient in range(5))

RECORDS: dict[str, tuple[Any, Any]] = {
    "INS-050": (Emitter(_COPIED, (*_ALIKE, (5, False))), Emitter(_COPIED, _ALIKE)),
    "INS-114": (a47(_WITHDRAWN), a47(replace(_WITHDRAWN, ins_received=OWN))),
    "INS-115": (a47(answered(), FORMER), a47(answered(), FORMER, Ins("238054890300588", INS_TEST))),
    "INS-191": (relied(answered()), relied(replace(answered(), traits=replace(TRAITS, birth_family="Brunel")))),
    "INS-193": (relied(answered()), relied(replace(answered(), ins_history=()))),
    "INS-195": (relied(answered(365)), relied(answered(366))),
}
