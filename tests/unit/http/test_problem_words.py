"""Every problem of the API has a name and a sentence in both languages."""

from __future__ import annotations

import ast

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from adapters.api.handlers import problem_of_request as problem_of
from adapters.api.identity_bodies import Reveal, Search
from adapters.api.problems import Problem, not_found
from adapters.api.titles import TITLES, refused_field, title_of
from gateway.ports import Conflict, StoreUnavailable
from gateway.values import Lang, Text
from tests.support.reference import ROOT

CALLS = tuple(
    (path.relative_to(ROOT).as_posix(), node)
    for path in sorted((ROOT / "adapters").rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Problem", "not_found")
)


def codes() -> set[str]:
    """The codes that the sources write: second of a Problem, first of a not_found, those of HTTP itself."""
    found = set()
    for _, call in CALLS:
        argument = call.args[1 if isinstance(call.func, ast.Name) and call.func.id == "Problem" else 0]
        if isinstance(argument, ast.Constant):
            found.add(argument.value)
    return found | {problem_of(HTTPException(status)).code for status in (400, 404, 405, 413)}


def test_every_code_of_the_sources_has_a_title_and_no_title_is_left_over() -> None:
    assert codes() == set(TITLES)
    assert all(title.fr and title.en and title.fr != title.en for title in TITLES.values())
    assert title_of("some-code") == Text("some code", "some code")


@pytest.mark.parametrize(
    "error",
    [StoreUnavailable(), Conflict("x"), RuntimeError("x"), HTTPException(404), HTTPException(413), not_found("x", "y")],
    ids=repr,
)
def test_a_problem_speaks_both_languages(error: Exception) -> None:
    problem = problem_of(error)
    assert problem.detail.fr != problem.detail.en
    for lang in Lang:
        answer = problem.response(lang)
        assert answer.headers["content-language"] == lang.value
        assert answer.headers["vary"] == "Accept-Language"


def test_a_matricule_is_masked_in_each_language() -> None:
    problem = Problem(422, "x", Text("239034890101755 refusé", "239034890101755 refused"))
    assert "239034890101755" not in problem.detail.fr + problem.detail.en


@pytest.mark.parametrize(
    ("model", "given", "french", "english"),
    [
        (Reveal, {}, "reason : valeur attendue", "reason: Field required"),
        (Reveal, {"reason": "x"}, "reason : 3 caractères au moins", "reason: String should have at least 3 characters"),
        (Reveal, {"reason": "xxx", "a": 1}, "a : champ inconnu", "a: Extra inputs are not permitted"),
        (Search, {"limit": 0}, "limit : 1 au moins", "limit: Input should be greater than or equal to 1"),
    ],
)
def test_a_refused_field_is_explained(model: type, given: dict[str, object], french: str, english: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(model).validate_python(given)
    errors = refused.value.errors()
    assert [refused_field(e) for e in errors] == [Text(french, english)]
    problem = problem_of(RequestValidationError(errors))
    assert (problem.detail.fr, problem.detail.en) == (french, english)
