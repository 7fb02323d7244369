"""What a run found: a line for each module, the score, and every survivor with its change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

KILLED = {"killed", "timeout", "segfault"}
UNKNOWN = {"not checked"}


def printed(mutmut: Any) -> str:
    """The report of the last run; the score is what the tests noticed, of all that was changed and judged."""
    mutants, _ = mutmut.collect_source_file_mutation_data(mutant_names=())
    paths = {name: data.path for data, name, _ in mutants}
    verdicts = {name: mutmut.status_by_exit_code[data.exit_code_by_key[name]] for data, name, _ in mutants}
    left = sorted(name for name, verdict in verdicts.items() if verdict not in KILLED | UNKNOWN)
    changes = [f"{name} ({verdicts[name]})\n{_change(mutmut, name, paths[name])}\n" for name in left]
    return "\n".join([*changes, *_table(verdicts)])


def _table(verdicts: dict[str, str]) -> Iterable[str]:
    by_module: dict[str, Counter[str]] = {}
    for name, verdict in verdicts.items():
        by_module.setdefault(name.rpartition(".")[0], Counter())[verdict] += 1
    for module, counts in sorted(by_module.items()):
        yield f"{module:40} {_score(counts)}"
    yield f"{'all':40} {_score(Counter(verdicts.values()))}"


def _score(counts: Counter[str]) -> str:
    known = counts.total() - counts["not checked"]
    killed = sum(counts[verdict] for verdict in KILLED)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    return f"{100 * killed / max(known, 1):5.1f} %  {killed}/{known}  ({told})"


def _change(mutmut: Any, name: str, path: Path) -> str:
    lines = mutmut.get_diff_for_mutant(name, path=path).splitlines()
    return "\n".join(line for line in lines if re.match(r"[+-](?![+-])", line))
