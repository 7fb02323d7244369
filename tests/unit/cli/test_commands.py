"""The other commands, offline: help in two languages, rules, samples, certificates, scenarios, doctor; helpful errors."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.actor_fields import FIELDS
from adapters.cli.errors import OWN, setting_variables, system_line
from gateway.directory.actors import read_actor
from gateway.directory.territory import load_territory
from gateway.samples import samples
from gateway.values import Lang
from tests.support.command import passerelle
from tests.support.reference import ROOT, need_tool

COMMANDS = (
    *("", "up", "demo", "check", "samples", "rules", "journal", "doctor", "pki", "actors", "scenario"),
    *("pki init", "pki issue", "pki revoke", "pki bundle", "pki doctor"),
    *("identities", "identities list", "identities show", "identities datamatrix", "quarantine", "quarantine decide"),
    *("actors list", "actors add", "actors import", "scenario list", "scenario run", "scenario validate"),
)
FRENCH = re.compile(
    r"[àâçéèêëîïôûùœ«»]|\b(?:le|la|les|un|une|des|du|dossier|fichier|règle|langue|affiche)\b", re.IGNORECASE
)


# --------------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_complete_in_english_and_holds_no_french(command: str) -> None:
    ran = passerelle(*command.split(), "--help", "--lang", "en")
    assert ran.code == 0, ran.all
    told = ran.out.replace("MSSanté", "MSSante").replace("val-de-brume", "")
    assert [line for line in told.splitlines() if FRENCH.search(line)] == []


@pytest.mark.parametrize("command", ["", "check", "up"])
def test_help_is_french_unless_told_otherwise(command: str) -> None:
    assert FRENCH.search(passerelle(*command.split(), "--help").out)
    assert not FRENCH.search(passerelle("check", "--help", env={"PASSERELLE_LANG": "en"}).out)


def test_no_word_at_all_shows_the_commands() -> None:
    ran = passerelle()
    for name in ("up", "demo", "check", "samples", "rules", "pki", "actors", "journal", "scenario", "doctor"):
        assert re.search(rf"^  {name}\b", ran.all, re.MULTILINE)


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    ran = passerelle("chek", "a.eml")
    assert ran.code == 2
    assert "check" in ran.err


# -------------------------------------------------------------------------------------------------------------- rules


def test_the_catalogue_and_one_rule_explained() -> None:
    table = passerelle("rules", env={"COLUMNS": "160"}).out
    assert re.search(r"\d{3} règles", table)
    one = passerelle("rules", "ins-004")
    assert one.code == 0
    for words in ("INS-004", "comment corriger", "exemple conforme", "exemple fautif", "source"):
        assert words in one.out
    english = passerelle("rules", "INS-004", "--lang", "en").out
    assert "how to mend" in english
    assert "comment corriger" not in english
    family = passerelle("rules", "--family", "rights", env={"COLUMNS": "160"}).out
    assert "GW-RIGHTS-01" in family
    assert "INS-004" not in family


def test_an_unknown_rule_or_family_is_answered_with_those_that_exist() -> None:
    ran = passerelle("rules", "INS-04")
    assert ran.code == 2
    assert "INS-004" in ran.err
    ran = passerelle("rules", "--family", "famille")
    assert ran.code == 2
    assert "identity" in ran.err


# ------------------------------------------------------------------------------------------------------------ samples


def test_samples_are_written_with_their_index_and_judge_as_promised(tmp_path: Path) -> None:
    ran = passerelle("samples", tmp_path / "exemples", cwd=tmp_path)
    assert ran.code == 0
    index = json.loads((tmp_path / "exemples" / "index.json").read_text(encoding="utf-8"))
    assert {entry["file"] for entry in index} == {s.filename for s in samples()}
    assert_judged_as_promised(tmp_path / "exemples", index)


def assert_judged_as_promised(folder: Path, index: list[dict[str, Any]]) -> None:
    """`check` of the folder finds in each file of the index the rules announced, and judges nothing else."""
    judged = passerelle("check", folder, "--format", "json")
    by_name = {Path(f["file"]).name: f for f in json.loads(judged.out)["files"]}
    assert set(by_name) == {entry["file"] for entry in index}
    for entry in index:
        wanted = {rule for rule in entry["expected_rules"] if not rule.startswith("GW-ENV-")}
        if wanted:
            assert {f["rule"] for f in by_name[entry["file"]]["findings"]} == wanted, entry["file"]
        else:
            assert by_name[entry["file"]]["verdict"] in ("clean", "warnings"), entry["file"]


def test_without_a_test_authority_samples_say_in_one_line_what_is_not_written(tmp_path: Path) -> None:
    for lang, said in (("fr", "ne sont pas écrites"), ("en", "are not written")):
        ran = passerelle("samples", tmp_path / "exemples", "--data", tmp_path / "nowhere", "--lang", lang)
        assert ran.code == 0
        assert len(ran.err.strip().splitlines()) == 1
        assert said in ran.err
    assert not (tmp_path / "nowhere").exists()
    assert not [p for p in (tmp_path / "exemples").iterdir() if p.suffix in (".mime", ".curl", ".key")]
    assert list((tmp_path / "exemples").glob("*.er7"))


def test_an_authority_that_cannot_be_read_is_told_and_the_rest_is_written(tmp_path: Path) -> None:
    (tmp_path / "data" / "pki" / "issued").mkdir(parents=True)
    for name in ("org.pem", "root.pem"):
        (tmp_path / "data" / "pki" / name).write_bytes(b"")
    ran = passerelle("samples", tmp_path / "exemples", "--data", tmp_path / "data")
    assert ran.code == 0
    assert "Requêtes DMP et INSi non écrites" in ran.err
    assert "Traceback" not in ran.all
    assert list((tmp_path / "exemples").glob("*.json"))


def test_with_the_authority_of_a_gateway_at_rest_signed_requests_are_written_too(pki: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exemples d'été"
    ran = passerelle("samples", folder, "--data", pki)
    assert (ran.code, ran.err) == (0, "")
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    posted = [entry for entry in index if "curl" in entry]
    assert {entry["url"].partition("8443")[2] for entry in posted} == {
        "/lps",
        *(f"/si-dmp-server/v2/services/{name}" for name in ("patients", "registry", "repository")),
    }
    assert "cinq minutes" in (folder / "LISEZMOI.txt").read_text(encoding="utf-8")
    for entry in posted:
        options = (folder / f"{Path(entry['file']).stem}.curl").read_text(encoding="utf-8")
        assert str(folder / entry["file"]) in options
        assert (folder / entry["file"]).stat().st_size
    assert {p.name: p.stat().st_mode & 0o777 for p in folder.glob("*.key")} == {
        "client-dmp.key": 0o600,
        "client-insi.key": 0o600,
    }
    assert_judged_as_promised(folder, index)


# ---------------------------------------------------------------------------------------------------------------- pki


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("pki") / "data"
    assert passerelle("pki", "init", "--data", data).code == 0
    return data


def test_a_certificate_is_issued_for_openssl_to_verify(pki: Path, tmp_path: Path) -> None:
    openssl = need_tool("openssl", "apt-get install openssl")
    bundle = tmp_path / "igc.pem"
    assert passerelle("pki", "bundle", "--data", pki, "--out", bundle).code == 0
    ran = passerelle(
        "pki", "issue", "auth-client", "mon-logiciel", "--data", pki, "--out", tmp_path, "--password", "essai"
    )
    assert ran.code == 0
    paths = [Path(line) for line in ran.out.split()]
    assert [p.suffix for p in paths] == [".pem", ".key", ".p12"]
    assert [p.stat().st_mode & 0o077 for p in paths] == [0, 0, 0]
    pem, key, p12 = paths
    subprocess.run([openssl, "verify", "-CAfile", bundle, pem], check=True, capture_output=True)
    subprocess.run([openssl, "rsa", "-in", key, "-check", "-noout"], check=True, capture_output=True)
    subprocess.run([openssl, "pkcs12", "-in", p12, "-passin", "pass:essai", "-noout"], check=True, capture_output=True)


def test_a_certificate_is_explained_revoked_and_explained_again(pki: Path, tmp_path: Path) -> None:
    issued = passerelle("pki", "issue", "server", "smtp.essai.mssante.fr", "--data", pki, "--out", tmp_path).out.split()
    pem = next(p for p in issued if p.endswith(".pem"))
    assert passerelle("pki", "doctor", pem, "--data", pki).code == 0
    revoked = passerelle("pki", "revoke", pem, "--data", pki)
    assert revoked.code == 0
    assert "révoqué" in revoked.out
    told = passerelle("pki", "doctor", pem, "--data", pki)
    assert told.code == 1
    assert "GW-TLS-" in told.out
    english = passerelle("pki", "doctor", pem, "--data", pki, "--lang", "en")
    assert not FRENCH.search(english.out.replace("MSSanté", "").replace("Référentiel", "")) or "revoked" in english.out


def test_what_is_no_certificate_is_said_so(pki: Path, tmp_path: Path) -> None:
    garbage = tmp_path / "x.pem"
    garbage.write_bytes(b"-----BEGIN CERTIFICATE-----\nrien\n-----END CERTIFICATE-----\n")
    for words in (["pki", "doctor", garbage], ["pki", "doctor", ROOT / "pyproject.toml"], ["pki", "revoke", garbage]):
        ran = passerelle(*words, "--data", pki)
        assert ran.code in (1, 2), ran.all
        assert ran.all.strip()
        assert "Traceback" not in ran.all
    assert passerelle("pki", "doctor", tmp_path / "absent.pem", "--data", pki).code == 2
    assert passerelle("pki", "revoke", "abcdef", "--data", pki).code == 1
    ran = passerelle("pki", "issue", "planet", "x", "--data", pki)
    assert ran.code == 2
    assert "auth-client" in ran.err


# ---------------------------------------------------------------------------------------------------------- scenarios


def test_scenarios_are_listed_and_the_shipped_ones_are_valid() -> None:
    listed = passerelle("scenario", "list").out
    for path in sorted((ROOT / "fixtures" / "scenarios").glob("*.yaml")):
        assert path.stem in listed
        assert passerelle("scenario", "validate", path).code == 0


BROKEN = """
title_fr: Cassé
title_en: Broken
summary_en: Without its French
acts:
- title_fr: Un acte
  title_en: An act
  steps:
  - {id: a, do: fly, title_fr: x, title_en: x, expect: {code: 250}}
  - {id: a, do: submit, title_fr: x, title_en: x, with: {from: x, wings: 2}, expect: {feathers: 1}}
  - {id: b, do: read, title_fr: x, with: {mailbox: x, message: a}}
