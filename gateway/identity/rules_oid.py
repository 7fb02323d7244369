"""INS-020 to 031 and 135: under which OID the patient is identified, in which environment, and whether there is an INS.

At the DMP the specific rules speak in place of the general ones: 135 (environment) for 022 and 023, 030 for 031.
Source: ANS OID list (Structuration minimale 1.16.8, FR Core); DMP EX_GEN-1430; PAM FR 2.11.2 PID-3.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity.known import known_ins
from gateway.identity.matricule import canonical, has_right_key
from gateway.identity.model import (
    INS_DEMO,
    INS_NIA,
    INS_NIR,
    INS_OIDS,
    INS_TEST,
    ContainerKind,
    IdentityView,
    PatientIdentifier,
)
from gateway.identity.reading import (
    INS_C_OIDS,
    METADATA_LIKE,
    NSS_OIDS,
    all_ins,
    claims_ins,
    ins_key,
    is_submission_set,
    patient_id,
)
from gateway.rules.masking import EMPTY, mask_matricule
from gateway.rules.model import Hit, RuleContext, rule
from gateway.values import Door

PRODUCTION = frozenset({INS_NIR, INS_NIA})
FICTIONAL = frozenset({INS_TEST, INS_DEMO})
_HAVE_MEANING = INS_OIDS | NSS_OIDS | INS_C_OIDS
_EXPECTED = f"{INS_NIR}, .9, .10, .11"

# Which INS OID each environment of the DMP takes; DESMAUX of the DMP test sheet bears the demonstration OID.
DMP_OIDS = {
    "production": PRODUCTION,
    "test": FICTIONAL,
    "insi-editor-base": PRODUCTION | FICTIONAL,
}


@rule("INS-020")
def oid_missing(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A matricule with no OID beside it. In metadata the malformed patientId (INS-130) says it."""
    if view.kind in (ContainerKind.MAIL, ContainerKind.XDM):
        return
    for identifier in view.identifiers:
        if not identifier.oid and (claims_ins(identifier, view.kind) or has_right_key(canonical(identifier.value))):
            yield Hit(identifier.where, f"{mask_matricule(identifier.value)} + {EMPTY}", _EXPECTED)


