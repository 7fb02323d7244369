"""What a finding tells its reader: where to look, what was received, what was expected, and every value beside the others."""

from __future__ import annotations

import pytest

from tests.support.identity_examples import EXAMPLES
from tests.support.identity_findings import expected_lines, line, told


@pytest.mark.parametrize("rule_id", sorted(EXAMPLES))
def test_a_broken_rule_says_where_what_was_received_and_what_was_expected(rule_id: str) -> None:
    assert [line(finding) for finding in told(rule_id)] == expected_lines(rule_id)


@pytest.mark.parametrize("rule_id", sorted(EXAMPLES))
def test_the_words_of_a_card_are_filled_with_something_in_each_language(rule_id: str) -> None:
    for finding in told(rule_id):
        for text in (finding.message, finding.cure):
            assert "None" not in text.fr + text.en
            assert "{" not in text.fr + text.en
