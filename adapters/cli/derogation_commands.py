"""The commands of derogations: the rules that a sandbox judges otherwise than their cards say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.options import LANG, DataOption, LangOption, t

derogations_app = typer.Typer(
    no_args_is_help=True,
    help=t("Les règles jugées autrement, par qui et pourquoi.", "Rules judged otherwise, by whom and why."),
)

RuleArgument = Annotated[str, typer.Argument(help=t("Identifiant de la règle.", "Id of the rule."))]
ReasonOption = Annotated[str, typer.Option(help=t("Motif, journalisé.", "Reason, journalled."))]
ByOption = Annotated[str, typer.Option(help=t("Qui le demande.", "Who asks."))]


@derogations_app.command("list", help=t("Celles du bac à sable.", "Those of the sandbox."))
def derogations_list(data: DataOption = Path("data"), lang: LangOption = LANG) -> None:
    from adapters.cli.derogations import run_list

    raise typer.Exit(run_list(data, LANG))


@derogations_app.command("set", help=t("Relève, abaisse ou fait taire une règle.", "Raise, lower or silence a rule."))
def derogations_set(
    rule: RuleArgument,
    severity: Annotated[str, typer.Argument(help="blocking | warning | info | silenced")],
    reason: ReasonOption,
    by: ByOption = "cli",
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.derogations import run_set

    raise typer.Exit(run_set(data, rule, severity, reason, by, LANG))


@derogations_app.command("lift", help=t("Juge de nouveau selon la fiche.", "Judge by the card again."))
def derogations_lift(
    rule: RuleArgument,
    reason: ReasonOption,
    by: ByOption = "cli",
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.derogations import run_lift

    raise typer.Exit(run_lift(data, rule, reason, by, LANG))
