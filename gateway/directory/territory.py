"""The fictitious territory « Val-de-Brume »: loaded from the shipped data, and to and from stored JSON records.

Every workspace has its own copy of the actors; outside `demo` the mail domains carry the workspace's label so that two
sandboxes of one gateway never share an address.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any

from gateway.directory.model import (
    Listing,
    Mailbox,
    MailboxKind,
    MailboxState,
    Operator,
    Patient,
    Professional,
    RoutingClass,
    Structure,
    Territory,
)
from gateway.tables import read_yaml

DEFAULT = "demo"
TRUST_SUFFIX = "mssante.fr"
TERRITORY_SUFFIX = "val-de-brume.mssante.fr"
PATIENT_DOMAIN = "patient.mssante.fr"
CITIZEN_OPERATOR = "op-citoyen"

Actor = Operator | Structure | Professional | Mailbox | Patient | Listing
Record = tuple[str, str, Mapping[str, Any]]  # kind, key, JSON object: the shape of `PutActors`

_KINDS: dict[str, type[Actor]] = {
    "operator": Operator,
    "structure": Structure,
    "professional": Professional,
    "mailbox": Mailbox,
    "patient": Patient,
    "listing": Listing,
}
_ENUMS: dict[tuple[str, str], type[Enum]] = {
    ("structure", "routing_class"): RoutingClass,
    ("mailbox", "kind"): MailboxKind,
    ("mailbox", "state"): MailboxState,
}
_KEYS = {"operator": "id", "structure": "key", "professional": "key", "mailbox": "address", "patient": "key"}


def domain_in(domain: str, workspace: str) -> str:
    """A domain of the shipped territory as a workspace names it.

    `demo` keeps it; elsewhere `ehpad.val-de-brume.mssante.fr` becomes `ehpad.<ws>.val-de-brume.mssante.fr`,
    `patient.mssante.fr` becomes `patient.<ws>.val-de-brume.mssante.fr` and a neighbour's `x.mssante.fr`
    becomes `x.<ws>.mssante.fr`.
    """
    if workspace == DEFAULT:
        return domain
    if domain == PATIENT_DOMAIN:
        return f"patient.{workspace}.{TERRITORY_SUFFIX}"
    for suffix in (TERRITORY_SUFFIX, TRUST_SUFFIX):
        if domain.endswith("." + suffix):
            return f"{domain.removesuffix('.' + suffix)}.{workspace}.{suffix}"
    return f"{domain}.{workspace}"


def patient_domain(workspace: str = DEFAULT) -> str:
    """The mail domain of the citizens of a workspace."""
    return domain_in(PATIENT_DOMAIN, workspace)


def _address_in(address: str, workspace: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain_in(domain, workspace)}".lower()


@cache
def load_territory(workspace: str = DEFAULT) -> Territory:
    """The shipped actors as a workspace sees them: without whitelist lines, without password hashes.

    The whitelist needs the operators' certificates (`with_listings`); the passwords are in `demo_passwords` and are
    hashed by who stores them. A citizen's mailbox is `<matricule>@patient.mssante.fr`, one for each patient marked
    `mes` in the data.
    """
    operators = [
        Operator(
            id=row["id"],
            name=row["name"],
            host=domain_in(row["host"], workspace),
            domains=tuple(domain_in(d, workspace) for d in row["domains"]),
            structure_id=row["structure_id"],
            listener=row.get("listener"),
        )
        for row in read_yaml("territory/operators.yaml")["operators"]
    ]
    structures = [_built("structure", row) for row in read_yaml("territory/structures.yaml")["structures"]]
    professionals = [_built("professional", row) for row in read_yaml("territory/professionals.yaml")["professionals"]]
    rows = read_yaml("territory/patients.yaml")["patients"]
    mailboxes = [
        _built("mailbox", {**row, "address": _address_in(row["address"], workspace)})
        for row in read_yaml("territory/mailboxes.yaml")["mailboxes"]
    ]
    mailboxes += [citizen_mailbox(_built("patient", row), workspace) for row in rows if row.get("mes")]
    return territory_of((*operators, *structures, *professionals, *mailboxes, *(_built("patient", r) for r in rows)))


def citizen_mailbox(patient: Patient, workspace: str = DEFAULT) -> Mailbox:
    """The mailbox of a patient in the citizen space: the whole matricule is its local part."""
    address = f"{patient.matricule}@{patient_domain(workspace)}".lower()
    return Mailbox(address=address, kind=MailboxKind.PATIENT, operator=CITIZEN_OPERATOR, holder=patient.key)


@cache
def demo_passwords(workspace: str = DEFAULT) -> Mapping[str, str]:
    """The plain application password of each shipped mailbox, by address.

    APP mailboxes (certificate only) and those of foreign operators have none.
    """
    data = read_yaml("territory/mailboxes.yaml")
    local = {o.id for o in load_territory(workspace).operators.values() if o.local}
    own = {_address_in(r["address"], workspace): r.get("demo_password") for r in data["mailboxes"]}
    return MappingProxyType(
        {
            address: own.get(address) or data["demo_password"]
            for address, mailbox in load_territory(workspace).mailboxes.items()
            if mailbox.kind is not MailboxKind.APP and mailbox.operator in local
        }
    )


@cache
def fictitious_communes() -> Mapping[str, str]:
    """The invented communes, COG code to name (48901 to 48930, codes that INSEE never attributed)."""
    return MappingProxyType(dict(read_yaml("territory/communes.yaml")["communes"]))


def territory_of(actors: Iterable[Actor]) -> Territory:
    """A territory from its actors; of two with the same key the last one stays."""
    found: dict[type[Actor], dict[str, Any]] = {kind: {} for kind in _KINDS.values()}
    for actor in actors:
        found[type(actor)][key_of(actor)] = actor
    return Territory(
        operators=MappingProxyType(found[Operator]),
        structures=MappingProxyType(found[Structure]),
        professionals=MappingProxyType(found[Professional]),
        mailboxes=MappingProxyType(found[Mailbox]),
        patients=MappingProxyType(found[Patient]),
        listings=tuple(found[Listing].values()),
    )


def actors_of(territory: Territory) -> tuple[Actor, ...]:
    """Every actor of a territory, whitelist last."""
    return (
        *territory.operators.values(),
        *territory.structures.values(),
        *territory.professionals.values(),
        *territory.mailboxes.values(),
        *territory.patients.values(),
        *territory.listings,
    )


def with_actors(territory: Territory, actors: Iterable[Actor]) -> Territory:
    """The territory with some actors added or replaced."""
    return territory_of((*actors_of(territory), *actors))


def listings_for(territory: Territory, dns: Mapping[str, Iterable[str]]) -> tuple[Listing, ...]:
    """The whitelist lines of a territory: each domain of each operator with each DN of that operator's certificates.

    `dns` maps an operator's id to DNs in RFC 2253 order (CN first). An operator without a DN is not listed.
    """
    return tuple(
        Listing(domain=domain, dn=dn, operator=operator.id, description=operator.name)
        for operator in territory.operators.values()
        for dn in dns.get(operator.id, ())
        for domain in operator.domains
    )


def with_listings(territory: Territory, dns: Mapping[str, Iterable[str]]) -> Territory:
    """The territory with a whitelist made anew from the operators' certificate DNs."""
    return dataclasses.replace(territory, listings=listings_for(territory, dns))


