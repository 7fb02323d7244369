"""What a decision on the queue must look at before it is taken: the records it would double, the traits it would contradict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.exchange.identities import NotAllowed
from gateway.exchange.indexed import indexed, snapshot_of
from gateway.identity.comparison import Grade, compared
from gateway.identity.local import Ins, LocalIdentity
from gateway.identity.matching import Received
from gateway.identity.trait_words import named
from gateway.ports import IndexReader
from gateway.rules.verdict import Integration
from gateway.values import Text

MATRICULE = "matricule"
JOINED = frozenset({"integrated", "attached", "created"})  # states of a structure whose index took the documents


def kept_aside(received: Received) -> Ins | None:
    """The INS received, when it is one that may be kept aside until INSi verifies it; None otherwise.

    Not one that is incomplete or has a wrong key, that its status forbade to send, or whose message contradicts itself.
    """
    fit = received.complete and received.trusted and received.key_valid and not received.contradicted
    return received.ins if fit else None


def unlike(received: Received, local: LocalIdentity) -> tuple[str, ...]:
    """What truly differs between a message and a record: strict traits, and the INS when both have one."""
    differing = compared(received.traits, local.traits, coarse_date=received.ins is None).differing
    ins = received.ins
    other = ins is not None and local.ins is not None and not local.known_as(ins)
    return (MATRICULE, *differing) if other else differing


def refuse_unlike(received: Received, local: LocalIdentity) -> None:
    """Attaching to a record that says otherwise takes an explicit confirmation. Raises NotAllowed."""
    differing = unlike(received, local)
    if not differing:
        return
    rule = "INS-180" if received.ins is None or local.ins is None else "INS-171"
    told = named(differing)
    raise NotAllowed(
        "INS-173" if MATRICULE in differing else rule,
        Text(
            f"Le message et le dossier diffèrent : {told.fr}. Confirmez-le pour rattacher quand même.",
            f"The message and the record differ: {told.en}. Confirm it to attach all the same.",
        ),
    )


async def refuse_double(reader: IndexReader, workspace: str, structure: str, received: Received) -> None:
    """A new record must not double one that the index has today: the same traits, or the same INS. Raises NotAllowed."""
    snapshot = await snapshot_of(reader, workspace, structure, received)
    exact = [
        local
        for local in snapshot.born
        if compared(received.traits, local.traits, coarse_date=True).grade is Grade.EXACT
    ]
    ins = kept_aside(received)
    if ins is not None:
        rows = await reader.identities_known_as(workspace, structure, [(ins.matricule, ins.oid)], received=True)
        exact += [indexed(workspace, row).local for row in rows]
    if not exact:
        return
    ipps = tuple(dict.fromkeys(local.ipp for local in exact))
    numbers = ", ".join(ipps)
    raise NotAllowed(
        "INS-181" if len(ipps) > 1 else "INS-179",
        Text(
            f"Le patient a déjà un dossier ici ({numbers}) : rattachez le document au lieu d'en créer un second.",
            f"The patient already has a record here ({numbers}): attach the document instead of making a second one.",
        ),
    )


def settled(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary once a human decided: integration is allowed when every structure that met the documents took them."""
    outcomes = summary.get("integrations", {}).values()
    if all(outcome.get("state") in JOINED for outcome in outcomes):
        return {**summary, "integration": Integration.ALLOWED.value}
    return dict(summary)
