"""What a door may ask of an envelope, before any octet of message: cards `GW-ENV-*` of `fixtures/rules/envelope.yaml`.

Pure: subjects are values that the roles fill in. `REPLIES` gives the SMTP answer of each rule.
Sources: RFC 5321 §3.6 and §4.2, RFC 1870, RFC 3463, RFC 4954, RFC 6409 §6.1; MSSanté digest §1.5, §2, §3.4, §9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.directory.model import MailboxState
from gateway.rules.masking import shown_address
from gateway.rules.model import Hit, RuleContext, rule
from gateway.values import PlaceKind, Text, Where, Words

# SMTP answer of each rule: code and enhanced code
REPLIES: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "GW-ENV-01": (550, "5.7.1"),
        "GW-ENV-02": (550, "5.1.1"),
        "GW-ENV-03": (450, "4.2.1"),
        "GW-ENV-04": (452, "4.2.2"),
        "GW-ENV-05": (550, "5.7.1"),
        "GW-ENV-06": (452, "4.5.3"),
        "GW-ENV-07": (552, "5.3.4"),
        "GW-ENV-08": (552, "5.3.4"),
        "GW-ENV-09": (530, "5.7.0"),
        "GW-ENV-10": (550, "5.7.1"),
        "GW-ENV-11": (535, "5.7.8"),
        "GW-ENV-12": (550, "5.7.1"),
        "GW-ENV-13": (451, "4.7.1"),
        "GW-ENV-14": (554, "5.5.0"),
        "GW-ENV-15": (451, "4.4.2"),
        "GW-ENV-16": (553, "5.1.3"),
        "GW-ENV-17": (552, "5.3.4"),  # where a workspace raises it to blocking
    }
)


def reply_code(rule_id: str) -> tuple[int, str]:
    """Reply code and enhanced code of an envelope rule."""
    return REPLIES.get(rule_id, (550, "5.7.1"))


# --------------------------------------------------------------------------------------------------------------- senders


@dataclass(frozen=True, slots=True)
class SenderAtDoor:
    """MAIL FROM at the submission door, or at reception (there only sizes are judged, the certificate is by trust rules).

    `account` is the authenticated address, '' for nobody; `own` are the addresses it may send as.
    """

    address: str
    declared_bytes: int
    limit_bytes: int
    must_authenticate: bool = False
    account: str = ""
    own: frozenset[str] = frozenset()
    state: MailboxState = MailboxState.ACTIVE
    too_fast: bool = False
    per_minute: int = 0


_STATES = {
    MailboxState.ACTIVE: Text("active", "active"),
    MailboxState.SUSPENDED: Text("suspendue", "suspended"),
    MailboxState.FULL: Text("pleine", "full"),
    MailboxState.DELETED: Text("supprimée", "deleted"),
}
_UNKNOWN = Text("inconnue", "unknown")
_ACTIVE_MAILBOX = Text("une BAL active", "an active mailbox")
_OWN_DOMAIN = Text("un domaine de cet opérateur", "a domain of this operator")
_LISTED_DOMAIN = Text("un domaine de la liste blanche", "a domain of the whitelist")
_CITIZEN_FORM = Text("<matricule INS>@domaine", "<INS matricule>@domain")


def _mail(address: str) -> Where:
    return Where(PlaceKind.SMTP, f"MAIL FROM:<{shown_address(address)}>")


@rule("GW-ENV-09")
def authenticated(sender: SenderAtDoor, _: RuleContext) -> Iterator[Hit]:
    """A submission door knows who writes (RFC 6409 §4.3)."""
    if sender.must_authenticate and not sender.account:
        yield Hit(_mail(sender.address), Text("session anonyme", "anonymous session"), "AUTH PLAIN | LOGIN | EXTERNAL")


@rule("GW-ENV-10")
def sends_as_itself(sender: SenderAtDoor, _: RuleContext) -> Iterator[Hit]:
    """Nobody submits in the name of another mailbox (RFC 6409 §6.1)."""
    if sender.account and sender.address not in sender.own:
        yield Hit(_mail(sender.address), shown_address(sender.address) or "<>", shown_address(sender.account))


@rule("GW-ENV-12")
def sending_mailbox_is_active(sender: SenderAtDoor, _: RuleContext) -> Iterator[Hit]:
    """A suspended mailbox sends no more; a full one may still write."""
    if sender.account and sender.state in (MailboxState.SUSPENDED, MailboxState.DELETED):
        params = {"address": shown_address(sender.account)}
        yield Hit(_mail(sender.address), _STATES[sender.state], _STATES[MailboxState.ACTIVE], params=params)


@rule("GW-ENV-13")
def sending_rate(sender: SenderAtDoor, _: RuleContext) -> Iterator[Hit]:
    """A mailbox sends at most so many mails a minute."""
    if sender.too_fast:
        params = {"address": shown_address(sender.account)}
        yield Hit(_mail(sender.address), f"> {sender.per_minute}/min", f"≤ {sender.per_minute}/min", params=params)


@rule("GW-ENV-07")
def declared_size(sender: SenderAtDoor, _: RuleContext) -> Iterator[Hit]:
    """SIZE= is refused before the message is sent (RFC 1870 §6.1)."""
    if sender.declared_bytes > sender.limit_bytes:
        yield Hit(Where(PlaceKind.SMTP, "MAIL SIZE="), str(sender.declared_bytes), f"≤ {sender.limit_bytes}")


SENDER_RULES = (authenticated, sends_as_itself, sending_mailbox_is_active, sending_rate, declared_size)


# ------------------------------------------------------------------------------------------------------------ recipients


@dataclass(frozen=True, slots=True)
class RecipientAtDoor:
    """RCPT TO. `served` and `listed` speak of its domain; `state` is None when no such mailbox exists here.

    `judged_here` is true when this operator answers for the mailbox itself; a citizen's is never judged here in mode `mes`,
    as Mon espace santé answers later by a mail. `count` is the number of recipients this one would make.
    """

    address: str
    served: bool
    listed: bool
    judged_here: bool
    state: MailboxState | None
    count: int
    max_count: int
    relays: bool = False  # a submission door passes mail on to other operators
    form_is_sound: bool = True


def _rcpt(address: str) -> Where:
    return Where(PlaceKind.SMTP, f"RCPT TO:<{shown_address(address)}>")


def _domain(recipient: RecipientAtDoor) -> Mapping[str, str]:
    return {"domain": recipient.address.rpartition("@")[2], "address": shown_address(recipient.address)}


@rule("GW-ENV-01")
def domain_is_ours(recipient: RecipientAtDoor, _: RuleContext) -> Iterator[Hit]:
    """An operator's reception relays for nobody (digest §1.5, incoming check 4; RFC 5321 §3.6.1)."""
    if not recipient.relays and not recipient.served:
        params = _domain(recipient)
        yield Hit(_rcpt(recipient.address), params["domain"], _OWN_DOMAIN, params=params)


