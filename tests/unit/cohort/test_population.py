"""The population of a cohort: the same from the same seed, made of people who belong to nobody, each with its truth."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from hashlib import sha256

import pytest

from gateway.cohort.draws import Draws
from gateway.cohort.model import Form, Person
from gateway.cohort.population import allowed_matricule, population
from gateway.cohort.truth import COLUMNS, as_csv, as_json, row_of
from gateway.directory.identifiers import matricule_key
from gateway.identity.known import published_identities
from gateway.identity.matricule import has_right_key
from gateway.identity.traits import is_clean
from gateway.rules.spotting import quoted
from tests.support.reference import ROOT

SEED, SIZE = 11, 1500

_DIGEST = """
from hashlib import sha256
from gateway.cohort.population import population
from gateway.cohort.truth import as_csv, as_json, messages
found = sha256()
found.update(as_csv(population(5, 60)).encode())
found.update(as_json(population(5, 60), 5).encode())
for message in messages(5, 60, 40):
    found.update(message.filename.encode() + message.octets)
print(found.hexdigest())
"""


@pytest.fixture(scope="module")
def people() -> tuple[Person, ...]:
    return population(SEED, SIZE)


def _of(people: tuple[Person, ...], kind: str) -> list[Person]:
    return [person for person in people if person.kind == kind]


def test_two_processes_of_different_hash_seeds_write_the_same_octets() -> None:
    digests = set()
    for hash_seed in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", _DIGEST], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == sha256().digest_size * 2


def test_another_seed_gives_other_people() -> None:
    assert as_csv(population(1, 50)) != as_csv(population(2, 50))


def test_choices_follow_from_the_label_and_their_order() -> None:
    one, same, other = Draws("a", 1), Draws("a", 1), Draws("a", 2)
    drawn = [one.below(1000) for _ in range(50)]
    assert drawn == [same.below(1000) for _ in range(50)]
    assert drawn != [other.below(1000) for _ in range(50)]
    assert {Draws("b", n).below(6) for n in range(200)} == set(range(6))
    assert {Draws("c", n).between(3, 5) for n in range(100)} == {3, 4, 5}


def test_every_matricule_is_published_or_of_a_birth_in_a_fictitious_commune(people: tuple[Person, ...]) -> None:
    borne = [(p.patient.matricule, p.patient.oid) for p in people if p.patient.matricule]
    borne += [p.former for p in people if p.former[0]]
    assert len(borne) > SIZE * 0.9
    assert [one for one in borne if not allowed_matricule(*one)] == []
    assert all(has_right_key(matricule) for matricule, _ in borne)


def test_no_other_matricule_stands_in_the_files_of_a_population(people: tuple[Person, ...]) -> None:
    known = {p.patient.matricule for p in people} | {p.former[0] for p in people}
    assert {one.value for one in quoted(as_csv(people))} <= known


def test_a_matricule_of_anywhere_else_is_not_allowed() -> None:
    beyond = "2550848931001"  # one commune after the last fictitious one
    assert not allowed_matricule(beyond + matricule_key(beyond), "1.2.250.1.213.1.4.10")
    published = next(p for p in published_identities() if p.oid == "1.2.250.1.213.1.4.8" and p.matricule)
    assert allowed_matricule(published.matricule, published.oid)
    assert not allowed_matricule(published.matricule, "1.2.250.1.213.1.4.9")


def test_two_records_share_an_ins_only_where_the_truth_says_so(people: tuple[Person, ...]) -> None:
    count = Counter(p.patient.matricule for p in people if p.patient.matricule)
    shared = {p.kind for p in people if count.get(p.patient.matricule, 0) > 1}
    assert shared == {"usurpée", "usurpatrice", "collision"}


def test_strict_traits_obey_the_lexical_rules_and_accents_live_in_the_names_in_use(people: tuple[Person, ...]) -> None:
    for person in people:
        patient = person.patient
        family = patient.family.replace("--", "-")  # the double hyphen of old double names
        assert is_clean(family), patient.family
        assert is_clean(patient.given)
        assert is_clean(patient.given_list)
        assert patient.given_list.split()[0] == patient.given
    accented = _of(people, "diacritiques")
    assert accented
    assert all(not (p.patient.used_family + p.patient.used_given).isascii() for p in accented)


def test_every_special_kind_is_there(people: tuple[Person, ...]) -> None:
    wanted = {
        "ordinaire", "nom-composé", "apostrophe", "nom-utilisé", "diacritiques", "homonymes", "jumeaux", "quadruplés", "usurpée",
        "usurpatrice", "doublon", "collision", "date-lunaire", "date-incomplète", "sexe-rectifié", "commune-historique",
        "NIA-puis-NIR", "provisoire", "outre-mer", "étranger", "Corse", "NIA", "publiée",
    }  # fmt: skip
    assert {person.kind for person in people} == wanted


def test_quadruplets_share_a_birth_and_have_consecutive_orders(people: tuple[Person, ...]) -> None:
    four = next(p for p in _of(people, "quadruplés") if len(p.linked) == 3)
    group = [p for p in people if p.key == four.key or p.key in four.linked]
    assert len({(p.patient.family, p.patient.birth_date, p.patient.birth_place, p.patient.sex) for p in group}) == 1
    assert len({p.patient.given for p in group}) == 4
    orders = sorted(int(p.patient.matricule[10:13]) for p in group)
    assert orders == list(range(orders[0], orders[0] + 4))


def test_a_duplicate_is_one_human_and_a_usurpation_two(people: tuple[Person, ...]) -> None:
    by_key = {p.key: p for p in people}
    pairs = [(p, by_key[p.linked[0]]) for p in _of(people, "doublon") if p.linked]
    assert pairs
    assert all(one.human == other.human for one, other in pairs)
    stolen = [(p, by_key[p.linked[0]]) for p in _of(people, "usurpatrice") if p.linked]
    assert stolen
    assert all(one.human != other.human and one.patient.matricule == other.patient.matricule for one, other in stolen)


def test_corsica_comes_from_published_identities_and_overseas_and_abroad_have_no_ins(
    people: tuple[Person, ...],
) -> None:
    corsican = [p for p in people if p.patient.birth_place[:2] in ("2A", "2B")]
    assert corsican
    assert all(p.published for p in corsican)
    away = [p for p in people if p.patient.birth_place[:2] in ("97", "98", "99")]
    assert {p.kind for p in away} == {"outre-mer", "étranger"}
    assert not any(p.patient.matricule for p in away)


def test_a_date_that_no_calendar_knows_does_not_travel_in_fhir(people: tuple[Person, ...]) -> None:
    assert all(Form.FHIR not in p.forms for p in _of(people, "date-lunaire"))


def test_the_truth_is_written_with_every_column(people: tuple[Person, ...]) -> None:
    lines = as_csv(people[:30]).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 31
    assert tuple(row_of(people[0])) == COLUMNS
    assert '"seed": 11' in as_json(people[:3], SEED)


def test_a_larger_population_begins_with_the_same_people() -> None:
    small, large = population(3, 40), population(3, 80)
    assert [p.patient for p in small] == [p.patient for p in large[:40]]
