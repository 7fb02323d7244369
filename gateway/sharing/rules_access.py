"""Rules on who asks: the TLS client, the VIHF's signature, its claims, and the rights it opens. In the order judged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.rules.model import ComparedValue, Hit, RuleContext, rule
from gateway.sharing.case import Case, masked_cx
from gateway.sharing.constants import MODE_AIR, MODE_DIRECT
from gateway.sharing.registry import FIND_DOCUMENTS, PATIENT
from gateway.sharing.registry import PLACE as QUERY_PLACE
from gateway.sharing.rights import BLOCKED, VALID, Operation, Profile, allowed, needs_authorisation, profile_of
from gateway.sharing.td02 import PATIENT_PLACE
from gateway.sharing.vihf import (
    ASSERTION,
    MODES,
    PURPOSE,
    RESOURCE_ID,
    ROLE,
    SPECIALTY_DOCTOR,
    SPECIALTY_PHARMACIST,
    SUBJECT_ID,
    Vihf,
    attribute_place,
    patient_id,
    patient_of,
)
from gateway.soap.assertion import SealFault
from gateway.soap.certificates import ChainFault, holder_of, same_name
from gateway.soap.names import instant
from gateway.values import PlaceKind, Text, Where

CERTIFICATE = Where(PlaceKind.TLS, "client/Certificate")
SIGNATURE = ASSERTION / "Signature"
SECURITY = Where(PlaceKind.XPATH, "/Envelope/Header/Security")

FRESH = timedelta(minutes=5)  # not published outside AIR: a choice of this sandbox
FRESH_AIR = timedelta(seconds=30)  # EX_AIR-040


@rule("DMP-01")
def client_certificate(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The DMP speaks mutual TLS only. Source: PDT-INF-579."""
    if not case.peer.presented:
        yield Hit(CERTIFICATE, "∅", "ORG_AUTH_CLI, CPS")