@rule("GW-ENV-05")
def domain_is_listed(recipient: RecipientAtDoor, _: RuleContext) -> Iterator[Hit]:
    """No mail leaves the trust space (digest §2, mixed recipients): exact domain, no wildcard, no parent."""
    if recipient.relays and not recipient.served and not recipient.listed:
        params = _domain(recipient)
        yield Hit(_rcpt(recipient.address), params["domain"], _LISTED_DOMAIN, params=params)


@rule("GW-ENV-16")
def patient_address_form(recipient: RecipientAtDoor, _: RuleContext) -> Iterator[Hit]:
    """In mode `strict` a citizen's address is a matricule (digest §9, F29); in mode `mes` a mail says so later."""
    if not recipient.form_is_sound:
        yield Hit(_rcpt(recipient.address), shown_address(recipient.address), _CITIZEN_FORM)


@rule("GW-ENV-02")
def mailbox_exists(recipient: RecipientAtDoor, _: RuleContext) -> Iterator[Hit]:
    """An unknown or deleted mailbox (digest §9, F23 and F25)."""
    if recipient.judged_here and recipient.form_is_sound and recipient.state in (None, MailboxState.DELETED):
        received = _UNKNOWN if recipient.state is None else _STATES[MailboxState.DELETED]
        yield Hit(_rcpt(recipient.address), received, _ACTIVE_MAILBOX, params=_domain(recipient))


