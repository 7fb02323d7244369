"""Our verdicts against a known truth: each mutation is caught, clean messages are left alone, and the counting is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.cli.cohort import ALARM_GOAL, CAUGHT_GOAL, run_cohort
from gateway.cohort.messages import Spoiling, written
from gateway.cohort.model import FORMS, Form
from gateway.cohort.mutations import all_mutations, mutated_case, mutation, spoilt
from gateway.cohort.population import population
from gateway.cohort.scoring import Judgement, clean_form, findings_of, judged, score, tasks
from gateway.rules import load_catalogue
from gateway.rules.model import Severity
from gateway.values import Lang

SEED, SIZE, MUTATED = 23, 500, 200
TABLE = all_mutations()


@pytest.mark.parametrize("number", range(len(TABLE)), ids=[m.name for m in TABLE])
def test_the_expected_rule_of_a_mutation_speaks(number: int) -> None:
    chosen, case = mutated_case(SEED, SIZE, number)
    found = {f.rule for f in findings_of(spoilt(chosen, case), case.form)}
    assert chosen.rules & found, (chosen.name, case.form, sorted(found))


def test_mutations_have_one_name_each_and_rules_of_the_catalogue() -> None:
    assert len(TABLE) >= 40
    assert len({m.name for m in TABLE}) == len(TABLE)
    cards = {card.id for card in load_catalogue().cards.values()}
    assert {rule for m in TABLE for rule in m.rules} <= cards
    assert {form for m in TABLE for form in m.forms} == set(FORMS)


def test_the_goals_are_met_on_a_small_cohort() -> None:
    found = score(j for task in tasks(SEED, SIZE, MUTATED) for j in judged(task))
    assert found.mutated == MUTATED
    assert found.clean + found.notable == SIZE
    assert found.caught_ratio >= CAUGHT_GOAL, found.missed
    assert found.alarm_ratio <= ALARM_GOAL, found.alarms
    assert found.untold == ()


@pytest.mark.parametrize("kind", sorted({p.kind for p in population(SEED, SIZE)}))
def test_one_person_of_each_kind_is_judged_rightly_in_every_form(kind: str) -> None:
    person = next(p for p in population(SEED, SIZE) if p.kind == kind)
    for form in person.forms:
        found = findings_of(written(person, form), form)
        told = {f.rule for f in found if f.severity.rank >= Severity.WARNING.rank}
        assert told == person.announced(form), form


def test_a_mutation_that_changes_nothing_is_refused() -> None:
    _, case = mutated_case(SEED, SIZE, 0)
    with pytest.raises(ValueError, match="nothing was spoilt"):
        spoilt(mutation("rien", "aucun", FORMS, "INS-001", lambda case: Spoiling()), case)


def test_the_scored_forms_are_all_used() -> None:
    assert {clean_form(SEED, SIZE, number) for number in range(60)} == set(Form)


def test_missed_alarmed_and_untold_messages_are_counted_and_listed() -> None:
    caught = Judgement(0, "p1", "cda", "m", ("INS-004",), ("INS-004", "INS-062"), ())
    missed = Judgement(1, "p1", "cda", "m", ("INS-004",), ("INS-062",), ())
    quiet = Judgement(0, "p1", "cda", "", (), ("XDM-10",), ())
    alarm = Judgement(1, "p2", "cda", "", (), ("INS-049",), ("INS-049",))
    told = Judgement(2, "p3", "cda", "", ("INS-055",), ("INS-055",), ())
    untold = Judgement(3, "p4", "cda", "", ("INS-055",), (), ())
    found = score([caught, missed, quiet, alarm, told, untold])
    assert (found.mutated, found.caught, found.missed) == (2, 1, (missed,))
    assert (found.clean, found.alarms, found.notable, found.untold) == (2, (alarm,), 2, (untold,))
    assert (found.caught_ratio, found.alarm_ratio) == (0.5, 0.5)
    assert (score([]).caught_ratio, score([]).alarm_ratio) == (1.0, 0.0)


def test_the_work_is_cut_in_pieces_that_cover_it() -> None:
    pieces = tasks(1, 120, 70, chunk=50)
    assert [(p.mutated, p.first, p.last) for p in pieces] == [
        (True, 0, 50),
        (True, 50, 70),
        (False, 0, 50),
        (False, 50, 100),
        (False, 100, 120),
    ]


def test_the_command_writes_the_truth_and_the_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cohort(4, 150, tmp_path, 20, scored=False, output="json", lang=Lang.EN) == 0
    assert json.loads(capsys.readouterr().out)["size"] == 150
    index = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert len(index) == 170
    assert all((tmp_path / entry["file"]).stat().st_size for entry in index)
    assert [entry["mutation"] for entry in index[150:]] == [m.name for m in TABLE[:20]]
    people = json.loads((tmp_path / "population.json").read_text(encoding="utf-8"))["people"]
    assert len(people) == 150


def test_the_command_prints_the_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cohort(4, 60, None, 30, scored=True, output="json", lang=Lang.FR) == 0
    told = json.loads(capsys.readouterr().out)["score"]
    assert told["met"]
    assert told["mutated"] == {"messages": 30, "caught": 30, "ratio": 1.0, "missed": []}
    assert run_cohort(4, 60, None, 30, scored=True, output="text", lang=Lang.FR) == 0
    assert "Matrice de confusion" in capsys.readouterr().out


def test_a_population_too_small_for_its_mutations_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cohort(4, 1, None, None, scored=True, output="text", lang=Lang.EN) == 2
    assert "too small" in capsys.readouterr().err
    assert run_cohort(4, 0, None, None, scored=False, output="text", lang=Lang.EN) == 2
