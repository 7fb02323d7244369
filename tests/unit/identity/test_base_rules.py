"""What leaves against the sender's index, and what each line of the decision table says to a reader."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.exchange.integration import relied_on
from gateway.identity.base_rules import BASE_RULES, BY_THE_TABLE, MATCHING_RULES, Matched, Sent, carriers_in
from gateway.identity.local import Ins, LocalIdentity
from gateway.identity.matching import Outcome, match
from gateway.identity.status import Attribute, Reliability, Status
from gateway.rules import RuleBook, Severity, load_catalogue
from gateway.rules.model import Scope
from gateway.values import Direction
from tests.support.identity_views import COLETTE, ODETTE, PLACE, cda, context, ids, ipp, metadata
from tests.unit.identity.test_matching import INS, ROWS, WHOLE, Base, local

BOOK = RuleBook(load_catalogue())
RECEIVING = context(Direction.RECEPTION)


def sent(status: Status = Status.PROV, *attributes: Attribute, **changes: object) -> set[str]:
    record = LocalIdentity("CH1", local().traits, Reliability(status, frozenset(attributes)), INS)
    carriers = carriers_in((cda(**changes), metadata(**changes)))
    return ids(BOOK.judge(BASE_RULES, Sent(carriers, record, "ch-brumeval"), context(), "mail"))


@pytest.mark.parametrize("status", [Status.PROV, Status.RECUP, Status.VALI])
def test_an_ins_leaves_only_for_a_qualified_identity(status: Status) -> None:
    assert sent(status) == {"INS-072"}
    assert sent(Status.QUAL) == set()


def test_one_fault_has_one_finding() -> None:
    assert sent(Status.PROV, Attribute.FICTIVE) == {"INS-073"}
    assert sent(Status.PROV, Attribute.DOUTEUSE) == {"INS-074"}


def test_without_an_ins_nothing_is_said() -> None:
    assert sent(Status.PROV, identifiers=(ipp(),)) == set()


def matched(**changes: object) -> Matched:
    found = match(WHOLE, Base((local(),)))
    return replace(Matched(WHOLE.traits, INS, "cda:X", PLACE, found, "ehpad"), **changes)


@pytest.mark.parametrize(("row", "ack", "rules", "received", "records"), ROWS)
def test_a_line_of_the_table_is_told_by_the_rules_it_names(row, ack, rules, received, records) -> None:
    found = match(received, Base(records))
    subject = Matched(received.traits, received.ins, "cda:X", PLACE, found, "ehpad")
    findings = BOOK.judge(MATCHING_RULES, subject, RECEIVING, "cda:X")
    assert ids(findings) == set(rules) & set(BY_THE_TABLE)
    for finding in findings:
        told = str(finding.to_json())
        assert ODETTE not in told
        assert COLETTE not in told
        assert "BRUNEL" not in told
        assert finding.values
        assert finding.hl7_error in ("", found.ack) or finding.hl7_error.startswith("90")


def test_a_merge_asked_by_a_message_is_for_a_human() -> None:
    assert "INS-181" in ids(BOOK.judge(MATCHING_RULES, matched(merges=True), RECEIVING, "x"))


def test_a_document_after_a_known_death_is_told() -> None:
    dead = match(WHOLE, Base((local(deceased_on="2026-01-01"),)))
    judged = [
        ids(BOOK.judge(MATCHING_RULES, matched(match=dead, document_date=day), RECEIVING, "x"))
        for day in ("2026-01-02", "2026-01-01", "")
    ]
    assert ["INS-182" in found for found in judged] == [True, False, False]


@pytest.mark.parametrize(("row", "ack", "rules", "received", "records"), ROWS)
def test_a_record_is_asked_for_its_verification_where_a_message_tells_its_patient_otherwise(
    row, ack, rules, received, records
) -> None:
    found = match(received, Base(records))
    relied = relied_on(Matched(received.traits, received.ins, "cda:X", PLACE, found, "ehpad"))
    assert bool(relied) == (3 <= row <= 7 and len(found.candidates) == 1)
    assert all(one.record is found.record for one in relied)


def test_a_homonym_is_looked_at_before_anything_joins_the_record() -> None:
    homonym = local(reliability=Reliability(Status.QUAL, frozenset({Attribute.HOMONYME})))
    found = match(WHOLE, Base((homonym,)))
    assert (found.row, found.outcome, found.rules) == (1, Outcome.QUARANTINE, ("INS-077",))


def test_the_cards_say_what_these_functions_look_at() -> None:
    assert {BOOK.catalogue[r.id].scope for r in BASE_RULES} == {Scope.BASE}
    assert {BOOK.catalogue[r.id].scope for r in MATCHING_RULES} == {Scope.MATCHING}
    assert BOOK.catalogue["INS-161"].reception is Severity.INFO


def test_the_oid_is_part_of_the_ins() -> None:
    elsewhere = Ins(INS.matricule, "1.2.250.1.213.1.4.8")
    assert match(replace(WHOLE, ins=elsewhere), Base((local(),))).row == 7
