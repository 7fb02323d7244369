"""What a reader sees of a received or sent identity beside the records of an index, and what a carrier is."""

from __future__ import annotations

from dataclasses import replace

from gateway.identity.base_rules import BASE_RULES, BY_THE_TABLE, MATCHING_RULES, Carrier, Matched, Sent, carriers_in
from gateway.identity.local import Ins, LocalIdentity
from gateway.identity.matching import Outcome, Received, match
from gateway.identity.status import Attribute, Reliability, Status
from gateway.rules import Finding, RuleBook, load_catalogue
from gateway.values import Direction, Where
from tests.support.identity_views import COLETTE, ODETTE, PLACE, cda, context, ids, ins, ipp, metadata
from tests.unit.identity.test_matching import COLETTE as SISTER
from tests.unit.identity.test_matching import INS, OTHER, WHOLE, Base, local

BOOK = RuleBook(load_catalogue())
AT = str(PLACE)


def received(told: Received, *records: LocalIdentity, **changes: object) -> list[Finding]:
    subject = Matched(told.traits, told.ins, "cda:X", PLACE, match(told, Base(records)), "ehpad")
    return BOOK.judge(MATCHING_RULES, replace(subject, **changes), context(Direction.RECEPTION), "mail")


def shown(finding: Finding) -> list[tuple[str, str, str]]:
    return [(value.container, value.path, value.value) for value in finding.values]


def test_the_rules_of_the_table_are_all_there_and_two_look_at_more() -> None:
    assert [rule.id for rule in MATCHING_RULES] == [*BY_THE_TABLE, "INS-181", "INS-182"]


def test_the_same_ins_and_the_same_traits_stand_side_by_side_without_a_difference() -> None:
    (finding,) = received(WHOLE, local())
    assert (finding.rule, finding.container, finding.where) == ("INS-161", "cda:X", PLACE)
    assert (finding.received, finding.expected) == ("2360·········79", "ehpad · IPP P1")
    assert shown(finding) == [
        ("cda:X", AT, "2360·········79 (.10)"),
        ("index:ehpad", "IPP P1", "2360·········79 (.10)"),
    ]


def test_differing_traits_are_named_and_masked_against_each_other() -> None:
    (finding,) = received(Received(SISTER, INS), local())
    assert finding.received == "2360·········79 (premier prénom, liste des prénoms)"
    assert shown(finding)[2:] == [
        ("cda:X", f"{AT} · premier prénom", "[COL]····(7)"),
        ("index:ehpad", "IPP P1 · premier prénom", "[OD]····(6)"),
        ("cda:X", f"{AT} · liste des prénoms", "[COL]···········(14)"),
        ("index:ehpad", "IPP P1 · liste des prénoms", "[OD]···········(13)"),
    ]


def test_two_numbers_show_the_positions_where_they_differ() -> None:
    (finding,) = received(WHOLE, local(ins=OTHER))
    assert [value for _, _, value in shown(finding)] == ["2360········[1]7[9] (.10)", "2360········[2]7[8] (.10)"]


def test_a_record_without_an_ins_shows_none() -> None:
    (finding,) = received(WHOLE, local(ins=None, reliability=Reliability(Status.VALI)))
    assert [value for _, _, value in shown(finding)] == ["2360·········79 (.10)", "∅"]


def test_an_identity_without_an_ins_shows_none_beside_the_record() -> None:
    dead = local(deceased_on="2020-01-01")
    (finding,) = received(Received(WHOLE.traits, None), dead, document_date="2020-01-02")
    assert (finding.rule, finding.received, finding.expected) == ("INS-182", "2020-01-02", "≤ 2·········(10)")
    double = received(Received(WHOLE.traits, None), local(), local(ipp="P2"))[0]
    assert (double.rule, double.received) == ("INS-179", "∅")
    assert shown(double)[0] == ("cda:X", AT, "∅")


def test_several_records_are_listed_with_their_status() -> None:
    findings = received(WHOLE, local(), local(ipp="P2", reliability=Reliability(Status.VALI)))
    assert ids(findings) == {"INS-172", "INS-179"}
    assert findings[0].expected == "ehpad · IPP P1, P2"
    assert shown(findings[0]) == [
        ("cda:X", AT, "2360·········79 (.10)"),
        ("index:ehpad", "IPP P1", "QUAL"),
        ("index:ehpad", "IPP P2", "VALI"),
    ]


