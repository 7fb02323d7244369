"""INSi over real HTTPS: zeep and curl call every operation, and each answer is what its schema says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from requests.adapters import HTTPAdapter
from zeep.transports import Transport

from adapters.insi.routes import BASE
from gateway.insi.base import read_card
from gateway.insi.model import Operation, Traits, Verification
from gateway.sandbox.model import Policy
from tests.support import insi_world as insi
from tests.support.authority import shared_authority
from tests.support.dmp_world import client_tls
from tests.support.insi_world import SUZANNE, SUZANNE_INS, World, live_insi
from tests.support.reference import need_tool

EDITOR = Policy(ins_environment="insi-editor-base")
XS = "{http://www.w3.org/2001/XMLSchema}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with live_insi(tmp_path) as made:
        yield made


class _MutualTls(HTTPAdapter):
    """requests, with our authority and a client certificate; the sandbox's server is reached by its address."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"ssl_context": client_tls(insi.software_certificate()), "assert_hostname": False}
        super().init_poolmanager(*args, **kwargs)


class Zeep:
    """A zeep client made from the WSDL that the service itself serves."""

    def __init__(self, url: str) -> None:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", _MutualTls())
        bundle = Path(shared_authority().bundle_path)
        session.verify = str(bundle)
        self.client = zeep.Client(f"{url}{BASE}?wsdl", transport=Transport(session=session))

    def headers(self) -> dict[str, Any]:
        """Both contexts, as any software fills them."""
        at = datetime(2026, 3, 2, 10, tzinfo=UTC)
        software = {"IDAM": {"_value_1": "ZEEP01", "R": "4"}, "Version": "4", "Instance": "1", "Nom": "zeep"}
        return {
            "ContexteLPS": {
                "Id": "1",
                "Temps": at,
                "Emetteur": "900000001",
                "LPS": software,
                "Nature": "CTXLPS",
                "Version": "01_00",
            },
            "ContexteBAM": {"Id": "1", "Temps": at, "Emetteur": "900000001", "COUVERTURE": {}, "Version": "01_02"},
        }

    def call(self, operation: Operation, **query: Any) -> Any:
        return self.client.service[operation.value](**query, _soapheaders=self.headers())


TRAITS = {"NomNaissance": "DELMAS", "Prenom": ["SUZANNE"], "Sexe": "F", "DateNaissance": "1939-03-08"}


async def test_zeep_calls_every_operation_from_the_served_wsdl(world: World) -> None:
    def play() -> list[Any]:
        one = Zeep(world.url)
        number = {"NumIdentifiant": "2390348901017", "Cle": "55"}
        given = {"IdIndividu": number, "OID": SUZANNE_INS.oid}
        verified = {"INSFourni": given, "TraitsIdentiteIndividu": {**TRAITS, "LieuNaissance": "48901"}}
        return [
            one.call(Operation.TRAITS, **TRAITS),
            one.call(Operation.CARD, MatriculeIndividu=number, NomNaissance="DELMAS", DateNaissance="1939-03-08"),
            one.call(Operation.VERIFY, IndividuVerifie=verified),
            one.call(Operation.TRAITS, **{**TRAITS, "Prenom": ["INCONNUE"]}),
        ]

    traits, card, verified, nobody = await asyncio.to_thread(play)
    for found in (traits, card):
        assert found.CR.CodeCR == "00"
        assert found.INDIVIDU.INSACTIF.IdIndividu.NumIdentifiant == "2390348901017"
        assert found.INDIVIDU.INSACTIF.OID == "1.2.250.1.213.1.4.10"
        assert found.INDIVIDU.TIQ.ListePrenom == "SUZANNE MARIE LOUISE"
    assert (verified.CR.CodeCR, verified.INDIVIDU) == ("00", None)
    assert (nobody.CR.CodeCR, nobody.CR.LibelleCR) == ("01", "Aucune identite trouvee")
    kinds = [row.summary["kind"] for row in await world.exchanges()]
    assert kinds == ["insi-traits", "insi-verify", "insi-card", "insi-traits"]
    assert (await world.last()).summary["software"] == "zeep 4"


async def test_zeep_reads_a_fault_with_its_code_and_its_cure(world: World) -> None:
    def play() -> zeep.exceptions.Fault:
        with pytest.raises(zeep.exceptions.Fault) as raised:
            Zeep(world.url).call(Operation.TRAITS, **{**TRAITS, "NomNaissance": "CŒUR"})
        return raised.value

    fault = await asyncio.to_thread(play)
    assert "INS-187" in fault.message
    assert fault.detail.find("{urn:siram}Erreur").get("code") == "insi_102"
    assert [f.get("rule") for f in fault.detail.iter("{urn:passerelle:insi}finding")] == ["INS-187"]


