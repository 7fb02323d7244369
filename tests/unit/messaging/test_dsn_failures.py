"""Answers as statuses, causes and cures."""

from __future__ import annotations

import re

import pytest

from gateway.messaging.failures import failure_of, without_repeats
from gateway.tables import read_yaml

TABLE = read_yaml("notices.yaml")


@pytest.mark.parametrize(
    ("answer", "reason", "permanent", "status", "label"),
    [
        ("550 5.1.1 <x>: unknown", "rcpt", True, "5.1.1", "550"),
        ("550 5.1.2 domaine absent de la zone", "zone", True, "5.1.2", "512"),
        ("552 5.3.4 trop grand", "size", True, "5.3.4", "523"),
        ("450 4.2.1 suspendue", "rcpt", False, "4.2.1", "450"),
        ("452 4.2.2 pleine", "rcpt", False, "4.2.2", "422"),
        ("552 5.2.2 pleine", "rcpt", True, "5.2.2", "552"),
        ("451 4.7.1 liste grise", "rcpt", False, "4.7.1", "451"),
        ("421 4.3.2 arret", "mail", False, "4.3.2", "421"),
        ("554 5.7.5 certificat", "GW-TLS-04", True, "5.7.5", "554"),
        ("554 5.7.10 sans STARTTLS", "GW-TLS-12", True, "5.7.10", "554"),
        ("550 non", "rcpt", True, "5.0.0", "554"),
        ("[Errno 111] Connect call failed", "connect", False, "4.4.1", "441"),
        ("Connection lost", "lost", False, "4.4.2", "442"),
        ("the stored message is missing", "blob", True, "5.3.5", "554"),
        ("", "", True, "5.0.0", "554"),
        ("", "", False, "4.0.0", "451"),
    ],
)
def test_an_answer_is_read_as_a_status_and_a_code_of_the_national_table(
    answer: str, reason: str, permanent: bool, status: str, label: str
) -> None:
    found = failure_of(answer, reason, permanent=permanent)
    assert (found.status, found.label) == (status, label)
    assert found.cause.fr
    assert found.cure.en


def test_the_rules_an_answer_names_are_found() -> None:
    assert failure_of("550 5.1.1 GW-ENV-02 La BAL | 554 XDM-05, INS-150 (2390·)").rules == (
        "GW-ENV-02",
        "XDM-05",
        "INS-150",
    )


def test_an_enhanced_code_repeated_on_each_line_is_said_once() -> None:
    assert without_repeats("550 5.1.1 La BAL 5.1.1 n'existe pas") == "550 5.1.1 La BAL n'existe pas"
    assert without_repeats("connect failed 5.1.1 x") == "connect failed 5.1.1 x"


def test_the_table_is_whole() -> None:
    labels = set(TABLE["labels"])
    for key, row in TABLE["statuses"].items():
        assert re.fullmatch(r"\d{1,2}(?:\.\d{1,3})?", key)
        assert all(row[name].endswith(".") for name in ("cause_fr", "cause_en", "cure_fr", "cure_en")), key
        assert {row[n] for n in ("label", "label_later") if n in row} <= labels
    assert set(TABLE["statuses"]) >= set("01234567")  # every subject of RFC 3463
