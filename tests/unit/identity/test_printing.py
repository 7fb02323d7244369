"""The INS datamatrix as a picture: what an identity says, drawn, is what an independent reader reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.identity.datamatrix import HEADER, NotPrintable, decode, encode, is_datamatrix
from gateway.identity.local import Ins, Traits
from gateway.identity.model import INS_DEMO, INS_NIA, INS_NIR, INS_TEST
from gateway.identity.printing import QUIET, svg, symbol, text_of, why_not
from gateway.identity.status import Attribute, Reliability, Status
from tests.support.dmtx import INSTALL, painted, read
from tests.support.planting import with_key
from tests.support.reference import need_tool

QUALIFIED = Reliability(Status.QUAL)
ODETTE = Traits("BRUNEL", "ODETTE", "ODETTE JEANNE", "F", "1936-02-14", "48907")
INS = Ins("236024890704179", INS_TEST)
LONGEST = replace(ODETTE, birth_family="B" * 100, given_list="ODETTE" + " A" * 47)

_LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12)
_NAMES = st.builds(
    lambda words, between: between.join(words)[:100],
    st.lists(_LETTERS, min_size=1, max_size=8),
    st.sampled_from(" -'"),
).filter(lambda name: name[-1] not in " -'")


@st.composite
def identities(draw: st.DrawFn) -> tuple[Traits, Ins]:
    """A sound identity of nobody: traits as INSi writes them, a matricule with its key, one of the four OIDs."""
    number = draw(st.integers(1_000_000_000_000, 2_999_999_999_999).map(str))
    given_list = draw(_NAMES)
    born = draw(st.dates())
    return (
        Traits(
            draw(_NAMES),
            given_list.split(" ")[0],
            given_list,
            draw(st.sampled_from("MF")),
            born.isoformat(),
            draw(st.sampled_from(["48901", "2A004", "99127", ""])),
        ),
        Ins(with_key(number), draw(st.sampled_from([INS_NIR, INS_NIA, INS_TEST, INS_DEMO]))),
    )


@given(identities())
@example((LONGEST, INS))
def test_what_an_identity_says_is_what_its_text_form_reads(identity: tuple[Traits, Ins]) -> None:
    traits, ins = identity
    text = text_of(traits, ins, QUALIFIED)
    told = decode(text)
    assert is_datamatrix(text)
    assert (told.matricule, told.oid) == (ins.matricule, ins.oid)
    assert (told.birth_family, told.given_list, told.sex) == (traits.birth_family, traits.given_list, traits.sex)
    assert told.birth_place == traits.birth_place
    assert "-".join(reversed(told.birth_date.split("-"))) == traits.birth_date
    assert told.unknown == ()
    assert encode(told.view(), Status.QUAL) == text


def test_an_independent_reader_reads_the_picture(tmp_path: Path) -> None:
    need_tool("dmtxread", INSTALL)

    @given(identities())
    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @example((LONGEST, INS))
    def reads(identity: tuple[Traits, Ins]) -> None:
        text = text_of(*identity, QUALIFIED)
        assert read(painted(svg(symbol(text)), tmp_path / "symbol.pgm")) == text

    reads()


def test_the_picture_is_plain_drawing_with_its_quiet_zone() -> None:
    drawn = symbol(text_of(ODETTE, INS, QUALIFIED))
    root = ElementTree.fromstring(svg(drawn))
    assert root.attrib["viewBox"] == f"0 0 {drawn.size + 2 * QUIET} {drawn.size + 2 * QUIET}"
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {"svg", "title", "path"}
    assert not any("style" in element.attrib or "href" in element.attrib for element in root.iter())
    assert max(run.row for run in drawn.runs) == drawn.size - 1
    assert max(run.column + run.length for run in drawn.runs) == drawn.size


def test_a_person_of_one_given_name_has_it_as_list() -> None:
    assert decode(text_of(replace(ODETTE, given_list=""), INS, QUALIFIED)).given_list == "ODETTE"


@pytest.mark.parametrize(
    ("traits", "ins", "reliability", "lacking"),
    [
        (ODETTE, INS, Reliability(Status.VALI), "QUAL"),
        (ODETTE, INS, Reliability(Status.RECUP), "QUAL"),
        (ODETTE, None, Reliability(), "QUAL"),
        (ODETTE, INS, Reliability(Status.QUAL, frozenset({Attribute.DOUTEUSE})), "QUAL"),
        (ODETTE, INS, Reliability(Status.QUAL, frozenset({Attribute.FICTIVE})), "QUAL"),
        (ODETTE, None, QUALIFIED, "INS"),
        (ODETTE, replace(INS, matricule="236024890704180"), QUALIFIED, "INS"),
        (ODETTE, replace(INS, oid="1.2.3"), QUALIFIED, "INS"),
        (replace(ODETTE, birth_family=""), INS, QUALIFIED, "S4"),
        (replace(ODETTE, birth_given="", given_list=""), INS, QUALIFIED, "S3"),
        (replace(ODETTE, birth_given="MARIE"), INS, QUALIFIED, "S3"),
        (replace(ODETTE, sex="U"), INS, QUALIFIED, "S5"),
        (replace(ODETTE, birth_date="1936"), INS, QUALIFIED, "S6"),
        (replace(ODETTE, birth_date=""), INS, QUALIFIED, "S6"),
        (replace(ODETTE, birth_place="BRUMEVAL"), INS, QUALIFIED, "S7"),
    ],
)
def test_only_a_qualified_and_sound_identity_is_drawn(
    traits: Traits, ins: Ins | None, reliability: Reliability, lacking: str
) -> None:
    with pytest.raises(NotPrintable, match=lacking) as refused:
        text_of(traits, ins, reliability)
    why = why_not(refused.value)
    assert why.fr != why.en
    assert HEADER not in str(refused.value)