@rule("INS-021")
def oid_unknown(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Declared as an INS under an OID that is none. In HL7v2 the pair of CX-4 and CX-5 (INS-025) says it."""
    if view.kind in (ContainerKind.MAIL, ContainerKind.HL7):
        return
    told = (patient_id(view),) if view.kind is ContainerKind.XDM else view.identifiers
    for identifier in told:
        if identifier is None or not claims_ins(identifier, view.kind):
            continue
        if identifier.oid and identifier.oid not in _HAVE_MEANING:
            yield Hit(identifier.where, identifier.oid, _EXPECTED, params={"oid": identifier.oid})


@rule("INS-022")
def fictional_in_production(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Test and demonstration INS stay out of production."""
    if ctx.ins_environment == "production" and ctx.door is not Door.DMP:
        for ins in all_ins(view):
            if ins.oid in FICTIONAL:
                yield Hit(ins.where, ins.oid, f"{INS_NIR}, {INS_NIA}")


@rule("INS-023")
def real_outside_production(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A production OID in a test: real data may have leaked. Published test identities are allowed."""
    if ctx.ins_environment != "test" or ctx.door is Door.DMP:
        return
    for ins in all_ins(view):
        if ins.oid in PRODUCTION and ins_key(ins) not in known_ins():
            yield Hit(ins.where, ins.oid, INS_TEST)


@rule("INS-024")
def ins_c(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The calculated INS-C is over: it is no INS."""
    for identifier in view.identifiers:
        if identifier.oid in INS_C_OIDS:
            yield Hit(identifier.where, identifier.oid, _EXPECTED)


@rule("INS-025")
def type_and_authority(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """HL7v2: type INS with an INS OID, and a namespace that names the same authority as the OID."""
    if view.kind is not ContainerKind.HL7:
        return
    for identifier in view.identifiers:
        if identifier.type_code == "INS" and identifier.oid and _disagrees(identifier):
            yield Hit(
                identifier.where,
                f"{identifier.assigning_name}&{identifier.oid} + INS",
                f"ASIP-SANTE-INS-NIR&{INS_NIR}, ASIP-SANTE-INS-NIA&{INS_NIA}",
            )


def _disagrees(identifier: PatientIdentifier) -> bool:
    if identifier.oid not in INS_OIDS:
        return identifier.oid not in INS_C_OIDS
    named = identifier.assigning_name
    return (named == "ASIP-SANTE-INS-NIA" and identifier.oid == INS_NIR) or (
        named == "ASIP-SANTE-INS-NIR" and identifier.oid == INS_NIA
    )


@rule("INS-026")
def billing_nir(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """HL7v2: a repetition of type NH is the social-security number, even under an INS OID."""
    if view.kind is ContainerKind.HL7:
        for identifier in view.identifiers:
            if identifier.type_code == "NH":
                yield Hit(identifier.where, f"{mask_matricule(identifier.value)} NH", "INS")


@rule("INS-027")
def nia_and_nir(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Once the NIR is known the NIA is not sent any more. A NIR of test or demonstration is one; a NIA has only its own OID."""
    found = all_ins(view)
    nia = next((ins for ins in found if ins.oid == INS_NIA), None)
    nir = next((ins for ins in found if ins.oid != INS_NIA), None)
    if nia is not None and nir is not None:
        yield Hit(nia.where, f"{nir.oid} + {INS_NIA}", nir.oid)


@rule("INS-028")
def several_ins(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """One active INS for each OID."""
    found = all_ins(view)
    if len(found) < 2:
        return
    first: dict[str, PatientIdentifier] = {}
    for ins in found:
        known = first.setdefault(ins.oid, ins)
        if canonical(known.value) != canonical(ins.value):
            both = (known.value, ins.value)
            yield Hit(ins.where, " / ".join(mask_matricule(value, both) for value in both), "1")


@rule("INS-029")
def nss_as_ins(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """An NSS (.13, .14) declared as the INS of the document, with no INS beside it.

    In a CDA the place declares it: the first identifier of patientRole is the INS's.
    """
    if view.kind not in (ContainerKind.CDA, ContainerKind.FHIR) or all_ins(view):
        return
    for rank, identifier in enumerate(view.identifiers):
        in_its_place = view.kind is ContainerKind.CDA and rank == 0
        declared = view.ins_expected or identifier.type_code.startswith("INS") or in_its_place
        if identifier.oid in NSS_OIDS and declared:
            yield Hit(identifier.where, identifier.oid, _EXPECTED)


@rule("INS-030")
def dmp_without_ins(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Nothing enters a DMP without an INS. An INS wrongly declared has its own finding."""
    if ctx.door is not Door.DMP or (view.kind not in METADATA_LIKE and view.kind is not ContainerKind.CDA):
        return
    if not all_ins(view) and not any(claims_ins(i, view.kind) or not i.oid for i in view.identifiers):
        yield Hit(view.where, EMPTY, f"INS + {_EXPECTED}")


@rule("INS-031")
def without_ins(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A document, or its metadata entry, that carries no INS at all: the recipient identifies the patient by hand."""
    if ctx.door is Door.DMP or not _carries_document(view) or view.subject_count == 0:
        return
    if view.ins_optional:  # a purely social document: its recipients may not use the INS
        return
    told = patient_id(view) if view.kind is ContainerKind.XDM else None
    if all_ins(view) or is_submission_set(view) or (told is not None and not told.oid):  # else INS-130
        return
    if not any(claims_ins(i, view.kind) for i in view.identifiers):  # else INS-021
        yield Hit(view.where, EMPTY, "INS")


def _carries_document(view: IdentityView) -> bool:
    """A document or its metadata, a PID that brings documents, the subject of a FHIR document."""
    if view.hl7 is not None:
        return view.hl7.message in ("ORU", "MDM")
    if view.fhir is not None:
        return view.fhir.subject_of in ("DocumentReference", "List")
    return view.kind in (ContainerKind.CDA, ContainerKind.XDM)


@rule("INS-135")
def dmp_environment(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The INS OID is one of this DMP environment. A NIA has no test OID: a published one is let in."""
    if ctx.door is not Door.DMP:
        return
    allowed = DMP_OIDS.get(ctx.ins_environment, FICTIONAL)
    for ins in all_ins(view):
        if ins.oid in allowed or (ins.oid == INS_NIA and ins_key(ins) in known_ins()):
            continue
        yield Hit(ins.where, ins.oid, ", ".join(sorted(allowed)))


RULES = (
    oid_missing,
    oid_unknown,
    fictional_in_production,
    real_outside_production,
    ins_c,
    type_and_authority,
    billing_nir,
    nia_and_nir,
    several_ins,
    nss_as_ins,
    dmp_without_ins,
    without_ins,
    dmp_environment,
)
