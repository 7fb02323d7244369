"""Each INSi rule kept and broken, and nobody given away."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.insi.assertion import Claims
from gateway.insi.case import Case
from gateway.insi.model import Answer, Caller, CardData, Code, Individual, Ins, Matricule, Operation, Traits
from gateway.insi.opening import OpenedCall
from gateway.insi.rules import ANSWER_RULES, REQUEST_RULES, name_is_admitted
from gateway.insi.rules_access import ACCESS_RULES, PEER_RULES
from gateway.soap.assertion import SealFault, SealReport
from gateway.soap.certificates import ChainFault, Peer
from tests.support.insi_cases import CALLER, CARD, GOOD, INS, NOW, card, case, holder, ids, judged, verification

TOLD = Individual(INS, "DELMAS", "SUZANNE MARIE LOUISE", "F", "1939-03-08", "48901")


def answered(code: Code = Code.FOUND, told: Individual | None = TOLD, traits: Traits = GOOD) -> Case:
    return case(traits, answer=Answer(code, told if code is Code.FOUND else None))


def with_assertion(fault: SealFault = SealFault.NONE, claims: Claims | None = None, **changes: object) -> Case:
    good = Claims("_a", "899700000001", "CPS", f"{NOW - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}")
    seal = SealReport(fault, certificates=(b"der",))
    call = OpenedCall(operation=Operation.TRAITS, query=GOOD, caller=CALLER, seal=seal, claims=claims or good)
    return case(call=call, peer=Peer(True, holder("ehpad-les-tilleuls")), **changes)


def caller(**changes: object) -> Case:
    call = OpenedCall(operation=Operation.TRAITS, query=GOOD, caller=replace(CALLER, **changes))  # type: ignore[arg-type]
    return case(call=call)


ISSUED_LATE = Claims("_a", "899700000001", "CPS", f"{NOW - timedelta(minutes=40):%Y-%m-%dT%H:%M:%SZ}")
LONG_LIVED = replace(ISSUED_LATE, not_on_or_after=f"{NOW + timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}")

EXAMPLES = {
    "INS-185": (REQUEST_RULES, case(), case(marked="fictive")),
    "INS-186": (REQUEST_RULES, case(), case(replace(GOOD, sex=""))),
    "INS-187": (REQUEST_RULES, case(replace(GOOD, family="COEUR")), case(replace(GOOD, family="CŒUR"))),
    "INS-188": (ANSWER_RULES, answered(), answered(Code.NONE)),
    "INS-189": (ANSWER_RULES, answered(), answered(Code.SEVERAL)),
    "INS-190": (ANSWER_RULES, answered(), answered(told=replace(TOLD, birth_place="48902"))),
    "INS-194": (ANSWER_RULES, answered(Code.NONE), case(technical="insi_102")),
    "INSI-01": (PEER_RULES, case(), case(peer=Peer(False))),
    "INSI-02": (PEER_RULES, case(), case(peer=Peer(True, holder(), ChainFault.EXPIRED))),
    "INSI-03": (ACCESS_RULES, case(), case(peer=Peer(True, holder("Insi-Auto")))),
    "INSI-04": (ACCESS_RULES, with_assertion(), with_assertion(SealFault.DIGEST)),
    "INSI-05": (ACCESS_RULES, with_assertion(), with_assertion(signer_chain=ChainFault.UNTRUSTED)),
    "INSI-06": (ACCESS_RULES, with_assertion(), with_assertion(claims=ISSUED_LATE)),
    "INSI-07": (ACCESS_RULES, with_assertion(), with_assertion(claims=replace(ISSUED_LATE, name_id=""))),
    "INSI-17": (ACCESS_RULES, case(), caller(idam="")),
    "INSI-18": (ACCESS_RULES, case(), caller(has_bam=False)),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_is_silent_on_what_keeps_it_and_speaks_on_what_breaks_it(rule: str) -> None:
    rules, passing, breaking = EXAMPLES[rule]
    assert rule not in ids(rules, passing)
    found = [f for f in judged(rules, breaking) if f.rule == rule]
    assert found
    for finding in found:
        assert finding.message.fr
        assert "{" not in finding.message.fr + finding.message.en + finding.cure.fr
        assert finding.expected


def test_every_rule_function_has_an_example() -> None:
    known = {r.id for r in (*REQUEST_RULES, *ANSWER_RULES, *PEER_RULES, *ACCESS_RULES)}
    assert known == set(EXAMPLES)


def test_a_good_call_breaks_nothing() -> None:
    for subject in (case(), verification(), card()):
        for rules in (PEER_RULES, ACCESS_RULES, REQUEST_RULES, ANSWER_RULES):
            assert ids(rules, subject) == set()


@pytest.mark.parametrize(
    ("subject", "element"),
    [
        (case(Traits()), "NomNaissance"),
        (case(replace(GOOD, given=())), "Prenom"),
        (case(replace(GOOD, birth_date="")), "DateNaissance"),
        (verification(ins=Ins(Matricule("2390348901017"), INS.oid)), "Cle"),
        (verification(ins=replace(INS, oid="")), "OID"),
        (verification(ins=Ins(Matricule(""), INS.oid)), "NumIdentifiant"),
        (card(CardData(birth_date="1939-03-08")), "MatriculeIndividu"),
        (card(replace(CARD, birth_date="")), "DateNaissance"),
    ],
)
def test_a_missing_element_is_named_where_it_should_stand(subject: Case, element: str) -> None:
    found = [f for f in judged(REQUEST_RULES, subject) if f.rule == "INS-186"]
    assert element in {f.expected for f in found}
    assert all(f.where.path.endswith("/" + f.expected) for f in found)


def test_a_card_may_tell_the_insured_person_only() -> None:
    holder_only = CardData(holder=Matricule("1850648907012", "52"), birth_date="2012-04-18", rank="1")
    assert ids(REQUEST_RULES, card(holder_only)) == set()


@pytest.mark.parametrize(
    "name",
    [
        "D’ARTAGNAN",
        "CŒUR",
        "ÉLODIE",
        "dupont",
        "JEAN  PAUL",
        "-JEAN",
        "JEAN-",
        "DE VINCI 2",
        "LE·GOFF",
        "A" * 101,
        "BÉBÉ",
    ],
)
def test_a_name_outside_the_lexicon_is_refused(name: str) -> None:
    assert not name_is_admitted(name, given=True)


@pytest.mark.parametrize("name", ["D'ARTAGNAN DE L'HERAULT", "PIERRE-ALAIN", "ANNE-MARIE SOPHIE", "'T SERCLAES"])
def test_a_name_of_the_lexicon_is_admitted(name: str) -> None:
    assert name_is_admitted(name, given=True)


def test_the_double_hyphen_stands_in_a_birth_name_only() -> None:
    assert name_is_admitted("MARTIN--DURAND", given=False)
    assert not name_is_admitted("MARTIN--DURAND", given=True)


@pytest.mark.parametrize(
    ("traits", "element"),
    [
        (replace(GOOD, sex="I"), "Sexe"),
        (replace(GOOD, sex="f"), "Sexe"),
        (replace(GOOD, birth_date="08-03-1939"), "DateNaissance"),
        (replace(GOOD, birth_date="19390308"), "DateNaissance"),
        (replace(GOOD, birth_place="PARIS"), "LieuNaissance"),
        (replace(GOOD, given=("SUZANNE", "Marie")), "Prenom"),
    ],
)
def test_each_trait_has_its_format(traits: Traits, element: str) -> None:
    found = [f for f in judged(REQUEST_RULES, case(traits)) if f.rule == "INS-187"]
    assert [f.where.path.rpartition("/")[2] for f in found] == [element]


def test_a_lunar_date_is_a_date_for_insi() -> None:
    assert ids(REQUEST_RULES, case(replace(GOOD, birth_date="1952-12-33"))) == set()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (GOOD, replace(TOLD, given_list="SUZANNE")),
        (replace(GOOD, given=("ANNE",)), replace(TOLD, given_list="ANNE-MARIE SOPHIE")),
        (replace(GOOD, given=("SUZANNE MARIE LOUISE",)), TOLD),
        (replace(GOOD, given=("SUZANNE", "MARIE")), TOLD),
        (replace(GOOD, birth_place=""), replace(TOLD, birth_place="48930")),
        (GOOD, replace(TOLD, given="SUZANNE", given_list="")),
    ],
)
def test_an_answer_that_agrees_raises_nothing(asked: Traits, told: Individual) -> None:
    assert ids(ANSWER_RULES, answered(told=told, traits=asked)) == set()


@pytest.mark.parametrize(
    ("asked", "told", "names"),
    [
        (replace(GOOD, given=("LOUISE",)), TOLD, "ListePrenom"),
        (replace(GOOD, family="DEL MAS"), TOLD, "NomNaissance"),
        (GOOD, replace(TOLD, family="DURAND", birth_date="1939-03-09"), "NomNaissance, DateNaissance"),
        (GOOD, replace(TOLD, sex="M"), "Sexe"),
        (replace(GOOD, given=("SUZ",)), TOLD, "ListePrenom"),
    ],
)
def test_an_answer_that_differs_is_one_finding_with_both_sides(asked: Traits, told: Individual, names: str) -> None:
    found = [f for f in judged(ANSWER_RULES, answered(told=told, traits=asked)) if f.rule == "INS-190"]
    assert len(found) == 1
    assert {v.container for v in found[0].values} == {"insi:demande", "insi:reponse"}
    assert len(found[0].values) == 2 * len(names.split(", "))


def test_no_finding_shows_a_trait_or_a_matricule() -> None:
    for rules, _, breaking in EXAMPLES.values():
        for finding in judged(rules, breaking):
            text = str(finding.to_json())
            for secret in ("DELMAS", "SUZANNE", "1939-03-08", "CŒUR", "2390348901017"):
                assert secret not in text
            assert not re.search(r"[12]\d{12}", text)


def test_conditions_never_stretch_an_assertion_over_twenty_minutes() -> None:
    assert "INSI-06" in ids(ACCESS_RULES, with_assertion(claims=LONG_LIVED))
    unreadable = replace(ISSUED_LATE, issued="hier")
    assert "INSI-06" in ids(ACCESS_RULES, with_assertion(claims=unreadable))


def test_a_signer_that_may_only_authenticate_is_refused() -> None:
    assert "INSI-05" in ids(ACCESS_RULES, with_assertion(signer_may_sign=False))
    assert "INSI-02" in ids(PEER_RULES, case(peer=Peer(True, holder(authenticates=False))))


def test_a_call_without_a_software_context_is_told_once() -> None:
    call = OpenedCall(operation=Operation.TRAITS, query=GOOD, caller=Caller())
    assert ids(ACCESS_RULES, case(call=call)) == {"INSI-17"}
