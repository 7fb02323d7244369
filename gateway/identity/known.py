"""Identities that were published for tests, and matricules published with a wrong key.

They are facts gathered from public test bases and samples: a production OID on one of them is no leak of real data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from gateway.tables import read_csv


@dataclass(frozen=True, slots=True)
class PublishedIdentity:
    """One published identity. `matricule` and `oid` are '' when none was published; `former` are its earlier INS."""

    id: str
    corpus: str
    birth_family: str
    birth_given: str
    given_list: str
    sex: str
    birth_date: str  # AAAA-MM-JJ
    birth_place: str
    matricule: str
    oid: str
    former: tuple[str, ...]


@cache
def published_identities() -> tuple[PublishedIdentity, ...]:
    """Every identity of `fixtures/identities/test_identities.csv`, in its order."""
    return tuple(
        PublishedIdentity(
            id=row["id"],
            corpus=row["corpus"],
            birth_family=row["birth_family"],
            birth_given=row["first_given"],
            given_list=row["given_list"],
            sex=row["sex"],
            birth_date=row["birth_date"],
            birth_place=row["birth_place"],
            matricule=row["matricule"],
            oid=row["oid"],
            former=tuple(row["former"].split()),
        )
        for row in read_csv("identities/test_identities.csv")
    )


@cache
def known_ins() -> frozenset[tuple[str, str]]:
    """The pairs (OID, matricule) of the published identities, former INS included."""
    return frozenset(
        (identity.oid, matricule)
        for identity in published_identities()
        for matricule in (identity.matricule, *identity.former)
        if matricule
    )


@cache
def key_exceptions() -> frozenset[str]:
    """Matricules found in official answers and samples with a key that does not verify, by exact value."""
    return frozenset(row["matricule"] for row in read_csv("identities/key_exceptions.csv"))
