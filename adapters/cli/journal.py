"""`passerelle journal`: the event log of a running sandbox, and the proof that nobody rewrote it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
from rich.text import Text as Rich

from adapters.cli.render import console
from adapters.cli.running import NotRunning, Running, explain
from gateway.values import Lang, Text

_STYLES = {
    "refused": "red",
    "dead": "red",
    "deferred": "yellow",
    "delivered": "green",
    "relayed": "green",
    "read": "cyan",
}


def run_journal(data: Path, exchange: str, limit: int, *, verify: bool, as_json: bool, lang: Lang) -> int:
    """Print the newest events, oldest first; with `verify`, check the chain (1 when it is broken)."""
    try:
        running = Running(data)
        if verify:
            return _verified(running, lang)
        last = running.get("/journal", limit=1)["last_seq"]
        since = 0 if exchange else max(0, last - limit)
        events = running.get("/journal", since=since, exchange=exchange, limit=min(limit, 1000))["events"]
    except (NotRunning, httpx.HTTPError) as error:
        return explain(error, data, lang)
    out = console()
    for event in events:
        if as_json:
            print(json.dumps(event, ensure_ascii=False))
            continue
        detail = ", ".join(f"{k}={v}" for k, v in event["data"].items() if k != "findings" and v not in ("", [], None))
        line = Rich.assemble(
            (f"{event['seq']:>6} ", "dim"),
            (event["at"][11:23], "dim"),
            " ",
            (f"{event['kind']:<10}", _STYLES.get(event["kind"], "bold")),
            f" {event['exchange_id'][-12:]:<12} ",
            (detail, "dim"),
        )
        out.print(line, soft_wrap=True)
    return 0


def _verified(running: Running, lang: Lang) -> int:
    proof = running.get("/journal/proof")
    if proof["intact"]:
        print(Text(f"{proof['links']} maillons, chaîne intacte.", f"{proof['links']} links, chain intact.").in_(lang))
        return 0
    print(Text(f"Chaîne rompue : {proof['broken_at']}", f"Broken chain: {proof['broken_at']}").in_(lang))
    return 1
