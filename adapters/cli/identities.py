"""`passerelle identities` and `passerelle quarantine`: the patient indexes and the queue of a running gateway, masked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table

from adapters.cli.render import console
from adapters.cli.running import NotRunning, Running, explain, problem_of
from gateway.values import Lang, Text

_ALL = 200
REFUSED = 1


def run_list(data: Path, structure: str, status: str, *, as_json: bool, lang: Lang) -> int:
    """The structures that keep an index or, when one is named, its records."""
    if not structure:
        return _asked(data, lang, lambda running: _indexes(running.get("/indexes"), as_json, lang))
    return _asked(data, lang, lambda running: _records(_every(running, structure, status), as_json, lang))


def run_show(data: Path, structure: str, ipp: str, *, as_json: bool, lang: Lang) -> int:
    """One record: its INS, its traits, its proofs, its history."""

    def show(running: Running) -> int:
        record = _found(running, structure, ipp)
        if record is None:
            return _unknown(ipp, lang)
        path = f"/patients/{structure}/{record['id']}"
        history = running.get(f"{path}/history")
        if as_json:
            print(json.dumps({**record, **history}, ensure_ascii=False, indent=2))
            return 0
        _shown(record, history, lang)
        return 0

    return _asked(data, lang, show)


def run_status(data: Path, structure: str, ipp: str, event: str, note: str, lang: Lang) -> int:
    """Something happened to an identity."""

    def change(running: Running) -> int:
        record = _found(running, structure, ipp)
        if record is None:
            return _unknown(ipp, lang)
        body = {"event": event, "note": note, "by": "cli", "version": record["version"]}
        after = running.post(f"/patients/{structure}/{record['id']}/status", body)
        print(f"{_status(record)} → {_status(after)}")
        return 0

    return _asked(data, lang, change)


def run_proof(data: Path, structure: str, ipp: str, kind: str, source: str, *, high_trust: bool, lang: Lang) -> int:
    """A proof was seen."""

    def attach(running: Running) -> int:
        record = _found(running, structure, ipp)
        if record is None:
            return _unknown(ipp, lang)
        body = {"kind": kind, "source": source, "by": "cli", "version": record["version"]}
        body |= {"high_trust": True} if high_trust else {}
        after = running.post(f"/patients/{structure}/{record['id']}/proofs", body)
        proof = after["proofs"][-1]
        rank = _HIGH if proof["high_trust"] else _LOW
        print(f"{proof['label'][lang.value]} : {rank.in_(lang)}")
        return 0

    return _asked(data, lang, attach)


def run_datamatrix(
    data: Path, structure: str, ipp: str, reason: str, out: Path | None, *, as_text: bool, lang: Lang
) -> int:
    """The INS datamatrix of one record, printed or written to a file: its picture, or its text form."""

    def draw(running: Running) -> int:
        record = _found(running, structure, ipp)
        if record is None:
            return _unknown(ipp, lang)
        path = f"/patients/{structure}/{record['id']}/datamatrix"
        told = running.post(path, {"reason": reason, "by": "cli"})["text" if as_text else "svg"]
        if out is None:
            print(told)
            return 0
        out.write_text(told, encoding="utf-8")
        print(out)
        return 0

    return _asked(data, lang, draw)


def run_queue(data: Path, state: str, *, as_json: bool, lang: Lang) -> int:
    """The quarantine queue."""

    def show(running: Running) -> int:
        entries = running.get("/quarantine", state=state)
        if as_json:
            print(json.dumps(entries, ensure_ascii=False, indent=2))
            return 0
        if not entries:
            print(_NOTHING.in_(lang))
            return 0
        table = _table("id", "structure", _ROW.in_(lang), "ack", _RULES.in_(lang), "INS", _STATE.in_(lang))
        for e in entries:
            rules = ", ".join(e["rules"][:4])
            table.add_row(e["id"], e["structure"], str(e["row"]), e["ack"], rules, _ins(e["ins"]), e["state"])
        console().print(table)
        return 0

    return _asked(data, lang, show)


def run_decide(data: Path, entry: str, decision: str, ipp: str, note: str, lang: Lang) -> int:
    """Decide on one entry. `ipp` names the record to attach to, or the one to create."""

    def decide(running: Running) -> int:
        body = {"decision": decision, "note": note, "by": "cli"}
        if decision == "attach":
            structure = running.get(f"/quarantine/{entry}")["structure"]
            record = _found(running, structure, ipp)
            if record is None:
                return _unknown(ipp, lang)
            body["record"] = record["id"]
        elif decision == "create" and ipp:
            body["ipp"] = ipp
        done = running.post(f"/quarantine/{entry}/decide", body)
        print(" ".join(filter(None, (done["state"], done["record"], done["copy"]))))
        return 0

    return _asked(data, lang, decide)


# ------------------------------------------------------------------------------------------------------------------ asking


def _asked(data: Path, lang: Lang, do: Callable[[Running], int]) -> int:
    """Run it against the gateway of a data directory; a refusal says by which rule, and how to mend."""
    try:
        return do(Running(data))
    except httpx.HTTPStatusError as error:
        told = problem_of(error)
        if "why" not in told:
            return explain(error, data, lang)
        print(f"{told['rule']} : {told['why'][lang.value]}", file=sys.stderr)
        print(told["cure"][lang.value], file=sys.stderr)
        return REFUSED
    except (NotRunning, httpx.HTTPError) as error:
        return explain(error, data, lang)


def _found(running: Running, structure: str, ipp: str) -> dict[str, Any] | None:
    """The record of an IPP: its look-up travels in a body."""
    found = running.post(f"/patients/{structure}/search", {"ipp": ipp})
    if not found:
        return None
    record: dict[str, Any] = running.get(f"/patients/{structure}/{found[0]['id']}")
    return record


def _every(running: Running, structure: str, status: str) -> list[dict[str, Any]]:
    """Every record, page after page."""
    records: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        wanted = {"limit": _ALL, "after": after} | ({"status": status} if status else {})
        page = running.get(f"/patients/{structure}", **wanted)
        records += page["identities"]
        after = page["next"]
    return records


def _unknown(ipp: str, lang: Lang) -> int:
    said = Text(
        f"{ipp} : aucun dossier de ce numéro dans cet index.", f"{ipp}: no record of that number in this index."
    )
    print(said.in_(lang), file=sys.stderr)
    return REFUSED


# ----------------------------------------------------------------------------------------------------------------- showing


def _indexes(indexes: list[dict[str, Any]], as_json: bool, lang: Lang) -> int:
    if as_json:
        print(json.dumps(indexes, ensure_ascii=False, indent=2))
        return 0
    table = _table("structure", _NAME.in_(lang), _RECORDS.in_(lang))
    for one in indexes:
        table.add_row(one["structure"], one["name"], str(one["records"]))
    console().print(table)
    return 0


def _records(records: list[dict[str, Any]], as_json: bool, lang: Lang) -> int:
    if as_json:
        print(json.dumps(records, ensure_ascii=False, indent=2))
        return 0
    table = _table("IPP", _STATUS.in_(lang), "INS", _FAMILY.in_(lang), _GIVEN.in_(lang), _BORN.in_(lang))
    for r in records:
        traits = r["traits"]
        names = (traits["birth_family"], traits["birth_given"], traits["birth_date"])
        table.add_row(r["ipp"], _status(r), _ins(r["ins"]), *names)
    console().print(table)
    return 0


def _shown(record: Mapping[str, Any], history: Mapping[str, Any], lang: Lang) -> None:
    out = console()
    facts = _table("", "", header=False)
    facts.add_row("IPP", record["ipp"])
    facts.add_row(_STATUS.in_(lang), _status(record))
    facts.add_row("INS", _ins(record["ins"]))
    if record["ins_received"]:
        facts.add_row(_RECEIVED.in_(lang), _ins(record["ins_received"]))
    for former in record["ins_history"]:
        facts.add_row(_FORMER.in_(lang), _ins(former))
    for name, value in record["traits"].items():
        facts.add_row(name, value or "—")
    for proof in record["proofs"]:
        rank = _INVALID if proof["invalidated"] else _HIGH if proof["high_trust"] else _LOW
        facts.add_row(_PROOF.in_(lang), f"{proof['label'][lang.value]} ({rank.in_(lang)})")
    out.print(facts)
    changes = _table("", "", "", "")
    for c in history["changes"]:
        changes.add_row(c["at"][:19], c["event"], f"{c['before'] or '—'} → {c['after']}", c["by"])
    out.print(changes)


def _table(*columns: str, header: bool = True) -> Table:
    table = Table(header_style="bold", show_header=header and any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _status(record: Mapping[str, Any]) -> str:
    return " + ".join((record["status"], *record["attributes"]))


def _ins(held: Mapping[str, str] | None) -> str:
    return f"{held['matricule']} (.{held['oid'].rpartition('.')[2]})" if held else "—"


_NAME, _RECORDS = Text("nom", "name"), Text("dossiers", "records")
_STATUS, _STATE, _ROW, _RULES = (
    Text("statut", "status"),
    Text("état", "state"),
    Text("ligne", "row"),
    Text("règles", "rules"),
)
_FAMILY, _GIVEN, _BORN = (
    Text("nom de naissance", "birth name"),
    Text("prénom", "given name"),
    Text("naissance", "birth"),
)
_RECEIVED, _FORMER = Text("INS reçue, non vérifiée", "INS received, not verified"), Text("INS historique", "former INS")
_PROOF, _HIGH = Text("justificatif", "proof"), Text("haute confiance", "high trust")
_LOW, _INVALID = Text("confiance insuffisante", "low trust"), Text("invalidé", "invalidated")
_NOTHING = Text("Rien n'attend.", "Nothing waits.")
