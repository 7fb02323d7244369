"""`passerelle identities`: the patient indexes of a running gateway, masked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table

from adapters.cli.render import console
from adapters.cli.running import NotRunning, Running, explain, problem_of
from adapters.identity_words import ATTRIBUTES, CHANGES, EVENTS, OPERATIONS, STATUSES, TRAITS, answer_words
from gateway.identity.local import STRICT
from gateway.values import Lang, Text

_ALL = 200
REFUSED, USAGE = 1, 2
_FIELDS = (*STRICT, "used_family", "used_given", "deceased_on", "ipp")


def run_list(data: Path, structure: str, status: str, *, as_json: bool, lang: Lang) -> int:
    """The structures that keep an index or, when one is named, its records."""
    if not structure:
        return asked(data, lang, lambda running: _indexes(running.get("/indexes"), as_json, lang))
    return asked(data, lang, lambda running: _records(_every(running, structure, status), as_json, lang))


def run_show(data: Path, structure: str, ipp: str, *, as_json: bool, lang: Lang) -> int:
    """One record: its INS, its traits beside those INSi told, its proofs, the answers of INSi, its history."""

    def show(running: Running, record: Mapping[str, Any], path: str) -> int:
        history = {**running.get(f"{path}/history"), "insi": running.get(f"{path}/insi")}
        if as_json:
            print(json.dumps({**record, **history}, ensure_ascii=False, indent=2))
            return 0
        _shown(record, history, lang)
        return 0

    return _on_record(data, structure, ipp, lang, show)


def run_create(data: Path, structure: str, fields: Sequence[str], lang: Lang) -> int:
    """A new provisional record, from `trait=value` words."""
    body = dict(word.split("=", 1) for word in fields if "=" in word)
    wrong = [word for word in fields if word.partition("=")[0] not in _FIELDS or "=" not in word]
    missing = [name for name in ("birth_family", "birth_date") if not body.get(name)]
    if wrong or missing:
        known = "\n".join(f"  {name:<13} {TRAITS[name].in_(lang) if name in TRAITS else ''}" for name in _FIELDS)
        what = f"{_UNKNOWN.in_(lang)} {', '.join(wrong)}" if wrong else f"{_MISSING.in_(lang)} {', '.join(missing)}"
        print(f"{what}\n{_EXPECTED.in_(lang)}\n{known}", file=sys.stderr)
        return USAGE

    def create(running: Running) -> int:
        made = running.post(f"/patients/{structure}", {**body, "by": "cli"})
        print(f"{made['ipp']} : {STATUSES[made['status']].in_(lang)}")
        for remark in made["remarks"]:
            print(f"  {remark['rule']} {remark[lang.value]}")
        return 0

    return asked(data, lang, create)


def run_status(data: Path, structure: str, ipp: str, event: str, note: str, lang: Lang) -> int:
    """Something happened to an identity."""
    if event not in EVENTS:
        known = "\n".join(f"  {name:<18} {words.in_(lang)}" for name, words in EVENTS.items())
        print(f"{_UNKNOWN.in_(lang)} {event}\n{_EXPECTED.in_(lang)}\n{known}", file=sys.stderr)
        return USAGE

    def change(running: Running, record: Mapping[str, Any], path: str) -> int:
        body = {"event": event, "note": note, "by": "cli", "version": record["version"]}
        print(f"{status_of(record, lang)} → {status_of(running.post(f'{path}/status', body), lang)}")
        return 0

    return _on_record(data, structure, ipp, lang, change)


def run_proof(data: Path, structure: str, ipp: str, kind: str, source: str, *, high_trust: bool, lang: Lang) -> int:
    """A proof was seen."""

    def attach(running: Running, record: Mapping[str, Any], path: str) -> int:
        body = {"kind": kind, "source": source, "by": "cli", "version": record["version"]}
        body |= {"high_trust": True} if high_trust else {}
        proof = running.post(f"{path}/proofs", body)["proofs"][-1]
        print(f"{proof['label'][lang.value]} : {(_HIGH if proof['high_trust'] else _LOW).in_(lang)}")
        return 0

    return _on_record(data, structure, ipp, lang, attach)


def run_datamatrix(
    data: Path, structure: str, ipp: str, reason: str, out: Path | None, *, as_text: bool, lang: Lang
) -> int:
    """The INS datamatrix of one record, printed or written to a file: its picture, or its text form."""

    def draw(running: Running, record: Mapping[str, Any], path: str) -> int:
        told = running.post(f"{path}/datamatrix", {"reason": reason, "by": "cli"})["text" if as_text else "svg"]
        if out is None:
            print(told)
            return 0
        out.write_text(told, encoding="utf-8")
        print(out)
        return 0

    return _on_record(data, structure, ipp, lang, draw)


def run_insi(data: Path, structure: str, ipp: str, *, verify: bool, confirm: bool, accept: bool, lang: Lang) -> int:
    """Call INSi about a record. Nothing changes until the answer is confirmed; differences must be accepted."""

    def call(running: Running, record: Mapping[str, Any], path: str) -> int:
        body = {"verify": verify, "by": "cli", "version": record["version"]}
        told = running.post(f"{path}/insi", body)
        answer, after = told["answer"], told["identity"]
        _answered([answer], lang)
        if answer["code"] != "00" or not confirm:
            if answer["code"] == "00":
                print(_TO_CONFIRM.in_(lang))
            return 0
        confirmation = {"sha256": answer["sha256"], "accept_differences": accept, "by": "cli"}
        done = running.post(f"{path}/insi/confirm", {**confirmation, "version": after["version"]})
        print(f"{status_of(record, lang)} → {status_of(done, lang)} · {ins_of(done['ins'])}")
        return 0

    return _on_record(data, structure, ipp, lang, call)


# ------------------------------------------------------------------------------------------------------------------ asking


def asked(data: Path, lang: Lang, do: Callable[[Running], int]) -> int:
    """Run it against the gateway of a data directory; a refusal says by which rule, and how to mend."""
    try:
        return do(Running(data))
    except httpx.HTTPStatusError as error:
        told = problem_of(error)
        if "why" not in told:
            return explain(error, data, lang)
        print(f"{told['rule']} : {told['why'][lang.value]}", file=sys.stderr)
        if "cure" in told:
            print(told["cure"][lang.value], file=sys.stderr)
        return REFUSED
    except (NotRunning, httpx.HTTPError) as error:
        return explain(error, data, lang)


def found(running: Running, structure: str, ipp: str) -> dict[str, Any] | None:
    """The record of an IPP: its look-up travels in a body."""
    records = running.post(f"/patients/{structure}/search", {"ipp": ipp}) if ipp else []
    if not records:
        return None
    record: dict[str, Any] = running.get(f"/patients/{structure}/{records[0]['id']}")
    return record


def unknown(ipp: str, lang: Lang) -> int:
    """Say that no record has this number."""
    said = Text(
        f"{ipp or '—'} : aucun dossier de ce numéro (IPP) dans cet index.",
        f"{ipp or '—'}: no record of that number (IPP) in this index.",
    )
    print(said.in_(lang), file=sys.stderr)
    return REFUSED


def _on_record(
    data: Path, structure: str, ipp: str, lang: Lang, do: Callable[[Running, Mapping[str, Any], str], int]
) -> int:
    def act(running: Running) -> int:
        record = found(running, structure, ipp)
        return unknown(ipp, lang) if record is None else do(running, record, f"/patients/{structure}/{record['id']}")

    return asked(data, lang, act)


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


# ----------------------------------------------------------------------------------------------------------------- showing


def table_of(*columns: str, title: str = "") -> Table:
    """A table in the house style; without column names, a list of facts."""
    table = Table(header_style="bold", show_header=any(columns), title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def status_of(record: Mapping[str, Any], lang: Lang) -> str:
    """`Identité qualifiée (QUAL) + homonyme`."""
    marks = [ATTRIBUTES[a].in_(lang) if a in ATTRIBUTES else a for a in record["attributes"]]
    return " + ".join((f"{STATUSES[record['status']].in_(lang)} ({record['status']})", *marks))


def ins_of(held: Mapping[str, str] | None) -> str:
    """A masked INS, with the end of its OID."""
    return f"{held['matricule']} (.{held['oid'].rpartition('.')[2]})" if held else "—"


def _indexes(indexes: list[dict[str, Any]], as_json: bool, lang: Lang) -> int:
    if as_json:
        print(json.dumps(indexes, ensure_ascii=False, indent=2))
        return 0
    table = table_of("structure", _NAME.in_(lang), _RECORDS.in_(lang))
    for one in indexes:
        table.add_row(one["structure"], one["name"], str(one["records"]))
    console().print(table)
    return 0


def _records(records: list[dict[str, Any]], as_json: bool, lang: Lang) -> int:
    if as_json:
        print(json.dumps(records, ensure_ascii=False, indent=2))
        return 0
    traits = ("birth_family", "birth_given", "birth_date")
    table = table_of("IPP", _STATUS.in_(lang), "INS", *(TRAITS[name].in_(lang) for name in traits))
    for r in records:
        marks = " + ".join((r["status"], *r["attributes"]))
        table.add_row(r["ipp"], marks, ins_of(r["ins"]), *(r["traits"][name] for name in traits))
    console().print(table)
    return 0


def _shown(record: Mapping[str, Any], history: Mapping[str, Any], lang: Lang) -> None:
    out = console()
    facts = table_of("", "")
    for label, value in _facts(record, lang):
        facts.add_row(label, value)
    out.print(facts)
    _answered(history["insi"], lang)
    changes = table_of("", "", "", "", title=_HISTORY.in_(lang))
    for c in history["changes"]:
        event = CHANGES[c["event"]].in_(lang) if c["event"] in CHANGES else c["event"]
        moved = c["after"] if c["before"] == c["after"] else f"{c['before'] or '—'} → {c['after']}"
        changes.add_row(f"{c['at'][:10]} {c['at'][11:19]}", event, moved, c["by"])
    out.print(changes)


def _facts(record: Mapping[str, Any], lang: Lang) -> Iterable[tuple[str, str]]:
    yield "IPP", record["ipp"]
    yield _STATUS.in_(lang), status_of(record, lang)
    yield "INS", ins_of(record["ins"])
    if record["ins_received"]:
        yield _RECEIVED.in_(lang), ins_of(record["ins_received"])
    for former in record["ins_history"]:
        yield _FORMER.in_(lang), ins_of(former)
    for name, value in record["traits"].items():
        yield TRAITS[name].in_(lang), value or "—"
    for name in ("used_family", "used_given"):
        if record[name]:
            yield TRAITS[name].in_(lang), record[name]
    for proof in record["proofs"]:
        rank = _INVALID if proof["invalidated"] else _HIGH if proof["high_trust"] else _LOW
        yield _PROOF.in_(lang), f"{proof['label'][lang.value]} ({rank.in_(lang)})"


def _answered(answers: Sequence[Mapping[str, Any]], lang: Lang) -> None:
    """What INSi answered, and where its traits differ from the local ones."""
    if not answers:
        return
    table = table_of("INSi", _ANSWER.in_(lang), "INS", _LOCAL.in_(lang), "INSi")
    for a in answers:
        differing = [line for line in a["beside"] if not line["same"]]
        words = answer_words(a["code"], a["operation"])
        answer = f"CR {a['code']} · {words.in_(lang)}" if words else a["reason"] or a["code"]
        table.add_row(
            OPERATIONS[a["operation"]].in_(lang) if a["operation"] in OPERATIONS else a["operation"],
            answer,
            ins_of(a["ins"]),
            "\n".join(f"{TRAITS[d['trait']].in_(lang)} : {d['local'] or '—'}" for d in differing) or "=",
            "\n".join(d["told"] or "—" for d in differing) or "=",
        )
    console().print(table)


_NAME, _RECORDS = Text("nom", "name"), Text("dossiers", "records")
_STATUS, _HISTORY = Text("statut", "status"), Text("Historique", "History")
_ANSWER, _LOCAL = Text("réponse", "answer"), Text("dossier", "record")
_RECEIVED, _FORMER = Text("INS reçue, non vérifiée", "INS received, not verified"), Text("INS historique", "former INS")
_PROOF, _HIGH = Text("justificatif", "proof"), Text("haute confiance", "high trust")
_LOW, _INVALID = Text("confiance insuffisante", "low trust"), Text("invalidé", "invalidated")
_UNKNOWN, _MISSING = Text("Mot inconnu :", "Unknown word:"), Text("Il manque :", "Missing:")
_EXPECTED = Text("Attendu :", "Expected:")
_TO_CONFIRM = Text(
    "Rien n'a changé : comparez, puis refaites l'appel avec --confirm (et --accept-differences si les traits diffèrent).",
    "Nothing changed: compare, then call again with --confirm (and --accept-differences when traits differ).",
)
