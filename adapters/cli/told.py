"""What `up` tells at its terminal while it runs: a line for each exchange, as the console lists them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text as Line

from adapters.api.streams import listening, paused
from adapters.console.parties import Party
from adapters.console.shown import Row, shown_row
from gateway.directory.model import Territory
from gateway.ports import ExchangeFilter, Store
from gateway.sandbox.model import DEFAULT_WORKSPACE
from gateway.values import Lang, Text

LINES = 20  # at once; what comes faster is counted
_PACE_S = 0.25
_IDLE_S = 3600.0
_STYLES = {"accept": "green", "accept_with_alerts": "yellow", "quarantine": "yellow", "reject": "bold red"}
_MARKS = {"accept": "✓", "accept_with_alerts": "▲", "quarantine": "▲", "reject": "✗"}
_SHOWN_RULES = 3


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Where they are read: the store, who is who, and the language of this run."""

    store: Store
    territory: Territory
    lang: Lang


async def tell_exchanges(known: Exchanges, out: Console, closing: asyncio.Event, after: int) -> None:
    """A line for each exchange that came after `after`, until `closing`. Never faster than `LINES` every quarter second."""
    async with listening(known.store, f"events:{DEFAULT_WORKSPACE}") as changes:
        after = await _tell_new(known, out, after)
        while not closing.is_set():
            if not await paused(changes, closing, _IDLE_S):
                continue
            after = await _tell_new(known, out, after)
            await asyncio.sleep(_PACE_S)


async def _tell_new(known: Exchanges, out: Console, after: int) -> int:
    """Tell what came after a sequence number; returns the newest."""
    wanted = ExchangeFilter(DEFAULT_WORKSPACE, after_seq=after, newest_first=False, limit=LINES)
    rows = await known.store.exchanges(wanted)
    if not rows:
        return after
    for row in rows:
        out.print(line_of(shown_row(row, known.territory, known.lang), known.lang), soft_wrap=True)
    if len(rows) < LINES:
        return rows[-1].seq
    last = (await known.store.exchanges(ExchangeFilter(DEFAULT_WORKSPACE, limit=1)))[0].seq
    if last > rows[-1].seq:
        said = Text("… d'autres ont suivi trop vite : voyez la console.", "… others came too fast: see the console.")
        out.print(said.in_(known.lang), style="dim")
    return last


def line_of(row: Row, lang: Lang) -> Line:
    """`18:52:03 ✓ Réception · CH de Brumeval → EHPAD Les Tilleuls · accepté · INS-150 · id`."""
    line = Line()
    line.append(f"{row.at.astimezone():%H:%M:%S} ", "dim")
    line.append(f"{_MARKS.get(row.tone, '·')} ", _STYLES.get(row.tone, ""))
    line.append(row.door_label, "cyan")
    to = ", ".join(_name(party) for party in row.recipients[:2]) + (" …" if len(row.recipients) > 2 else "")
    line.append(f"  {_name(row.sender)}" + (f" → {to}" if to else ""))
    line.append(f"  {row.outcome_label.lower()}", _STYLES.get(row.tone, ""))
    if row.integration == "stopped" and row.tone != "reject":
        line.append(f", {row.integration_label}", "yellow")
    if row.rules:
        more = f" +{len(row.rules) - _SHOWN_RULES}" if len(row.rules) > _SHOWN_RULES else ""
        line.append(f"  {' '.join(row.rules[:_SHOWN_RULES])}{more}", _STYLES.get(row.tone, ""))
    line.append(f"  {row.id}", "dim")
    return line


def _name(party: Party) -> str:
    return party.name or (f"{party.local}@{party.domain}" if party.domain else party.local) or "—"