@rule("DMP-02")
def client_chain(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The client's certificate must be trusted, in its dates and not revoked. Source: PDT-INF-579, IGC-Santé."""
    if case.peer.presented and (case.peer.holder is None or case.peer.fault is not ChainFault.NONE):
        fault = case.peer.fault if case.peer.fault is not ChainFault.NONE else ChainFault.UNREADABLE
        yield Hit(CERTIFICATE, fault.words, Text("IGC-Santé, en cours de validité", "IGC-Santé, in its dates"))


@rule("DMP-03")
def client_usage(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A signature certificate does not open a session: the two are never interchangeable."""
    holder = case.peer.holder
    if holder is not None and not holder.may_authenticate:
        yield Hit(CERTIFICATE, holder.common_name[:64], "extendedKeyUsage clientAuth")


PEER_RULES = (client_certificate, client_chain, client_usage)


@rule("DMP-20")
def vihf_present(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Every request carries one VIHF in wsse:Security. Source: GIE samples v02.05.00."""
    if case.request.seal.fault is SealFault.NO_VIHF:
        yield Hit(SECURITY, "∅", "saml2:Assertion")


@rule("DMP-21")
def vihf_signed(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The assertion carries its own enveloped signature. Source: GIE samples v02.05.00."""
    seal = case.request.seal
    if seal.fault in (SealFault.UNSIGNED, SealFault.MALFORMED):
        yield Hit(SIGNATURE, seal.detail or "∅", "ds:Signature")


@rule("DMP-22")
def vihf_intact(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The signature must hold over the assertion received. Source: XML-Signature 1.1, section 3.2."""
    seal = case.request.seal
    if seal.fault in (SealFault.DIGEST, SealFault.SIGNATURE):
        yield Hit(SIGNATURE, seal.detail, Text("signature valide", "valid signature"))


@rule("DMP-23")
def vihf_not_wrapped(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """What is signed must be what is read: one assertion, one ID, one reference to it. Source: SAML core 5.4.2."""
    if case.request.seal.fault is SealFault.WRAPPED:
        yield Hit(SIGNATURE, case.request.seal.detail[:120], "Reference URI = # + Assertion/@ID")


@rule("DMP-24")
def vihf_algorithms(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Only the algorithms of the profile are taken. Source: GIE samples v02.05.00."""
    if case.request.seal.fault is SealFault.ALGORITHM:
        yield Hit(SIGNATURE, case.request.seal.detail[:160], "exc-c14n, rsa-sha256 | rsa-sha1")


@rule("DMP-25")
def vihf_signer_trusted(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The signer's certificate must be trusted, in its dates and not revoked."""
    if case.request.vihf is not None and case.request.vihf_chain is not ChainFault.NONE:
        yield Hit(
            SIGNATURE / "KeyInfo/X509Data/X509Certificate", case.request.vihf_chain.words, "IGC-Santé ORG_SIGN, CPS"
        )


@rule("DMP-26")
def vihf_signer_may_sign(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """An authentication certificate signs no VIHF. Source: GIE sample Fault `Not a valid signature certificate`."""
    request = case.request
    if request.vihf is not None and request.vihf_chain is ChainFault.NONE:
        holder = holder_of(request.seal.certificates[0])
        if holder is None or not holder.may_sign:
            shown = holder.common_name if holder else "?"
            yield Hit(SIGNATURE / "KeyInfo/X509Data/X509Certificate", shown, "keyUsage nonRepudiation")


@rule("DMP-27")
def vihf_issuer(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Issuer is the RFC 2253 name of the certificate that signed. Source: GIE samples v02.05.00."""
    request = case.request
    if request.vihf is not None and not same_name(request.vihf.issuer, request.seal.certificates[0]):
        holder = holder_of(request.seal.certificates[0])
        yield Hit(ASSERTION / "Issuer", request.vihf.issuer[:160] or "∅", holder.dn if holder else "?")


@rule("DMP-28")
def vihf_digest_strength(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """SHA-1 is still read, as the official samples use it; it should go."""
    if case.request.vihf is not None and case.request.seal.algorithm == "sha1":
        yield Hit(SIGNATURE / "SignedInfo", "sha1", "sha256")


SEAL_RULES = (
    vihf_present,
    vihf_signed,
    vihf_intact,
    vihf_not_wrapped,
    vihf_algorithms,
    vihf_signer_trusted,
    vihf_signer_may_sign,
    vihf_issuer,
    vihf_digest_strength,
)


@rule("DMP-30")
def vihf_version(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """VIHF 3.0 (DMP samples) and 4.0 (HL7v2 volet) are taken."""
    vihf = case.request.vihf
    if vihf is not None and vihf.version not in ("3.0", "4.0"):
        yield Hit(attribute_place("VIHF_Version"), vihf.version[:20] or "∅", "3.0 | 4.0")


@rule("DMP-31")
def vihf_mode(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Authentification_Mode is one of three. Source: GIE samples v02.05.00."""
    vihf = case.request.vihf
    if vihf is not None and vihf.mode not in MODES:
        yield Hit(attribute_place("Authentification_Mode"), vihf.mode[:40] or "∅", " | ".join(MODES))


@rule("DMP-32")
def vihf_attributes(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Every mandatory attribute is there, once."""
    vihf = case.request.vihf
    if vihf is None:
        return
    for name, value in _mandatory(vihf):
        if not value:
            yield Hit(attribute_place(name), "∅", name, params={"attribute": name})
    for name in vihf.repeated:
        yield Hit(attribute_place(name), "> 1", "1", params={"attribute": name})


def _mandatory(vihf: Vihf) -> tuple[tuple[str, str], ...]:
    told = [
        ("Identifiant_Structure", vihf.structure_id),
        ("Secteur_Activite", vihf.sector),
        ("Ressource_URN", vihf.resource_urn),
        ("LPS_Nom", vihf.lps_name),
        ("LPS_Version", vihf.lps_version),
        ("LPS_ID_HOMOLOGATION_DMP", vihf.lps_homologation),
        (ROLE, vihf.roles[0].code if vihf.roles else ""),
        (PURPOSE, vihf.purpose.code if vihf.purpose else ""),
        ("NameID", vihf.name_id),
    ]
    if vihf.mode != MODE_DIRECT:
        told.append((SUBJECT_ID, vihf.subject_id))
    return tuple(told)


@rule("DMP-33")
def vihf_specialty(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Doctors and pharmacists tell their speciality as second role. Source: DMP text `Aucune spécialité dans le vihf`."""
    vihf = case.request.vihf
    if vihf is None or not (vihf.is_doctor or vihf.is_pharmacist):
        return
    wanted = SPECIALTY_DOCTOR if vihf.is_doctor else SPECIALTY_PHARMACIST
    if not any(role.system == wanted for role in vihf.roles[1:]):
        yield Hit(attribute_place(ROLE), f"{len(vihf.roles)} Role", f"Role[2]/@codeSystem = {wanted}")


@rule("DMP-34")
def vihf_structure_known(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The structure exists and is active. Source: DMP text `Structure introuvable ou Inactive`."""
    vihf = case.request.vihf
    if vihf is not None and vihf.structure_id and case.structure is None:
        yield Hit(
            attribute_place("Identifiant_Structure"),
            vihf.structure_id[:20],
            Text("structure du territoire", "structure of the territory"),
        )


@rule("DMP-35")
def vihf_structure_linked(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The certificates are those of the structure or of its legal entity. Source: DMP text `PS et Structure non liés`.

    In direct mode the professional must exercise there, when the territory knows him.
    """
    vihf = case.request.vihf
    if vihf is None or case.structure is None:
        return
    place = attribute_place("Identifiant_Structure")
    if vihf.mode == MODE_DIRECT:
        if case.professional is not None and case.structure.key not in case.professional.structures:
            yield Hit(
                place,
                f"{vihf.name_id} / {vihf.structure_id}",
                Text("PS rattaché à la structure", "professional tied to the structure"),
            )
        return
    owners = [one.struct_id_nat for one in (case.structure, case.siege) if one is not None]
    seal = holder_of(case.request.seal.certificates[0])
    for holder, name in ((case.peer.holder, "TLS"), (seal, "VIHF")):
        if holder is not None and not any(holder.names(owner) for owner in owners):
            shown = ", ".join(holder.organisation_ids) or holder.common_name
            yield Hit(place, f"{vihf.structure_id} ({name}: {shown})", " | ".join(owners))


@rule("DMP-36")
def vihf_holder(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """In direct mode NameID is the holder of the card that signed."""
    vihf = case.request.vihf
    if vihf is None or vihf.mode != MODE_DIRECT:
        return
    for holder in (holder_of(case.request.seal.certificates[0]), case.peer.holder):
        if holder is not None and not holder.names(vihf.name_id):
            yield Hit(ASSERTION / "Subject/NameID", vihf.name_id[:20] or "∅", holder.common_name)


@rule("DMP-37")
def vihf_target(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A request about a patient names the patient, and the DMP as resource."""
    vihf = case.request.vihf
    if vihf is None:
        return
    if not vihf.resource_id:
        yield Hit(attribute_place(RESOURCE_ID), "∅", "INS^^^&OID&ISO^NH", params={"attribute": "resource-id"})
    if vihf.resource_urn and vihf.resource_urn != "urn:dmp":
        yield Hit(
            attribute_place("Ressource_URN"), vihf.resource_urn[:60], "urn:dmp", params={"attribute": "Ressource_URN"}
        )


@rule("DMP-38")
def vihf_purpose(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The access mode is known, and breaking the glass is justified. Codes other than `normal` are a choice of this sandbox."""
    vihf = case.request.vihf
    if vihf is None or vihf.purpose is None:
        return
    if not vihf.access:
        yield Hit(attribute_place(PURPOSE), vihf.purpose.code[:40], "normal | bris_de_glace | centre_15")
    elif vihf.access == "bris_de_glace" and not vihf.access_reason:
        yield Hit(attribute_place("Mode_Acces_Raison"), "∅", "Mode_Acces_Raison")


@rule("DMP-39")
def vihf_fresh(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """IssueInstant within 5 minutes of now (30 s and single use in AIR), Conditions not passed. Source: EX_AIR-040; choice."""
    vihf = case.request.vihf
    if vihf is None:
        return
    window = FRESH_AIR if vihf.mode == MODE_AIR else FRESH
    issued = instant(vihf.issue_instant)
    if issued is None or abs(case.now - issued) > window:
        now = f"{case.now:%Y-%m-%dT%H:%M:%SZ} ± {int(window.total_seconds())} s"
        yield Hit(ASSERTION / "@IssueInstant", vihf.issue_instant[:40] or "∅", now)
    if vihf.mode == MODE_AIR and case.replayed:
        yield Hit(ASSERTION / "@ID", vihf.assertion_id[:60], Text("ID jamais vu (AIR)", "ID never seen (AIR)"))
    yield from _conditions(vihf, case.now)


def _conditions(vihf: Vihf, now: datetime) -> Iterator[Hit]:
    for name, written, late in (
        ("NotBefore", vihf.not_before, False),
        ("NotOnOrAfter", vihf.not_on_or_after, True),
    ):
        bound = instant(written) if written else None
        if written and (bound is None or (now >= bound if late else now < bound - FRESH)):
            yield Hit(ASSERTION / f"Conditions/@{name}", written[:40], f"{now:%Y-%m-%dT%H:%M:%SZ}")


CLAIM_RULES = (
    vihf_version,
    vihf_mode,
    vihf_attributes,
    vihf_specialty,
    vihf_structure_known,
    vihf_structure_linked,
    vihf_holder,
    vihf_target,
    vihf_purpose,
    vihf_fresh,
)


@rule("DMP-40")
def resource_form(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """resource-id has the form of a patientId. Source: GIE samples v02.05.00."""
    vihf = case.request.vihf
    if vihf is not None and vihf.resource_id and vihf.patient is None:
        yield Hit(attribute_place(RESOURCE_ID), masked_cx(vihf.resource_id), "INS^^^&OID&ISO^NH")


RESOURCE_RULES = (resource_form,)


@rule("DMP-50")
def operation_allowed(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The rights matrix opens this operation to this profile in this access mode. Source: PDT-INF-526, PDT-INF-606."""
    vihf = case.request.vihf
    operation = case.request.operation
    if vihf is not None and not allowed(operation, vihf, treating=case.treating):
        profile = profile_of(vihf, treating=case.treating)
        params = {"profile": profile.words, "operation": operation.value, "access": vihf.access or "?"}
        yield Hit(attribute_place(ROLE), _seen_as(profile, vihf.mode), operation.value, params=params)


def _seen_as(profile: Profile, mode: str) -> Text:
    return Text(f"{profile.words.fr}, {mode}", f"{profile.words.en}, {mode}")


@rule("DMP-51")
def authorisation_valid(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Reading in normal mode needs the patient's authorisation."""
    vihf = case.request.vihf
    if vihf is None or not needs_authorisation(case.request.operation, vihf) or case.state != "active":
        return
    if case.authorisation not in (VALID, BLOCKED) and not case.treating:
        yield Hit(ASSERTION / "Subject/NameID", f"AUTORISATION = {case.authorisation}", "AUTORISATION = VALIDE")


@rule("DMP-52")
def not_blocked(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A professional the patient blocked has no access at all."""
    if case.request.vihf is None or case.request.operation is Operation.EXISTENCE:
        return  # TD0.2 answers, and says INTERDIT
    if case.authorisation == BLOCKED:
        yield Hit(ASSERTION / "Subject/NameID", "AUTORISATION = INTERDIT", "AUTORISATION = VALIDE")


@rule("DMP-41")
def same_patient(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A query is about the patient the VIHF was made for. For a lot, INS-134 says it. Source: GIE samples v02.05.00."""
    vihf, request = case.request.vihf, case.request
    if vihf is None or vihf.patient is None:
        return
    if request.td02 is not None and (request.td02.matricule, request.td02.oid) != vihf.patient:
        asked = patient_id(request.td02.matricule, request.td02.oid) if request.td02.matricule else ""
        place = Where(PlaceKind.XPATH, PATIENT_PLACE.path, request.td02.line)
        yield _differ(place, asked, vihf.resource_id)
    if request.query is not None and request.query.query_id == FIND_DOCUMENTS:
        asked = request.query.one(PATIENT)
        if asked and patient_of(asked) != vihf.patient:
            place = Where(PlaceKind.XPATH, f"{QUERY_PLACE.path}/AdhocQuery/Slot[@name='{PATIENT}']")
            yield _differ(place, asked, vihf.resource_id)


def _differ(place: Where, asked: str, claimed: str) -> Hit:
    values = (
        ComparedValue("vihf", "resource-id", masked_cx(claimed, (asked,))),
        ComparedValue("query", place.path, masked_cx(asked, (claimed,))),
    )
    return Hit(place, values[1].value, values[0].value, values)


TARGET_RULES = (same_patient,)
RIGHTS_RULES = (operation_allowed, authorisation_valid, not_blocked)