def kind_of(actor: Actor) -> str:
    """`operator`, `structure`, `professional`, `mailbox`, `patient` or `listing`."""
    return type(actor).__name__.lower()


def key_of(actor: Actor) -> str:
    """The key of an actor within its kind."""
    if isinstance(actor, Listing):
        return f"{actor.domain} {actor.dn}"
    return str(getattr(actor, _KEYS[kind_of(actor)]))


def to_record(actor: Actor) -> dict[str, Any]:
    """An actor as a JSON object: every field, enumerations by value, tuples as lists."""
    return {f.name: _plain(getattr(actor, f.name)) for f in dataclasses.fields(actor)}


def from_record(kind: str, key: str, record: Mapping[str, Any]) -> Actor:
    """An actor from its JSON object. Fields it does not know are left out, absent ones take their default.

    Raises ValueError, naming the actor and the field, when a mandatory field is missing or a code is unknown.
    """
    if kind not in _KINDS:
        raise ValueError(f"{kind} {key}: kind of actor unknown, expected one of {', '.join(_KINDS)}")
    filled = dict(record)
    if kind in _KEYS:
        filled.setdefault(_KEYS[kind], key)
    try:
        actor: Actor = _built(kind, filled)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{kind} {key}: {error}") from error
    return actor


def territory_from_records(records: Iterable[Record]) -> Territory:
    """A territory from stored records; kinds that are not actors (certificates) are passed over."""
    return territory_of(from_record(kind, key, record) for kind, key, record in records if kind in _KINDS)


def records_of(territory: Territory) -> tuple[Record, ...]:
    """The records that would make this territory again."""
    return tuple((kind_of(actor), key_of(actor), to_record(actor)) for actor in actors_of(territory))


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value


def _built(kind: str, row: Mapping[str, Any]) -> Any:
    """One actor of a kind from plain values: lists become tuples, codes their enumeration."""
    values: dict[str, Any] = {"finess": ""} if kind == "structure" else {}
    for field in dataclasses.fields(_KINDS[kind]):
        if field.name not in row:
            continue
        value = row[field.name]
        enum = _ENUMS.get((kind, field.name))
        if enum is not None:
            value = enum(value)
        elif isinstance(value, list):
            value = tuple(value)
        elif isinstance(value, Mapping):
            value = dict(value)  # a plain dict: actors cross process borders by pickle
        values[field.name] = value
    return _KINDS[kind](**values)
