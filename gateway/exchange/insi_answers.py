"""Between a record of a patient index and INSi: how the record is asked, and the trace kept of each answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from gateway.identity.local import ANSWERED, FOUND, STRICT, Ins, InsiTrace, LocalIdentity, Traits
from gateway.identity.model import INS_NIA
from gateway.identity.traits import first_given_agrees
from gateway.insi import model as insi

_REASON = 200  # characters


def asked_as(local: LocalIdentity) -> insi.LocalIdentity:
    """The record as a client of INSi asks about it."""
    traits = local.traits
    return insi.LocalIdentity(
        family=traits.birth_family,
        given_names=tuple((traits.given_list or traits.birth_given).split()),
        sex=traits.sex,
        birth_date=traits.birth_date,
        birth_place=traits.birth_place,
        attributes=tuple(sorted(a.value for a in local.reliability.attributes)),
    )


def answer_of(ins: Ins) -> insi.Ins:
    """An INS as INSi writes it: number and key apart."""
    kind = "NIA" if ins.oid == INS_NIA else "NIR"
    return insi.Ins(insi.Matricule(ins.matricule[:13], ins.matricule[13:], kind), ins.oid)


def trace_of(
    result: insi.SearchResult | insi.VerifyResult, at: datetime, by: str, verified: Ins | None, traits: Traits
) -> tuple[InsiTrace, bytes]:
    """What is kept of an answer, and its octets (b'' when none came).

    A verification gives no trait back: its CR 00 says that those asked about agree. A fault is told by its own code,
    which is never that of an answer, so that nobody takes it for a CR 01 (INS-194).
    """
    heard = result.trace
    raw = heard.raw if heard is not None else b""
    operation = heard.method if heard is not None else ""
    digest = sha256(raw).hexdigest() if raw else ""

    def traced(code: str, reason: str = "", told: insi.Individual | None = None) -> InsiTrace:
        if told is None:
            agreed = code == FOUND and verified is not None
            return InsiTrace(
                code, operation, at, by, digest, traits if agreed else None, verified if agreed else None, (), reason
            )
        active = _ins(told.active)
        former = tuple(dict.fromkeys(one for one in map(_ins, told.history) if one != active))
        return InsiTrace(code, operation, at, by, digest, _traits(told), active, former)

    if isinstance(result, insi.Found):
        return traced(FOUND, told=result.individual), raw
    if isinstance(result, insi.Verified):
        return traced(FOUND), raw
    if isinstance(result, insi.NotFound | insi.Contradicted):
        return traced(insi.Code.NONE.value), raw
    if isinstance(result, insi.Several):
        return traced(insi.Code.SEVERAL.value), raw
    return traced(_fault(result.code), result.reason[:_REASON]), raw


def _fault(code: str) -> str:
    """The code of a fault, which whoever answered chose: never written like a CR (INS-194)."""
    return f"fault-{code}" if code in ANSWERED else code


def _ins(told: insi.Ins) -> Ins:
    return Ins(told.matricule.whole, told.oid)


def _traits(told: insi.Individual) -> Traits:
    """As the answer tells them, letter for letter; `Prenom` is the list where there is no list."""
    given = told.given if told.given_list else ""
    return Traits(told.family, given, told.given_names, told.sex, told.birth_date, told.birth_place)


def differences(local: Traits, trace: InsiTrace) -> tuple[str, ...]:
    """The traits INSi tells otherwise than they are here, letter for letter. What is empty here is no difference."""
    told = trace.traits
    if told is None:
        return ()
    found = [n for n in STRICT if n != "birth_given" and getattr(local, n) and getattr(told, n) != getattr(local, n)]
    if local.given_list and told.given_list and told.given_list.startswith(local.given_list + " "):
        found.remove("given_list")
    if local.birth_given and not first_given_agrees(local.birth_given, told.given_list or told.birth_given):
        found.append("birth_given")
    return tuple(found)


def replaced(local: Traits, trace: InsiTrace) -> Traits:
    """The traits of the answer in place of the local ones. The first given name stays where it is the head of the list."""
    told = trace.traits
    if told is None:
        return local
    head = local.birth_given if first_given_agrees(local.birth_given, told.given_list) else ""
    given = told.birth_given or head or told.given_list.partition(" ")[0]
    return replace(told, birth_given=given, birth_place=told.birth_place or local.birth_place)
