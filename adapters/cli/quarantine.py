"""`passerelle quarantine`: the queue of a running gateway, and the decisions of a human."""

from __future__ import annotations

import json
from pathlib import Path

from adapters.cli.identities import asked, found, ins_of, table_of, unknown
from adapters.cli.render import console
from adapters.cli.running import Running
from adapters.identity_words import ROWS, STATES
from gateway.values import Lang, Text

_SHOWN_RULES = 4


def run_queue(data: Path, state: str, *, as_json: bool, lang: Lang) -> int:
    """What waits in the queue, or what was decided."""

    def show(running: Running) -> int:
        entries = running.get("/quarantine", state=state)
        if as_json:
            print(json.dumps(entries, ensure_ascii=False, indent=2))
            return 0
        if not entries:
            print(_NOTHING.in_(lang))
            return 0
        table = table_of("id", "structure", _WHY.in_(lang), _RULES.in_(lang), "INS", _STATE.in_(lang))
        for e in entries:
            why = f"{e['row']} · {ROWS[e['row']].in_(lang)}" if e["row"] in ROWS else str(e["row"])
            state_of = STATES[e["state"]].in_(lang) if e["state"] in STATES else e["state"]
            rules = ", ".join(e["rules"][:_SHOWN_RULES])
            table.add_row(e["id"], e["structure"], why, rules, ins_of(e["ins"]), state_of)
        console().print(table)
        return 0

    return asked(data, lang, show)


def run_decide(data: Path, entry: str, decision: str, ipp: str, note: str, lang: Lang) -> int:
    """Decide on one entry. `ipp` names the record to attach to, or the one to create."""

    def decide(running: Running) -> int:
        body = {"decision": decision, "note": note, "by": "cli"}
        if decision == "attach":
            record = found(running, running.get(f"/quarantine/{entry}")["structure"], ipp)
            if record is None:
                return unknown(ipp, lang)
            body["record"] = record["id"]
        elif decision == "create" and ipp:
            body["ipp"] = ipp
        done = running.post(f"/quarantine/{entry}/decide", body)
        state = STATES[done["state"]].in_(lang) if done["state"] in STATES else done["state"]
        print(" · ".join(filter(None, (state, done["record"], done["copy"]))))
        return 0

    return asked(data, lang, decide)


_WHY, _STATE = Text("ligne de la table", "row of the table"), Text("état", "state")
_RULES = Text("règles", "rules")
_NOTHING = Text("Rien n'attend.", "Nothing waits.")