- title_fr: Vide
  title_en: Empty
  steps: []
- une phrase
"""


def test_a_broken_scenario_is_told_every_mistake_at_once(tmp_path: Path) -> None:
    path = tmp_path / "casse.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    ran = passerelle("scenario", "validate", path)
    assert ran.code == 1
    for mistake in (
        "`summary_fr`",
        "`do` is 'fly'",
        "an `id` of its own",
        "submit needs `document`",
        "submit does not know `wings`",
        "submit cannot verify `feathers`",
        "act 1, step 3: `title_fr` and `title_en`",
        "nothing is expected",
        "act 2: no step",
        "act 3: a mapping is expected",
    ):
        assert mistake in ran.err, ran.err
    assert len(ran.err.strip().splitlines()) >= 11


@pytest.mark.parametrize("text", ["acts: [", "a: b", "- x", "", "\t- x", "acts: {a: 1}"])
def test_a_file_that_is_no_scenario_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    ran = passerelle("scenario", "validate", path)
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 1
    assert passerelle("demo", path).code == 2


def test_an_unknown_scenario_is_answered_with_those_that_are_shipped() -> None:
    for words in (["demo", "nulle-part"], ["scenario", "run", "nulle-part"]):
        ran = passerelle(*words)
        assert ran.code == 2
        assert "val-de-brume" in ran.err


# ------------------------------------------------------------------------------------------------------------- doctor


def test_the_doctor_looks_and_says_how_to_mend(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    ran = passerelle("doctor", "--data", data, env={"PASSERELLE_PORT__HTTP": "1"})
    assert ran.code == 1
    assert f"chmod 700 {data}" in ran.out
    assert "PASSERELLE_PORT__HTTP" in ran.out
    english = passerelle("doctor", "--data", data, "--lang", "en").out
    assert not FRENCH.search(english)


def test_the_doctor_names_the_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", 8080))
            holder.listen()
        except OSError:
            holder.close()  # somebody else holds it: all the better
        ran = passerelle("doctor", "--data", tmp_path)
    assert re.search(r"✗ Port http +8080", ran.out)
    assert "--port-offset" in ran.out


# ------------------------------------------------------------------------------------------------------------- errors


def test_settings_that_cannot_be_used_are_all_named(tmp_path: Path) -> None:
    ran = passerelle(
        "up", "--data", tmp_path, env={"PASSERELLE_PORTS__HTTP": "abc", "PASSERELLE_POLICY__VIGILANCE": "strong"}
    )
    assert ran.code == 2
    assert "PASSERELLE_PORTS__HTTP" in ran.err
    assert "un nombre entier est attendu" in ran.err
    assert "PASSERELLE_POLICY__VIGILANCE" in ran.err
    assert "'refuse' ou 'observe'" in ran.err
    assert "pydantic" not in ran.all
    assert "Traceback" not in ran.all


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ports = = 1", "reglages.toml"),
        ("[ports]\nhttp = 'x'\nhttq = 1", "ports.httq"),
        ("[policy]\nprofile = 'soft'", "soft"),
    ],
)
def test_a_settings_file_that_cannot_be_read_is_named_with_its_fault(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "reglages.toml"
    path.write_text(text, encoding="utf-8")
    ran = passerelle("up", "--data", tmp_path / "d", "--config", path, "--lang", "en")
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.all


@pytest.mark.parametrize(
    "words",
    [
        ["up", "--data", "{file}"],
        ["up", "--config", "{missing}"],
        ["up", "--config", "{folder}"],
        ["pki", "init", "--data", "{file}"],
        ["samples", "{file}"],
        ["scenario", "validate", "{missing}.yaml"],
        ["actors", "import", "{missing}"],
        ["actors", "import", "{folder}"],
        ["pki", "bundle", "--data", "{folder}", "--out", "{folder}"],
    ],
)
def test_a_path_that_cannot_serve_is_one_line_and_code_2(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    named = {name: str(tmp_path / name) for name in ("file", "folder", "missing")}
    ran = passerelle(*[word.format(**named) for word in words])
    assert ran.code == 2, ran.all
    assert "Traceback" not in ran.all
    assert 1 <= len(ran.err.strip().splitlines()) <= 2
    assert str(tmp_path) in ran.err


def test_a_misspelt_variable_is_told_before_it_misleads(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ran = passerelle("up", "--data", tmp_path / "file", env={"PASSERELLE_POLICY__VIGILENCE": "observe"})
    assert "PASSERELLE_POLICY__VIGILENCE" in ran.err


def test_every_setting_of_the_docker_files_is_one_that_is_read() -> None:
    known = setting_variables() | OWN
    for path in sorted((ROOT / "docker").iterdir()):
        for name in re.findall(r"PASSERELLE_[A-Z_]+", path.read_text(encoding="utf-8")):
            assert name in known, f"{path.name}: {name}"
    assert "PASSERELLE_PORTS__HTTP" in known
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["passerelle"]


def test_a_system_error_speaks_both_languages() -> None:
    error = FileNotFoundError(2, "No such file or directory", "a.eml")
    assert system_line(error, Lang.FR) == "a.eml : introuvable"
    assert system_line(error, Lang.EN) == "a.eml: not found"
    taken = OSError(98, "HTTP 127.0.0.1:8080: Address already in use")
    assert "HTTP 127.0.0.1:8080" in system_line(taken, Lang.EN)
    assert "--port-offset" in system_line(taken, Lang.EN)
    assert system_line(OSError("strange"), Lang.FR) == "strange"


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_the_fields_of_an_actor_are_listed_with_examples_that_are_accepted(kind: str, tmp_path: Path) -> None:
    territory = load_territory()
    needed = read_actor(kind, [f"{f.name}={f.example}" for f in FIELDS[kind] if f.needed], territory)
    whole = read_actor(kind, [f"{f.name}={f.example}" for f in FIELDS[kind]], territory)
    assert not needed.blocked, needed.faults
    assert not whole.blocked, whole.faults
    ran = passerelle("actors", "add", kind, "--data", tmp_path, "--lang", "en")
    assert ran.code == 0
    assert all(field.name in ran.out and field.example in ran.out for field in FIELDS[kind])
    assert f"passerelle actors add {kind} " in ran.out
