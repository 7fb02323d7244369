"""What an MSSanté mail must say about itself: its X-MSS headers, its subject, its addresses.

Subject: one `MailMessage`. Reports and bounces (DSN, MDN) are not health mails: the duties of a sender of documents are
not asked of them. Facts of several patients' identities are the cross rules' to compare; here only what the mail
announces is held against what it carries.

Sources: Référentiel socle MSSanté n° 2 v1.0 (ECO.2.x), RFC 5322, RFC 2045 to 2047, IHE ITI TF-2 3.32 (XDM over mail).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from gateway.documents.model import CdaDocument
from gateway.documents.rules_package import qualified
from gateway.identity.model import INS_DEMO, INS_TEST
from gateway.messaging import part_rules
from gateway.messaging.model import MailMessage
from gateway.messaging.opening import is_patient
from gateway.messaging.part_rules import is_report, own_parts, packaged_documents, place_of
from gateway.messaging.subject import PREFIX, parse_subject
from gateway.rules import Hit, Rule, RuleContext, Severity, rule
from gateway.rules.masking import mask_address, mask_matricule, mask_trait
from gateway.rules.phrases import IDENTITY_OF_A_DOCUMENT, characters
from gateway.rules.spotting import quoted
from gateway.values import PlaceKind, Text, Where

_MESSAGE_ID = re.compile(r"[^\s<>@]+@[^\s<>@]+\Z")
_MATRICULE_LENGTH = 15
_UNDERSCORED = re.compile(r"X_MSS_", re.IGNORECASE)
_PERSONAL = re.compile(r"^(?:[^_]+_)?[^_]+_[^_\W\d][^a-z_]*(?:_[^_]+)?$")
_MSS = ("X-MSS-CODECDA", "X-MSS-INS", "X-MSS-NIL", "X-MSS-MES")


def _header(name: str) -> Where:
    return Where(PlaceKind.HEADER, name)


# ------------------------------------------------------------------------------------------------------ X-MSS headers


_PROFESSIONAL = Text("adresse d'un professionnel", "address of a professional")
_SUBJECT_FORM = Text(
    "XDM/1.0/DDM+<libellé> <NOM> <prénom> <JJ/MM/AAAA>", "XDM/1.0/DDM+<label> <NAME> <given name> <DD/MM/YYYY>"
)
_NAME_FORM = Text("Titre_Prénom_NOM_Entité", "Title_Given_NAME_Entity")
_NAME_FORMS = Text(f"{_NAME_FORM.fr}, Entité fonctionnelle", f"{_NAME_FORM.en}, functional entity")


@rule("MSS-01")
def product_reference(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """Every mail of a business software carries the reference of the product; a citizen has none."""
    if is_report(mail) or is_patient(mail.sender):
        return
    if not mail.header("X-MSS-NIL"):
        yield Hit(
            _header("X-MSS-NIL"), "∅", Text("X-MSS-NIL: <référence du produit>", "X-MSS-NIL: <product reference>")
        )


@rule("MSS-02")
def codes_announced(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """A mail that carries CDA in a package announces their codes."""
    documents = packaged_documents(mail)
    if documents and mail.header("X-MSS-CODECDA") is None:
        yield Hit(_header("X-MSS-CODECDA"), "∅", f"X-MSS-CODECDA: {_codes(documents)}")


@rule("MSS-03")
def no_codes_without_cda(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """X-MSS-CODECDA is forbidden when no package carries a CDA."""
    told = mail.header("X-MSS-CODECDA")
    if told is not None and not packaged_documents(mail):
        yield Hit(_header("X-MSS-CODECDA"), told[:80], "∅")


@rule("MSS-04")
def ins_flag_value(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """X-MSS-INS says O or N."""
    told = mail.header("X-MSS-INS")
    if told is not None and told.strip() not in ("O", "N"):
        yield Hit(_header("X-MSS-INS"), told[:20], "O, N")


@rule("MSS-05")
def headers_once(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """An X-MSS header occurs once; several codes are separated by commas."""
    for name in _MSS:
        values = mail.all_headers(name)
        if len(values) > 1:
            yield Hit(_header(name), f"{name} ×{len(values)}", f"{name} ×1", params={"name": name})


@rule("MSS-06")
def headers_with_hyphens(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """X-MSS headers are written with hyphens."""
    for header in mail.headers:
        if _UNDERSCORED.match(header.name):
            yield Hit(_header(header.name), header.name, header.name.replace("_", "-").upper())


@rule("MSS-07")
def end_of_exchange(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """X-MSS-MES holds FIN and goes to a citizen only."""
    told = mail.header("X-MSS-MES")
    if told is None:
        return
    if told.strip() != "FIN":
        yield Hit(_header("X-MSS-MES"), told[:20], "FIN")
    elif not any(is_patient(a) for a in (*mail.recipients, *mail.envelope_recipients)):
        yield Hit(
            _header("X-MSS-MES"), "FIN", Text("destinataire @patient.mssante.fr", "a recipient @patient.mssante.fr")
        )


def _codes(documents: Iterable[CdaDocument]) -> str:
    return ",".join(dict.fromkeys(d.code.code for d in documents if d.code is not None))


@rule("INS-140")
def ins_announced_without(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """X-MSS-INS: O, and no CDA has matricule, OID and the four traits."""
    if (mail.header("X-MSS-INS") or "").strip() != "O":
        return
    documents = packaged_documents(mail)
    if documents and not any(qualified(d) for d in documents):
        yield Hit(_header("X-MSS-INS"), "O", IDENTITY_OF_A_DOCUMENT)


@rule("INS-141")
def ins_denied_with(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """X-MSS-INS: N, and a CDA carries the INS."""
    if (mail.header("X-MSS-INS") or "").strip() != "N":
        return
    bearing = next((d for d in packaged_documents(mail) if qualified(d)), None)
    if bearing is not None:
        yield Hit(_header("X-MSS-INS"), "N", f"O ({bearing.label})")


@rule("INS-142")
def ins_flag_without_cda(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """X-MSS-INS is forbidden when no package carries a CDA."""
    told = mail.header("X-MSS-INS")
    if told is not None and not packaged_documents(mail):
        yield Hit(_header("X-MSS-INS"), told[:20], "∅")


@rule("INS-143")
def ins_flag_missing(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """A mail that carries CDA in a package says whether the INS is qualified."""
    documents = packaged_documents(mail)
    if documents and mail.header("X-MSS-INS") is None:
        expected = "O" if any(qualified(d) for d in documents) else "N"
        yield Hit(_header("X-MSS-INS"), "∅", f"X-MSS-INS: {expected}")


@rule("INS-147")
def test_ins_announced_in_production(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """In production, X-MSS-INS: O over a test or demonstration OID is a leak from a test base."""
    if ctx.ins_environment != "production" or (mail.header("X-MSS-INS") or "").strip() != "O":
        return
    for document in packaged_documents(mail):
        told = document.identity.ins if document.identity is not None else None
        if told is not None and told.oid in (INS_TEST, INS_DEMO):
            yield Hit(told.where, told.oid, "1.2.250.1.213.1.4.8, 1.2.250.1.213.1.4.9", container=document.label)


@rule("INS-148")
def codes_agree(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """X-MSS-CODECDA lists the codes of the CDA really attached."""
    documents = packaged_documents(mail)
    told = mail.all_headers("X-MSS-CODECDA")
    if not told or not documents:
        return
    announced = {code.strip() for value in told for code in value.split(",") if code.strip()}
    attached = {d.code.code for d in documents if d.code is not None}
    if announced != attached:
        yield Hit(_header("X-MSS-CODECDA"), ",".join(told)[:120], _codes(documents))


@rule("INS-146")
def no_matricule_in_clear(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """Subject, body and file names hold no matricule: they are read, logged and indexed everywhere.

    The patient's own address is no leak; nor are name and birth date in a subject or a PDF name (ECO.2.1.3, ECO.2.1.6).
    In the body of a message between professionals this is a warning. Separators (`2 39 03 48 901 017 55`) hide nothing;
    a wrong key does: order numbers abound.
    """
    places = [("Subject", _header("Subject"), mail.subject)]
    places += [("body", place_of(p), p.text) for p in own_parts(mail) if p.text]
    places += [("filename", place_of(p), p.filename) for p in own_parts(mail) if p.filename]
    for kind, where, text in places:
        told = next((one for one in quoted(text) if text[one.end : one.end + 9].lower() != "@patient."), None)
        if told is not None:
            shown = mask_matricule(told.value)
            yield Hit(where, shown, "∅", severity=Severity.WARNING if kind == "body" else None)


@rule("INS-160")
def sender_is_not_the_patient(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """A professional's address never starts with the matricule of the patient of the documents."""
    local = mail.sender.partition("@")[0].upper()
    if is_patient(mail.sender) or len(local) != _MATRICULE_LENGTH:
        return
    for document in mail.documents:
        told = document.identity.ins if document.identity is not None else None
        if told is not None and told.value.upper() == local:
            yield Hit(_header("From"), mask_address(mail.sender), _PROFESSIONAL, container="mail")
            return


