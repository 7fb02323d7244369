"""What cannot be read is explained in our own words, in both languages, with its place and without what was read."""

from __future__ import annotations

import base64
import json

import pytest

from gateway.rules.unreadable import base64_fault, json_fault, undecodable


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("QUJ", "padding"),
        ("Q=UJD", "padding"),
        ("=QUJ", "padding"),
        ("QUJD*", "alphabet"),
        ("QUJDR", "impossible number"),
    ],
)
def test_base64_that_cannot_be_decoded_says_what_is_wrong_with_it(written: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        base64.b64decode(written, validate=True)
    assert words in base64_fault(refused.value).en


def test_a_base64_error_nobody_foresaw_is_still_told() -> None:
    assert base64_fault(ValueError("surprise")).en == "unreadable base64"


@pytest.mark.parametrize(
    ("written", "words", "place"),
    [
        ("", "a value is missing", "(l. 1, c. 1)"),
        ('{"a": }', "a value is missing", "(l. 1, c. 7)"),
        ("{a: 1}", "a name in double quotes is missing", "(l. 1, c. 2)"),
        ('{\n"a": 1 "b": 2}', "a comma is missing", "(l. 2, c. 8)"),
        ('{"a" 1}', '":" is missing after a name', "(l. 1, c. 6)"),
        ("{} x", "content follows the end of the JSON", "(l. 1, c. 4)"),
        ('{"a": "b', "string whose quote is not closed", "(l. 1, c. 7)"),
        ('"\\x"', 'unknown "\\" sequence in a string', "(l. 1, c. 2)"),
    ],
)
def test_json_that_cannot_be_read_says_what_is_wrong_and_where(written: str, words: str, place: str) -> None:
    with pytest.raises(json.JSONDecodeError) as refused:
        json.loads(written)
    told = json_fault(refused.value)
    assert told.en == f"{words} {place}"
    assert told.fr.endswith(place)
    assert told.fr != told.en


def test_a_json_error_nobody_foresaw_is_still_told() -> None:
    assert json_fault(json.JSONDecodeError("surprise", "x", 0)).en == "this is not written in JSON (l. 1, c. 1)"
    assert json_fault(ValueError("too deep")).en == "this is not written in JSON"


def test_octets_in_another_encoding_are_told_by_their_place_even_in_a_json() -> None:
    with pytest.raises(UnicodeDecodeError) as refused:
        b'{"a": "\xe9"}'.decode("utf-8")
    assert undecodable(refused.value).en == "octets that are not utf-8 (position 7)"
    assert json_fault(refused.value) == undecodable(refused.value)
