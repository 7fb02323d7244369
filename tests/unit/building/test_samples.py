"""Each sample shows what its name says: the rules it announces are found, no other, and nothing blocking in a valid one."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache

import pytest

from gateway.directory.territory import load_territory
from gateway.exchange.checking import Checker
from gateway.exchange.opening import open_message
from gateway.exchange.routing import routing_of
from gateway.rules.book import RuleBook
from gateway.rules.catalogue import load_catalogue
from gateway.rules.model import Finding, RuleContext, Severity
from gateway.samples import SAMPLE_TIME, Sample, readdressed, sample_named, samples
from gateway.samples.model import ENDINGS, is_told_offline
from gateway.values import Direction, Door

SAMPLES = samples()


@cache
def _findings(name: str) -> tuple[Finding, ...]:
    sample = sample_named(name)
    opened = open_message(sample.build(), "", sample.envelope, filename=sample.filename)
    routing = routing_of(opened, sample.envelope, load_territory()) if sample.envelope else None
    ctx = RuleContext(Direction.EMISSION, Door.SUBMISSION, date(2025, 6, 1))
    return tuple(Checker(RuleBook(load_catalogue())).check(opened, ctx, routing))


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.expected_rules], ids=lambda s: s.name)
def test_a_faulty_file_breaks_the_rules_it_announces_and_no_other(sample: Sample) -> None:
    assert {f.rule for f in _findings(sample.name)} == set(filter(is_told_offline, sample.expected_rules))


@pytest.mark.parametrize("sample", [s for s in SAMPLES if not s.expected_rules], ids=lambda s: s.name)
def test_nothing_blocking_is_found_in_a_valid_file(sample: Sample) -> None:
    assert [f.line() for f in _findings(sample.name) if f.severity is Severity.BLOCKING] == []


@pytest.mark.parametrize("sample", [s for s in SAMPLES if not s.expected_rules], ids=lambda s: s.name)
def test_a_valid_file_raises_no_remark_but_the_want_of_an_ins(sample: Sample) -> None:
    without_ins = {"INS-031", "XDM-10"} if sample.name == "valide-mail-evaluation-sociale-au-siao" else set()
    assert {f.rule for f in _findings(sample.name)} <= without_ins


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
def test_it_is_made_the_same_twice(sample: Sample) -> None:
    assert sample.build() == sample.build()


def test_every_rule_announced_is_in_the_catalogue() -> None:
    assert {rule for s in SAMPLES for rule in s.expected_rules} <= set(load_catalogue().cards)


def test_names_are_unique_french_ascii_and_say_the_kind() -> None:
    names = [s.name for s in SAMPLES]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name) for name in names)
    assert {s.kind for s in SAMPLES} == set(ENDINGS)
    assert all(s.filename == f"{s.name}.{ENDINGS[s.kind]}" for s in SAMPLES)


def test_each_says_in_both_languages_what_to_look_at() -> None:
    assert all(s.title.fr.endswith(".") and s.title.en.endswith(".") for s in SAMPLES)


def test_every_mail_has_an_envelope_between_mailboxes_of_the_territory() -> None:
    known = load_territory().mailboxes
    for sample in SAMPLES:
        if sample.kind != "mail":
            assert sample.envelope is None
            continue
        assert sample.envelope is not None
        assert sample.envelope.mail_from in known
        if "GW-ENV-02" not in sample.expected_rules:
            assert set(sample.envelope.recipients) <= set(known)


def test_samples_of_another_time_are_other_messages() -> None:
    later = sample_named("valide-mail-lettre-de-liaison", SAMPLE_TIME + timedelta(days=1))
    assert later.build() != sample_named("valide-mail-lettre-de-liaison").build()


def test_a_sample_can_come_from_elsewhere() -> None:
    sample = readdressed(sample_named("identite-cle-fausse"), "x@chu-rive-claire.mssante.fr", ("y@z.mssante.fr",))
    assert sample.envelope is not None
    assert sample.envelope.mail_from == "x@chu-rive-claire.mssante.fr"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        sample_named("licorne")


def test_the_bomb_is_small_on_disk() -> None:
    assert len(sample_named("xdm-bombe").build()) < 200_000


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.name.startswith("valide-hl7")], ids=lambda s: s.name)
def test_a_valid_message_of_hl7_is_whole_for_hl7apy_too(sample: Sample) -> None:
    from hl7apy.parser import parse_message

    french_profile = "2.5^FRA^2.11"  # PAM: hl7apy wants the number alone
    message = parse_message(sample.build().decode().replace(french_profile, "2.5"), find_groups=True)
    assert message.validate()


def test_a_message_of_hl7_holds_accents_written_in_utf8_or_not_as_it_says() -> None:
    street = "L'ÉTANG"
    assert street.encode() in sample_named("valide-hl7-adt-a28").build()
    assert street.encode("iso8859-15") in sample_named("hl7-jeu-de-caracteres").build()


def test_the_document_of_hl7_and_of_fhir_is_about_the_patient_beside_it() -> None:
    for name in ("valide-hl7-oru-cda", "valide-hl7-mdm-cda", "valide-fhir-documentreference", "valide-fhir-depot"):
        opened = open_message(sample_named(name).build(), filename=sample_named(name).filename)
        assert len(opened.documents) == 1, name
        assert len({v.ins.value for v in opened.views if v.ins is not None}) == 1, name
        assert len(opened.views) > 1, name
