"""INS-130, 133 and 145: how metadata and a patient's mail address write the patient.

Source: DMP example messages v02.05.00; MSSanté patient address rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.identity import matricule as m
from gateway.identity.model import INS_OIDS, ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.reading import is_submission_set, patient_id
from gateway.rules.masking import EMPTY, mask_address, mask_matricule
from gateway.rules.model import Hit, RuleContext, rule

# Official samples append a date in CX-7; an IPP of type PI is well formed too, and no INS (INS-030, INS-031).
_CX = re.compile(r"[^\^&]+\^\^\^&[0-9]+(?:\.[0-9]+)+&ISO\^(?:NH|PI)(?:\^\^[0-9]{8})?")
_FORM = "matricule^^^&OID&ISO^NH"


@rule("INS-130")
def patient_id_form(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """matricule^^^&OID&ISO^NH. From the whole field where it was kept, else from its parts."""
    told = patient_id(view) if view.kind is ContainerKind.XDM else None
    if told is not None and _malformed(told):
        rest = told.written[len(told.value) :] if told.written else f"^^^&{told.oid}&ISO^{told.type_code}"
        yield Hit(told.where, f"{mask_matricule(told.value)}{rest[:80]}", _FORM)


def _malformed(told: PatientIdentifier) -> bool:
    if told.written and _CX.fullmatch(told.written) is None:
        return True
    if not told.value or not told.oid:
        return True
    return told.type_code != "NH" if told.oid in INS_OIDS else told.type_code not in ("NH", "PI")


@rule("INS-133")
def source_id(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """An entry names the patient as its source knows him: the IPP, or the INS when there is none."""
    if view.kind is ContainerKind.XDM and view.has_source_id is False and not is_submission_set(view):
        yield Hit(view.where, EMPTY, "IPP^^^&OID&ISO^PI")


def local_part(address: str) -> str:
    """What stands before the @ of a patient address, in upper case to compare with a matricule; bounded."""
    return address[:100].partition("@")[0].upper()


@rule("INS-145")
def patient_address(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The local part is a matricule of fifteen characters with a right key; case does not matter."""
    if (
        view.kind is ContainerKind.MAIL
        and view.mailbox is not None
        and not m.has_right_key(local_part(view.mailbox.value))
    ):
        yield Hit(view.mailbox.where, mask_address(view.mailbox.value), "<matricule>@patient…")


RULES = (patient_id_form, source_id, patient_address)
