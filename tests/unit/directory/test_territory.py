"""The shipped territory is whole, fictitious, and survives the store."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from stdnum.fr import nir

from gateway.directory.identifiers import finess_ok, parse_struct_id_nat, reserved, rpps_ok, siret_ok
from gateway.directory.model import MailboxKind, MailboxState, Patient, RoutingClass, Structure
from gateway.directory.territory import (
    citizen_mailbox,
    demo_passwords,
    domain_in,
    fictitious_communes,
    from_record,
    key_of,
    kind_of,
    listings_for,
    load_territory,
    records_of,
    territory_from_records,
    to_record,
    with_actors,
    with_listings,
)
from gateway.tables import fixtures_dir
from tests.support.reference import reference

TERRITORY = load_territory()


def _categories() -> list[str]:
    return [s.category for s in TERRITORY.structures.values()]


def test_the_territory_holds_every_kind_of_actor() -> None:
    categories = _categories()
    assert categories.count("CH") >= 3
    assert categories.count("EHPAD") == 3
    assert categories.count("CABINET") == 4
    wanted = {"SSIAD", "IME", "MAS", "ESAT", "CHRS", "LABORATOIRE", "PHARMACIE", "MDPH", "CD", "SIAO", "PLATEFORME"}
    assert wanted <= set(categories)
    assert {s.routing_class for s in TERRITORY.structures.values()} == set(RoutingClass) - {RoutingClass.USAGER}
    assert {"CH de Brumeval", "EHPAD Les Tilleuls"} <= {s.name for s in TERRITORY.structures.values()}


def test_three_local_operators_serve_several_domains_and_one_is_foreign() -> None:
    local = {o.listener: o for o in TERRITORY.operators.values() if o.local}
    assert set(local) == {0, 1, 2, 3}
    assert all(len(local[rank].domains) >= 3 for rank in (0, 1, 2))
    assert local[3].domains == ("patient.mssante.fr",)
    assert any(not o.local for o in TERRITORY.operators.values())


def test_no_domain_is_served_twice_and_all_are_in_the_trust_space() -> None:
    domains = [d for o in TERRITORY.operators.values() for d in o.domains]
    assert len(domains) == len(set(domains))
    assert all(d.endswith(".mssante.fr") and d == d.lower() for d in domains)


def test_every_mailbox_has_a_holder_and_the_operator_of_its_domain() -> None:
    for mailbox in TERRITORY.mailboxes.values():
        operator = TERRITORY.operator_of_domain(mailbox.domain)
        assert TERRITORY.holder_of(mailbox) is not None, mailbox.address
        assert operator is not None, mailbox.address
        assert operator.id == mailbox.operator, mailbox.address
        assert all(m in TERRITORY.professionals for m in mailbox.members)
    assert {m.kind for m in TERRITORY.mailboxes.values()} == {
        MailboxKind.PER,
        MailboxKind.ORG,
        MailboxKind.APP,
        MailboxKind.PATIENT,
    }
    assert {MailboxState.SUSPENDED, MailboxState.FULL} <= {m.state for m in TERRITORY.mailboxes.values()}


def test_every_professional_and_seat_names_a_known_structure() -> None:
    for professional in TERRITORY.professionals.values():
        assert professional.structures
        assert all(s in TERRITORY.structures for s in professional.structures)
    assert all(not s.siege or s.siege in TERRITORY.structures for s in TERRITORY.structures.values())


def test_identifiers_have_valid_keys_and_stay_in_the_reserved_blocks() -> None:
    for structure in TERRITORY.structures.values():
        assert structure.finess or structure.siret
        if structure.finess:
            assert finess_ok(structure.finess), structure.key
            assert reserved("FINESS", structure.finess), structure.key
        if structure.siret:
            assert siret_ok(structure.siret), structure.key
            assert reserved("SIRET", structure.siret), structure.key
    for professional in TERRITORY.professionals.values():
        assert rpps_ok(professional.rpps), professional.key
        assert reserved("RPPS", professional.rpps), professional.key
    for operator in TERRITORY.operators.values():
        number = parse_struct_id_nat(operator.structure_id)
        assert number is not None, operator.id
        assert number.key_ok, operator.id
        assert reserved(number.kind, number.value), operator.id
    finess = [s.finess for s in TERRITORY.structures.values() if s.finess]
    sirets = [s.siret for s in TERRITORY.structures.values() if s.siret]
    assert len(finess) == len(set(finess))
    assert len(sirets) == len(set(sirets))


def test_no_other_number_occurs_in_the_shipped_data() -> None:
    """Any run of 9, 11, 14 or 15 characters that looks like an identifier is one of ours or a published test identity."""
    matricules = {p.matricule for p in TERRITORY.patients.values()}
    for path in sorted((fixtures_dir() / "territory").glob("*")) + sorted((fixtures_dir() / "documents").glob("*")):
        for value in re.findall(r"(?<![\w.])\d{5}(?:\d{2}|2[AB])\d{2,8}(?![\w.])", path.read_text(encoding="utf-8")):
            owner = parse_struct_id_nat(value)
            known = (
                value in matricules
                or any(reserved(kind, value) for kind in ("FINESS", "RPPS", "SIREN", "SIRET"))
                or (owner is not None and reserved(owner.kind, owner.value))
            )
            assert known, f"{path.name}: {value}"


def test_twenty_five_patients_cover_the_hard_cases() -> None:
    patients = TERRITORY.patients.values()
    assert len(patients) == 25
    assert sum("homonyme" in p.attributes for p in patients) == 2
    assert {p.status for p in patients} == {"QUAL", "VALI", "RECUP", "PROV"}
    assert {a for p in patients for a in p.attributes} == {"homonyme", "fictive", "douteuse"}
    assert {p.oid[-3:] for p in patients if p.oid} == {".10", ".11", "4.9"}
    assert any(p.birth_place.startswith("2A") for p in patients)
    assert any(p.birth_place.startswith("2B") for p in patients)
    assert any(p.birth_place.startswith("99") and p.birth_place != "99999" for p in patients)
    assert {p.dmp_state for p in patients} == {"active", "closed", "absent"}
    twins = [p for p in patients if p.birth_date == "1936-02-14"]
    assert len(twins) == 2
    assert twins[0].family == twins[1].family
    assert twins[0].matricule != twins[1].matricule


@pytest.mark.parametrize("patient", [p for p in TERRITORY.patients.values() if p.matricule], ids=lambda p: p.key)
def test_every_matricule_is_valid_for_an_independent_library(patient: Patient) -> None:
    number = patient.matricule
    assert nir.calc_check_digits(number[:13]) == number[13:]
    assert number[0] == ("1" if patient.sex == "M" else "2")
    assert number[1:3] == patient.birth_date[2:4]
    assert number[3:5] == patient.birth_date[5:7]


def test_matricules_are_unique_and_come_from_a_fictitious_commune_or_a_published_base() -> None:
    with_number = [p for p in TERRITORY.patients.values() if p.matricule]
    assert len({p.matricule for p in with_number}) == len(with_number)
    for patient in with_number:
        if patient.source.startswith("identité de test publiée"):
            continue
        assert patient.birth_place in fictitious_communes(), patient.key
        assert patient.matricule[5:10] == patient.birth_place, patient.key


@pytest.mark.reference
def test_published_identities_are_those_of_the_reference() -> None:
    published = {
        i["matricule"]: i
        for i in json.loads(reference("ins/test_identities.json").read_text())["identities"]
        if i["id"] != "CISIS-PAT-TROIS-HL7"
    }
    for patient in TERRITORY.patients.values():
        if patient.source.startswith("identité de test publiée"):
            found = published[patient.matricule]
            assert (found["birth_family"], found["sex"], found["birth_date"]) == (
                patient.family,
                patient.sex,
                patient.birth_date,
            )


def test_a_weak_identity_has_no_matricule_and_is_provisional() -> None:
    for patient in TERRITORY.patients.values():
        date.fromisoformat(patient.birth_date)
        if {"douteuse", "fictive"} & set(patient.attributes):
            assert patient.status == "PROV"
            assert not patient.matricule
        assert bool(patient.matricule) == bool(patient.oid)


def test_thirty_communes_are_invented() -> None:
    assert sorted(fictitious_communes()) == [str(code) for code in range(48901, 48931)]


def test_records_make_the_same_territory_again_through_json() -> None:
    stored = json.loads(json.dumps([(k, key, dict(r)) for k, key, r in records_of(with_listings(TERRITORY, _dns()))]))
    again = territory_from_records((k, key, r) for k, key, r in stored)
    assert again == with_listings(TERRITORY, _dns())


def _dns() -> dict[str, list[str]]:
    return {o.id: [f"CN={o.host},OU={o.structure_id},O=ESSAI,C=FR"] for o in TERRITORY.operators.values()}


def test_a_record_may_lack_new_fields_and_hold_unknown_ones() -> None:
    structure = TERRITORY.structures["siao"]
    record = {**to_record(structure), "couleur": "bleu"}
    del record["siege"]
    assert from_record("structure", "siao", record) == structure
    assert territory_from_records([("certificate", "x", {}), (kind_of(structure), key_of(structure), record)])


def test_a_broken_record_says_which_actor_it_is() -> None:
    with pytest.raises(ValueError, match=r"structure siao: .*ROUGE"):
        from_record("structure", "siao", {**to_record(TERRITORY.structures["siao"]), "routing_class": "ROUGE"})
    with pytest.raises(ValueError, match="truc x"):
        from_record("truc", "x", {})


def test_listings_join_each_domain_with_each_certificate_of_its_operator() -> None:
    dns = {"op-brume": ["CN=a", "CN=b"]}
    listings = listings_for(TERRITORY, dns)
    assert len(listings) == 2 * len(TERRITORY.operators["op-brume"].domains)
    listed = with_listings(TERRITORY, dns)
    assert listed.dns_of_domain("SIAO.val-de-brume.mssante.fr") == ("CN=a", "CN=b")
    assert listed.dns_of_domain("ch-brumeval.val-de-brume.mssante.fr") == ()


def test_another_workspace_bears_its_label_in_every_domain() -> None:
    assert domain_in("siao.val-de-brume.mssante.fr", "ci7") == "siao.ci7.val-de-brume.mssante.fr"
    assert domain_in("patient.mssante.fr", "ci7") == "patient.ci7.val-de-brume.mssante.fr"
    assert domain_in("chu-rive-claire.mssante.fr", "ci7") == "chu-rive-claire.ci7.mssante.fr"
    other = load_territory("ci7")
    assert not set(other.mailboxes) & set(TERRITORY.mailboxes)
    assert all(m.operator == (other.operator_of_domain(m.domain) or m).id for m in other.mailboxes.values())  # type: ignore[union-attr]
    assert set(other.patients) == set(TERRITORY.patients)


def test_only_mailboxes_that_open_with_a_password_have_one() -> None:
    passwords = demo_passwords("demo")
    for address, mailbox in TERRITORY.mailboxes.items():
        local = TERRITORY.operators[mailbox.operator].local
        assert (address in passwords) == (mailbox.kind is not MailboxKind.APP and local)
        assert not mailbox.secret
    assert set(demo_passwords("ci7")) <= set(load_territory("ci7").mailboxes)


def test_a_citizen_address_is_the_matricule() -> None:
    patient = TERRITORY.patients["corse-figatellix"]
    assert citizen_mailbox(patient).address == "188102b17295165@patient.mssante.fr"
    assert any(m.kind is MailboxKind.PATIENT for m in TERRITORY.mailboxes.values())


def test_adding_an_actor_leaves_the_first_territory_as_it_was() -> None:
    renamed = replace(TERRITORY.structures["siao"], name="SIAO 2")
    changed = with_actors(TERRITORY, [renamed])
    assert changed.structures["siao"].name == "SIAO 2"
    assert TERRITORY.structures["siao"].name != "SIAO 2"
    assert isinstance(TERRITORY.structures["siao"], Structure)


def test_sources_document_every_file_of_the_territory() -> None:
    text = (fixtures_dir() / "territory" / "SOURCES.md").read_text(encoding="utf-8")
    names = [p.name for p in Path(fixtures_dir() / "territory").glob("*.yaml")]
    assert all(f"`{name}`" in text for name in names)
