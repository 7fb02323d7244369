"""What a whole message says of its patient: one identity out of all its containers, for the matching on receipt.

The container that tells most comes first (a CDA, else the metadata, PID, FHIR); a trait it leaves out is taken from the
next one of the same person; a message about several persons joins nobody's record by itself. Of a NIR and a NIA the NIR is
kept. It travels to the integration step as JSON, with the place of the INS, so that the message is opened once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.identity.dates import parse_date
from gateway.identity.known import key_exceptions
from gateway.identity.local import STRICT, Ins, Traits
from gateway.identity.matching import Received
from gateway.identity.matricule import canonical, has_right_key, is_whole
from gateway.identity.model import INS_NIA, INS_OIDS, ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.reading import all_ins, by_person, sex_of
from gateway.rules.model import Action, Finding
from gateway.rules.verdict import Integration
from gateway.values import Located, PlaceKind, Where

_ORDER = (ContainerKind.CDA, ContainerKind.HL7, ContainerKind.FHIR, ContainerKind.XDM, ContainerKind.DMP)
_STOPS = frozenset({Action.REJECT, Action.QUARANTINE})
_BOUND = 500  # characters of a trait that are kept
_COMPLETENESS = frozenset({"INS-031", "INS-032", "INS-033", "INS-034", "INS-035", "INS-036", "INS-004"})
_NONE_TOLD = Traits()


@dataclass(frozen=True, slots=True)
class Said:
    """What the containers say of the patient, before anybody judged them. Small: it comes back from where mails are opened.

    `document_date` is AAAA-MM-JJ, '' when not told. `merges`: the message asks to merge two records (A40). `used_*` as the
    message says them, never made up. `persons`: how many the message is about.
    """

    traits: Traits
    ins: Ins | None
    container: str
    where: Where
    used_family: str = ""
    used_given: str = ""
    document_date: str = ""
    merges: bool = False
    trusted: bool = True
    persons: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """The identity received, ready to be matched. `stopped_by` are the rules whose findings forbid integration."""

    received: Received
    container: str
    where: Where
    used_family: str = ""
    used_given: str = ""
    document_date: str = ""
    stopped_by: tuple[str, ...] = ()
    merges: bool = False


def said_by(views: Iterable[IdentityView]) -> Said | None:
    """What a message says of its patient; None when no container names one."""
    ordered = sorted((v for v in views if v.kind in _ORDER), key=lambda v: _ORDER.index(v.kind))
    if not ordered:
        return None
    first, *others = by_person(tuple(ordered))
    lead = first[0]
    traits = traits_of(first)
    claimed = _ins_of(first)
    if claimed is None and traits == _NONE_TOLD:
        return None
    return Said(
        traits=traits,
        ins=Ins(canonical(claimed.value)[:64], claimed.oid[:64]) if claimed is not None else None,
        container=lead.label,
        where=claimed.where if claimed is not None else lead.where,
        used_family=_value(lead.used_family),
        used_given=_value(lead.used_given),
        document_date=max((_iso(v.document_date, v.kind) for v in first), default=""),
        merges=any(v.hl7 is not None and v.hl7.event == "A40" for v in first),
        trusted=all(map(_trusts, first)),
        persons=1 + len(others),
    )


def told_by(said: Said, findings: Sequence[Finding], integration: Integration, profile: str) -> Told:
    """The same, with what the rules make of it."""
    stopped = tuple(dict.fromkeys(f.rule for f in findings if f.action in _STOPS))
    ins, traits = said.ins, said.traits
    received = Received(
        traits=traits,
        ins=ins,
        complete=ins is None or _complete(ins, traits),
        trusted=said.trusted and integration is not Integration.WITHOUT_INS,
        key_valid=ins is None or not is_whole(ins.matricule) or _key_accepted(ins.matricule, profile),
        contradicted=said.persons > 1 or (integration is Integration.STOPPED and not set(stopped) <= _COMPLETENESS),
    )
    return Told(
        received,
        said.container,
        said.where,
        said.used_family,
        said.used_given,
        said.document_date,
        stopped,
        said.merges,
    )


def traits_of(views: Iterable[IdentityView]) -> Traits:
    """The strict traits, each from the first container that tells it; dates as AAAA-MM-JJ, sex as M or F."""
    traits = _NONE_TOLD
    for view in views:
        told = Traits(
            birth_family=_value(view.birth_family),
            birth_given=_value(view.birth_given),
            given_list=_value(view.given_list),
            sex=sex_of(view),
            birth_date=_iso(view.birth_date, view.kind),
            birth_place=_value(view.birth_place),
        )
        missing = {name: getattr(told, name) for name in STRICT if not getattr(traits, name)}
        traits = replace(traits, **missing)
    return traits


def _ins_of(views: Sequence[IdentityView]) -> PatientIdentifier | None:
    """The INS: a NIR before a NIA; else what is claimed to be one, incomplete."""
    held = [i for view in views for i in all_ins(view)]
    nir = [i for i in held if i.oid != INS_NIA]
    if held:
        return (nir or held)[0]
    return next((i for view in views if (i := view.claimed_ins) is not None and i.value), None)


def _complete(ins: Ins, traits: Traits) -> bool:
    """Matricule, key, OID and the five traits."""
    names = (traits.birth_family, traits.birth_given or traits.given_list)
    told = (*names, traits.sex, traits.birth_place)
    return is_whole(ins.matricule) and ins.oid in INS_OIDS and all(told) and len(traits.birth_date) >= len("AAAA-MM-JJ")


def _trusts(view: IdentityView) -> bool:
    """Whether the container declares a status that lets its INS travel; a document that declares none is its own claim."""
    if view.declared is None or not view.declared.codes or not all_ins(view):
        return True
    return view.declared.has("VALI", "QUAL") and not view.declared.has("DOUT", "FICT")


def _key_accepted(matricule: str, profile: str) -> bool:
    return has_right_key(matricule) or (profile != "strict" and matricule in key_exceptions())


def _value(told: Located | None) -> str:
    return told.value[:_BOUND] if told is not None else ""


def _iso(told: Located | None, kind: ContainerKind) -> str:
    """A date as AAAA-MM-JJ, cut where it was; '' when absent or malformed."""
    read = parse_date(told.value, kind) if told is not None else None
    if read is None:
        return ""
    parts = [f"{read.year:04d}", *(f"{part:02d}" for part in (read.month, read.day) if part >= 0)]
    return "-".join(parts)


# ------------------------------------------------------------------------------------------------------------ as JSON


def told_record(told: Told) -> dict[str, Any]:
    """The JSON object that travels to the integration step."""
    received = told.received
    return {
        "traits": asdict(received.traits),
        "ins": asdict(received.ins) if received.ins is not None else None,
        "complete": received.complete,
        "trusted": received.trusted,
        "key_valid": received.key_valid,
        "contradicted": received.contradicted,
        "container": told.container,
        "where": [told.where.kind.value, told.where.path, told.where.line],
        "used_family": told.used_family,
        "used_given": told.used_given,
        "document_date": told.document_date,
        "stopped_by": list(told.stopped_by),
        "merges": told.merges,
    }


def told_of(record: Mapping[str, Any]) -> Told:
    """The same, read again."""
    kind, path, line = record["where"]
    received = Received(
        traits=Traits(**record["traits"]),
        ins=Ins(**record["ins"]) if record["ins"] else None,
        complete=record["complete"],
        trusted=record["trusted"],
        key_valid=record["key_valid"],
        contradicted=record["contradicted"],
    )
    return Told(
        received,
        record["container"],
        Where(PlaceKind(kind), path, line),
        record["used_family"],
        record["used_given"],
        record["document_date"],
        tuple(record["stopped_by"]),
        record["merges"],
    )
