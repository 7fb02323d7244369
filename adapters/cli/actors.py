"""`passerelle actors`: the territory shown, and one's own structures, mailboxes, operators and patients added to it."""

from __future__ import annotations

import base64
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table

from adapters.cli.actor_fields import FIELDS
from adapters.cli.render import console
from adapters.cli.running import NotRunning, Running, explain, problem_of
from gateway.directory.territory import kind_of, load_territory, to_record
from gateway.values import Lang, Text

_COLUMNS = {
    "structure": ("key", "name", "category", "routing_class", "finess", "city"),
    "bal": ("address", "kind", "operator", "holder", "service", "state"),
    "operator": ("id", "name", "host", "listener", "address", "domains"),
    "professional": ("key", "given", "family", "rpps", "specialty_label", "structures"),
    "patient": ("key", "status", "attributes", "dmp_state", "note"),
}


def run_list(data: Path, kind: str, lang: Lang) -> int:
    """Show one kind of actor: those of the running gateway, else those shipped."""
    if kind not in _COLUMNS:
        said = Text(f"{kind} : sorte d'acteur inconnue.", f"{kind}: unknown kind of actor.").in_(lang)
        print(f"{said} {', '.join(_COLUMNS)}", file=sys.stderr)
        return 2
    table = Table(header_style="bold")
    for column in _COLUMNS[kind]:
        table.add_column(column, overflow="fold")
    for record in _records(data, kind):
        table.add_row(*(_cell(record.get(column, "")) for column in _COLUMNS[kind]))
    console().print(table)
    return 0


def _records(data: Path, kind: str) -> Sequence[Mapping[str, Any]]:
    try:
        running = Running(data)
        found: Sequence[Mapping[str, Any]]
        found = running.get("/patients") if kind == "patient" else running.get("/actors", kind=kind)[kind]
        return found
    except (NotRunning, httpx.HTTPError):
        territory = load_territory()
        groups: dict[str, Any] = {
            "structure": territory.structures,
            "operator": territory.operators,
            "professional": territory.professionals,
            "patient": territory.patients,
            "bal": {
                k: m for k, m in territory.mailboxes.items() if kind_of(m) == "mailbox" and m.kind.value != "PATIENT"
            },
        }
        return [to_record(actor) for actor in groups[kind].values()]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def run_add(data: Path, kind: str, fields: Sequence[str], out: Path | None, lang: Lang) -> int:
    """Add one actor given as `field=value` words; without any, tell which fields there are."""
    if not fields:
        return _tell_fields(kind, lang)
    return _sent(data, {"kind": kind, "fields": list(fields)}, out or data / "certs", lang)


def _tell_fields(kind: str, lang: Lang) -> int:
    if kind not in FIELDS:
        said = Text(f"{kind} : sorte d'acteur inconnue.", f"{kind}: unknown kind of actor.").in_(lang)
        print(f"{said} {', '.join(FIELDS)}", file=sys.stderr)
        return 2
    table = Table(header_style="bold")
    for title in (Text("champ", "field"), Text("exemple", "example"), Text("quoi", "what")):
        table.add_column(title.in_(lang), overflow="fold")
    for field in FIELDS[kind]:
        table.add_row(f"{field.name} *" if field.needed else field.name, field.example, field.what.in_(lang))
    console().print(table)
    words = " ".join(f"{field.name}={shlex.quote(field.example)}" for field in FIELDS[kind] if field.needed)
    print(f"passerelle actors add {kind} {words}")
    return 0


def run_import(data: Path, file: Path, out: Path | None, lang: Lang) -> int:
    """Add every actor of a file."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        said = Text(f"{file} : un texte en UTF-8 est attendu.", f"{file}: a text in UTF-8 is expected.")
        print(said.in_(lang), file=sys.stderr)
        return 2
    return _sent(data, {"filename": file.name, "text": text}, out or data / "certs", lang)


def _sent(data: Path, body: Mapping[str, Any], out: Path, lang: Lang) -> int:
    try:
        answer = Running(data).post("/actors", body)
    except httpx.HTTPStatusError as error:
        faults = problem_of(error).get("faults", ())
        for fault in faults:
            print(fault[lang.value], file=sys.stderr)
        return 1 if faults else explain(error, data, lang)
    except (NotRunning, httpx.HTTPError) as error:
        return explain(error, data, lang)
    for fault in answer["faults"]:
        print(fault[lang.value], file=sys.stderr)
    for added in answer["added"]:
        print(f"+ {added}")
    for changed in answer["changed"]:
        print(f"~ {changed}")
    for key, certificate in answer["certificates"].items():
        for path in _write(out, key, certificate):
            print(f"  {path}")
    if answer["certificates"]:
        said = Text("Mot de passe des fichiers .p12 : passerelle", "Password of the .p12 files: passerelle")
        print(said.in_(lang))
    return 0


def _write(out: Path, key: str, certificate: Mapping[str, str]) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    stem = "".join(c if c.isalnum() or c in "-.@" else "-" for c in key)
    contents = {
        out / f"{stem}.pem": certificate["certificate_pem"].encode(),
        out / f"{stem}.key": certificate["key_pem"].encode(),
        out / f"{stem}.p12": base64.b64decode(certificate["pkcs12_base64"]),
    }
    for path, content in contents.items():
        path.touch(mode=0o600)
        path.write_bytes(content)
    return list(contents)
