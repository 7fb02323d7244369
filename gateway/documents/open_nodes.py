"""A light reader over a parsed tree: children by name, values with their place, no XPath engine and no quadratic walk.

A `Node` groups the children of its element by local name once, and knows its own path because its parent told it: a
place costs a string, never a climb. Only children of the wanted namespace are seen ('' = any).
"""

from __future__ import annotations

from lxml import etree

from gateway.values import Located, PlaceKind, Where

# How many brothers of one name are read. Nobody has more identifiers or authors; hostile input may.
MOST = 200


class Node:
    """An element and its place. Lives only while a document is being opened."""

    __slots__ = ("_groups", "_space", "element", "path")

    def __init__(self, element: etree._Element, path: str, space: str = "") -> None:
        self.element = element
        self.path = path
        self._space = space
        self._groups: dict[str, list[etree._Element]] | None = None

    @property
    def groups(self) -> dict[str, list[etree._Element]]:
        """Children by local name, in document order."""
        groups = self._groups
        if groups is None:
            groups = self._groups = {}
            space = self._space
            start = len(space) + 2 if space else 0
            prefix = f"{{{space}}}" if space else ""
            for child in self.element:
                tag = child.tag
                if not isinstance(tag, str):
                    continue
                if prefix:
                    if not tag.startswith(prefix):
                        continue
                    name = tag[start:]
                else:
                    name = tag.rpartition("}")[2]
                found = groups.get(name)
                if found is None:
                    groups[name] = [child]
                else:
                    found.append(child)
        return groups

    def count(self, name: str) -> int:
        """How many children have this name."""
        return len(self.groups.get(name, ()))

    def all(self, name: str) -> list[Node]:
        """The children of one name, at most `MOST`."""
        found = self.groups.get(name)
        if found is None:
            return []
        if len(found) == 1:
            return [Node(found[0], f"{self.path}/{name}", self._space)]
        return [Node(e, f"{self.path}/{name}[{i}]", self._space) for i, e in enumerate(found[:MOST], 1)]

    def one(self, name: str) -> Node | None:
        """The first child of one name."""
        found = self.groups.get(name)
        if found is None:
            return None
        suffix = "[1]" if len(found) > 1 else ""
        return Node(found[0], f"{self.path}/{name}{suffix}", self._space)

    def at(self, *names: str) -> Node | None:
        """The first child of the first child …, or None as soon as a step is missing."""
        node: Node | None = self
        for name in names:
            if node is None:
                return None
            node = node.one(name)
        return node

    def attribute(self, name: str) -> str:
        """An attribute as written; '' when absent."""
        value = self.element.get(name)
        return "" if value is None else value

    def located(self, name: str) -> Located | None:
        """An attribute with its place; None when absent."""
        value = self.element.get(name)
        if value is None:
            return None
        return Located(value, Where(PlaceKind.XPATH, f"{self.path}/@{name}", self.element.sourceline))

    @property
    def text(self) -> str:
        """The text, as written; line breaks and indentation around or inside it become one space, and none at the ends."""
        return plain_text(self.element)

    @property
    def where(self) -> Where:
        """The place of the element."""
        return Where(PlaceKind.XPATH, self.path, self.element.sourceline)

    @property
    def told(self) -> Located:
        """The text with its place."""
        return Located(self.text, self.where)


def plain_text(element: etree._Element) -> str:
    """The text of an element, its line breaks and indentation aside (see `Node.text`)."""
    text = element.text
    if text is None:
        return ""
    return " ".join(text.split()) if "\n" in text or "\t" in text else text
