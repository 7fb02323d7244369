"""`make mutation`: changes the rule code in thousands of places, one at a time, and asks whether a test notices.

python -m tests.mutation [--fresh] [--report] [NAME…]; NAME is a mutant, or a pattern such as `gateway.identity.matricule.*`.
What an earlier run saw noticed stays known, so that a run that was stopped goes on; the rest is asked again.

mutmut does the work (`[tool.mutmut]` in pyproject.toml); what it is taught here:

- It leaves decorated functions alone, and every rule is one. They are handed to it as `name = rule("INS-004")(name)`.
- Words for a reader (`Text("…", "…")`) are not changed: a test of each sentence would repeat it.
- The dozen tests that run the least code besides are asked first: most mutants fall to them, and the others need not be
  collected.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import libcst
import mutmut.__main__ as mutmut
from mutmut.mutation import file_mutation
from mutmut.runners.harness import PytestRunner
from mutmut.state import state

from tests.mutation.report import KILLED, printed

MUTANTS = Path("mutants")
NEAREST = 12
REMADE = {"rule", "property"}  # `cache` stays: what a run has cached already would hide the mutant


def undecorated(code: str) -> str:
    """The same module with `@rule(…)` and `@property` written as an assignment below the function."""
    lines = code.splitlines()
    for node in sorted(_decorated(ast.parse(code)), key=lambda one: -one.lineno):
        (decorator,) = node.decorator_list
        again = f"{' ' * node.col_offset}{node.name} = {ast.unparse(decorator)}({node.name})"
        assert node.end_lineno
        assert decorator.end_lineno
        lines.insert(node.end_lineno, again)
        del lines[decorator.lineno - 1 : decorator.end_lineno]
    return "\n".join(lines) + "\n"


def _decorated(module: ast.Module) -> list[ast.FunctionDef]:
    bodies = [module.body, *(node.body for node in module.body if isinstance(node, ast.ClassDef))]
    functions = [node for body in bodies for node in body if isinstance(node, ast.FunctionDef)]
    return [f for f in functions if len(f.decorator_list) == 1 and _named(f.decorator_list[0]) in REMADE]


def _named(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return called.id if isinstance(called, ast.Name) else ""


def is_words(node: libcst.CSTNode) -> bool:
    """Whether this is `Text("…", "…")`: words, and nothing computed."""
    return (
        isinstance(node, libcst.Call)
        and isinstance(node.func, libcst.Name)
        and node.func.value == "Text"
        and all(isinstance(arg.value, libcst.BaseString) for arg in node.args)
    )


def nearest(tests: Iterable[str]) -> list[str]:
    """The dozen of these tests that run the fewest functions, two of each test's cases: they are about the function changed."""
    reach = Counter(chain.from_iterable(state().tests_by_mangled_function_name.values()))
    cases: Counter[str] = Counter()
    chosen: list[str] = []
    for test in sorted(tests, key=lambda test: (reach[test], test)):
        cases[test.partition("[")[0]] += 1
        if cases[test.partition("[")[0]] <= 2:
            chosen.append(test)
    return chosen[:NEAREST]


def teach() -> None:
    """Hand mutmut the rules undecorated, keep its hands off words, and ask the nearest tests first."""
    mutate = mutmut.mutate_file_contents
    visitor = file_mutation.MutationVisitor
    skipped = visitor._skip_node_and_children
    mutmut.mutate_file_contents = lambda name, code, *rest: mutate(name, undecorated(code), *rest)
    visitor._skip_node_and_children = lambda self, node: is_words(node) or skipped(self, node)
    asked = PytestRunner.run_tests

    def run_tests(self: PytestRunner, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        if mutant_name is None:
            return asked(self, mutant_name=mutant_name, tests=tests)
        few = nearest(tests)
        return asked(self, mutant_name=mutant_name, tests=few) or (
            0 if len(few) == len(list(tests)) else asked(self, mutant_name=mutant_name, tests=tests)
        )

    PytestRunner.run_tests = run_tests


def ask_again() -> None:
    """Forget the verdicts of the mutants that no test noticed: tests may have been written since."""
    for meta in MUTANTS.rglob("*.meta"):
        held = json.loads(meta.read_text())
        codes = held["exit_code_by_key"]
        codes.update({name: None for name, code in codes.items() if mutmut.status_by_exit_code[code] not in KILLED})
        meta.write_text(json.dumps(held, indent=4))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these mutants; asked again even when known")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    parser.add_argument("--report", action="store_true", help="only say again what the last run found")
    asked = parser.parse_args()
    if asked.fresh:
        shutil.rmtree(MUTANTS, ignore_errors=True)
    teach()
    if not asked.report:
        if not asked.names:
            ask_again()
        mutmut._run(asked.names, 1)
    print(printed(mutmut))


if __name__ == "__main__":
    main()
