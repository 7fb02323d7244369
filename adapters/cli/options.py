"""What the declarations of commands share: the language of this run, and the options every command has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.lang import chosen_lang
from gateway.values import Lang, Text

LANG = chosen_lang()


def t(fr: str, en: str) -> str:
    """The sentence in the language of this run."""
    return Text(fr, en).in_(LANG)


LangOption = Annotated[Lang, typer.Option("--lang", help=t("Langue.", "Language."))]
DataOption = Annotated[
    Path, typer.Option("--data", envvar="PASSERELLE_DATA", help=t("Répertoire de données.", "Data directory."))
]
