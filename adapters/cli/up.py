"""`passerelle up`: start everything, print where it listens and two lines to try at once, stop cleanly on Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.values import Lang, Text

if TYPE_CHECKING:
    from adapters.app import Gateway

SENDER = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"
RECIPIENT = "soins@ehpad-les-tilleuls.val-de-brume.mssante.fr"


def run_up(
    data: Path,
    port_offset: int | None,
    bind: str | None,
    hostnames: tuple[str, ...] | None,
    config: Path | None,
    lang: Lang,
) -> int:
    """Run until interrupted. 2 for settings that cannot be used, 3 when a door or the store cannot be opened."""
    from pydantic import ValidationError

    from adapters.settings import load_settings

    try:
        settings = load_settings(
            config, data=data, port_offset=port_offset, bind=bind, hostnames=hostnames, lang=lang.value
        )
    except ValidationError as error:
        from adapters.cli.errors import setting_lines

        print(Text("Réglages inutilisables :", "Settings that cannot be used:").in_(lang), file=sys.stderr)
        for line in setting_lines(error, lang):
            print(f"  {line}", file=sys.stderr)
        return 2
    except ValueError as error:
        named = f"{config}: " if config is not None and str(config) not in str(error) else ""
        print(f"{named}{error}", file=sys.stderr)
        return 2
    _import_structlog()
    from adapters.app import AlreadyRunning, Gateway
    from adapters.cli.errors import misspelt_variables, setting_variables
    from adapters.logs import configure_logs
    from gateway.ports import StoreUnavailable

    for name in misspelt_variables(setting_variables()):
        said = Text(f"{name} : variable inconnue, sans effet.", f"{name}: unknown variable, without effect.")
        print(said.in_(lang), file=sys.stderr)
    os.umask(0o077)  # what this process writes is its owner's only
    configure_logs(data)
    try:
        return asyncio.run(_run(Gateway(settings), lang))
    except AlreadyRunning as error:
        said = Text(f"Une passerelle travaille déjà dans {error}.", f"A gateway already works in {error}.")
        print(said.in_(lang), file=sys.stderr)
    except OSError as error:
        from adapters.cli.errors import system_line

        said = Text("Démarrage impossible :", "Cannot start:")
        print(f"{said.in_(lang)} {system_line(error, lang)}", file=sys.stderr)
    except (StoreUnavailable, ValueError) as error:
        logging.getLogger("passerelle").debug("start", exc_info=True)
        said = Text(f"Démarrage impossible : {error}", f"Cannot start: {error}")
        print(said.in_(lang), file=sys.stderr)
    return 3


async def _run(gateway: Gateway, lang: Lang) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    starting = asyncio.ensure_future(gateway.start())
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        return 130
    try:
        await starting
        _settle_memory()
        after = await _newest(gateway)  # read before anybody is told where to send
        print_endpoints(gateway, lang)
        await gateway.pages.settled()
        gc.freeze()
        telling = asyncio.ensure_future(_tell(gateway, lang, stopped, after)) if sys.stdout.isatty() else None
        await waiting
        if telling is not None:
            await telling
    finally:
        waiting.cancel()
        await gateway.stop()
    print(Text("Arrêt propre.", "Stopped cleanly.").in_(lang))
    return 0


async def _newest(gateway: Gateway) -> int:
    """The sequence number of the last exchange of the default sandbox; 0 when there is none."""
    from gateway.ports import ExchangeFilter
    from gateway.sandbox.model import DEFAULT_WORKSPACE

    rows = await gateway.store.exchanges(ExchangeFilter(DEFAULT_WORKSPACE, limit=1))
    return rows[0].seq if rows else 0


async def _tell(gateway: Gateway, lang: Lang, stopped: asyncio.Event, after: int) -> None:
    """The exchanges of the default sandbox after `after`, line by line. What goes wrong here stops nothing."""
    from adapters.cli.render import console
    from adapters.cli.told import Exchanges, tell_exchanges
    from gateway.sandbox.model import DEFAULT_WORKSPACE

    try:
        known = Exchanges(gateway.store, gateway.sandboxes.territory(DEFAULT_WORKSPACE), lang)
        await tell_exchanges(known, console(), stopped, after)
    except Exception:
        logging.getLogger("passerelle").warning("telling", exc_info=True)


def _import_structlog() -> None:
    """Without the coloured tracebacks of rich: our JSON lines never show them, and every start would wait for them."""
    sys.modules["rich"] = None  # type: ignore[assignment]  # an import of it fails: structlog does without
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]


def _settle_memory() -> None:
    """Modules, rules and actors live as long as the process: the collector stops going through them again and again."""
    gc.collect()
    gc.freeze()


def print_endpoints(gateway: Gateway, lang: Lang) -> None:
    """The table of doors and two ready lines."""
    from rich.table import Table

    from adapters.cli.render import console

    out = console()
    settings = gateway.settings
    if settings.open_to_others:
        warning = Text(
            f"Attention : à l'écoute au-delà de cette machine ({settings.bind}). "
            "Seules la santé, la liste blanche et les CRL se lisent sans jeton.",
            f"Warning: listening beyond this machine ({settings.bind}). "
            "Only health, the whitelist and the CRLs are read without the token.",
        )
        out.print(warning.in_(lang), style="bold yellow")
    table = Table(title="passerelle · Val-de-Brume", title_justify="left", header_style="bold")
    table.add_column(Text("porte", "door").in_(lang), style="cyan")
    table.add_column(Text("adresse", "address").in_(lang), no_wrap=True)
    table.add_column(Text("pour", "for").in_(lang))
    for door, port in gateway.ports.items():
        table.add_row(door, f"{settings.bind}:{port}", _purpose(door, gateway).in_(lang))
    out.print(table)
    record = gateway.run_record()
    once = Text("(valable une fois ; ensuite, collez le jeton)", "(good once; then paste the token)").in_(lang)
    out.print(f"{Text('Console :', 'Console:').in_(lang)} {record['console']} {once}", soft_wrap=True)
    out.print(f"{Text('Jeton :', 'Token:').in_(lang)} {gateway.token}", soft_wrap=True)
    out.print()
    out.print(
        Text("Un premier mail, puis ce que la passerelle en a vu :", "A first mail, then what the gateway saw:").in_(
            lang
        )
    )
    out.print(f"  {swaks_line(gateway)}", soft_wrap=True, markup=False)
    api = f"curl -s -H 'Authorization: Bearer {gateway.token}' {record['api']}/exchanges"
    out.print(f"  {api}", soft_wrap=True, markup=False)
    out.print()
    out.print(Text("Ctrl-C pour arrêter.", "Ctrl-C to stop.").in_(lang), style="dim")


def swaks_line(gateway: Gateway) -> str:
    """A command that submits a first mail, accepted as it is."""
    from gateway.directory.territory import demo_passwords

    password = demo_passwords()[SENDER]
    bundle = gateway.authority.bundle_path
    return (
        f"swaks --server 127.0.0.1:{gateway.ports['submission']} --tls --tls-ca-path {bundle} "
        f"--auth PLAIN --auth-user {SENDER} --auth-password {password} "
        f"--from {SENDER} --to {RECIPIENT} --add-header 'X-MSS-NIL: DEV000000' "
        f"--header 'From: \"CH de Brumeval - Geriatrie\" <{SENDER}>' "
        "--header 'Subject: Premier essai' --body 'Bonjour, ceci est un essai.'"
    )


def _purpose(door: str, gateway: Gateway) -> Text:
    if door.startswith("smtp:"):
        name = gateway.sandboxes.territory("demo").operators[door.removeprefix("smtp:")].name
        return Text(f"entre opérateurs : {name}", f"between operators: {name}")
    return _PURPOSES.get(door, Text("", ""))


_PURPOSES = {
    "submission": Text("envoi par un logiciel (STARTTLS)", "submission by a software (STARTTLS)"),
    "imap": Text("lecture (STARTTLS)", "reading (STARTTLS)"),
    "imaps": Text("lecture (TLS)", "reading (TLS)"),
    "http": Text("console, API, CRL, liste blanche", "console, API, CRL, whitelist"),
    "https": Text("DMP, INSi /lps (certificat client)", "DMP, INSi /lps (client certificate)"),
}
