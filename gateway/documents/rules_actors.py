"""Who wrote and answers for a document: national identifiers, their keys, and what must be told of each.

Subject: one `CdaDocument`.

Sources: CI-SIS Structuration minimale des documents de santé (author, custodian, legalAuthenticator; PS_IdNat, Struct_IdNat).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.directory.identifiers import IdNat, parse_ps_id_nat, parse_struct_id_nat
from gateway.documents.model import CdaDocument
from gateway.rules import Hit, Rule, RuleContext, Severity, rule
from gateway.rules.masking import mask_matricule
from gateway.values import Text, Where, Words

_MATRICULE = 15
_PERSON_FORM = Text(
    "PS_IdNat : 8 + RPPS (11 chiffres), 0 + ADELI (9)…", "PS_IdNat: 8 + RPPS (11 digits), 0 + ADELI (9)…"
)
_STRUCTURE_FORM = "Struct_IdNat: 1 + FINESS (9), 3 + SIRET (14)…"


def lowered(ctx: RuleContext) -> Severity | None:
    """Official samples have this defect: it is told, and stops nothing."""
    return Severity.WARNING if ctx.profile == "official-samples" else None


def _persons(document: CdaDocument) -> Iterator[tuple[str, str, Where]]:
    for author in document.authors:
        if author.person_id:
            yield "author", author.person_id, document.place("author")
    signer = document.legal_authenticator
    if signer is not None and signer.person_id:
        yield "legalAuthenticator", signer.person_id, document.place("legalAuthenticator")


def _structures(document: CdaDocument) -> Iterator[tuple[str, str, Where]]:
    for author in document.authors:
        if author.structure_id:
            yield "author/…/representedOrganization", author.structure_id, document.place("author")
    if document.custodian is not None and document.custodian.structure_id:
        yield "custodian", document.custodian.structure_id, document.place("custodian")


def _identifiers(document: CdaDocument) -> Iterator[tuple[str, str, Where, IdNat | None, Words]]:
    seen: set[tuple[str, str]] = set()
    for name, value, where in _persons(document):
        # A patient may be the author (EXP_PATIENT): that identifier is an INS, and no business of these rules.
        if len(value) != _MATRICULE and (name, value) not in seen:
            seen.add((name, value))
            yield name, value, where, parse_ps_id_nat(value), _PERSON_FORM
    for name, value, where in _structures(document):
        if (name, value) not in seen:
            seen.add((name, value))
            yield name, value, where, parse_struct_id_nat(value), _STRUCTURE_FORM


@rule("CDA-17")
def national_identifier_form(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """PS_IdNat and Struct_IdNat: a digit that names the register, then a number of its length."""
    for name, value, where, told, expected in _identifiers(document):
        if told is None:
            yield Hit(where, value[:40], expected, params={"name": name}, severity=lowered(ctx))


@rule("CDA-18")
def national_identifier_key(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """RPPS, FINESS, SIREN and SIRET end with a Luhn key."""
    for name, value, where, told, _ in _identifiers(document):
        if told is not None and told.key_ok is False:
            yield Hit(
                where, value[:40], Text(f"clé de Luhn ({told.kind})", f"Luhn key ({told.kind})"), params={"name": name}
            )


@rule("INS-160")
def author_is_not_the_patient(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The author's identifier is not the matricule of the patient, unless the patient is the author (EXP_PATIENT)."""
    told = document.identity.ins if document.identity is not None else None
    if told is None or not told.value:
        return
    for author in document.authors:
        if author.person_id.upper() == told.value.upper() and not (
            author.specialty is not None and author.specialty.code == "EXP_PATIENT"
        ):
            yield Hit(document.place("author"), mask_matricule(told.value), "PS_IdNat (8 + RPPS)")


@rule("CDA-21")
def author_described(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """An author has a profession or speciality and a structure."""
    for number, author in enumerate(document.authors, 1):
        missing = [
            name
            for name, told in (
                ("assignedAuthor/code", author.specialty),
                ("representedOrganization", author.structure_id or author.structure_name),
            )
            if not told
        ]
        if missing:
            yield Hit(document.place("author"), "∅", ", ".join(missing), params={"number": str(number)})


@rule("CDA-22")
def legal_authenticator_named(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The legal authenticator has a name: the metadata need it."""
    signer = document.legal_authenticator
    if signer is not None and not signer.family:
        yield Hit(document.place("legalAuthenticator"), "∅", "assignedPerson/name/family")


RULES: tuple[Rule[CdaDocument], ...] = (
    national_identifier_form,
    national_identifier_key,
    author_is_not_the_patient,
    author_described,
    legal_authenticator_named,
)
