"""The usual words of `passerelle check`, read without the command parser.

The parser and what it imports to convert words cost 0.3 s, more than judging a file. It still reads every other command,
the help, and a `check` whose words are not all plain: then it is the one to say what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.cli.lang import chosen_lang
from gateway.values import Lang

FORMATS = ("text", "json", "junit", "sarif")
PROFILES = ("strict", "official-samples", "lenient_canonical")
DIRECTIONS = ("emission", "reception")
LANGS = ("fr", "en")
_CHOICES = {"--format": FORMATS, "--profile": PROFILES, "--as": DIRECTIONS, "--lang": LANGS}

Check = tuple[list[Path], str, str, str, Lang]


def check_asked(words: Sequence[str]) -> Check | None:
    """(paths, format, profile, direction, language) of a plain `check`; None for anything else."""
    options = {"--format": FORMATS[0], "--profile": PROFILES[0], "--as": DIRECTIONS[0]}
    if not words or words[0] != "check":
        return None
    paths: list[Path] = []
    rest = iter(words[1:])
    for word in rest:
        if word != "-" and word.startswith("-"):
            name, equals, value = word.partition("=")
            value = value if equals else next(rest, "")
            if value not in _CHOICES.get(name, ()):
                return None
            options[name] = value
        else:
            paths.append(Path(word))
    if not paths:
        return None
    return paths, options["--format"], options["--profile"], options["--as"], chosen_lang(words)
