"""A population made from a seed: ordinary people, and everyone a gateway could take for somebody else.

Matricules are those of published test identities, or of births in the fictitious communes (COG 48901 to 48930), which
belong to nobody; Corsica comes from the former alone. People born overseas or abroad have no INS here: no published one fits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from gateway.cohort import names
from gateway.cohort.draws import Draws
from gateway.cohort.model import Person
from gateway.directory.identifiers import matricule_key
from gateway.directory.model import Patient
from gateway.identity.cog import cog_tables
from gateway.identity.known import published_identities
from gateway.identity.matricule import has_right_key
from gateway.identity.model import INS_NIA, INS_TEST
from gateway.identity.traits import VITALE_WIDTH, is_clean

STRUCTURE = "ch-brumeval"
_OVERSEAS = ("97105", "97209", "97302", "97411", "97611", "98735", "98818")
_ABROAD = ("99109", "99127", "99134", "99139", "99350", "99351", "99352")
_FIRST_YEAR, _LAST_YEAR = 1921, 2023


@dataclass(slots=True)
class _Registry:
    """The people made so far; orders of birth are given one after another, as a town hall does."""

    draws: Draws
    people: list[Person] = field(default_factory=list)
    births: dict[str, int] = field(default_factory=dict)
    published: tuple[Person, ...] = ()
    shown: int = 0

    def key(self) -> str:
        """The key of the next record."""
        return f"p{len(self.people) + 1:06d}"

    def matricule(self, sex: str, birth_date: str, place: str, month: str = "") -> str:
        """The next matricule of that month and place."""
        stem = f"{1 if sex == 'M' else 2}{birth_date[2:4]}{month or birth_date[5:7]}{place}"
        order = self.births.get(stem, 0) + 1
        self.births[stem] = order
        number = f"{stem}{order:03d}"
        return number + matricule_key(number)

    def add(
        self,
        patient: Patient,
        kind: str,
        *,
        human: str = "",
        linked: tuple[str, ...] = (),
        tells: tuple[str, ...] = (),
        former: tuple[str, str] = ("", ""),
        published: bool = False,
    ) -> Person:
        """One more record, under its key and its number at the hospital; another human unless one is named."""
        key = self.key()
        named = replace(patient, key=key, ipp={STRUCTURE: f"CO{len(self.people) + 1:06d}"})
        if VITALE_WIDTH in map(len, (patient.family, patient.given, patient.given_list)):
            tells = (*tells, "INS-048")  # whole, and of the very length at which others are cut: nobody can tell
        person = Person(named, kind, human or f"h{key[1:]}", linked, tells, former, published)
        self.people.append(person)
        return person


@cache
def population(seed: int, size: int) -> tuple[Person, ...]:
    """`size` records (at least 1). The same seed gives the same people; a larger size begins with the same ones."""
    registry = _Registry(Draws("population", seed), published=_published())
    weighted = [make for make, weight in _KINDS for _ in range(weight)]
    while len(registry.people) < size:
        registry.draws.pick(weighted)(registry)
    kept = registry.people[:size]
    keys = {person.key for person in kept}
    return tuple(replace(p, linked=tuple(k for k in p.linked if k in keys)) for p in kept)


# ------------------------------------------------------------------------------------------------------------- births


def _born(draws: Draws) -> str:
    """A day of the calendar that no completion rule gives (neither 1 January nor 31 December)."""
    return f"{draws.between(_FIRST_YEAR, _LAST_YEAR)}-{draws.between(1, 12):02d}-{draws.between(2, 28):02d}"


def _place(draws: Draws) -> str:
    return draws.pick(sorted(cog_tables().fictional))


def _given(draws: Draws, sex: str) -> tuple[str, ...]:
    pool = names.FEMALE if sex == "F" else names.MALE
    found = [draws.pick(pool)]
    for _ in range(draws.below(3)):
        found.append(draws.pick([name for name in pool if name not in found]))
    return tuple(found)


def _patient(registry: _Registry, **told: str) -> Patient:
    """A qualified patient born in a fictitious commune; `told` fixes some traits."""
    draws = registry.draws
    sex = told.get("sex") or draws.pick("FM")
    given = told.get("given_list", "").split() or _given(draws, sex)
    birth_date = told.get("birth_date") or _born(draws)
    place = told.get("birth_place") or _place(draws)
    return Patient(
        key="",
        family=told.get("family") or draws.pick(names.FAMILIES),
        given=given[0],
        given_list=" ".join(given),
        sex=sex,
        birth_date=birth_date,
        birth_place=place,
        matricule=registry.matricule(sex, birth_date, place, told.get("month", "")),
        oid=INS_TEST,
        used_family=draws.pick(names.FAMILIES) if not told and draws.chance(15) else "",
        source=f"commune fictive {place}",
    )


# -------------------------------------------------------------------------------------------------------------- kinds


def _ordinary(registry: _Registry) -> None:
    registry.add(_patient(registry), "ordinaire")


def _compound(registry: _Registry) -> None:
    draws = registry.draws
    sex = draws.pick("FM")
    first = draws.pick(names.COMPOUND_FEMALE if sex == "F" else names.COMPOUND_MALE)
    double = f"{draws.pick(names.FAMILIES)}{draws.pick(('-', '--', ' '))}{draws.pick(names.FAMILIES)}"
    family = draws.pick((double, draws.pick(names.FAMILIES_IN_WORDS)))
    registry.add(
        _patient(registry, sex=sex, family=family, given_list=" ".join((first, *_given(draws, sex)[1:]))), "nom-composé"
    )


def _apostrophe(registry: _Registry) -> None:
    registry.add(_patient(registry, family=registry.draws.pick(names.FAMILIES_WITH_APOSTROPHE)), "apostrophe")


def _renamed(registry: _Registry) -> None:
    """A name in use that is not the birth name."""
    person = _patient(registry)
    used = registry.draws.pick([name for name in names.FAMILIES if name != person.family])
    registry.add(replace(person, used_family=used), "nom-utilisé")


def _accented(registry: _Registry) -> None:
    """Accents live in the names in use; the strict traits have none."""
    person, draws = _patient(registry), registry.draws
    given = draws.pick(names.USED_FEMALE if person.sex == "F" else names.USED_MALE)
    registry.add(replace(person, used_family=draws.pick(names.USED_FAMILIES), used_given=given), "diacritiques")


def _linked(registry: _Registry, patients: list[Patient], kind: str) -> None:
    added = [registry.add(patient, kind) for patient in patients]
    for number, person in enumerate(added):
        others = tuple(other.key for other in added if other is not person)
        registry.people[len(registry.people) - len(added) + number] = replace(person, linked=others)


def _homonyms(registry: _Registry) -> None:
    """The same name, given names and sex; another birth."""
    one = _patient(registry)
    other = _patient(registry, sex=one.sex, family=one.family, given_list=one.given_list)
    _linked(registry, [replace(p, attributes=("homonyme",)) for p in (one, other)], "homonymes")


def _siblings(registry: _Registry, count: int, kind: str) -> None:
    """The same birth, consecutive orders; each its own given name."""
    one, draws = _patient(registry), registry.draws
    pool = names.FEMALE if one.sex == "F" else names.MALE
    given = [one.given]
    while len(given) < count:
        given.append(draws.pick([name for name in pool if name not in given]))
    rest = one.given_list.split()[1:]
    others = [
        _patient(
            registry,
            sex=one.sex,
            family=one.family,
            birth_date=one.birth_date,
            birth_place=one.birth_place,
            given_list=" ".join((name, *(word for word in rest if word != name))),
        )
        for name in given[1:]
    ]
    _linked(registry, [one, *others], kind)


def _twins(registry: _Registry) -> None:
    _siblings(registry, 2, "jumeaux")


def _quadruplets(registry: _Registry) -> None:
    _siblings(registry, 4, "quadruplés")


def _usurper(registry: _Registry) -> None:
    """Two humans behind the same traits and INS: what the second one gives is true of the first."""
    person = registry.add(_patient(registry), "usurpée")
    registry.add(person.patient, "usurpatrice", linked=(person.key,))
    registry.people[-2] = replace(person, linked=(registry.people[-1].key,))


def _duplicate(registry: _Registry) -> None:
    """One human, two records: the second made in a hurry, without INS, under the name in use."""
    person = registry.add(_patient(registry), "doublon")
    first = person.patient
    hasty = replace(
        first,
        given_list=first.given,
        family=first.used_family or first.family,
        used_family="",
        matricule="",
        oid="",
        status="PROV",
    )
    registry.add(hasty, "doublon", human=person.human, linked=(person.key,))
    registry.people[-2] = replace(person, linked=(registry.people[-1].key,))


def _collision(registry: _Registry) -> None:
    """Two humans, one INS: the second record took it from the first, a homonym born the same month in the same place."""
    one = _patient(registry)
    day = int(one.birth_date[8:]) % 27 + 2
    other = replace(one, birth_date=f"{one.birth_date[:8]}{day:02d}")
    _linked(registry, [one, other], "collision")


def _lunar(registry: _Registry) -> None:
    draws = registry.draws
    date = f"{draws.between(_FIRST_YEAR, 1990)}-{draws.between(1, 12):02d}-{draws.between(32, 35)}"
    registry.add(_patient(registry, birth_date=date), "date-lunaire", tells=("INS-055",))


def _incomplete(registry: _Registry) -> None:
    """Only the year is known: completed by rule to 31 December, while the matricule keeps an unknown month."""
    draws = registry.draws
    date = f"{draws.between(_FIRST_YEAR, 1990)}-12-31"
    month = str(draws.between(20, 42))
    registry.add(_patient(registry, birth_date=date, month=month), "date-incomplète", tells=("INS-056",))


def _civil_status(registry: _Registry) -> None:
    """The sex was changed in civil status, the matricule not yet."""
    person = _patient(registry)
    registry.add(replace(person, sex="F" if person.sex == "M" else "M"), "sexe-rectifié", tells=("INS-060",))


def _merged_commune(registry: _Registry) -> None:
    """The commune of birth was merged: the matricule keeps its former code, the traits have the new one."""
    person = _patient(registry)
    place = registry.draws.pick([p for p in sorted(cog_tables().fictional) if p != person.birth_place])
    registry.add(replace(person, birth_place=place), "commune-historique", tells=("INS-065",))


def _successor(registry: _Registry) -> None:
    """A NIA was replaced by a NIR."""
    patient = _patient(registry)
    nia = registry.matricule(patient.sex, patient.birth_date, patient.birth_place)
    registry.add(patient, "NIA-puis-NIR", former=(nia, INS_NIA))


def _without_ins(registry: _Registry, kind: str, place: str, status: str) -> None:
    patient = replace(_patient(registry), birth_place=place, matricule="", oid="", status=status, source="sans INS")
    registry.add(patient, kind)


def _provisional(registry: _Registry) -> None:
    _without_ins(registry, "provisoire", _place(registry.draws), "PROV")


def _overseas(registry: _Registry) -> None:
    _without_ins(registry, "outre-mer", registry.draws.pick(_OVERSEAS), "VALI")


def _abroad(registry: _Registry) -> None:
    _without_ins(registry, "étranger", registry.draws.pick(_ABROAD), "VALI")


def _known(registry: _Registry) -> None:
    """A published test identity, Corsica and the NIA first; each once, then ordinary people."""
    if registry.shown >= len(registry.published):
        _ordinary(registry)
        return
    person = registry.published[registry.shown]
    registry.shown += 1
    registry.add(person.patient, person.kind, tells=person.tells, published=True)


_KINDS: tuple[tuple[Callable[[_Registry], None], int], ...] = (
    (_ordinary, 540),
    (_compound, 70),
    (_apostrophe, 40),
    (_renamed, 60),
    (_accented, 50),
    (_homonyms, 30),
    (_twins, 30),
    (_quadruplets, 8),
    (_usurper, 8),
    (_duplicate, 15),
    (_collision, 8),
    (_lunar, 10),
    (_incomplete, 15),
    (_civil_status, 10),
    (_merged_commune, 10),
    (_successor, 20),
    (_provisional, 16),
    (_overseas, 15),
    (_abroad, 15),
    (_known, 30),
)


# ---------------------------------------------------------------------------------------------------------- published


@cache
def _published() -> tuple[Person, ...]:
    """The published identities that are coherent, each matricule once. A place left out is the one the matricule tells."""
    found: dict[str, Person] = {}
    for told in published_identities():
        place = told.birth_place or told.matricule[5:10]
        parts = (told.birth_family, told.birth_given, told.given_list)
        if not has_right_key(told.matricule) or told.matricule in found or not all(map(is_clean, parts)):
            continue
        said = ("1" if told.sex == "M" else "2") + told.birth_date[2:4] + told.birth_date[5:7] + place
        if said != told.matricule[:10] or place.startswith("99"):
            continue
        kind = "Corse" if place[:2] in ("2A", "2B") else "NIA" if told.oid == INS_NIA else "publiée"
        patient = Patient(
            key="",
            family=told.birth_family,
            given=told.birth_given,
            given_list=told.given_list,
            sex=told.sex,
            birth_date=told.birth_date,
            birth_place=place,
            matricule=told.matricule,
            oid=told.oid,
            source=f"{told.id} ({told.corpus})",
        )
        tells = ("INS-056",) if told.birth_date[5:] in ("12-31", "01-01") else ()
        found[told.matricule] = Person(patient, kind, "", tells=tells, published=True)
    rank = {"Corse": 0, "NIA": 1, "publiée": 2}
    return tuple(sorted(found.values(), key=lambda person: rank[person.kind]))


def allowed_matricule(matricule: str, oid: str) -> bool:
    """Whether a matricule may stand in a cohort: published, or a birth in a fictitious commune."""
    if any(p.matricule == matricule and p.oid == oid for p in published_identities()):
        return True
    return oid in (INS_TEST, INS_NIA) and matricule[5:10] in cog_tables().fictional
