"""Submission by clients: an authenticated mailbox sends in its own name to listed domains only."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.secrets import secret_matches_off_loop
from adapters.smtp.door import Conversation, Refused, Services, Transaction
from adapters.smtp.grammar import MailCommand, RcptCommand
from adapters.smtp.judge import Judge
from adapters.smtp.reception import attribute_by_certificate
from gateway.directory.model import Mailbox, MailboxKind, MailboxState, Structure, Territory
from gateway.exchange.model import Sender
from gateway.messaging.envelope_rules import (
    RECIPIENT_RULES,
    SENDER_RULES,
    SESSION_RULES,
    RecipientAtDoor,
    SenderAtDoor,
    SessionFact,
)
from gateway.rules.masking import shown_address
from gateway.values import Door, Text, Words

SERVICES_KEY = "services"
PER_MINUTE = 6000

_ADDRESS_AND_PASSWORD = Text(
    "l'adresse complète et son mot de passe applicatif", "the whole address and its application password"
)
_OF_THE_STRUCTURE = Text(
    "une BAL applicative de la structure du certificat", "an application mailbox of the certificate's structure"
)


def _application_mailboxes(count: int) -> Text:
    return Text(f"{count} BAL applicatives pour ce certificat", f"{count} application mailboxes for this certificate")


@dataclass(frozen=True, slots=True)
class SubmissionDoor:
    """The role of the submission listener, shared by all operators. `per_minute` bounds each mailbox; 0 = unbounded."""

    services: Services
    judge: Judge
    per_minute: int = PER_MINUTE
    door: Door = Door.SUBMISSION
    certificate_key: str = SERVICES_KEY
    _sent: dict[str, tuple[int, int]] = field(default_factory=dict)  # address -> (minute, mails announced in it)

    @classmethod
    def of(cls, services: Services, per_minute: int = PER_MINUTE) -> SubmissionDoor:
        """The submission door."""
        return cls(services, Judge(services, Door.SUBMISSION), per_minute)

    def extensions(self, conversation: Conversation) -> tuple[str, ...]:
        """AUTH under TLS only; EXTERNAL when a certificate was presented."""
        if not conversation.secured:
            return ()
        return ("AUTH PLAIN LOGIN EXTERNAL" if conversation.certificate else "AUTH PLAIN LOGIN",)

    def secured(self, conversation: Conversation) -> None:
        """The certificate names the workspace, when it was issued for one."""
        attribute_by_certificate(conversation, self.services)

    # ------------------------------------------------------------------------------------------------------------- AUTH

    async def log_in(self, conversation: Conversation, mechanism: str, address: str, secret: str) -> Refused | None:
        """PLAIN and LOGIN: application password. EXTERNAL: the certificate of the structure that holds an APP mailbox."""
        if mechanism == "EXTERNAL":
            return self._by_certificate(conversation, address)
        workspace = self.services.sandboxes.workspace_of_domain(address.rpartition("@")[2])
        mailbox = self.services.sandboxes.territory(workspace).mailboxes.get(address)
        matches = await secret_matches_off_loop(secret, mailbox.secret if mailbox else "")
        if mailbox is None or not matches or mailbox.state is MailboxState.DELETED:
            return self._credentials(shown_address(address), _ADDRESS_AND_PASSWORD, workspace)
        self._enter(conversation, mailbox, workspace, mechanism)
        return None

    def _by_certificate(self, conversation: Conversation, address: str) -> Refused | None:
        workspace = conversation.workspace
        if address and not conversation.attributed:
            workspace = self.services.sandboxes.workspace_of_domain(address.rpartition("@")[2])
        untrusted = self.judge.certificate(conversation, workspace, None, conversation.bypassed)
        if untrusted is not None:
            return untrusted
        territory = self.services.sandboxes.territory(workspace)
        own = [m for m in _of_certificate(conversation, territory) if not address or m.address == address]
        if len(own) == 1:
            self._enter(conversation, own[0], workspace, "EXTERNAL")
            return None
        received = shown_address(address) if address else _application_mailboxes(len(own))
        return self._credentials(received, _OF_THE_STRUCTURE, workspace)

    def _enter(self, conversation: Conversation, mailbox: Mailbox, workspace: str, mechanism: str) -> None:
        conversation.account, conversation.mechanism = mailbox, mechanism
        conversation.workspace, conversation.attributed = workspace, True
        conversation.authenticated = True

    def _credentials(self, received: Words, expected: Words, workspace: str) -> Refused | None:
        fact = SessionFact("credentials", received, expected, "AUTH")
        return self.judge.rules(SESSION_RULES, fact, workspace)

    # --------------------------------------------------------------------------------------------------------- envelope

    def judge_sender(self, conversation: Conversation, transaction: Transaction, mail: MailCommand) -> Refused | None:
        """Authenticated, in its own name, active, not too fast, not too large."""
        account, workspace = self._account(conversation, transaction, mail)
        transaction.account, transaction.workspace = account, workspace
        subject = SenderAtDoor(
            address=mail.address,
            declared_bytes=mail.declared_bytes,
            limit_bytes=self.services.sandboxes.policy(workspace).limits.mail_bytes,
            must_authenticate=True,
            account=account.address if account else "",
            # the null sender is that of acknowledgements (MDN, RFC 8098 §3)
            own=frozenset((account.address, "")) if account else frozenset(),
            state=account.state if account else MailboxState.ACTIVE,
            too_fast=account is not None and self._too_fast(account.address),
            per_minute=self.per_minute,
        )
        return self.judge.rules(SENDER_RULES, subject, workspace, transaction.bypassed)

    def _account(
        self, conversation: Conversation, transaction: Transaction, mail: MailCommand
    ) -> tuple[Mailbox | None, str]:
        """The mailbox of the session as it stands now, or the APP mailbox its certificate may write for without AUTH."""
        workspace = conversation.workspace
        if conversation.account is not None:
            address = conversation.account.address
            known = self.services.sandboxes.territory(workspace).mailboxes.get(address)
            return known or conversation.account, workspace
        if conversation.certificate is None or not mail.address:
            return None, workspace
        if not conversation.attributed:
            workspace = self.services.sandboxes.workspace_of_domain(mail.address.rpartition("@")[2])
        territory = self.services.sandboxes.territory(workspace)
        mailbox = next((m for m in _of_certificate(conversation, territory) if m.address == mail.address), None)
        if mailbox is None:
            return None, workspace
        if self.judge.certificate(conversation, workspace, None, transaction.bypassed) is not None:
            return None, workspace
        return mailbox, workspace

    def _too_fast(self, address: str) -> bool:
        if not self.per_minute:
            return False
        minute = int(self.services.clock.now().timestamp() // 60)
        since, count = self._sent.get(address, (minute, 0))
        count = count + 1 if since == minute else 1
        self._sent[address] = (minute, count)
        return count > self.per_minute

    def judge_recipient(
        self, conversation: Conversation, transaction: Transaction, rcpt: RcptCommand
    ) -> Refused | None:
        """A mailbox of the sender's operator that takes mail, or a listed domain of another one."""
        domain = rcpt.address.rpartition("@")[2]
        sandboxes = self.services.sandboxes
        territory = sandboxes.territory(transaction.workspace)
        operator = territory.operator_of_domain(domain)
        account = transaction.account
        served = operator is not None and account is not None and operator.id == account.operator
        mailbox = territory.mailboxes.get(rcpt.address)
        subject = RecipientAtDoor(
            address=rcpt.address,
            served=served,
            listed=served or bool(territory.dns_of_domain(domain)),
            judged_here=served,
            state=mailbox.state if mailbox else None,
            count=len(transaction.recipients) + 1,
            max_count=sandboxes.policy(transaction.workspace).limits.recipients,
            relays=True,
        )
        return self.judge.rules(RECIPIENT_RULES, subject, transaction.workspace, transaction.bypassed)

    def sender(self, conversation: Conversation, transaction: Transaction) -> tuple[Sender, str]:
        """The mailbox, and the operator it belongs to."""
        account = transaction.account
        if account is None:
            return Sender("anonymous"), ""
        peer = conversation.certificate
        return Sender("mailbox", account.address, peer.fingerprint if peer else "", account.operator), account.operator


def _of_certificate(conversation: Conversation, territory: Territory) -> list[Mailbox]:
    """The APP mailboxes a certificate opens: the one its CN names, else all those of the structure in its OU.

    A structure's certificates may be held by its head office (`siege`).
    """
    peer = conversation.certificate
    if peer is None or not peer.structure_id:
        return []
    named = peer.common_name.lower() if "@" in peer.common_name else ""
    return [
        mailbox
        for mailbox in territory.mailboxes.values()
        if mailbox.kind is MailboxKind.APP
        and mailbox.state is not MailboxState.DELETED
        and named in ("", mailbox.address)
        and peer.structure_id in _structure_ids(mailbox, territory)
    ]


def _structure_ids(mailbox: Mailbox, territory: Territory) -> set[str]:
    holder = territory.holder_of(mailbox)
    if not isinstance(holder, Structure):
        return set()
    head = territory.structures.get(holder.siege)
    return {holder.struct_id_nat} | ({head.struct_id_nat} if head else set())
