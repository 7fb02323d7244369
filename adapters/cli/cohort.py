"""`passerelle cohort`: a population from a seed, its messages as files, and the confusion matrix of our own verdicts."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track
from rich.table import Table

from adapters.cli.render import console
from gateway.cohort.mutations import all_mutations, mutated_case
from gateway.cohort.population import population
from gateway.cohort.scoring import Judgement, Score, judged, score, tasks
from gateway.cohort.truth import as_csv, as_json, messages
from gateway.values import Lang, Text

T = TypeVar("T")

CAUGHT_GOAL = 0.995  # part of the mutated messages
ALARM_GOAL = 0.001  # part of the clean messages
SHOWN = 20  # judgements listed on a terminal; JSON lists all


def run_cohort(
    seed: int, size: int, out: Path | None, mutations: int | None, *, scored: bool, output: str, lang: Lang
) -> int:
    """Write and score. 0 when the goals are met (or nothing is scored), 1 when they are not, 2 for a wrong use."""
    count = len(all_mutations()) if mutations is None else mutations
    if size < 1 or count < 0:
        said = Text("--size vaut au moins 1, --mutations au moins 0.", "--size is at least 1, --mutations at least 0.")
        print(said.in_(lang), file=sys.stderr)
        return 2
    if scored or out is not None:
        try:
            for number in range(min(count, len(all_mutations()))):
                mutated_case(seed, size, number)
        except ValueError as error:
            told = Text("Population trop petite pour ces mutations", "Population too small for these mutations")
            print(f"{told.in_(lang)} ({error}).", file=sys.stderr)
            return 2
    if out is not None:
        _write(out, seed, size, count, lang)
    found = _score(seed, size, count, lang) if scored else None
    if output == "json":
        print(json.dumps(_told(seed, size, found), ensure_ascii=False, indent=1))
    else:
        _show(seed, size, out, found, lang)
    return 0 if found is None or _met(found) else 1


def _met(found: Score) -> bool:
    return found.caught_ratio >= CAUGHT_GOAL and found.alarm_ratio <= ALARM_GOAL and not found.untold


def _write(out: Path, seed: int, size: int, count: int, lang: Lang) -> None:
    people = population(seed, size)
    for folder in (out / "clean", out / "mutated"):
        folder.mkdir(parents=True, exist_ok=True)
    (out / "population.csv").write_text(as_csv(people), encoding="utf-8")
    (out / "population.json").write_text(as_json(people, seed), encoding="utf-8")
    index = []
    for message in _followed(messages(seed, size, count), size + count, Text("Écriture", "Writing").in_(lang)):
        (out / message.filename).write_bytes(message.octets)
        index.append(
            {
                "file": message.filename,
                "person": message.person,
                "form": message.form,
                "mutation": message.mutation,
                "container": message.container,
                "expected_rules": list(message.rules),
            }
        )
    (out / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _score(seed: int, size: int, count: int, lang: Lang) -> Score:
    from concurrent.futures import ProcessPoolExecutor

    work = tasks(seed, size, count)
    judgements: list[Judgement] = []
    with ProcessPoolExecutor() as pool:
        for some in _followed(pool.map(judged, work), len(work), Text("Jugement", "Judging").in_(lang)):
            judgements += some
    return score(judgements)


def _followed(steps: Iterator[T], count: int, told: str) -> Iterator[T]:
    """The same steps; on a terminal, a bar moves while they come."""
    if not sys.stderr.isatty():
        return steps
    return iter(track(steps, told, total=count, console=Console(stderr=True), transient=True))


def _kinds(seed: int, size: int) -> dict[str, int]:
    return dict(Counter(person.kind for person in population(seed, size)).most_common())


def _told(seed: int, size: int, found: Score | None) -> dict[str, object]:
    told: dict[str, object] = {"seed": seed, "size": size, "kinds": _kinds(seed, size)}
    if found is not None:
        told["score"] = {
            "met": _met(found),
            "mutated": {
                "messages": found.mutated,
                "caught": found.caught,
                "ratio": round(found.caught_ratio, 5),
                "missed": [_judgement(j) for j in found.missed],
            },
            "clean": {
                "messages": found.clean,
                "ratio": round(found.alarm_ratio, 5),
                "false_alarms": [_judgement(j) for j in found.alarms],
            },
            "notable": {"messages": found.notable, "wrong": [_judgement(j) for j in found.untold]},
        }
    return told


def _judgement(j: Judgement) -> dict[str, object]:
    return {
        "number": j.number,
        "person": j.person,
        "form": j.form,
        "mutation": j.mutation,
        "expected": list(j.expected),
        "told": list(j.told),
        "alarms": list(j.alarms),
    }


def _show(seed: int, size: int, out: Path | None, found: Score | None, lang: Lang) -> None:
    table = Table(header_style="bold", title=f"seed {seed} · {size}", title_justify="left")
    table.add_column(Text("sorte", "kind").in_(lang))
    table.add_column(Text("fiches", "records").in_(lang), justify="right")
    for kind, count in _kinds(seed, size).items():
        table.add_row(kind, str(count))
    console().print(table)
    if out is not None:
        console().print(f"{Text('Écrit dans', 'Written to').in_(lang)} {out}", soft_wrap=True)
    if found is not None:
        console().print(_matrix(found, lang))
        _list(Text("Mutations manquées", "Missed mutations").in_(lang), found.missed)
        _list(Text("Fausses alertes", "False alarms").in_(lang), found.alarms)
        _list(Text("Faits de l'identité mal rendus", "Facts of the identity told wrongly").in_(lang), found.untold)
        goals = Text(
            "Buts : au moins 99,5 % de mutations vues, au plus 0,1 % de messages sains alertés",
            "Goals: at least 99.5 % of mutations caught, at most 0.1 % of clean messages alarmed",
        )
        met = Text("atteints", "met") if _met(found) else Text("manqués", "missed")
        console().print(f"{goals.in_(lang)} : {met.in_(lang)}." if lang is Lang.FR else f"{goals.in_(lang)}: {met.en}.")


def _matrix(found: Score, lang: Lang) -> Table:
    """Rows: what the messages are; columns: what our verdict says of them."""
    table = Table(
        header_style="bold", title=Text("Matrice de confusion", "Confusion matrix").in_(lang), title_justify="left"
    )
    table.add_column(Text("messages", "messages").in_(lang))
    for heading in (
        Text("total", "total"),
        Text("vu, ou rien à dire", "right"),
        Text("tort", "wrong"),
        Text("part", "part"),
    ):
        table.add_column(heading.in_(lang), justify="right")
    quiet = found.clean - len(found.alarms)
    told = found.notable - len(found.untold)
    rows = (
        (Text("mutés : vus / manqués", "mutated: caught / missed"), found.mutated, found.caught),
        (Text("sains : silence / fausse alerte", "clean: silent / false alarm"), found.clean, quiet),
        (Text("sains, un fait à dire : dit / non", "clean, a fact to tell: told / not"), found.notable, told),
    )
    for title, total, right in rows:
        part = f"{right / total:.2%}" if total else "–"
        table.add_row(title.in_(lang), str(total), str(right), str(total - right), part)
    return table


def _list(title: str, judgements: Sequence[Judgement]) -> None:
    if not judgements:
        return
    console().print(f"{title} :", style="bold")
    for j in judgements[:SHOWN]:
        wrong = ", ".join(j.alarms or j.expected)
        console().print(
            f"  {j.number} {j.mutation or j.person} ({j.form}) : {wrong} ≠ {', '.join(j.told) or '∅'}", soft_wrap=True
        )
    if len(judgements) > SHOWN:
        console().print(f"  … {len(judgements) - SHOWN} (--format json)")
