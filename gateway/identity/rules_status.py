"""INS-075, 076 and 078 to 082: what HL7v2 and FHIR say of the reliability of an identity, judged by itself.

They read `view.declared`: PID-32 with ZFD, or the FHIR reliability extension. In PAM only PROV and VALI travel, and a
qualified identity is VALI beside its INS; FR Core 2.2 has QUAL. Whether the sender's own index agrees is INS-072 to 074.

INS-080 and 082 speak only where the container tells how the identity was obtained or proven: a status alone, which is all
that most messages carry (a PID without ZFD in ORU and MDM), is no sign that the sender keeps no proof.

Source: RNIV EXI SI 07, 10 and 22; Guide INS EXI ID 19, 24 to 29; PAM France 2.11.2 (PID-32, ZFD); FR Core 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity.facts import CodeTold, DeclaredStatus
from gateway.identity.model import ContainerKind, IdentityView
from gateway.identity.proofs import proof_kinds
from gateway.identity.reading import ins_of
from gateway.rules.masking import EMPTY
from gateway.rules.model import Hit, RuleContext, rule
from gateway.values import Located, Where

STATUSES = ("PROV", "RECUP", "VALI", "QUAL")
DOUBTFUL, FICTIVE = "DOUT", "FICT"
APP_VITALE = "AV"  # proves and qualifies by itself (RNIV 4.3.4)
_SHOWN = 40


def _declared(view: IdentityView) -> DeclaredStatus | None:
    """What is declared, where the container is one that declares; None for a resource that only points at a patient."""
    if view.kind not in (ContainerKind.HL7, ContainerKind.FHIR) or (view.fhir is not None and not view.fhir.whole):
        return None
    return view.declared


def _statuses(declared: DeclaredStatus) -> list[CodeTold]:
    return [told for told in declared.codes if told.code in STATUSES]


def _proven(view: IdentityView) -> tuple[DeclaredStatus, CodeTold] | None:
    """The declaration and its code, when it says that the identity is proven (validated or qualified)."""
    declared = _declared(view)
    found = next((t for t in declared.codes if t.code in ("VALI", "QUAL")), None) if declared is not None else None
    return (declared, found) if declared is not None and found is not None else None


@rule("INS-075")
def fictive_and_doubtful(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The two attributes exclude each other."""
    declared = _declared(view)
    if declared is not None and declared.has(DOUBTFUL) and declared.has(FICTIVE):
        told = next(t for t in (*declared.codes, *declared.comments) if t.code == FICTIVE)
        yield Hit(told.where, f"{FICTIVE} + {DOUBTFUL}", f"{FICTIVE} | {DOUBTFUL}")


@rule("INS-076")
def attribute_and_status(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A doubtful or fictive identity is provisional."""
    declared = _declared(view)
    if declared is None or not declared.has(DOUBTFUL, FICTIVE):
        return
    attribute = DOUBTFUL if declared.has(DOUBTFUL) else FICTIVE
    for told in _statuses(declared):
        if told.code != "PROV":
            yield Hit(told.where, f"{told.code} + {attribute}", f"PROV + {attribute}")
            return


@rule("INS-078")
def one_status(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The four statuses exclude each other. The same one told under two code systems is one."""
    declared = _declared(view)
    statuses = _statuses(declared) if declared is not None else []
    codes = list(dict.fromkeys(told.code for told in statuses))
    if len(codes) > 1:
        yield Hit(
            statuses[-1].where, " + ".join(codes), "PROV | VALI" if view.hl7 is not None else " | ".join(STATUSES)
        )


@rule("INS-079")
def status_told(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A FHIR Patient with an INS says how reliable its identity is. In HL7v2 this is INS-100."""
    if view.kind is not ContainerKind.FHIR or view.fhir is None or not view.fhir.whole or ins_of(view) is None:
        return
    if view.declared is None or not view.declared.codes:
        yield Hit(Where(view.where.kind, f"{view.where.path}.extension", view.where.line), EMPTY, " | ".join(STATUSES))


@rule("INS-080")
def proof_told(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Where the way to a proven identity is told, its proof is too. The Appli carte Vitale, told as the method, is one."""
    found = _proven(view)
    if found is None:
        return
    declared, status = found
    by_app = declared.method is not None and declared.method.value == APP_VITALE
    way = (declared.method, declared.asked_on, declared.proof_ends)
    if _absent(declared.proof) and not all(map(_absent, way)) and not by_app:
        yield Hit(status.where, f"{status.code} + {EMPTY}", "CN | PA | CS…")


@rule("INS-081")
def proof_of_high_trust(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The proof is one of high trust. A kind whose rank the table leaves to the structure is not held against it."""
    found = _proven(view)
    proof = found[0].proof if found is not None else None
    if proof is None or not proof.value:
        return
    known = proof_kinds().get(proof.value)
    if known is None or not (known.high_trust or known.to_decide):
        best = [kind.code for kind in proof_kinds().values() if kind.high_trust]
        yield Hit(proof.where, proof.value[:_SHOWN], " | ".join(best))


@rule("INS-082")
def insi_told(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Where a qualified identity (QUAL, or VALI beside an INS in PAM) tells its proof, it tells when or how INSi was asked."""
    found = _proven(view)
    if found is None:
        return
    declared, status = found
    qualified = status.code == "QUAL" or (view.hl7 is not None and ins_of(view) is not None)
    proof = declared.proof
    by_app = proof is not None and proof.value == APP_VITALE
    if qualified and not _absent(proof) and not by_app and all(map(_absent, (declared.asked_on, declared.method))):
        place = "ZFD-6" if view.hl7 is not None else "dateInterrogationINSi"
        yield Hit(status.where, f"{status.code} + {EMPTY}", f"{status.code} + {place}")


def _absent(told: Located | None) -> bool:
    return told is None or not told.value


RULES = (
    fictive_and_doubtful,
    attribute_and_status,
    one_status,
    status_told,
    proof_told,
    proof_of_high_trust,
    insi_told,
)