def test_an_index_that_knows_nobody_says_so() -> None:
    (finding,) = received(WHOLE)
    assert (finding.rule, finding.received, finding.expected) == ("INS-176", "2360·········79", "ehpad · ∅")
    assert shown(finding) == [("cda:X", AT, "2360·········79 (.10)")]


def test_a_long_last_arc_of_an_oid_is_shown_cut() -> None:
    far = replace(WHOLE, ins=Ins(ODETTE, "1.2.123456789012345"))
    assert shown(received(far)[0])[0][2] == "2360·········79 (.123456789012)"


def test_a_merge_is_told_at_the_type_of_the_message() -> None:
    told = {finding.rule: finding for finding in received(WHOLE, local(), merges=True)}["INS-181"]
    assert (told.where.kind.value, told.where.path, told.container) == ("hl7", "MSH-9", "cda:X")
    assert (told.received, told.expected_in("en")) == ("ADT^A40", "human decision")


def test_a_death_is_told_of_the_one_record_that_a_human_will_look_at() -> None:
    dead = local(deceased_on="2026-01-01")
    stopped = local(deceased_on="2026-01-01", reliability=Reliability(Status.VALI))
    late = {"document_date": "2026-01-01T10:00:00"}
    assert "INS-182" not in ids(received(WHOLE, dead, **late))
    late = {"document_date": "2026-01-02T10:00:00"}
    for record in (dead, stopped):
        told = {f.rule: f for f in received(WHOLE, record, **late)}["INS-182"]
        assert (told.received, told.where, told.container) == ("2026-01-02", PLACE, "cda:X")
    assert "INS-182" not in ids(received(WHOLE, dead, local(ipp="P2"), **late))
    assert "INS-182" not in ids(received(WHOLE, **late))


def test_a_record_joined_among_several_shown_is_still_checked_for_a_death() -> None:
    found = match(WHOLE, Base((local(deceased_on="2026-01-01"),)))
    several = replace(found, candidates=(*found.candidates, local(ipp="P2")))
    assert found.outcome is Outcome.INTEGRATE
    assert "INS-182" in ids(received(WHOLE, match=several, document_date="2026-01-02"))


def test_a_carrier_is_each_ins_of_a_container_with_the_local_numbers_beside_it() -> None:
    corsica = "180032b02040123"
    two = cda(identifiers=(ins(), ins(corsica), ipp(), ipp("")), label="cda:A.XML")
    numbers = (("CH000102", "1.2.250.1.999.1"),)
    where = two.identifiers[0].where
    assert carriers_in((cda(identifiers=(ipp(),)), two)) == (
        Carrier("cda:A.XML", INS, where, numbers),
        Carrier("cda:A.XML", Ins(corsica.upper(), INS.oid), where, numbers),
    )


def test_a_message_of_many_containers_keeps_a_bounded_number_of_carriers() -> None:
    assert len(carriers_in([cda()] * 201)) == 200


def sent(record: LocalIdentity, *carriers: Carrier) -> Finding:
    (finding,) = BOOK.judge(BASE_RULES, Sent(carriers, record, "ch-brumeval"), context(), "mail")
    return finding


def test_an_ins_that_must_not_leave_is_shown_where_it_stands_beside_what_the_index_says() -> None:
    doubtful = local(reliability=Reliability(Status.PROV, frozenset({Attribute.HOMONYME, Attribute.DOUTEUSE})))
    finding = sent(doubtful, *carriers_in((metadata(identifiers=(ins(COLETTE),)), cda())))
    assert (finding.rule, finding.container, finding.where) == ("INS-074", "metadata:DOC0001.XML", PLACE / "id[1]")
    assert (finding.received, finding.expected) == ("2360·········78", "∅ (PROV + douteuse + homonyme)")
    assert shown(finding) == [
        ("metadata:DOC0001.XML", str(PLACE / "id[1]"), "2360·········78"),
        ("cda:DOC0001.XML", str(PLACE / "id[1]"), "2360·········79"),
        ("index:ch-brumeval", "IPP P1", "PROV + douteuse + homonyme"),
    ]


def test_a_message_of_many_containers_shows_twenty_of_them() -> None:
    carriers = [Carrier(f"cda:{n}", INS, Where(PLACE.kind, str(n))) for n in range(25)]
    assert len(sent(local(reliability=Reliability(Status.VALI)), *carriers).values) == 21
