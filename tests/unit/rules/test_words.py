"""What a rule says in words is said in the reader's language, in every answer; a value is the same in all of them."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

from gateway.answers import insi, registry, smtp, soap
from gateway.rules import Finding, Hit, RuleBook, RuleContext, load_catalogue
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.values import Direction, Door, Lang, PlaceKind, Text, Where, in_lang, words_from_json, words_json

BOOK = RuleBook(load_catalogue())
CTX = RuleContext(Direction.EMISSION, Door.SUBMISSION, date(2026, 1, 1))
FILES = Text("600 fichiers", "600 files")


def found(received: str | Text = FILES, expected: str | Text = "<= 500") -> Finding:
    finding = BOOK.found("ABU-06", Hit(Where(PlaceKind.ZIP, "IHE_XDM.zip"), received, expected), CTX, "mail")
    assert finding is not None
    return finding


def test_the_braces_of_a_message_are_filled_in_each_language() -> None:
    message = found().message
    assert "600 fichiers" in message.fr
    assert "600 files" in message.en
    assert "files" not in message.fr
    assert "fichiers" not in message.en


def test_a_value_is_a_string_of_the_json_and_words_are_an_object() -> None:
    told = found().to_json()
    assert told["received"] == {"fr": "600 fichiers", "en": "600 files"}
    assert told["expected"] == "<= 500"
    for words in (FILES, "<= 500"):
        assert words_from_json(words_json(words)) == words


def test_words_hide_a_matricule_like_values_do() -> None:
    told = found(Text("reçu 239034890101755", "received 239034890101755"))
    assert "239034890101755" not in str(told.to_json())


def test_an_smtp_refusal_says_them_in_the_language_of_the_workspace() -> None:
    decision = Decision(Outcome.REJECT, Integration.STOPPED, (found(),))
    assert "recu 600 fichiers" in smtp.reply_for(decision, "E1", Lang.FR).wire()
    english = smtp.reply_for(decision, "E1", Lang.EN).wire()
    assert "received 600 files" in english
    assert "fichiers" not in english


def test_a_soap_fault_says_them_in_both_texts_and_in_its_detail() -> None:
    fault = ElementTree.fromstring(soap.fault_for([found()], "m", "r", "E1").body)
    texts = {
        e.get("{http://www.w3.org/XML/1998/namespace}lang"): e.text for e in fault.iter() if e.tag.endswith("}Text")
    }
    assert "600 fichiers" in (texts["fr"] or "")
    assert "600 files" in (texts["en"] or "")
    assert "fichiers" not in (texts["en"] or "")
    (detail,) = [e for e in fault.iter() if e.tag.endswith("}finding")]
    assert (detail.get("received"), detail.get("received_en")) == ("600 fichiers", "600 files")
    assert (detail.get("expected"), detail.get("expected_en")) == ("<= 500", None)


def test_a_registry_error_says_them_in_both_halves_of_its_context() -> None:
    french, _, english = registry.context_of(found()).partition(" | ")
    assert "600 fichiers" in french
    assert "600 files" in english
    assert "fichiers" not in english
    assert "received" not in registry.context_of(found("600", "500"))


def test_a_line_of_a_lot_says_them_in_both_languages() -> None:
    told = insi.line_refused(3, found())
    assert told["recu"] == {"fr": "600 fichiers", "en": "600 files"}
    assert told["attendu"] == "<= 500"


def test_a_text_that_says_nothing_is_false() -> None:
    assert not Text("", "")
    assert Text("a", "b")
    assert in_lang("Ø", "en") == "Ø"
