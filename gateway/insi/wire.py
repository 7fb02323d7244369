"""The elements of INSi: bodies and contexts of a call read into values, and written; RESULTAT written and read.

Namespaces of children are not insisted on: public clients write them in several ways, and only names carry meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from gateway.documents.xml import local
from gateway.insi.model import (
    LABELS,
    Answer,
    Caller,
    CardData,
    Individual,
    Ins,
    Matricule,
    Operation,
    Query,
    Traits,
    Verification,
)
from gateway.insi.names import BAM, LPS, RESULT, ROOTS
from gateway.soap.names import qname

MAX_GIVEN = 50  # Prenom elements read; nobody has more


def operation_of(body: etree._Element) -> Operation | None:
    """The operation whose root this is, by namespace and name."""
    return next((op for op, (space, name) in ROOTS.items() if body.tag == qname(space, name)), None)


def read_query(operation: Operation, body: etree._Element) -> Query:
    """What a call asks, as written; what it leaves out is ''."""
    if operation is Operation.TRAITS:
        return _traits(body)
    if operation is Operation.CARD:
        return CardData(
            own=_matricule(_child(body, "MatriculeIndividu")),
            holder=_matricule(_child(body, "MatriculeOD")),
            family=_text(body, "NomNaissance"),
            birth_date=_text(body, "DateNaissance"),
            rank=_text(body, "RangNaissance"),
        )
    verified = _child(body, "IndividuVerifie")
    given = _child(verified, "INSFourni")
    return Verification(_ins(given), _traits(_child(verified, "TraitsIdentiteIndividu")))


def read_caller(header: etree._Element | None) -> Caller:
    """The software, from ContexteLPS; whether ContexteBAM came with it."""
    lps = header.find(qname(LPS, "ContexteLPS")) if header is not None else None
    bam = header.find(qname(BAM, "ContexteBAM")) if header is not None else None
    software = _child(lps, "LPS")
    return Caller(
        idam=_text(software, "IDAM"),
        software=_text(software, "Nom")[:80],
        version=_text(software, "Version")[:40],
        emitter=_text(lps, "Emetteur")[:40],
        has_lps=lps is not None,
        has_bam=bam is not None,
    )


def _traits(element: etree._Element | None) -> Traits:
    given = [_own_text(e) for e in _children(element, "Prenom")][:MAX_GIVEN]
    return Traits(
        family=_text(element, "NomNaissance"),
        given=tuple(g for g in given if g),
        sex=_text(element, "Sexe"),
        birth_date=_text(element, "DateNaissance"),
        birth_place=_text(element, "LieuNaissance"),
        given_list=_text(element, "ListePrenom"),
    )


def _ins(element: etree._Element | None) -> Ins:
    matricule = _matricule(_child(element, "IdIndividu")) or Matricule("")
    since, until = _text(element, "DateDeb"), _text(element, "DateFin")
    return Ins(matricule, _text(element, "OID"), since, until)


def _matricule(element: etree._Element | None) -> Matricule | None:
    if element is None:
        return None
    return Matricule(_text(element, "NumIdentifiant"), _text(element, "Cle"), _text(element, "TypeMatricule"))


def _children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    return (c for c in element if local(c) == name) if element is not None else iter(())


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    return next(_children(element, name), None)


def _text(element: etree._Element | None, name: str) -> str:
    found = _child(element, name)
    return _own_text(found) if found is not None else ""


def _own_text(element: etree._Element) -> str:
    """The text without the white space a serialiser put around it; what stands inside is untouched."""
    return (element.text or "").strip("\t\r\n ")


# ------------------------------------------------------------------------------------------------------------------ writing


def write_query(operation: Operation, query: Query) -> bytes:
    """The body of a call."""
    space, root = ROOTS[operation]
    if isinstance(query, Traits):
        inside = _written_traits(query)
    elif isinstance(query, CardData):
        inside = _written_card(query)
    else:
        given = f"<INSFourni>{_written_ins(query.ins)}</INSFourni>"
        traits = f"<TraitsIdentiteIndividu>{_written_traits(query.traits)}</TraitsIdentiteIndividu>"
        inside = f"<IndividuVerifie>{given}{traits}</IndividuVerifie>"
    return f"<{root} xmlns={quoteattr(space)}>{inside}</{root}>".encode()


def _written_traits(traits: Traits) -> str:
    given = "".join(_element("Prenom", g) for g in traits.given)
    listed = _element("ListePrenom", traits.given_list)
    return (
        _element("NomNaissance", traits.family)
        + given
        + listed
        + _element("Sexe", traits.sex)
        + _element("DateNaissance", traits.birth_date)
        + _element("LieuNaissance", traits.birth_place)
    )


def _written_card(card: CardData) -> str:
    matricules = (("MatriculeIndividu", card.own), ("MatriculeOD", card.holder))
    written = "".join(f"<{name}>{_written_matricule(m)}</{name}>" for name, m in matricules if m is not None)
    return (
        written
        + _element("NomNaissance", card.family)
        + _element("DateNaissance", card.birth_date)
        + _element("RangNaissance", card.rank)
    )


def _written_ins(ins: Ins) -> str:
    return (
        f"<IdIndividu>{_written_matricule(ins.matricule)}</IdIndividu>{_element('OID', ins.oid)}"
        f"{_element('DateDeb', ins.since)}{_element('DateFin', ins.until)}"
    )


def _written_matricule(matricule: Matricule) -> str:
    return (
        _element("NumIdentifiant", matricule.number)
        + _element("Cle", matricule.key)
        + _element("TypeMatricule", matricule.type_code)
    )


def _element(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>" if value else ""


def write_result(answer: Answer) -> bytes:
    """RESULTAT: the code, and the individual when there is one."""
    code = f"<CR><CodeCR>{answer.code.value}</CodeCR><LibelleCR>{escape(LABELS[answer.code])}</LibelleCR></CR>"
    told = _written_individual(answer.individual) if answer.individual is not None else ""
    return f'<RESULTAT xmlns="{RESULT}">{code}{told}</RESULTAT>'.encode()


def _written_individual(told: Individual) -> str:
    history = "".join(f"<INSHISTO>{_written_ins(i)}</INSHISTO>" for i in told.history)
    traits = (
        _element("NomNaissance", told.family)
        + _element("Prenom", told.given)
        + _element("ListePrenom", told.given_list)
        + _element("Sexe", told.sex)
        + _element("DateNaissance", told.birth_date)
        + _element("LieuNaissance", told.birth_place)
    )
    return f"<INDIVIDU><INSACTIF>{_written_ins(told.active)}</INSACTIF>{history}<TIQ>{traits}</TIQ></INDIVIDU>"


# ------------------------------------------------------------------------------------------------------- reading an answer


def read_result(body: etree._Element) -> tuple[str, Individual | None] | None:
    """CodeCR as written and the individual; None when the element is no RESULTAT with a code."""
    if body.tag != qname(RESULT, "RESULTAT"):
        return None
    code = _text(_child(body, "CR"), "CodeCR")
    return (code, _individual(_child(body, "INDIVIDU"))) if code else None


def _individual(element: etree._Element | None) -> Individual | None:
    traits = _child(element, "TIQ")
    active = _child(element, "INSACTIF")
    if traits is None or active is None:
        return None
    return Individual(
        active=_ins(active),
        family=_text(traits, "NomNaissance"),
        given_list=_text(traits, "ListePrenom"),
        sex=_text(traits, "Sexe"),
        birth_date=_text(traits, "DateNaissance"),
        birth_place=_text(traits, "LieuNaissance"),
        given=_text(traits, "Prenom"),
        history=tuple(_ins(e) for e in _children(element, "INSHISTO")),
    )