@rule("GW-ENV-03")
def mailbox_is_not_suspended(recipient: RecipientAtDoor, _: RuleContext) -> Iterator[Hit]:
    """A suspended mailbox may come back: try again (digest §3.4, F24)."""
    if recipient.judged_here and recipient.state is MailboxState.SUSPENDED:
        yield Hit(
            _rcpt(recipient.address),
            _STATES[MailboxState.SUSPENDED],
            _STATES[MailboxState.ACTIVE],
            params=_domain(recipient),
        )


@rule("GW-ENV-04")
def mailbox_is_not_full(recipient: RecipientAtDoor, _: RuleContext) -> Iterator[Hit]:
    """A full mailbox may be emptied: try again (digest §3.4, F26)."""
    if recipient.judged_here and recipient.state is MailboxState.FULL:
        yield Hit(
            _rcpt(recipient.address),
            _STATES[MailboxState.FULL],
            _STATES[MailboxState.ACTIVE],
            params=_domain(recipient),
        )


@rule("GW-ENV-06")
def recipient_count(recipient: RecipientAtDoor, _: RuleContext) -> Iterator[Hit]:
    """So many recipients per mail (RFC 5321 §4.5.3.1.8 asks for at least 100)."""
    if recipient.count > recipient.max_count:
        yield Hit(_rcpt(recipient.address), str(recipient.count), f"≤ {recipient.max_count}")


RECIPIENT_RULES = (
    domain_is_ours,
    domain_is_listed,
    patient_address_form,
    mailbox_exists,
    mailbox_is_not_suspended,
    mailbox_is_not_full,
    recipient_count,
)


# --------------------------------------------------------------------------------------------------------------- session


@dataclass(frozen=True, slots=True)
class SessionFact:
    """Something that happened in a session and is a fault by itself."""

    kind: str  # too-large | injection | interrupted | credentials
    received: Words
    expected: Words
    stage: str


def _when(kind: str, fact: SessionFact) -> Iterator[Hit]:
    if fact.kind == kind:
        yield Hit(Where(PlaceKind.SMTP, fact.stage), fact.received, fact.expected)


@rule("GW-ENV-08")
def received_size(fact: SessionFact, _: RuleContext) -> Iterator[Hit]:
    """More octets than the limit were sent, whatever SIZE= had said."""
    yield from _when("too-large", fact)


@rule("GW-ENV-11")
def credentials(fact: SessionFact, _: RuleContext) -> Iterator[Hit]:
    """The mailbox and its application password do not match, or the certificate holds no right on the mailbox."""
    yield from _when("credentials", fact)


@rule("GW-ENV-14")
def nothing_follows_starttls(fact: SessionFact, _: RuleContext) -> Iterator[Hit]:
    """Commands in clear behind STARTTLS would be run as if they had been encrypted (RFC 3207 §6)."""
    yield from _when("injection", fact)


@rule("GW-ENV-15")
def data_is_whole(fact: SessionFact, _: RuleContext) -> Iterator[Hit]:
    """The connection ended before CRLF.CRLF: nothing was accepted, the sender still owns the mail."""
    yield from _when("interrupted", fact)


SESSION_RULES = (received_size, credentials, nothing_follows_starttls, data_is_whole)


@dataclass(frozen=True, slots=True)
class SizeSaid:
    """The size announced by MAIL and the size received, in octets."""

    declared: int
    received: int


@rule("GW-ENV-17")
def size_as_declared(said: SizeSaid, _: RuleContext) -> Iterator[Hit]:
    """SIZE= says how much will come: a server may refuse a mail that turns out larger (RFC 1870 §6.1)."""
    if 0 < said.declared < said.received:
        yield Hit(Where(PlaceKind.SMTP, "MAIL FROM SIZE="), str(said.received), f"≤ {said.declared}")


SIZE_RULES = (size_as_declared,)

RULES = (*SENDER_RULES, *RECIPIENT_RULES, *SESSION_RULES, *SIZE_RULES)
