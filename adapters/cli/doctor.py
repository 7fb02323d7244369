"""`passerelle doctor`: is this installation able to work? One line a check, with how to mend what is not."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text as Rich

from adapters.cli.render import console
from gateway import __version__
from gateway.values import Lang, Text

_NOTHING = Text("", "")
_FREE_BYTES = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `fine` None is for information."""

    name: Text
    seen: str | Text
    fine: bool | None
    mend: Text = _NOTHING


def run_doctor(data: Path, lang: Lang) -> int:
    """Print every check; 1 when one is not fine."""
    out = console()
    failed = False
    for check in _checks(data):
        mark, style = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}[check.fine]
        seen = check.seen.in_(lang) if isinstance(check.seen, Text) else check.seen
        out.print(Rich.assemble((mark, style), f" {check.name.in_(lang):<28} ", (seen, "bold")), soft_wrap=True)
        if check.fine is False:
            failed = True
            out.print(Rich(f"    → {check.mend.in_(lang)}", style="green"), soft_wrap=True)
    return 1 if failed else 0


def _checks(data: Path) -> Iterator[Check]:
    yield Check(Text("passerelle", "passerelle"), __version__, None)
    yield Check(
        Text("Python 3.11 ou plus", "Python 3.11 or later"),
        platform.python_version(),
        sys.version_info >= (3, 11),
        Text("Installez Python 3.11 ou plus récent.", "Install Python 3.11 or later."),
    )
    yield Check(Text("OpenSSL", "OpenSSL"), ssl.OPENSSL_VERSION, ssl.OPENSSL_VERSION_INFO >= (1, 1, 1))
    yield Check(Text("SQLite", "SQLite"), sqlite3.sqlite_version, None)
    yield from _shipped()
    yield from _variables()
    yield from _directory(data)
    yield from _ports(data)


def _shipped() -> Iterator[Check]:
    from gateway.directory.territory import load_territory
    from gateway.rules import load_catalogue

    try:
        rules, territory = len(load_catalogue()), load_territory()
        counts = f"{len(territory.structures)} structures, {len(territory.patients)} patients"
        seen = Text(f"{rules} règles, {counts}", f"{rules} rules, {counts}")
        yield Check(Text("Données livrées", "Shipped data"), seen, True)
    except (OSError, ValueError) as error:
        mend = Text("Réinstallez passerelle.", "Reinstall passerelle.")
        yield Check(Text("Données livrées", "Shipped data"), str(error), False, mend)


def _directory(data: Path) -> Iterator[Check]:
    place = data if data.exists() else data.absolute().parent
    writable = os.access(place, os.W_OK)
    mend = Text(f"Donnez le droit d'écriture sur {place}.", f"Grant write access to {place}.")
    yield Check(Text("Répertoire de données", "Data directory"), str(data), writable, mend)
    free = shutil.disk_usage(place).free
    room = Text("Libérez de la place : 500 Mo sont conseillés.", "Free some room: 500 MB are advised.")
    yield Check(Text("Place libre", "Free space"), _megabytes(free), free > _FREE_BYTES, room)
    if data.exists():
        private = data.stat().st_mode & 0o077 == 0
        mend = Text(f"chmod 700 {data}", f"chmod 700 {data}")
        yield Check(Text("Répertoire privé", "Private directory"), oct(data.stat().st_mode & 0o777), private, mend)


def _megabytes(count: int) -> Text:
    return Text(f"{count // 1024**2} Mo", f"{count // 1024**2} MB")


def _variables() -> Iterator[Check]:
    from adapters.cli.errors import misspelt_variables, setting_variables

    unknown = misspelt_variables(setting_variables())
    mend = Text(
        "Ces variables sont sans effet : corrigez leur nom (PASSERELLE_PORTS__HTTP, PASSERELLE_STORAGE__URL…).",
        "These variables have no effect: mend their names (PASSERELLE_PORTS__HTTP, PASSERELLE_STORAGE__URL…).",
    )
    if unknown:
        yield Check(Text("Variables inconnues", "Unknown variables"), ", ".join(unknown), False, mend)


def _ports(data: Path) -> Iterator[Check]:
    from adapters.settings import PortSettings

    if (data / "run.json").exists():
        yield Check(Text("En marche", "Running"), str(data / "run.json"), None)
        return
    for name, port in PortSettings().model_dump().items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                free = True
            except OSError:
                free = False
        mend = Text("Lancez « up » avec --port-offset 10000.", 'Run "up" with --port-offset 10000.')
        yield Check(Text(f"Port {name}", f"Port {name}"), str(port), free, mend)
