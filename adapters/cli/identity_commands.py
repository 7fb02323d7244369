"""The commands of patient indexes and of the quarantine queue, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.options import LANG, DataOption, LangOption, t

identities_app = typer.Typer(no_args_is_help=True, help=t("Les index de patients.", "The patient indexes."))
quarantine_app = typer.Typer(no_args_is_help=True, help=t("La quarantaine.", "The quarantine queue."))

StructureArgument = Annotated[str, typer.Argument(help=t("Clé de la structure.", "Key of the structure."))]
IppArgument = Annotated[str, typer.Argument(help=t("Numéro local du patient (IPP).", "Local number (IPP)."))]
JsonOption = Annotated[bool, typer.Option("--json", help=t("En JSON.", "As JSON."))]
NoteOption = Annotated[str, typer.Option(help=t("Note de l'historique.", "Note for the history."))]


@identities_app.command("list", help=t("Les index, ou les dossiers de l'un d'eux.", "The indexes, or one's records."))
def identities_list(
    structure: StructureArgument = "",
    status: Annotated[str, typer.Option(help="PROV | RECUP | VALI | QUAL")] = "",
    json: JsonOption = False,
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.identities import run_list

    raise typer.Exit(run_list(data, structure, status, as_json=json, lang=LANG))


@identities_app.command(
    "show", help=t("Un dossier, masqué, et son historique.", "One record, masked, and its history.")
)
def identities_show(
    structure: StructureArgument,
    ipp: IppArgument,
    json: JsonOption = False,
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.identities import run_show

    raise typer.Exit(run_show(data, structure, ipp, as_json=json, lang=LANG))


@identities_app.command(
    "create", help=t("Crée un dossier, d'identité provisoire.", "Create a record, of provisional identity.")
)
def identities_create(
    structure: StructureArgument,
    fields: Annotated[
        list[str],
        typer.Argument(help=t("birth_family=NOM birth_date=AAAA-MM-JJ …", "birth_family=NAME birth_date=YYYY-MM-DD …")),
    ],
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.identities import run_create

    raise typer.Exit(run_create(data, structure, fields, LANG))


@identities_app.command("insi", help=t("Interroge INSi pour un dossier.", "Call INSi about a record."))
def identities_insi(
    structure: StructureArgument,
    ipp: IppArgument,
    verify: Annotated[
        bool, typer.Option("--verify", help=t("Vérifie l'INS au lieu de la chercher.", "Verify instead of search."))
    ] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help=t("Confirme la réponse.", "Confirm the answer."))] = False,
    accept_differences: Annotated[
        bool,
        typer.Option("--accept-differences", help=t("Même si des traits diffèrent.", "Even when traits differ.")),
    ] = False,
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.identities import run_insi

    raise typer.Exit(
        run_insi(data, structure, ipp, verify=verify, confirm=confirm, accept=accept_differences, lang=LANG)
    )


@identities_app.command("status", help=t("Fait évoluer un statut.", "Move a status."))
def identities_status(
    structure: StructureArgument,
    ipp: IppArgument,
    event: Annotated[
        str,
        typer.Argument(
            help=t("Ce qui est arrivé (un mot faux les liste).", "What happened (a wrong word lists them).")
        ),
    ],
    note: NoteOption = "",
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.identities import run_status

    raise typer.Exit(run_status(data, structure, ipp, event, note, LANG))


@identities_app.command("proof", help=t("Joint un justificatif d'identité.", "Attach an identity proof."))
def identities_proof(
    structure: StructureArgument,
    ipp: IppArgument,
    kind: Annotated[str, typer.Argument(help="CN | PA | CS | AN | LE …")],
    source: Annotated[str, typer.Option(help=t("Où il a été vu.", "Where it was seen."))] = "",
    high_trust: Annotated[
        bool, typer.Option("--high-trust", help=t("Si le rang est laissé à la structure.", "If left to the structure."))
    ] = False,
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.identities import run_proof

    raise typer.Exit(run_proof(data, structure, ipp, kind, source, high_trust=high_trust, lang=LANG))


@identities_app.command(
    "datamatrix",
    help=t(
        "Le datamatrix INS d'une identité qualifiée, en SVG (journalisé).",
        "The INS datamatrix of a qualified identity, as SVG (journalled).",
    ),
)
def identities_datamatrix(
    structure: StructureArgument,
    ipp: IppArgument,
    reason: Annotated[
        str, typer.Option(help=t("Pourquoi des valeurs en clair sont demandées.", "Why clear values are asked for."))
    ] = t("impression", "printing"),
    out: Annotated[Path | None, typer.Option(help=t("Fichier SVG à écrire.", "SVG file to write."))] = None,
    text: Annotated[bool, typer.Option("--text", help=t("La forme texte.", "The text form."))] = False,
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.identities import run_datamatrix

    raise typer.Exit(run_datamatrix(data, structure, ipp, reason, out, as_text=text, lang=LANG))


@quarantine_app.command("list", help=t("Ce qui attend une décision.", "What waits for a decision."))
def quarantine_list(
    state: Annotated[str, typer.Option(help="open | attached | created | refused | copied | all")] = "open",
    json: JsonOption = False,
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.quarantine import run_queue

    raise typer.Exit(run_queue(data, state, as_json=json, lang=LANG))


@quarantine_app.command("decide", help=t("Décide d'une entrée.", "Decide on an entry."))
def quarantine_decide(
    entry: Annotated[str, typer.Argument(help=t("Identifiant de l'entrée.", "Id of the entry."))],
    decision: Annotated[str, typer.Argument(help="attach | create | refuse | copy")],
    ipp: Annotated[str, typer.Option(help=t("Dossier à rattacher, ou à créer.", "Record to join, or to make."))] = "",
    note: NoteOption = "",
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.quarantine import run_decide

    raise typer.Exit(run_decide(data, entry, decision, ipp, note, LANG))
