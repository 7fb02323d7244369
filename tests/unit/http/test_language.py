"""The language of HTTP answers: what a request prefers of French and English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.language import accepted
from gateway.values import Lang


@pytest.mark.parametrize(
    "header", ["", "fr", "fr-FR,fr;q=0.9,en;q=0.8", "de", "*", "en;q=0", "en;q=x", "fr,en", "FR-fr"]
)
def test_french_is_spoken_unless_english_is_preferred(header: str) -> None:
    assert accepted(header) is Lang.FR


@pytest.mark.parametrize(
    "header", ["en", "en-GB", "EN-us;q=0.9", "en-GB,en;q=0.9,fr;q=0.1", "fr;q=0.2, en;q=0.7", "de,en;q=.1"]
)
def test_english_is_spoken_to_who_prefers_it(header: str) -> None:
    assert accepted(header) is Lang.EN


@given(st.text())
def test_any_header_has_a_language(header: str) -> None:
    assert accepted(header) in Lang
