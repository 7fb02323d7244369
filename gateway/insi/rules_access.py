"""Who may call INSi, and how: the TLS certificate, the professional's assertion, the software's authorisation.

Either a software certificate whose CN is INSI-AUTO or INSI-MANU, or any authentication certificate with an assertion
signed by a card. Sources: SEL-MP-043 as quoted by public clients (desir_550, desir_560; twenty minutes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.insi.assertion import ASSERTION, DRIFT
from gateway.insi.case import Case
from gateway.insi.names import SOFTWARE_NAMES
from gateway.rules.model import Hit, RuleContext, rule
from gateway.soap.assertion import SealFault, SealReport
from gateway.soap.certificates import ChainFault
from gateway.values import PlaceKind, Text, Where

CLIENT = Where(PlaceKind.TLS, "client/Certificate")
_LPS = Where(PlaceKind.XPATH, "/Envelope/Header/ContexteLPS")
_BAM = Where(PlaceKind.XPATH, "/Envelope/Header/ContexteBAM")
_IDAM = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{3,39}")


@rule("INSI-01")
def client_certificate(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The TLS client shows a certificate."""
    if not case.peer.presented:
        yield Hit(CLIENT, "∅", "INSI-AUTO, INSI-MANU")


@rule("INSI-02")
def client_trusted(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """It is trusted, in its dates, not revoked, and meant to authenticate."""
    peer = case.peer
    if not peer.presented:
        return
    if peer.fault is not ChainFault.NONE:
        yield Hit(CLIENT, peer.fault.words, "IGC-Santé TEST")
    elif peer.holder is None or not peer.holder.may_authenticate:
        yield Hit(CLIENT, peer.holder.common_name if peer.holder else "?", "extendedKeyUsage clientAuth")


def is_software(case: Case) -> bool:
    """The client certificate is a software's, which needs no assertion."""
    return case.peer.holder is not None and case.peer.holder.common_name in SOFTWARE_NAMES


@rule("INSI-03")
def software_name_or_assertion(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The CN is INSI-AUTO or INSI-MANU, letter for letter, or an assertion comes with the call."""
    if not is_software(case) and case.call.seal.fault is SealFault.NO_VIHF:
        name = case.peer.holder.common_name if case.peer.holder else "?"
        yield Hit(CLIENT, f"CN={name}"[:120], "CN=INSI-AUTO, CN=INSI-MANU")


@rule("INSI-04")
def assertion_intact(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """An assertion that comes is signed, once, and what is signed is what is read."""
    seal = case.call.seal
    if seal.fault not in (SealFault.NONE, SealFault.NO_VIHF):
        yield Hit(ASSERTION / "Signature", _why(seal), "XML-Signature RSA, SHA-256")


def _why(seal: SealReport) -> Text:
    words, detail = seal.fault.words, f" ({seal.detail[:120]})" if seal.detail else ""
    return Text(words.fr + detail, words.en + detail)


@rule("INSI-05")
def assertion_signer(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """It is signed by a trusted certificate that may sign."""
    if case.call.seal.fault is not SealFault.NONE:
        return
    place = ASSERTION / "Signature/KeyInfo/X509Data/X509Certificate"
    if case.signer_chain is not ChainFault.NONE:
        yield Hit(place, case.signer_chain.words, "IGC-Santé TEST")
    elif not case.signer_may_sign:
        yield Hit(place, Text("certificat d'authentification", "authentication certificate"), "keyUsage nonRepudiation")


@rule("INSI-06")
def assertion_alive(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """It is less than twenty minutes old and within its Conditions."""
    claims = case.call.claims
    if case.call.seal.fault is not SealFault.NONE or claims is None:
        return
    life = claims.life()
    now = f"{case.now:%Y-%m-%dT%H:%M:%SZ}"
    if life is None:
        yield Hit(ASSERTION / "@IssueInstant", claims.issued[:40] or "∅", now)
    elif not life[0] - DRIFT <= case.now < life[1] + DRIFT:
        yield Hit(ASSERTION / "Conditions", f"{life[0]:%Y-%m-%dT%H:%M:%SZ} … {life[1]:%Y-%m-%dT%H:%M:%SZ}", now)


@rule("INSI-07")
def assertion_names_somebody(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """NameID says which professional calls."""
    if case.call.seal.fault is SealFault.NONE and (case.call.claims is None or not case.call.claims.name_id):
        yield Hit(ASSERTION / "Subject/NameID", "∅", "8 + RPPS")


@rule("INSI-17")
def software_authorisation(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """ContexteLPS names the software and its IDAM authorisation."""
    caller = case.call.caller
    if not caller.has_lps:
        yield Hit(_LPS, "∅", "ContexteLPS")
    elif not _IDAM.fullmatch(caller.idam):
        yield Hit(_LPS / "LPS/IDAM", caller.idam[:40] or "∅", "[0-9A-Za-z_.-]{4,40}")


@rule("INSI-18")
def bam_context(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """ContexteBAM comes with ContexteLPS."""
    if case.call.caller.has_lps and not case.call.caller.has_bam:
        yield Hit(_BAM, "∅", "ContexteBAM")


PEER_RULES = (client_certificate, client_trusted)
ACCESS_RULES = (
    software_name_or_assertion,
    assertion_intact,
    assertion_signer,
    assertion_alive,
    assertion_names_somebody,
    software_authorisation,
    bam_context,
)
