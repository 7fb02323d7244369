"""A call of INSi or its answer, as a file: who the patient is, and what the rules of the teleservice say.

The door has the caller's certificate and the territory; a file has neither, so only the rules on the request itself (INS-186,
187) and on the code of the answer (INS-188, 189) speak.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from lxml import etree

from gateway.documents.model import Issue
from gateway.documents.xml import xpath_of
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.insi.case import Case
from gateway.insi.model import Answer, CardData, Code, Individual, Ins, Query, Traits, Verification
from gateway.insi.opening import OpenedCall
from gateway.insi.rules import mandatory_traits, nobody, several, trait_format
from gateway.insi.wire import operation_of, read_query, read_result
from gateway.rules.model import RuleContext
from gateway.soap.certificates import Peer
from gateway.values import Direction, Door, Located, PlaceKind, Where

_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # no rule run here looks at the time
_CONTEXT = RuleContext(Direction.EMISSION, Door.INSI, date(2000, 1, 1))


def insi_file(body: etree._Element) -> tuple[str, tuple[IdentityView, ...], tuple[Issue, ...]] | None:
    """Kind, views and issues of a body of INSi; None when it is none."""
    operation = operation_of(body)
    if operation is not None:
        query = read_query(operation, body)
        case = Case(OpenedCall(operation=operation, query=query), Peer(presented=False), _NO_TIME)
        return "insi-request", _query_views(query, body), _issues(case, (mandatory_traits, trait_format))
    told = read_result(body)
    if told is None:
        return None
    code, individual = told
    views = (_individual_view(individual, body),) if individual is not None else ()
    if code not in tuple(Code):
        return "insi-answer", views, ()
    case = Case(OpenedCall(), Peer(presented=False), _NO_TIME, answer=Answer(Code(code), individual))
    return "insi-answer", views, _issues(case, (nobody, several))


def _issues(case: Case, rules: tuple[object, ...]) -> tuple[Issue, ...]:
    return tuple(Issue(r.id, hit) for r in rules for hit in r.check(case, _CONTEXT))  # type: ignore[attr-defined]


def _query_views(query: Query, body: etree._Element) -> tuple[IdentityView, ...]:
    if isinstance(query, Traits):
        return (_traits_view(query, body),)
    if isinstance(query, Verification):
        return (_traits_view(query.traits, body, (query.ins,)),)
    return (_card_view(query, body),)


def _place(body: etree._Element, name: str = "") -> Where:
    path = xpath_of(body)
    return Where(PlaceKind.XPATH, f"{path}/{name}" if name else path, body.sourceline)


def _told(value: str, body: etree._Element, name: str) -> Located | None:
    return Located(value, _place(body, name)) if value else None


def _traits_view(traits: Traits, body: etree._Element, held: tuple[Ins, ...] = ()) -> IdentityView:
    return IdentityView(
        kind=ContainerKind.INSI,
        label="insi:demande",
        where=_place(body),
        identifiers=_identifiers(held, body),
        birth_family=_told(traits.family, body, "NomNaissance"),
        birth_given=_told(traits.given[0] if traits.given else "", body, "Prenom"),
        given_list=_told(traits.given_list, body, "ListePrenom"),
        birth_date=_told(traits.birth_date, body, "DateNaissance"),
        sex=_told(traits.sex, body, "Sexe"),
        birth_place=_told(traits.birth_place, body, "LieuNaissance"),
        ins_expected=bool(held),
    )


def _card_view(card: CardData, body: etree._Element) -> IdentityView:
    """A card search has no OID and often the number of another person (the insured one): no identifier is told."""
    return IdentityView(
        kind=ContainerKind.INSI,
        label="insi:demande",
        where=_place(body),
        birth_family=_told(card.family, body, "NomNaissance"),
        birth_date=_told(card.birth_date, body, "DateNaissance"),
    )


def _individual_view(told: Individual, body: etree._Element) -> IdentityView:
    traits = "INDIVIDU/TIQ"
    return IdentityView(
        kind=ContainerKind.INSI,
        label="insi:reponse",
        where=_place(body, "INDIVIDU"),
        identifiers=_identifiers((told.active,), body) + _identifiers(told.history, body, "old"),
        birth_family=_told(told.family, body, f"{traits}/NomNaissance"),
        birth_given=_told(told.given, body, f"{traits}/Prenom"),
        given_list=_told(told.given_names, body, f"{traits}/ListePrenom"),
        birth_date=_told(told.birth_date, body, f"{traits}/DateNaissance"),
        sex=_told(told.sex, body, f"{traits}/Sexe"),
        birth_place=_told(told.birth_place, body, f"{traits}/LieuNaissance"),
        ins_expected=True,
    )


def _identifiers(held: tuple[Ins, ...], body: etree._Element, use: str = "") -> tuple[PatientIdentifier, ...]:
    """The active INS, or the former ones (`use` old): an answer may carry both."""
    return tuple(
        PatientIdentifier(
            value=ins.matricule.whole,
            oid=ins.oid,
            where=_place(body, "INDIVIDU/INSHISTO/IdIndividu" if use else "INDIVIDU/INSACTIF/IdIndividu"),
            type_code="INS",
            use=use,
            starts=ins.since,
            ends=ins.until,
        )
        for ins in held[:50]
    )