async def test_zeep_reads_histories_whose_dates_are_reversed(tmp_path: Path) -> None:
    async with live_insi(tmp_path, policy=EDITOR) as world:
        query = {"NomNaissance": "ECETINSI", "Prenom": "PIERRE-ALAIN", "Sexe": "M", "DateNaissance": "2009-07-14"}
        found = await asyncio.to_thread(lambda: Zeep(world.url).call(Operation.TRAITS, **query))
    history = found.INDIVIDU.INSHISTO
    assert [h.IdIndividu.NumIdentifiant + h.IdIndividu.Cle for h in history] == ["209076322083439", "209066322012355"]
    assert history[0].DateDeb > history[0].DateFin
    assert found.INDIVIDU.INSACTIF.OID == "1.2.250.1.213.1.4.8"


async def result_schema(world: World) -> etree.XMLSchema:
    """The schema of RESULTAT, out of the served WSDL."""
    async with world.http() as client:
        wsdl = etree.fromstring((await client.get(f"{BASE}?wsdl")).content)
    wanted = "http://www.cnamts.fr/INSiResultat"
    (schema,) = (s for s in wsdl.iter(f"{XS}schema") if s.get("targetNamespace") == wanted)
    return etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


async def test_every_person_of_the_base_is_answered_within_the_schema(tmp_path: Path) -> None:
    async with live_insi(tmp_path, policy=EDITOR) as world:
        schema = await result_schema(world)
        people = [p.individual for p in world.insi.base("demo").people.values()]
        assert len(people) > 70
        for told in people:
            traits = Traits(told.family, (told.given_list,), told.sex, told.birth_date, told.birth_place)
            said = await world.ask(traits)
            assert said.code == "00", told.active.matricule.number[:4]
            (result,) = said.root.iter(f"{insi.RESULT}RESULTAT")
            schema.assertValid(result)
            assert said.text("NumIdentifiant") + said.text("Cle") == told.active.matricule.whole


async def test_the_wsdl_needs_no_certificate_names_its_own_address_and_fetches_nothing(world: World) -> None:
    curl = need_tool("curl", "apt-get install curl")
    bundle = str(shared_authority().bundle_path)
    for query in ("?wsdl", "?WSDL"):
        process = await asyncio.create_subprocess_exec(
            curl, "--silent", "--cacert", bundle, f"{world.url}{BASE}{query}", stdout=-1
        )
        out, _ = await process.communicate()
        root = etree.fromstring(out)
        (address,) = root.iter("{http://schemas.xmlsoap.org/wsdl/soap12/}address")
        assert address.get("location") == f"{world.url}{BASE}"
        assert b"schemaLocation" not in out
    assert await world.exchanges() == ()


