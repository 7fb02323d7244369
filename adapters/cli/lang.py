"""The language of the command line, known before the command is parsed: `--lang`, else PASSERELLE_LANG, else French."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gateway.values import Lang


def chosen_lang(arguments: Sequence[str] | None = None) -> Lang:
    """Read the language from the arguments (`--lang en`, `--lang=en`) or the environment."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for index, argument in enumerate(arguments):
        if argument == "--lang" and index + 1 < len(arguments):
            return _lang(arguments[index + 1])
        if argument.startswith("--lang="):
            return _lang(argument.removeprefix("--lang="))
    return _lang(os.environ.get("PASSERELLE_LANG", "fr"))


def _lang(name: str) -> Lang:
    return Lang.EN if name.lower().startswith("en") else Lang.FR
