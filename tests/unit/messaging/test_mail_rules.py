"""What a mail says about itself, held against what it carries: each rule with what passes it and what breaks it."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from gateway.messaging.header_rules import MAIL_RULES
from gateway.messaging.model import MailMessage
from gateway.messaging.opening import open_mail
from gateway.rules import Finding, RuleBook, RuleContext, Severity, load_catalogue
from gateway.values import Direction, Door
from tests.support.handmade import INS, Change, cda_bytes, files, mail, mail_bytes, zipped

BOOK = RuleBook(load_catalogue())
EMISSION = RuleContext(Direction.EMISSION, Door.SUBMISSION, date(2026, 1, 15))
PRODUCTION = RuleContext(Direction.EMISSION, Door.SUBMISSION, date(2026, 1, 15), ins_environment="production")

WITHOUT_INS = zipped(files(document=cda_bytes(('<family qualifier="BR">ESSAI</family>', ""))))
NO_PACKAGE = (('filename="IHE_XDM.zip"', 'filename="notes.bin"'), ("application/zip", "application/pdf"))
ARCHIVE_PART = (
    b"Content-Type: application/zip\nContent-Transfer-Encoding: base64\n"
    b'Content-Disposition: attachment; filename="IHE_XDM.zip"\n\nUEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==\n'
)
WINMAIL = b'Content-Type: application/ms-tnef; name="winmail.dat"\nContent-Disposition: attachment; filename="winmail.dat"\n\nx\n'

BREAKS: dict[str, dict[str, Any]] = {
    "MSS-01": {"changes": (("X-MSS-NIL: DEV000000\n", ""),)},
    "MSS-02": {"changes": (("X-MSS-CODECDA: 11490-0\n", ""),)},
    "MSS-03": {"changes": NO_PACKAGE, "archive": b"x"},
    "MSS-04": {"changes": (("X-MSS-INS: O", "X-MSS-INS: OUI"),)},
    "MSS-05": {"changes": (("X-MSS-INS: O", "X-MSS-INS: O\nX-MSS-INS: O"),)},
    "MSS-06": {"changes": (("X-MSS-INS: O", "X_MSS_INS: O"),)},
    "MSS-07": {"changes": (("X-MSS-INS: O", "X-MSS-INS: O\nX-MSS-MES: FIN"),)},
    "INS-140": {"archive": WITHOUT_INS},
    "INS-141": {"changes": (("X-MSS-INS: O", "X-MSS-INS: N"),)},
    "INS-142": {"changes": NO_PACKAGE, "archive": b"x"},
    "INS-143": {"changes": (("X-MSS-INS: O\n", ""),)},
    "INS-146": {"changes": (("Bonjour,", f"Bonjour, INS {INS},"),)},
    "INS-147": {"context": PRODUCTION},
    "INS-148": {"changes": (("X-MSS-CODECDA: 11490-0", "X-MSS-CODECDA: 11490-0,18842-5"),)},
    "INS-160": {"changes": (("<alix.modele@operateur-a", f"<{INS}@operateur-a"),)},
    "ECO-01": {"changes": (("XDM/1.0/DDM+Lettre de liaison ESSAI CAMILLE 01/03/1939", "Votre lettre"),)},
    "ECO-02": {"changes": (("01/03/1939", "02/03/1939"),)},
    "ECO-03": {"changes": (("{pdf}", "JVBERi0xLjcK"),)},
    "ECO-04": {"changes": (("20260115_Lettre de liaison_ESSAI_CAMILLE.pdf", "document.pdf"),)},
    "ECO-05": {"changes": (("Message-ID: <20260115.1@operateur-a.mssante.fr>\n", ""),)},
    "ECO-06": {"changes": (('charset="utf-8"', 'charset="iso-8859-1"'),)},
    "ECO-07": {"changes": (("text/plain", "text/html"),)},
    "ECO-08": {"changes": (('"Dr_Alix_MODELE_CH du Bac" ', ""),)},
    "ECO-09": {
        "changes": (
            (
                "<ehpad@operateur-b.mssante.fr>",
                "<239034890101755@patient.mssante.fr>, 280027512345626@patient.mssante.fr",
            ),
        )
    },
    "ECO-10": {"changes": (("=?utf-8?q?Boite_de_l=27EHPAD?=", "Boîte de l'EHPAD"),)},
    "ECO-11": {"changes": (("Bonjour,", "Bonjour " + "x" * 1200),)},
    "ECO-18": {"changes": (("Bonjour,", "Bonjour,\r.\rSuite"),)},
    "ECO-12": {"changes": NO_PACKAGE, "archive": b"x"},
    "ECO-13": {"parts": (ARCHIVE_PART,)},
    "ECO-14": {
        "changes": (
            (
                "application/zip\nContent-Transfer-Encoding",
                "application/zip\nContent-Transfert-Encoding: base64\nContent-Transfer-Encoding",
            ),
        )
    },
    "ECO-15": {"parts": (WINMAIL,)},
    "ECO-16": {"changes": (("Date: Thu, 15 Jan 2026 10:40:00 +0100\n", ""),)},
    "XDM-11": {
        "changes": (("Content-Type: application/pdf", "Content-Type: application/octet-stream"), ("{pdf}", "eA=="))
    },
}


def findings(subject: MailMessage, ctx: RuleContext = EMISSION) -> list[Finding]:
    return BOOK.judge(MAIL_RULES, subject, ctx, "mail")


def fired(*changes: Change, archive: bytes | None = None, parts: tuple[bytes, ...] = ()) -> set[str]:
    return {f.rule for f in findings(mail(*changes, archive=archive, parts=parts))}


@pytest.mark.parametrize("rule_id", BREAKS)
def test_a_mail_rule_fires_on_its_fault(rule_id: str) -> None:
    fault = BREAKS[rule_id]
    subject = mail(*fault.get("changes", ()), archive=fault.get("archive"), parts=fault.get("parts", ()))
    assert rule_id in {f.rule for f in findings(subject, fault.get("context", EMISSION))}


def test_every_mail_rule_has_its_fault() -> None:
    assert {r.id for r in MAIL_RULES} == set(BREAKS)


def test_a_valid_mail_breaks_nothing() -> None:
    assert findings(mail()) == []


def test_a_report_owes_none_of_the_duties_of_a_sender_of_documents() -> None:
    raw = (
        b"From: postmaster@operateur-b.mssante.fr\r\nTo: a@operateur-a.mssante.fr\r\nDate: Thu, 15 Jan 2026 10:40:00 +0100\r\n"
        b"Message-ID: <1@b>\r\nSubject: XDM/1.0/DDM+KO\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n--r\r\n\r\nEchec\r\n--r\r\n'
        b"Content-Type: message/rfc822\r\n\r\n" + mail_bytes() + b"\r\n--r--\r\n"
    )
    opened = open_mail(raw)
    assert opened.packages == ()
    assert all(p.quoted for p in opened.parts[1:])
    assert findings(opened) == []


def test_a_citizen_who_answers_has_no_product_and_no_professional_name() -> None:
    assert not fired(
        ("<alix.modele@operateur-a.mssante.fr>", f"<{INS}@patient.mssante.fr>"), ("X-MSS-NIL: DEV000000\n", "")
    )


def test_fin_is_for_a_citizen() -> None:
    to_citizen = (
        ("<ehpad@operateur-b.mssante.fr>", f"<{INS}@patient.mssante.fr>"),
        ("X-MSS-INS: O", "X-MSS-INS: O\nX-MSS-MES: FIN"),
    )
    assert "MSS-07" not in fired(*to_citizen)


def test_the_used_name_or_the_birth_name_may_stand_in_the_subject() -> None:
    assert "ECO-02" not in fired(("ESSAI CAMILLE", "MODELE CAMILLE"))
    assert "ECO-02" in fired(("ESSAI CAMILLE", "AUTRE CAMILLE"))


def test_the_subject_of_another_patient_shows_where_it_differs_and_nothing_more() -> None:
    (finding,) = [f for f in findings(mail(("01/03/1939", "02/03/1939"))) if f.rule == "ECO-02"]
    assert finding.received != finding.expected
    assert "19390302" not in finding.received + finding.expected


def test_a_number_without_a_right_key_is_no_matricule() -> None:
    assert "INS-146" not in fired(("Bonjour,", "Bonjour, dossier 239034890101756,"))


@pytest.mark.parametrize("between", [" ", "\u00a0", "\u202f", ".", "-"])
def test_separators_hide_no_matricule(between: str) -> None:
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    written = between.join(INS[a:b] for a, b in pairwise(cuts))
    assert "INS-146" in fired(("Bonjour,", f"Bonjour, patiente {written},"))
    assert "INS-146" in fired(("Bonjour,", f"Bonjour, patiente n{INS},"))
    assert "INS-146" not in fired(("Bonjour,", f"Bonjour, compte FR76{INS},"))


def test_the_patient_s_own_address_in_a_body_is_no_leak() -> None:
    assert "INS-146" not in fired(("Bonjour,", f"Bonjour, écrivez à {INS}@patient.mssante.fr,"))


def test_a_matricule_in_a_body_is_a_warning_and_in_a_subject_blocks() -> None:
    def severity(*changes: Change) -> list[Severity]:
        return [f.severity for f in findings(mail(*changes)) if f.rule == "INS-146"]

    assert severity(("Bonjour,", f"Bonjour, INS {INS},")) == [Severity.WARNING]
    assert severity(("Lettre de liaison ESSAI", f"{INS} ESSAI")) == [Severity.BLOCKING]
    assert severity(("20260115_Lettre de liaison_ESSAI", f"20260115_{INS}_ESSAI")) == [Severity.BLOCKING]


def test_no_mail_rule_shows_a_matricule_or_a_full_subject() -> None:
    broken = mail(
        ("<ehpad@operateur-b.mssante.fr>", f"<{INS}@patient.mssante.fr>, <280027512345626@patient.mssante.fr>"),
        ("Bonjour,", f"Bonjour, INS {INS},"),
        ("20260115_Lettre de liaison_ESSAI", f"20260115_{INS}_ESSAI"),
        ("Lettre de liaison ESSAI CAMILLE", f"{INS} AUTRE NOM"),
    )
    shown = "".join(str(f.to_json()) for f in findings(broken))
    assert INS not in shown
    assert "AUTRE NOM" not in shown


def test_a_generic_type_of_the_package_is_only_told() -> None:
    told = findings(mail(("Content-Type: application/zip", "Content-Type: application/octet-stream")))
    assert [(f.rule, f.severity) for f in told] == [("ECO-14", Severity.INFO)]


def test_html_with_its_text_twin_is_readable() -> None:
    both = (
        b'Content-Type: multipart/alternative; boundary="alt"\n\n--alt\nContent-Type: text/plain; charset="utf-8"\n\nBonjour\n'
        b'--alt\nContent-Type: text/html; charset="utf-8"\n\n<p>Bonjour</p>\n--alt--\n'
    )
    assert "ECO-07" not in fired(parts=(both,))