# ------------------------------------------------------------------------------------- subject, addresses, identifiers


@rule("ECO-01")
def subject_form(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """A mail with documents has the subject `XDM/1.0/DDM+<libellé> <NOM> <prénom> <date de naissance>`."""
    if mail.packages and not is_report(mail) and parse_subject(mail.subject) is None:
        received = PREFIX if mail.subject.startswith(PREFIX) else characters(len(mail.subject))
        yield Hit(_header("Subject"), received, _SUBJECT_FORM)


@rule("ECO-02")
def subject_names_the_patient(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """The name and birth date of the subject are those of a patient of the documents."""
    told = parse_subject(mail.subject)
    views = [d.identity for d in packaged_documents(mail) if d.identity is not None]
    if told is None or not views:
        return
    words = f" {_plain(told.words)} "
    dates = {v.birth_date.value[:8] for v in views if v.birth_date is not None}
    names = {t.value for v in views for t in (v.birth_family, v.used_family) if t is not None and t.value}
    if dates and told.birth_date not in dates:
        shown = mask_trait(told.birth_date, sorted(dates)[:1])
        yield Hit(_header("Subject"), shown, ", ".join(mask_trait(d, [told.birth_date]) for d in sorted(dates)))
    elif names and not any(f" {_plain(name)} " in words for name in names):
        yield Hit(_header("Subject"), mask_trait(told.words), ", ".join(mask_trait(n) for n in sorted(names)))


def _plain(text: str) -> str:
    stripped = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", stripped.upper()).split())


@rule("ECO-05")
def message_id(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """A mail has one Message-ID of the form <left@right>."""
    if not mail.message_id or not _MESSAGE_ID.match(mail.message_id):
        yield Hit(
            _header("Message-ID"), mail.message_id[:80] or "∅", Text("<identifiant@domaine>", "<identifier@domain>")
        )


@rule("ECO-16")
def origin_headers(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """From and Date are there, once."""
    for name in ("From", "Date"):
        count = len(mail.all_headers(name))
        if count != 1 or (name == "From" and not mail.sender):
            yield Hit(_header(name), f"{name} ×{count}", f"{name} ×1", params={"name": name})


@rule("ECO-08")
def display_name(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """The sender has a display name that a reader understands; `Titre_Prénom_NOM_Entité` for a person."""
    if is_report(mail) or not mail.sender or is_patient(mail.sender):
        return
    name = mail.sender_name.strip()
    if not name or "@" in name:
        yield Hit(_header("From"), name[:60] or "∅", _NAME_FORMS)
    elif "_" in name and not _PERSONAL.match(name):
        yield Hit(_header("From"), name[:60], _NAME_FORM, severity=Severity.INFO)


@rule("ECO-09")
def one_citizen(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """A mail concerns one usager: it goes to one citizen's mailbox at most."""
    boxes = dict.fromkeys(a for a in (*mail.recipients, *mail.envelope_recipients) if is_patient(a))
    if len(boxes) > 1:
        shown = ", ".join(mask_address(a) for a in list(boxes)[:5])
        yield Hit(_header("To"), shown, "1")


@rule("ECO-10")
def headers_in_ascii(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """Accents in a header are encoded (RFC 2047): raw octets are read differently by each relay."""
    names = dict.fromkeys(h.name for h in mail.headers if h.raw_8bit)
    if names:
        yield Hit(_header(next(iter(names))), ", ".join(names)[:120], "=?UTF-8?Q?…?=")


@rule("ECO-11")
def line_length(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """No line is longer than 998 octets: some relays cut, others refuse."""
    if mail.longest_line:
        yield Hit(Where(PlaceKind.MIME, "message"), f"{mail.longest_line} octets", "<= 998 octets")


@rule("ECO-18")
def line_ends(mail: MailMessage, ctx: RuleContext) -> Iterable[Hit]:
    """Only CRLF ends a line: a lone LF or CR, or a NUL, is read differently by each server (SMTP smuggling)."""
    if mail.lone_line_ends or mail.nul_octets:
        seen = f"{mail.lone_line_ends} × LF/CR, {mail.nul_octets} × NUL"
        yield Hit(Where(PlaceKind.MIME, "message"), seen, "CRLF")


MAIL_RULES: tuple[Rule[MailMessage], ...] = (
    product_reference,
    codes_announced,
    no_codes_without_cda,
    ins_flag_value,
    headers_once,
    headers_with_hyphens,
    end_of_exchange,
    ins_announced_without,
    ins_denied_with,
    ins_flag_without_cda,
    ins_flag_missing,
    test_ins_announced_in_production,
    codes_agree,
    no_matricule_in_clear,
    sender_is_not_the_patient,
    subject_form,
    subject_names_the_patient,
    message_id,
    origin_headers,
    display_name,
    one_citizen,
    headers_in_ascii,
    line_length,
    line_ends,
    *part_rules.RULES,
)
