"""The subject of a mail as lists and logs show it: what it is about, not whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.shown_subject import masked_subject, words_of

NAMES = words_of(["ODETTE JEANNE", "Durand-Éluard"])


@pytest.mark.parametrize(
    ("subject", "label"),
    [
        ("XDM/1.0/DDM+Lettre de liaison DURAND Odette 08/03/1939", "Lettre de liaison"),
        ("XDM/1.0/DDM+Lettre de liaison durand odette 08/03/1939", "Lettre de liaison"),
        ("XDM/1.0/DDM+CR d'examens biologiques DE LA TOUR Marie Anne 01/01/1950", "CR d'examens biologiques"),
        ("XDM/1.0/DDM+CR hospitalier (séjour) 239034890101755", "CR hospitalier (séjour)"),
        ("XDM/1.0/DDM+DURAND Odette Lettre de liaison", ""),
        ("XDM/1.0/DDM+Mes mots à moi DURAND Odette 08/03/1939", ""),
        ("XDM/1.0/DDM+", ""),
    ],
)
def test_a_subject_with_documents_keeps_the_words_of_its_label(subject: str, label: str) -> None:
    assert masked_subject(subject) == f"XDM/1.0/DDM+{label}"


@pytest.mark.parametrize(
    ("subject", "shape"),
    [
        ("Patiente DURAND Odette", "Xxxxxxxx XXXXXX Xxxxxx"),
        ("Odette DURAND va mieux", "Xxxxxx XXXXXX xx xxxxx"),
        ("DURAND ODETTE", "XXXXXX XXXXXX"),
        ("Mme Durand", "Xxx Xxxxxx"),
        ("née le 08/03/1939", "xxx xx 99/99/9999"),
        ("née le 8 mars 1939", "xxx xx 9 xxxx 9999"),
        ("urgent : 2 39 03 48 901 017 55", "xxxxxx : 9 99 99 99 999 999 99"),
        ("ins 239062a00401231", "xxx 999999x99999999"),
        ("[KO][902] XDM/1.0/DDM+CR DURAND Odette 08/03/1939", "[XX][999] XXX/9.9/XXX+XX XXXXXX Xxxxxx 99/99/9999"),
        ("sortie de durand-eluard", "xxxxxx xx xxxxxx-xxxxxx"),
        ("Retour d'Odette", "Xxxxxx x'Xxxxxx"),
    ],
)
def test_a_subject_that_seems_to_name_somebody_is_shown_by_its_shape(subject: str, shape: str) -> None:
    assert masked_subject(subject, NAMES) == shape


@pytest.mark.parametrize(
    "subject",
    [
        "Essai",
        "Premier essai",
        "Réunion EHPAD Les Tilleuls",
        "CR Hospitalier",
        "Re: TEST Envoi",
        "n° 0",
        "Sortie d'Odette",
        "",
    ],
)
def test_another_subject_stands_as_written(subject: str) -> None:
    assert masked_subject(subject) == subject


@given(st.text(max_size=300), st.booleans())
def test_a_shown_subject_is_shown_the_same_again(text: str, xdm: bool) -> None:
    once = masked_subject(f"XDM/1.0/DDM+{text}" if xdm else text, NAMES)
    assert masked_subject(once, NAMES) == once
    assert len(once) <= 200
