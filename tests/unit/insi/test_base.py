"""The national base of a workspace, and what it answers to each published case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.directory.territory import load_territory
from gateway.identity.matricule import has_right_key
from gateway.insi.answering import Reply, ask
from gateway.insi.base import cards, read_card
from gateway.insi.faults import TraitChange
from gateway.insi.model import CardData, Code, Ins, Matricule, Operation, Traits, Verification
from tests.support.insi_cases import GOOD, INS, base

EDITOR = "insi-editor-base"
ADRUN = Traits("ADRUN", ("ZOE",), "F", "1975-12-31")
LEONARDO = Traits("DE VINCI", ("LEONARDO",), "M", "2014-02-01")


def search(traits: Traits, environment: str = EDITOR) -> Reply:
    return ask(base(environment), Operation.TRAITS, traits)


def code(reply: Reply) -> str:
    return reply.answer.code.value if reply.answer is not None else reply.technical


@pytest.mark.parametrize(
    ("traits", "matricule", "oid"),
    [
        (ADRUN, "275126322074974", "8"),
        (Traits("ECETINSI", ("PIERRE-ALAIN",), "M", "2009-07-14"), "109076322083489", "8"),
        (Traits("NESSI", ("RUTH",), "F", "1977-07-14"), "277076322082910", "8"),
        (Traits("NESSI", ("MICHELANGELO",), "M", "2010-08-07"), "110086322083060", "8"),
        (Traits("ADRTROIS", ("DOMINIQUE",), "F", "1997-02-26"), "297022A02077878", "8"),
        (Traits("CORSE", ("ANTHONY",), "M", "1980-03-02"), "180032B02040123", "8"),
        (Traits("PROVISOIRE", ("MATRICULE",), "M", "2009-07-01"), "109076322088835", "9"),
        (Traits("HERMANN", ("GATIEN",), "M", "1981-03-24"), "181036322045660", "8"),
        (Traits("PATB-QUATRE", ("LAURENCE",), "F", "1907-05-25"), "207058575627097", "8"),
    ],
)
def test_the_editor_base_answers_as_recorded(traits: Traits, matricule: str, oid: str) -> None:
    reply = search(traits)
    assert reply.answer is not None
    assert reply.answer.code is Code.FOUND
    told = reply.answer.individual
    assert told is not None
    assert told.active.matricule.whole == matricule
    assert told.active.oid == f"1.2.250.1.213.1.4.{oid}"
    assert told.active.matricule.type_code == ("NIA" if oid == "9" else "NIR")


def test_the_same_matricule_is_answered_under_the_test_oid_by_default() -> None:
    for environment, oid in (("test", "10"), (EDITOR, "8"), ("production", "8")):
        reply = search(ADRUN, environment)
        assert reply.answer is not None
        assert reply.answer.individual is not None
        assert reply.answer.individual.active.oid.endswith(f".{oid}")


def test_a_nia_and_a_demonstration_ins_keep_their_oid() -> None:
    found = {p.key: p.individual.active.oid for p in base().people.values()}
    assert found["provisoire-matricule"].endswith(".9")
    assert found["desmaux-nathalie"].endswith(".11")
    assert {oid.rpartition(".")[2] for oid in found.values()} == {"9", "10", "11"}


def test_the_history_comes_as_recorded_reversed_dates_included() -> None:
    reply = search(Traits("ECETINSI", ("PIERRE-ALAIN",), "M", "2009-07-14"))
    assert reply.answer is not None
    assert reply.answer.individual is not None
    history = reply.answer.individual.history
    assert [i.matricule.whole for i in history] == ["209076322083439", "209066322012355"]
    assert (history[0].since, history[0].until) == ("2019-03-01", "2019-02-28")
    corsican = search(Traits("CORSE", ("ANTHONY",), "M", "1980-03-02")).answer
    assert corsican is not None
    assert corsican.individual is not None
    assert corsican.individual.history[0].matricule == corsican.individual.active.matricule


def test_a_list_may_be_answered_by_prenom_alone() -> None:
    reply = search(Traits("D'ARTAGNAN DE L'HERAULT", ("PIERRE-ALAIN",), "M", "2001-06-17"))
    assert reply.answer is not None
    told = reply.answer.individual
    assert told is not None
    assert (told.given, told.given_list, told.given_names) == ("PIERRE-ALAIN", "", "PIERRE-ALAIN")


def test_a_namesake_needs_the_birthplace() -> None:
    assert code(search(LEONARDO)) == "02"
    assert code(search(replace(LEONARDO, birth_place="63220"))) == "00"
    assert code(search(replace(LEONARDO, birth_place="75056"), "test")) == "01"


@pytest.mark.parametrize("environment", ["test", EDITOR, "production"])
@pytest.mark.parametrize("given", ["PIERRE", "PAUL", "JACQUES", "PIERRE PAUL JACQUES"])
def test_houilles_is_unknown_everywhere(environment: str, given: str) -> None:
    assert code(search(Traits("HOUILLES", (given,), "M", "1993-01-27"), environment)) == "01"


def test_nobody_found_is_a_fault_in_the_editor_base_and_cr_01_elsewhere() -> None:
    stranger = Traits("PERSONNE", ("AUCUN",), "M", "1950-01-01")
    assert code(search(stranger)) == "insi_102"
    assert code(search(stranger, "test")) == "01"
    assert code(search(stranger, "production")) == "01"
    card = CardData(own=Matricule("1500148901999"), birth_date="1950-01-01")
    assert code(ask(base(EDITOR), Operation.CARD, card)) == "insi_101"
    assert code(ask(base(), Operation.CARD, card)) == "01"


@pytest.mark.parametrize("given", [("SUZANNE",), ("LOUISE",), ("SUZANNE MARIE",), ("SUZANNE", "MARIE", "LOUISE")])
def test_a_given_name_of_the_list_its_head_or_the_whole_finds(given: tuple[str, ...]) -> None:
    assert code(search(replace(GOOD, given=given), "test")) == "00"


@pytest.mark.parametrize("given", [(), ("MARIE LOUISE",), ("SUZAN",), ("SUZANNE LOUISE",)])
def test_other_given_names_find_nobody(given: tuple[str, ...]) -> None:
    assert code(search(replace(GOOD, given=given), "test")) == "01"


def test_sex_date_and_place_must_be_exact() -> None:
    for wrong in ({"sex": "M"}, {"birth_date": "1939-03-09"}, {"birth_place": "48902"}, {"family": "DELMA"}):
        assert code(search(replace(GOOD, **wrong), "test")) == "01"


def test_twins_are_told_apart_by_their_given_name() -> None:
    twin = Traits("INSFAMILLEQUATRE", ("JUMEAUUN",), "M", "1999-01-15")
    one = search(twin, "test").answer
    other = search(replace(twin, given=("JUMEAUDEUX",)), "test").answer
    assert one is not None
    assert other is not None
    assert one.individual is not None
    assert other.individual is not None
    assert one.individual.active != other.individual.active


def test_patients_without_an_ins_are_not_in_the_base_and_the_doubtful_are_known_as_such() -> None:
    made = base()
    assert not {"benali-amina", "formation-zoe", "inconnu-x"} & set(made.people)
    assert made.mark_of(Traits("FORMATION", ("ZOE",), "F", "1990-01-01")) == "fictive"
    assert made.mark_of(Traits("INCONNU", ("ALEX",), "M", "1970-12-31")) == "douteuse"
    assert made.mark_of(GOOD) == ""


def test_one_matricule_is_one_person_and_matricules_we_made_are_nobodys() -> None:
    made = base()
    numbers = [p.individual.active.matricule.number for p in made.people.values()]
    assert len(numbers) == len(set(numbers)) == len(made.by_matricule)
    for key in ("INSI-DARTAGNAN", "INSI-DEVINCI-L", "INSI-DEVINCI-L-2"):
        whole = made.people[key].individual.active.matricule.whole
        assert has_right_key(whole)
        assert 48901 <= int(whole[5:10]) <= 48930


def test_a_changed_trait_is_answered_and_a_changed_matricule_goes_to_the_history() -> None:
    changed = base(
        "test",
        TraitChange("delmas-suzanne", "family", "DELMAS-ROUX"),
        TraitChange("delmas-suzanne", "matricule", "239034890102250"),
    )
    told = changed.people["delmas-suzanne"].individual
    assert told.family == "DELMAS-ROUX"
    assert told.active.matricule.whole == "239034890102250"
    assert [i.matricule.whole for i in told.history] == ["239034890101755"]
    assert code(ask(changed, Operation.TRAITS, GOOD)) == "01"
    assert code(ask(changed, Operation.TRAITS, replace(GOOD, family="DELMAS-ROUX"))) == "00"


# ------------------------------------------------------------------------------------------------------------------- cards


def test_each_simulated_card_finds_its_person() -> None:
    made = base()
    for card in cards():
        told = read_card(card.number, made)
        assert told is not None, card
        answer = ask(made, Operation.CARD, told).answer
        assert answer is not None
        assert answer.code is Code.FOUND, card
        assert answer.individual is not None
        assert answer.individual.active == made.people[card.person].individual.active
    assert read_card("CV-INCONNUE", made) is None


def test_a_childs_card_tells_the_parents_matricule_and_not_the_childs() -> None:
    told = read_card("CV-SIMULEE-0003", base())
    assert told is not None
    assert told.own is None
    assert told.holder is not None
    assert told.holder.whole == "185064890701252"


@pytest.mark.parametrize("change", [{"birth_date": "1939-03-09"}, {"family": "DURAND"}])
def test_a_card_that_contradicts_the_base_finds_nobody(change: dict[str, str]) -> None:
    told = read_card("CV-SIMULEE-0001", base())
    assert told is not None
    assert code(ask(base(), Operation.CARD, replace(told, **change))) == "01"


def test_a_card_with_a_wrong_key_finds_nobody() -> None:
    card = CardData(own=Matricule("2390348901017", "56"), birth_date="1939-03-08")
    assert code(ask(base(), Operation.CARD, card)) == "01"


# ------------------------------------------------------------------------------------------------------------ verification


def verify(traits: Traits, ins: Ins = INS, environment: str = "test") -> str:
    return code(ask(base(environment), Operation.VERIFY, Verification(ins, traits)))


WHOLE = replace(GOOD, given=("SUZANNE MARIE LOUISE",), given_list="SUZANNE MARIE LOUISE")


def test_ins_and_traits_that_agree_are_cr_00_without_traits() -> None:
    reply = ask(base(), Operation.VERIFY, Verification(INS, WHOLE))
    assert reply.answer is not None
    assert (reply.answer.code, reply.answer.individual) == (Code.FOUND, None)
    assert verify(GOOD) == "00"


@pytest.mark.parametrize(
    "change",
    [
        {"family": "Delmas"},
        {"given": ("MARIE",)},
        {"given_list": "SUZANNE MARIE"},
        {"sex": "M"},
        {"birth_date": "1939-03-09"},
        {"birth_place": "48902"},
    ],
)
def test_one_trait_that_differs_is_cr_01(change: dict[str, str]) -> None:
    assert verify(replace(WHOLE, **change)) == "01"  # type: ignore[arg-type]


def test_the_key_and_the_oid_are_verified_too() -> None:
    assert verify(WHOLE, replace(INS, matricule=Matricule("2390348901017", "56"))) == "01"
    assert verify(WHOLE, replace(INS, oid="1.2.250.1.213.1.4.8")) == "01"
    assert verify(WHOLE, replace(INS, oid="1.2.250.1.213.1.4.8"), EDITOR) == "00"
    assert verify(WHOLE, replace(INS, matricule=Matricule("2390348901999", "55"))) == "01"


def test_a_verification_never_faults_for_nobody() -> None:
    assert verify(WHOLE, replace(INS, matricule=Matricule("2390348901999", "55")), EDITOR) == "01"


def test_a_former_ins_no_longer_agrees() -> None:
    former = Ins(Matricule("2090763220834", "39"), "1.2.250.1.213.1.4.8")
    traits = Traits("ECETINSI", ("PIERRE-ALAIN MURIEL FLORIANT",), "M", "2009-07-14", "63220")
    assert verify(traits, former, EDITOR) == "01"


def test_the_base_is_of_its_territory() -> None:
    assert set(base().people) >= {p.key for p in load_territory().patients.values() if p.matricule}
