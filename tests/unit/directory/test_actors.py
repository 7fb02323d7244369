"""Actors that a user brings: what can be guessed is filled in, what is wrong is explained in both languages."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.directory.actors import ActorsRead, read_actor, read_actors
from gateway.directory.identifiers import finess_ok, reserved
from gateway.directory.model import Mailbox, Operator, Patient, Structure
from gateway.directory.territory import load_territory
from gateway.rules.model import Severity

TERRITORY = load_territory()


def _only(read: ActorsRead, kind: type) -> object:
    (found,) = [a for a in read.actors if isinstance(a, kind)]
    return found


def test_a_structure_needs_little_more_than_a_name_and_a_category() -> None:
    read = read_actor("structure", ["nom=EHPAD Mon Essai", "catégorie=EHPAD", "finess=auto"], TERRITORY)
    structure = _only(read, Structure)
    assert isinstance(structure, Structure)
    assert (structure.key, structure.facility_type, structure.routing_class) == ("ehpad-mon-essai", "SA17", "MS")
    assert finess_ok(structure.finess)
    assert reserved("FINESS", structure.finess)
    assert not read.faults


def test_two_automatic_numbers_of_one_file_differ() -> None:
    text = "structures:\n- {name: A, category: EHPAD, finess: auto}\n- {name: B, category: EHPAD, finess: auto}\n"
    read = read_actors(text, "mes-acteurs.yaml", TERRITORY)
    assert len({s.finess for s in read.actors if isinstance(s, Structure)}) == 2


def test_a_structure_with_a_domain_makes_an_operator_serve_it() -> None:
    domain = "mon-ehpad.val-de-brume.mssante.fr"
    read = read_actor("structure", ["nom=Mon EHPAD", "categorie=EHPAD", "finess=auto", f"domaine={domain}"], TERRITORY)
    operator = _only(read, Operator)
    assert isinstance(operator, Operator)
    assert operator.id == "op-brume"
    assert domain in operator.domains


def test_a_mailbox_on_a_domain_outside_the_whitelist_is_refused_with_its_cure() -> None:
    read = read_actor("bal", ["adresse=soins@ailleurs.mssante.fr", "titulaire=ch-brumeval"], TERRITORY)
    assert read.blocked
    assert not read.actors
    (fault,) = read.faults
    assert "ailleurs.mssante.fr" in fault.message.fr
    assert "operator=op-brume" in fault.cure.fr
    assert "whitelist" in fault.line("en")


def test_a_mailbox_takes_the_operator_of_its_domain_and_its_password_stays_apart() -> None:
    words = ["adresse=Accueil@CH-Brumeval.val-de-brume.mssante.fr", "titulaire=ch-brumeval", "mot_de_passe=secret"]
    read = read_actor("bal", words, TERRITORY)
    mailbox = _only(read, Mailbox)
    assert isinstance(mailbox, Mailbox)
    assert mailbox.operator == "op-plateau"
    assert mailbox.secret == ""
    assert read.passwords == {"accueil@ch-brumeval.val-de-brume.mssante.fr": "secret"}


def test_a_mailbox_may_belong_to_a_structure_of_the_same_file() -> None:
    text = """
structures:
  - {nom: EHPAD Neuf, categorie: EHPAD, finess: auto, domaine: ehpad-neuf.val-de-brume.mssante.fr}
bal:
  - {adresse: soins@ehpad-neuf.val-de-brume.mssante.fr, titulaire: ehpad-neuf}
patients:
  - {nom: DURAND, prénom: PAUL, sexe: M, date_naissance: '1950-01-02', matricule: auto}
