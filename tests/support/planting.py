"""Matricules of nobody, planted wherever a client writes, and the eye that looks for them in whatever comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote

from lxml import etree

from gateway.rules.spotting import right_key

_NOT_WRITTEN = re.compile(r"[\W_]+|&(?:nbsp|#160|#xa0);", re.IGNORECASE)


def with_key(number: str) -> str:
    """13 characters and their key."""
    return next(f"{number}{key:02d}" for key in range(1, 98) if right_key(f"{number}{key:02d}"))


TERRITORY = with_key("2520348902417")  # born in a commune of the territory; no shipped patient has this one
CORSICAN = with_key("161092A004123")
PLANTED = (TERRITORY, CORSICAN)


def spaced(matricule: str, between: str = " ") -> str:
    """As people write it."""
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    return between.join(matricule[start:end] for start, end in pairwise(cuts))


def seen_in(text: str | bytes) -> list[str]:
    """The planted matricules that a text shows, whatever stands between their characters."""
    read = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    bare = [_NOT_WRITTEN.sub("", form).casefold() for form in (read, unquote(read))]
    return [m for m in PLANTED if any(m[:13].casefold() in form for form in bare)]


def planted_in(xml: bytes, value: str) -> Iterator[tuple[str, bytes]]:
    """The same document with `value` in place of one text or one attribute, for each kind of place it has."""
    seen: set[str] = set()
    for number in range(sum(1 for _ in etree.fromstring(xml).iter(etree.Element))):
        for name in ("", *list(etree.fromstring(xml).iter(etree.Element))[number].keys()):
            tree = etree.fromstring(xml)
            element = list(tree.iter(etree.Element))[number]
            place = "/".join([etree.QName(a).localname for a in (*reversed(list(element.iterancestors())), element)])
            place += f"@{etree.QName(name).localname}" if name else ""
            if place in seen or (not name and not (element.text or "").strip()):
                continue
            seen.add(place)
            if name:
                element.set(name, value)
            else:
                element.text = value
            yield place, etree.tostring(tree, xml_declaration=True, encoding="UTF-8")
