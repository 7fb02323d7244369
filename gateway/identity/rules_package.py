"""INS-131, 132, 134, 136, 144 and 158: pairs of containers that have a rule of their own.

The subject is every view of one message; a rule looks only at its own pairs. Source: IHE XDS (XDSPatientIdDoesNotMatch);
DMP; MSSanté one-patient package and patient address; datamatrix INS 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.identity.dates import parse_date
from gateway.identity.matricule import has_right_key
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.reading import ins_key, ins_of, is_missing, is_submission_set, patient_id, sex_of
from gateway.identity.rules_address import local_part
from gateway.identity.rules_cross import LISTED, Told, Views, disagreement, file_of, ins_told
from gateway.identity.traits import canon
from gateway.rules.masking import EMPTY, mask_address, mask_matricule
from gateway.rules.model import ComparedValue, Hit, RuleContext, rule


def _of(views: Views, kind: ContainerKind) -> list[IdentityView]:
    return [view for view in views if view.kind is kind]


def _with_ins(views: Sequence[IdentityView]) -> list[Told]:
    return [ins_told(view, ins) for view in views if (ins := ins_of(view)) is not None]


@rule("INS-131")
def one_patient_id(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """The lot and each of its entries bear the same patientId."""
    told = [
        ins_told(view, found)
        for view in views
        if view.kind is ContainerKind.XDM and (found := patient_id(view)) is not None
    ]
    other = next((t for t in told[1:] if t.compared != told[0].compared), None)
    if other is not None:
        yield disagreement(told[0], other, told, mask_matricule)


@rule("INS-132")
def source_patient_info(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """What the CDA tells and sourcePatientInfo leaves out or undetermined. A value that differs is INS-151 to 155."""
    documents = _of(views, ContainerKind.CDA)
    entries = [entry for entry in _of(views, ContainerKind.XDM) if not is_submission_set(entry)] if documents else []
    files = {file_of(entry) for entry in entries}
    # a lone document whose file no entry names: the lone entry is its own; the entry of a lot's signature never is
    lone = len(documents) == 1 and file_of(documents[0]) not in files
    for entry in entries:
        same = [document for document in documents if file_of(document) == file_of(entry)]
        for document in same or (documents if lone else ()):
            lacking = tuple(_lacking(entry, document))
            if lacking:
                values = (
                    ComparedValue(entry.label, str(entry.where), ", ".join(f"{field} {EMPTY}" for field in lacking)),
                    ComparedValue(document.label, str(document.where), ", ".join(lacking)),
                )
                yield Hit(
                    where=entry.where,
                    received=values[0].value,
                    expected=values[1].value,
                    values=values,
                    container=entry.label,
                )


def _lacking(entry: IdentityView, document: IdentityView) -> Iterator[str]:
    if is_missing(entry.birth_family) and not is_missing(document.birth_family):
        yield "PID-5 L"
    if is_missing(entry.birth_date) and not is_missing(document.birth_date):
        yield "PID-7"
    if not sex_of(entry) and sex_of(document):
        yield "PID-8"


@rule("INS-134")
def vihf_patient(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """The patient the VIHF was issued for is the patient of the lot."""
    vihf = _with_ins(_of(views, ContainerKind.VIHF))
    told = _with_ins(_of(views, ContainerKind.XDM)) if vihf else []
    other = next((t for t in told if t.compared != vihf[0].compared), None)
    if other is not None:
        yield disagreement(vihf[0], other, [vihf[0], *told], mask_matricule)


@rule("INS-136")
def one_patient_package(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """All the CDA of a package are about one patient. A CDA against its own metadata is INS-150."""
    if not any(view.kind is ContainerKind.XDM for view in views):
        return
    told = _with_ins(_of(views, ContainerKind.CDA))
    other = next((t for t in told[1:] if t.compared != told[0].compared), None)
    if other is not None:
        yield disagreement(told[0], other, told, mask_matricule)


@rule("INS-144")
def patient_recipient(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """The patient who writes or receives is the patient of a document joined. A malformed address is INS-145."""
    for mail in _of(views, ContainerKind.MAIL):
        local = local_part(mail.mailbox.value) if mail.mailbox is not None else ""
        told = _with_ins(_of(views, ContainerKind.CDA)) or _with_ins(_of(views, ContainerKind.XDM))
        if mail.mailbox is None or not told or not has_right_key(local):
            continue
        if any(t.compared.partition(" ")[0] == local for t in told):
            continue
        told = told[:LISTED]
        address = mask_address(mail.mailbox.value, [t.written for t in told])
        values = (
            ComparedValue(mail.label, str(mail.mailbox.where), address),
            *(ComparedValue(t.view.label, str(t.where), mask_matricule(t.written, (local,))) for t in told),
        )
        yield Hit(
            where=mail.mailbox.where,
            received=address,
            expected=values[1].value,
            values=values,
            container=mail.label,
        )


@rule("INS-158")
def datamatrix(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """The printed INS datamatrix says what the header says."""
    documents = _of(views, ContainerKind.CDA)
    for printed in _of(views, ContainerKind.DATAMATRIX) if documents else ():
        same = [document for document in documents if file_of(document) == file_of(printed)]
        document = same[0] if same else documents[0]
        differing = tuple(_differing(printed, document))
        if differing:
            yield Hit(
                where=printed.where,
                received=", ".join(differing),
                expected=document.label,
                values=tuple(
                    ComparedValue(view.label, str(view.where), _masked_ins(ins_of(view)))
                    for view in (printed, document)
                ),
                container=printed.label,
            )


def _masked_ins(ins: PatientIdentifier | None) -> str:
    return mask_matricule(ins.value) if ins is not None else EMPTY


def _differing(printed: IdentityView, document: IdentityView) -> Iterator[str]:
    ours, theirs = ins_of(printed), ins_of(document)
    if ours is not None and theirs is not None and ins_key(ours) != ins_key(theirs):
        yield "INS"
    for field in ("birth_family", "given_list"):
        one, other = getattr(printed, field), getattr(document, field)
        if not is_missing(one) and not is_missing(other) and canon(one.value[:500]) != canon(other.value[:500]):
            yield field
    if sex_of(printed) and sex_of(document) and sex_of(printed) != sex_of(document):
        yield "sex"
    if printed.birth_date is not None and document.birth_date is not None:
        told = (
            parse_date(printed.birth_date.value, printed.kind),
            parse_date(document.birth_date.value, document.kind),
        )
        if told[0] is not None and told[1] is not None and not told[0].agrees_with(told[1]):
            yield "birth_date"


RULES = (one_patient_id, source_patient_info, vihf_patient, one_patient_package, patient_recipient, datamatrix)
