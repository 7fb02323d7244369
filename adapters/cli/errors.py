"""What went wrong, in one or two lines and without a traceback: files, ports, settings."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gateway.values import Lang, Text

if TYPE_CHECKING:
    from pydantic import ValidationError

_SYSTEM: Mapping[int, Text] = {
    errno.ENOENT: Text("introuvable", "not found"),
    errno.EEXIST: Text("existe déjà et n'est pas un dossier", "already exists and is not a folder"),
    errno.ENOTDIR: Text("n'est pas un dossier", "is not a folder"),
    errno.EISDIR: Text("est un dossier", "is a folder"),
    errno.EACCES: Text("accès refusé", "access denied"),
    errno.EPERM: Text("accès refusé", "access denied"),
    errno.EROFS: Text("système de fichiers en lecture seule", "read-only file system"),
    errno.ENOSPC: Text("plus de place sur le disque", "no room left on the disk"),
    errno.EADDRINUSE: Text("port déjà pris", "port already taken"),
    errno.EADDRNOTAVAIL: Text("adresse absente de cette machine", "address not on this machine"),
}
_USAGE = frozenset({errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM})
_PORT_CURE = Text(
    "Décalez tous les ports : passerelle up --port-offset 10000 (ou arrêtez le programme qui tient celui-ci).",
    "Shift every port: passerelle up --port-offset 10000 (or stop the program that holds this one).",
)
_VALUES: Mapping[str, Text] = {
    "int_parsing": Text("un nombre entier est attendu", "a whole number is expected"),
    "float_parsing": Text("un nombre est attendu", "a number is expected"),
    "bool_parsing": Text("true ou false est attendu", "true or false is expected"),
    "extra_forbidden": Text("réglage inconnu", "unknown setting"),
}
OWN = frozenset(  # variables read elsewhere than in the settings
    {"PASSERELLE_DATA", "PASSERELLE_LANG", "PASSERELLE_REFERENCE_DATA", "PASSERELLE_REQUIRE_ALL"}
)


def system_line(error: OSError, lang: Lang) -> str:
    """A failure of the system: on what, why, and how to mend it when that is known."""
    why = _SYSTEM.get(error.errno or 0)
    said = why.in_(lang) if why else (error.strerror or str(error))
    door, _, _ = str(error.strerror or "").partition(": ")
    named = str(error.filename or "") or (door if why and door != error.strerror else "")
    line = f"{named}{colon(lang)}{said}" if named else said
    return f"{line}\n{_PORT_CURE.in_(lang)}" if error.errno == errno.EADDRINUSE else line


def exit_code(error: OSError) -> int:
    """2 for a path that was not well chosen, 3 for what the machine cannot do now."""
    return 2 if error.errno in _USAGE else 3


def colon(lang: Lang) -> str:
    """French leaves a space before it."""
    return " : " if lang is Lang.FR else ": "


def setting_lines(error: ValidationError, lang: Lang) -> Iterator[str]:
    """One line for each setting that cannot be used: its name in the file and in the environment, what was read, why."""
    for fault in error.errors():
        place = [str(step) for step in fault["loc"]]
        why = _VALUES.get(fault["type"])
        if why is None and "expected" in fault.get("ctx", {}):
            expected = str(fault["ctx"]["expected"])
            why = Text(f"attendu : {expected.replace(' or ', ' ou ')}", f"expected: {expected}")
        said = why.in_(lang) if why else fault["msg"]
        variable = "PASSERELLE_" + "__".join(step.upper() for step in place)
        yield f"{'.'.join(place)} ({variable}) = {fault['input']!r}{colon(lang)}{said}"


def misspelt_variables(known: frozenset[str]) -> list[str]:
    """Variables of the environment that look like settings and are none: they would be ignored."""
    return sorted(n for n in os.environ if n.startswith("PASSERELLE_") and n not in known | OWN)


def setting_variables() -> frozenset[str]:
    """Every variable of the environment that is a setting."""
    from pydantic import BaseModel

    from adapters.settings import Settings

    names: set[str] = set()
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {f"PASSERELLE_{name}__{inner}".upper() for inner in kind.model_fields}
        names.add(f"PASSERELLE_{name}".upper())
    return frozenset(names)