async def test_curl_calls_with_a_client_certificate(world: World, tmp_path: Path) -> None:
    curl = need_tool("curl", "apt-get install curl")
    (tmp_path / "call.xml").write_bytes(insi.call_xml(SUZANNE))
    issued, authority = insi.software_certificate(), shared_authority()
    command = [
        *(curl, "--silent", "--show-error", "--cacert", str(authority.bundle_path)),
        *("--cert", str(authority.chain_path(issued)), "--key", str(authority.key_path(issued))),
        *("-H", "Content-Type: application/soap+xml", "--data-binary", f"@{tmp_path / 'call.xml'}"),
        *("-w", "\n%{http_code} %{content_type}", f"{world.url}{BASE}"),
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    out, err = await process.communicate()
    assert process.returncode == 0, err
    answer, _, told = out.rpartition(b"\n")
    assert told.startswith(b"200 application/soap+xml")
    assert b"<CodeCR>00</CodeCR>" in answer
    row = await world.last()
    assert row.summary["sender"].startswith("CN=INSI-AUTO")
    assert row.summary["door"] == "insi"
    assert row.summary["outcome"] == "accept"


async def test_get_without_wsdl_and_other_methods_say_what_to_do(world: World) -> None:
    async with world.http() as client:
        told = await client.get(BASE)
        assert (told.status_code, told.headers["allow"]) == (405, "POST")
        assert "?wsdl" in told.text
        assert (await client.put(BASE, content=b"x")).status_code == 405


async def test_a_card_of_the_sandbox_is_searched(world: World) -> None:
    card = read_card("CV-SIMULEE-0004", world.insi.base("demo"))
    assert card is not None
    said = await world.ask(card, Operation.CARD)
    assert (said.code, said.text("NomNaissance")) == ("00", "PERRIN")


async def test_answers_relate_to_their_call_and_name_their_exchange(world: World) -> None:
    said = await world.ask(SUZANNE)
    row = await world.last()
    assert said.headers["x-passerelle-exchange"] == row.id
    assert said.root.findtext(".//{http://www.w3.org/2005/08/addressing}RelatesTo") == row.summary["message_id"]
    assert await world.store.blob("demo", row.sha256)


# -------------------------------------------------------------------------------------------------------------------- lots

LINE = {
    "matricule": "239034890101755",
    "oid": SUZANNE_INS.oid,
    "nomNaissance": "DELMAS",
    "prenoms": "SUZANNE MARIE LOUISE",
    "sexe": "F",
    "dateNaissance": "1939-03-08",
}


async def test_a_lot_is_handed_in_then_consulted_line_by_line(world: World) -> None:
    fictive = {"nomNaissance": "FORMATION", "prenoms": "ZOE", "sexe": "F", "dateNaissance": "1990-01-01"}
    lines = [LINE, {**LINE, "sexe": "M"}, {**LINE, "nomNaissance": "CŒUR"}, {}, {**LINE, **fictive}]
    async with world.http() as client:
        posted = await client.post(f"{BASE}/lots", json={"lignes": lines})
        assert posted.status_code == 202, posted.text
        assert posted.json()["etat"] == "en_cours"
        told = (await client.get(posted.headers["location"])).json()
    assert told["etat"] == "termine"
    first, second, third, fourth, fifth = told["resultats"]
    assert first == {"ligne": 1, "cr": "00", "libelle": "OK"}
    assert second["cr"] == "01"
    assert (third["regle"], third["recu"]) == ("INS-187", "CŒXX(4)")
    assert (fourth["regle"], fourth["ligne"]) == ("INS-186", 4)
    assert fourth["remede"]["fr"]
    assert fifth["regle"] == "INS-185"
    handed = next(row for row in await world.exchanges() if row.summary["kind"] == "insi-lot")
    assert {f["rule"] for f in handed.findings} == {"INS-185", "INS-186", "INS-187", "INS-188"}
    consulted = await world.last()
    assert (consulted.parent_id, consulted.summary["kind"]) == (handed.id, "insi-lot-result")


async def test_a_lot_under_way_shows_no_result(tmp_path: Path) -> None:
    async with live_insi(tmp_path, lot_ready_s=3600) as world, world.http() as client:
        posted = await client.post(f"{BASE}/lots", json={"lignes": [LINE]})
        told = (await client.get(posted.headers["location"])).json()
    assert (told["etat"], told["lignes"]) == ("en_cours", 1)
    assert "resultats" not in told


async def test_a_long_lot_is_judged_by_a_worker(world: World) -> None:
    async with world.http() as client:
        posted = await client.post(f"{BASE}/lots", json={"lignes": [LINE] * 600})
    assert posted.status_code == 202
    assert world.offload.runs == 2


@pytest.mark.parametrize(
    ("content", "content_type", "rule", "status"),
    [
        (b"{", "application/json", "INSI-20", 422),
        (b"{}", "text/csv", "INSI-11", 415),
        (json.dumps({"lignes": [{}] * 5001}).encode(), "application/json", "INSI-21", 422),
    ],
)
async def test_a_lot_that_cannot_be_taken_is_a_problem_that_teaches(
    world: World, content: bytes, content_type: str, rule: str, status: int
) -> None:
    async with world.http() as client:
        said = await client.post(f"{BASE}/lots", content=content, headers={"Content-Type": content_type})
    assert said.status_code == status
    assert said.headers["content-type"] == "application/problem+json"
    assert said.json()["findings"][0]["rule"] == rule
    assert (await world.last()).summary["outcome"] == "reject"


async def test_a_lot_is_its_owners_only(world: World) -> None:
    async with world.http() as client:
        posted = await client.post(f"{BASE}/lots", json={"lignes": [LINE]})
        assert (await client.get(f"{BASE}/lots/{'0' * 32}")).status_code == 404
    async with world.http(insi.software_certificate("INSI-MANU")) as other:
        said = await other.get(posted.headers["location"])
    assert said.status_code == 404
    assert said.json()["findings"][0]["rule"] == "INSI-24"


async def test_a_lot_needs_a_software_certificate(world: World) -> None:
    async with world.http(insi.software_certificate("MON-LOGICIEL")) as client:
        said = await client.post(f"{BASE}/lots", json={"lignes": [LINE]})
    assert (said.status_code, said.json()["code"]) == (403, "desir_560")


# ----------------------------------------------------------------------------------------------------------------- masking


async def test_nothing_of_the_identity_stands_in_clear_outside_the_stored_octets(world: World) -> None:
    wrong = Traits("DELMAS", ("LOUISE",), "F", "1939-03-08")
    for query, operation in (
        (SUZANNE, Operation.TRAITS),
        (wrong, Operation.TRAITS),
        (Traits("DELMAS2", ("SUZANNE",), "F", "08/03/1939"), Operation.TRAITS),
        (Verification(SUZANNE_INS, wrong), Operation.VERIFY),
    ):
        await world.ask(query, operation)
    async with world.http() as client:
        await client.post(f"{BASE}/lots", json={"lignes": [LINE, {**LINE, "nomNaissance": "DELMAS2"}]})
    rows = await world.exchanges()
    assert len(rows) == 5
    events = await world.store.events("demo")
    written = json.dumps(
        [[dict(r.summary) | {"findings": list(r.findings)} for r in rows], [dict(e.data) for e in events]],
        default=str,
    )
    for secret in ("DELMAS", "SUZANNE", "LOUISE", "1939-03-08", "08/03/1939", "2390348901017", "48901"):
        assert secret not in written
    assert any(f["rule"] == "INS-190" for r in rows for f in r.findings)
