"""A software that copies birth names into used names, seen over real submissions (INS-050)."""

from __future__ import annotations

from dataclasses import replace

from adapters.player.world import world_of
from adapters.testing.running import RunningGateway
from tests.support.live import NURSING_HOME, SENDER


def test_the_fifth_patient_whose_used_name_is_the_birth_name_gives_the_software_away(
    passerelle: RunningGateway,
) -> None:
    world = world_of(passerelle)
    people = [p for p in world.territory.patients.values() if p.status == "QUAL" and "ch-brumeval" in p.ipp]
    verdicts = []
    for person in people[:6]:
        copying = replace(person, used_family=person.family, used_given=person.given)
        record = world.record(
            "lettre-sortie", copying, world.structure("ch-brumeval"), world.professional("vannier-claire")
        )
        mail = world.mail(SENDER, NURSING_HOME, record)
        assert passerelle.submit(mail.raw, SENDER, NURSING_HOME).code == 250
        exchange = passerelle.get("/exchanges", door="smtp-submission")["exchanges"][0]
        assert person.family not in str(exchange["summary"]["used_names"])
        verdicts.append("INS-050" in exchange["summary"]["rules"])
    assert verdicts[:4] == [False] * 4
    assert verdicts[-1]
