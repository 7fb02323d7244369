"""Whatever strangers write in a field, a rule answers with findings and never with an exception."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.identity.model import INS_OIDS, ContainerKind, IdentityView, PatientIdentifier
from gateway.identity.rules import CROSS_RULES, VIEW_RULES
from gateway.values import Direction, Door, Located, Text, in_lang
from tests.support.identity_views import ENTRY_PLACE, LOT_PLACE, ODETTE, PLACE, cda, context, metadata

AWKWARD = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        '""',
        "@",
        "@patient.mssante.fr",
        "‮ODETTE‬",
        "e\u0301" * 40,
        "\u0301",
        "ﷺ",
        "İı",
        "00000000",
        "99999999",
        "20240230",
        "0000-00-00",
        "999999999999999",
        "000000000000000",
        ODETTE,
        ODETTE.lower() + "é",
        "2" * 500,
        "😀",
        "\ud800",
        "{a}{trait}{0}",
    ]
)
TEXT = AWKWARD | st.text(max_size=40)
OIDS = st.sampled_from(sorted(INS_OIDS)) | st.sampled_from(["", "1.2.250.1.213.1.4.13", "1.2.250.1.213.1.4.2"]) | TEXT
LOCATED = st.none() | st.builds(Located, TEXT, st.just(PLACE))
IDENTIFIERS = st.builds(
    PatientIdentifier,
    TEXT,
    OIDS,
    st.just(PLACE),
    st.sampled_from(["", "INS", "NH", "PI", "INS-C", "INS-NIR"]) | TEXT,
    TEXT,
    TEXT,
)
VIEWS = st.builds(
    IdentityView,
    st.sampled_from(list(ContainerKind)),
    TEXT,
    st.sampled_from([PLACE, LOT_PLACE, ENTRY_PLACE]),
    st.lists(IDENTIFIERS, max_size=4).map(tuple),
    LOCATED,
    LOCATED,
    LOCATED,
    LOCATED,
    LOCATED,
    LOCATED,
    LOCATED,
    LOCATED,
    LOCATED,
    LOCATED,
    LOCATED,
    st.lists(st.builds(Located, TEXT, st.just(PLACE)), max_size=2).map(tuple),
    st.lists(st.builds(Located, TEXT, st.just(PLACE)), max_size=2).map(tuple),
    st.integers(-1, 3),
    st.booleans(),
    st.none() | st.booleans(),
    st.booleans(),
)
CONTEXTS = st.builds(
    context,
    st.sampled_from(list(Direction)),
    st.sampled_from(list(Door)),
    st.sampled_from(["strict", "official-samples", "lenient_canonical", "?"]),
    st.sampled_from(["test", "insi-editor-base", "production", "?"]),
)


def run(views: tuple[IdentityView, ...], ctx: Any) -> int:
    hits = [hit for view in views for rule in VIEW_RULES for hit in rule.check(view, ctx)]
    hits += [hit for rule in CROSS_RULES for hit in rule.check(views, ctx)]
    assert all(isinstance(hit.received, str | Text) and isinstance(hit.expected, str | Text) for hit in hits)
    return len(hits)


def test_the_strategy_fills_every_field_of_a_view() -> None:
    by_protocol = {
        "person",
        "declared",
        "hl7",
        "fhir",
    }  # filled by the messages of tests/unit/hl7v2 and tests/unit/partners
    assert len({f.name for f in fields(IdentityView)} - by_protocol) == 21


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(VIEWS, max_size=4).map(tuple), CONTEXTS)
def test_no_rule_raises_on_any_text_in_any_field(views: tuple[IdentityView, ...], ctx: Any) -> None:
    run(views, ctx)


@pytest.mark.parametrize("filler", ["A", "é", "-", " ", "\u202e", "1", "Œ", "e\u0301"])
def test_a_megabyte_in_every_field_is_told_and_shown_within_bounds(filler: str) -> None:
    huge = Located(filler * 1_000_000, PLACE)
    names = (
        "birth_family",
        "birth_given",
        "given_list",
        "birth_date",
        "sex",
        "birth_place",
        "mailbox",
        "document_date",
    )
    identifiers = (PatientIdentifier(huge.value, sorted(INS_OIDS)[0], PLACE, "NH", huge.value, huge.value),)
    changes: dict[str, Any] = dict.fromkeys(names, huge)
    views = (*(replace(view, identifiers=identifiers, **changes) for view in (cda(), metadata())), cda())
    assert run(views, context()) > 5
    hits = [hit for view in views for rule in VIEW_RULES for hit in rule.check(view, context())]
    hits += [hit for rule in CROSS_RULES for hit in rule.check(views, context())]
    for hit in hits:
        assert len(in_lang(hit.received, "fr")) < 1_000
        assert len(in_lang(hit.expected, "fr")) < 1_000
        assert all(len(value.value) < 1_000 for value in hit.values)
        assert all(len(param) < 1_000 for param in hit.params.values())