"""
    read = read_actors(text, "acteurs.yml", TERRITORY)
    assert not read.faults
    assert {type(a) for a in read.actors} == {Operator, Structure, Mailbox, Patient}


def test_an_automatic_matricule_belongs_to_nobody_and_has_the_test_oid() -> None:
    words = ["nom=DURAND", "prenom=PAULE", "sexe=F", "date_naissance=1950-01-02", "matricule=auto"]
    patient = _only(read_actor("patient", words, TERRITORY), Patient)
    assert isinstance(patient, Patient)
    assert patient.matricule.startswith("2500148901")
    assert patient.oid.endswith(".10")
    assert patient.matricule not in {p.matricule for p in TERRITORY.patients.values()}


def test_csv_takes_both_separators_and_tells_the_line() -> None:
    text = "type_acteur;nom;categorie;finess\nstructure;EHPAD A;EHPAD;auto\nstructure;EHPAD B;EHPAD;480990018\n"
    read = read_actors(text, "acteurs.csv", TERRITORY)
    assert [a.name for a in read.actors if isinstance(a, Structure)] == ["EHPAD A"]
    (fault,) = read.faults
    assert fault.place == "l. 3"
    assert "480990019" in fault.cure.fr
    comma = "kind,address,bal_kind,holder\nbal,x@mdph.val-de-brume.mssante.fr,APP,mdph\n"
    mailbox = _only(read_actors(comma, "b.csv", TERRITORY), Mailbox)
    assert isinstance(mailbox, Mailbox)
    assert mailbox.kind == "APP"


@pytest.mark.parametrize(
    ("kind", "words", "field"),
    [
        ("structure", ["nom=X", "categorie=EHPAD"], "finess"),
        ("structure", ["nom=X", "categorie=EHPAD", "finess=480990018"], "finess"),
        ("structure", ["nom=X", "categorie=EHPAD", "finess=auto", "secteur=SA99"], "facility_type"),
        ("structure", ["nom=X", "categorie=EHPAD", "finess=auto", "siege=rien"], "siege"),
        ("professional", ["nom=X", "prenom=Y", "rpps=10102727017"], "rpps"),
        ("professional", ["nom=X", "prenom=Y", "rpps=auto", "structures=rien"], "structures"),
        ("operator", ["nom=X", "domaines=siao.val-de-brume.mssante.fr"], "domains"),
        ("operator", ["nom=X", "domaines=pas_un_domaine"], "domains"),
        ("operator", ["nom=X", "domaines=x.mssante.fr", "listener=0"], "listener"),
        ("operator", ["nom=X", "domaines=x.mssante.fr", "listener=99"], "listener"),
        ("operator", ["nom=X", "domaines=x.mssante.fr", "structure_id=1480990018"], "structure_id"),
        ("bal", ["adresse=sans-arobase", "titulaire=mdph"], "address"),
        ("bal", ["adresse=x@mdph.val-de-brume.mssante.fr", "titulaire=rien"], "holder"),
        ("bal", ["adresse=x@mdph.val-de-brume.mssante.fr", "titulaire=mdph", "operateur=op-cristal"], "operator"),
        ("bal", ["adresse=x@patient.mssante.fr", "type=PATIENT", "titulaire=delmas-suzanne"], "address"),
        ("patient", ["nom=X", "prenom=Y", "sexe=M", "date_naissance=02/01/1950"], "birth_date"),
        ("patient", ["nom=X", "prenom=Y", "sexe=Z", "date_naissance=1950-01-02"], "sex"),
        (
            "patient",
            ["nom=X", "prenom=Y", "sexe=M", "date_naissance=1950-01-02", "lieu_naissance=Paris"],
            "birth_place",
        ),
        ("patient", ["nom=X", "prenom=Y", "sexe=M", "date_naissance=1950-01-02", "statut=QUAL"], "matricule"),
        ("patient", ["nom=X", "prenom=Y", "sexe=M", "date_naissance=1950-01-02", "statut=SUR"], "status"),
    ],
)
def test_each_fault_names_its_field_and_a_cure(kind: str, words: list[str], field: str) -> None:
    read = read_actor(kind, words, TERRITORY)
    blocking = [f for f in read.faults if f.severity is Severity.BLOCKING]
    assert field in {f.field for f in blocking}
    assert all(f.message.fr and f.message.en and f.cure.fr and f.cure.en for f in read.faults)


def test_a_real_identity_is_kept_out_of_the_sandbox() -> None:
    words = ["nom=X", "prenom=Y", "sexe=M", "date_naissance=1950-01-02", "matricule=150017512345675"]
    read = read_actor("patient", [*words, "oid=1.2.250.1.213.1.4.8"], TERRITORY)
    assert "oid" in {f.field for f in read.faults}
    assert not read.actors
    warned = read_actor("patient", words, TERRITORY)
    assert [f.severity for f in warned.faults] == [Severity.WARNING]
    assert warned.actors
    assert all("150017512345675" not in f.line("fr") for f in warned.faults)


def test_a_doubtful_identity_may_not_bear_a_matricule() -> None:
    words = ["nom=X", "prenom=Y", "sexe=M", "date_naissance=1950-01-02", "matricule=auto", "attributs=douteuse"]
    assert "attributes" in {f.field for f in read_actor("patient", words, TERRITORY).faults}


@pytest.mark.parametrize(
    ("text", "name"),
    [("", "a.csv"), ("", "a.yaml"), ("[1, 2", "a.yaml"), ("- x\n- y\n", "a.yaml"), ("structures: rien\n", "a.yaml")],
)
def test_an_unreadable_file_is_a_fault_and_never_an_exception(text: str, name: str) -> None:
    read = read_actors(text, name, TERRITORY)
    assert read.blocked
    assert not read.actors


@pytest.mark.parametrize("words", [["mot-sans-egal"], ["nom="], []])
def test_half_written_commands_are_explained(words: list[str]) -> None:
    assert read_actor("structure", words, TERRITORY).blocked
    assert read_actor("licorne", words, TERRITORY).blocked


_NAMES = st.sampled_from(
    [
        "nom",
        "key",
        "categorie",
        "finess",
        "siret",
        "domaine",
        "operateur",
        "adresse",
        "type",
        "titulaire",
        "membres",
        "domaines",
        "listener",
        "sexe",
        "date_naissance",
        "lieu_naissance",
        "matricule",
        "statut",
        "attributs",
        "ipp",
        "rpps",
        "structures",
        "etat",
        "liste_rouge",
        "structure_id",
        "prenom",
        "prenoms",
        "oid",
        "",
        "inconnu",
    ]
)
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=12),
    st.dates(),
    st.sampled_from(
        ["auto", "op-brume", "mdph", "EHPAD", "x@mdph.val-de-brume.mssante.fr", "M", "1950-01-02", "48901"]
    ),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)
_KINDS = st.sampled_from(["structures", "bal", "operators", "patients", "professionals", "licornes"])


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_KINDS, st.lists(st.dictionaries(_NAMES, _VALUES, max_size=8), max_size=2), max_size=3))
def test_whatever_a_file_holds_gives_actors_or_faults_and_never_an_exception(document: dict[str, object]) -> None:
    read = read_actors(yaml.safe_dump(document, allow_unicode=True), "acteurs.yaml", TERRITORY)
    assert all(f.line("fr") and f.line("en") for f in read.faults)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_whatever_a_csv_holds_gives_actors_or_faults_and_never_an_exception(text: str) -> None:
    read_actors("kind;nom;adresse\n" + text, "acteurs.csv", TERRITORY)
    read_actors(text, "acteurs.csv", TERRITORY)
    read_actors(text, "acteurs.yaml", TERRITORY)
