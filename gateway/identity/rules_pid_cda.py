"""INS-157: the identifiers of PID-3 are those of the CDA that the message carries.

It speaks in place of INS-150 for a PID and a CDA. Compared: the INS and the IPP (types INS and PI); other types (billing
NIR, pharmaceutical record, visit) and the NSS of a CDA stand aside. A local authority named by a FINESS cannot be
compared with an OID: such an IPP is compared by its value.

Source: CI-SIS, transmission de documents CDA-R2 en HL7v2 2.1 (PID-3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.identity.matricule import canonical
from gateway.identity.model import INS_OIDS, ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.reading import INS_C_OIDS, NSS_OIDS
from gateway.identity.rules_cross import LISTED, SHOWN_ARC, Views
from gateway.rules.masking import EMPTY, mask_matricule, mask_trait
from gateway.rules.model import ComparedValue, Hit, RuleContext, rule

_TYPES = frozenset({"INS", "PI", ""})
_NULL = '""'


@rule("INS-157")
def pid_and_cda(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """Each document against the PID of its message."""
    pid = next((view for view in views if view.kind is ContainerKind.HL7), None)
    if pid is None:
        return
    ours = _comparable(pid)
    for document in views:
        if document.kind is not ContainerKind.CDA or document.subject_count == 0:
            continue
        theirs = _comparable(document)
        lacking = [i for i in theirs if not any(_same(p, i) for p in ours)]
        unknown = [p for p in ours if not any(_same(p, i) for i in theirs)]
        if lacking or unknown:
            yield _hit(pid, document, ours, theirs, (unknown or ours)[:1])


def _comparable(view: IdentityView) -> list[PatientIdentifier]:
    return [
        i
        for i in view.identifiers[:LISTED]
        if i.value not in ("", _NULL) and i.type_code in _TYPES and i.oid not in NSS_OIDS and i.oid not in INS_C_OIDS
    ]


def _same(pid: PatientIdentifier, cda: PatientIdentifier) -> bool:
    if pid.oid in INS_OIDS or cda.oid in INS_OIDS:
        return pid.oid == cda.oid and canonical(pid.value) == canonical(cda.value)
    return pid.value == cda.value and (not pid.oid or pid.oid == cda.oid)


def _hit(
    pid: IdentityView,
    document: IdentityView,
    ours: Sequence[PatientIdentifier],
    theirs: Sequence[PatientIdentifier],
    at: Sequence[PatientIdentifier],
) -> Hit:
    all_values = tuple(i.value for i in (*ours, *theirs))
    values = (
        ComparedValue(pid.label, str(pid.where), _listed(ours, all_values)),
        ComparedValue(document.label, str(document.where), _listed(theirs, all_values)),
    )
    where = at[0].where if at else pid.where
    return Hit(where, values[0].value, values[1].value, values=values, container=pid.label)


def _listed(identifiers: Sequence[PatientIdentifier], others: Sequence[str]) -> str:
    return ", ".join(_shown(i, others) for i in identifiers[:4]) or EMPTY


def _shown(identifier: PatientIdentifier, others: Sequence[str]) -> str:
    differing = [v for v in others if v != identifier.value]
    if identifier.oid in INS_OIDS:
        arc = identifier.oid.rpartition(".")[2][:SHOWN_ARC]
        return f"{mask_matricule(identifier.value, differing)} (.{arc})"
    masked = mask_trait(identifier.value[:60], [v for v in differing if len(v) == len(identifier.value)])
    return f"{masked} {identifier.oid[:60]}".rstrip()


RULES = (pid_and_cda,)
