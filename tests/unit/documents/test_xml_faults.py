"""What is wrong with an XML is said in our words, in both languages, with its line and its column."""

from __future__ import annotations

import pytest

from gateway.documents.xml import parse_xml
from gateway.sandbox.model import Limits
from gateway.values import Text

BROKEN = [
    (b"", "aucun élément", "no element"),
    (b"bonjour", "ne commence pas par <", "does not begin with <"),
    (b"<a><b></a>", "balise <b> fermée par </a>, colonne 11", "tag <b> closed by </a>, column 11"),
    (b"<a>\n<b>", "balise <b> jamais fermée", "tag <b> never closed"),
    (b"<a/><b/>", "suit la fin de l'élément racine", "follows the end of the root element"),
    (b"<a b=1/>", "sans guillemets", "without quotes"),
    (b"<a b='1' b='2'/>", "attribut b écrit deux fois", "attribute b written twice"),
    (b"<a>&foo;</a>", "entité &foo; inconnue", "unknown entity &foo;"),
    (b"<a>x & y</a>", "« & » seul", 'a bare "&"'),
    (b"<a>\x01</a>", "caractère interdit", "character not allowed"),
    (b"<a>\xff</a>", "encodage annoncé", "announced encoding"),
    (b"<x:a/>", "préfixe « x » sans déclaration xmlns", 'prefix "x" without an xmlns declaration'),
    (b" <?xml version='1.0'?><a/>", "tout début", "very beginning"),
    (b"<a b/>", "attribut b sans valeur", "attribute b without a value"),
    (b"<a><b", "« > » manque", '">" is missing'),
    (b"<a><!-- x</a>", "commentaire non terminé", "unfinished comment"),
    (b"\xff\xfe<\x00a\x00\x00\xd8", "ne sont pas de l'utf-16", "are not utf-16"),
]


@pytest.mark.parametrize(("octets", "fr", "en"), BROKEN, ids=lambda v: repr(v)[:20])
def test_a_fault_of_writing_is_told_in_both_languages(octets: bytes, fr: str, en: str) -> None:
    root, issue = parse_xml(octets, Limits())
    assert root is None
    assert issue is not None
    assert issue.rule_id == "CDA-01"
    assert isinstance(issue.hit.received, Text)
    assert fr in issue.hit.received.fr
    assert en in issue.hit.received.en


def test_the_line_stands_in_the_place_of_the_finding() -> None:
    _, issue = parse_xml(b"<a>\n<b>\n</c></a>", Limits())
    assert issue is not None
    assert issue.hit.where.line == 3


def test_a_name_of_a_stranger_is_cut_short() -> None:
    _, issue = parse_xml(b"<" + b"a" * 4000 + b"></b>", Limits())
    assert issue is not None
    assert isinstance(issue.hit.received, Text)
    assert len(issue.hit.received.en) < 120
