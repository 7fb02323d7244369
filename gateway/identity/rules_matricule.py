"""INS-001 to 010: the matricule by itself, in its canonical form.

Separators and lower case are one fault (INS-010), so the others judge what remains without them. A patient's mail
address is judged by INS-145 and never here. Source: INSi guide SEL-MP-043; CNAM nir-validation; spec of each card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.identity import matricule as m
from gateway.identity.known import key_exceptions
from gateway.identity.model import INS_NIA, IdentityView, PatientIdentifier
from gateway.identity.reading import all_ins
from gateway.rules.masking import mask_matricule
from gateway.rules.model import Hit, RuleContext, Severity, rule

_FOREIGN = re.compile(r"[^0-9AB]")


def _whole(view: IdentityView) -> Iterator[tuple[PatientIdentifier, str]]:
    """The INS whose canonical matricule fits the layout: the only ones whose positions mean anything."""
    for ins in all_ins(view):
        matricule = m.canonical(ins.value)
        if m.is_whole(matricule):
            yield ins, matricule


def _hit(ins: PatientIdentifier, expected: str, severity: Severity | None = None, **params: str) -> Hit:
    return Hit(ins.where, mask_matricule(ins.value), expected, params=params, severity=severity)


@rule("INS-001")
def length(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Fifteen characters; thirteen that fit the layout are INS-002."""
    for ins in all_ins(view):
        matricule = m.canonical(ins.value)
        if len(matricule) != m.LENGTH and not m.is_number(matricule):
            yield _hit(ins, "15", n=str(len(matricule)))


@rule("INS-002")
def key_lost(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Thirteen characters that fit the layout: the key was lost in a mapping."""
    for ins in all_ins(view):
        matricule = m.canonical(ins.value)
        if m.is_number(matricule):
            yield _hit(ins, f"13 + {m.key_of(matricule)}")


@rule("INS-003")
def characters(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Digits, and A or B in seventh position after a 2. Of another length, only foreign characters are told."""
    for ins in all_ins(view):
        matricule = m.canonical(ins.value)
        if m.is_whole(matricule) or not matricule:
            continue
        if len(matricule) == m.LENGTH or _FOREIGN.search(matricule):
            yield _hit(ins, "[0-9]{5}([0-9]{2}|2[AB])[0-9]{8}")


@rule("INS-004")
def key(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The key verifies. A matricule published with a wrong key is a warning outside production (exact value)."""
    for ins, matricule in _whole(view):
        received, computed = matricule[13:], m.key_of(matricule)
        if received != computed and m.key_in_range(received):
            tolerated = _tolerates(ctx) and matricule in key_exceptions()
            yield _hit(ins, computed, Severity.WARNING if tolerated else None, found=received)


def _tolerates(ctx: RuleContext) -> bool:
    if ctx.ins_environment == "production":
        return False
    return ctx.profile == "official-samples" or ctx.ins_environment == "insi-editor-base"


@rule("INS-005")
def key_range(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A key lies between 01 and 97."""
    for ins, matricule in _whole(view):
        if not m.key_in_range(matricule[13:]):
            yield _hit(ins, f"01-97 ({m.key_of(matricule)})")


@rule("INS-006")
def provisional(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """5 to 8 first: a provisional sickness-insurance number. Under the NIA OID any first digit but 1, 2 is a warning."""
    for ins, matricule in _whole(view):
        if ins.oid == INS_NIA:
            if matricule[0] not in "12":
                yield _hit(ins, "1, 2", Severity.WARNING)
        elif matricule[0] in "5678":
            yield _hit(ins, "1, 2")


@rule("INS-007")
def first_digit(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A NIR begins with 1 or 2; 5 to 8 are INS-006."""
    for ins, matricule in _whole(view):
        if ins.oid != INS_NIA and matricule[0] not in "125678":
            yield _hit(ins, "1, 2", c=matricule[0])


@rule("INS-008")
def month(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Month digits 00 and 13 to 19 are impossible; 43 to 49 are only told."""
    for ins, matricule in _whole(view):
        kind = m.month_kind(matricule)
        if kind in (m.Month.IMPOSSIBLE, m.Month.UNEXPLAINED):
            lowered = Severity.INFO if kind is m.Month.UNEXPLAINED else None
            yield _hit(ins, "01-12, 20-42, 50-99", lowered, mm=matricule[3:5])


@rule("INS-009")
def filler(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """One digit repeated, digits counted up, commune 000 or order of birth 000."""
    for ins, matricule in _whole(view):
        if m.is_filler(matricule):
            yield _hit(ins, "INSi")


@rule("INS-010")
def formatting(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Lower-case Corsican letter, space, dot or hyphen: read for comparison, never sent again like that."""
    for ins in all_ins(view):
        matricule = m.canonical(ins.value)
        if matricule != ins.value and (m.is_whole(matricule) or m.is_number(matricule)):
            yield _hit(ins, mask_matricule(matricule))


RULES = (length, key_lost, characters, key, key_range, provisional, first_digit, month, filler, formatting)
