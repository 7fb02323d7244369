"""Reception from other operators: a certificate listed for the sender's domain, and recipients of this operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapters.smtp.door import Conversation, Refused, Services, Transaction
from adapters.smtp.grammar import MailCommand, RcptCommand
from adapters.smtp.judge import Judge
from gateway.exchange.model import Sender
from gateway.messaging.citizen import has_matricule_form
from gateway.messaging.envelope_rules import (
    RECIPIENT_RULES,
    SENDER_RULES,
    RecipientAtDoor,
    SenderAtDoor,
)
from gateway.rules import Finding
from gateway.rules.masking import is_patient_domain
from gateway.values import Door


class PatientMode(StrEnum):
    """How citizens' addresses answer: as Mon espace santé does (250, then a mail), or refused at once to teach."""

    MES = "mes"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Reception:
    """The role of one operator's listener."""

    services: Services
    judge: Judge
    operator: str
    patients: PatientMode = PatientMode.MES
    door: Door = Door.RECEPTION

    @classmethod
    def of(cls, services: Services, operator: str, patients: PatientMode = PatientMode.MES) -> Reception:
        """The reception of one operator."""
        return cls(services, Judge(services, Door.RECEPTION), operator, patients)

    @property
    def certificate_key(self) -> str:
        """This operator's certificate."""
        return self.operator

    def extensions(self, conversation: Conversation) -> tuple[str, ...]:
        """Nothing more than every door has."""
        return ()

    def secured(self, conversation: Conversation) -> None:
        """The certificate names the workspace, when it was issued for one."""
        attribute_by_certificate(conversation, self.services)

    def judge_sender(self, conversation: Conversation, transaction: Transaction, mail: MailCommand) -> Refused | None:
        """The certificate, against the whitelist and the authority; then the declared size."""
        domain = mail.address.rpartition("@")[2]
        workspace = conversation.workspace
        if not conversation.attributed and domain:
            workspace = self.services.sandboxes.workspace_of_domain(domain)
        transaction.workspace = workspace
        judged = self.judge.certificate(conversation, workspace, domain, transaction.bypassed)
        if judged is not None or not mail.declared_bytes:
            return judged
        limit = self.services.sandboxes.policy(workspace).limits.mail_bytes
        subject = SenderAtDoor(mail.address, mail.declared_bytes, limit)
        return self.judge.rules(SENDER_RULES, subject, workspace, transaction.bypassed)

    def judge_recipient(
        self, conversation: Conversation, transaction: Transaction, rcpt: RcptCommand
    ) -> Refused | None:
        """The domain is this operator's and the mailbox takes mail."""
        domain = rcpt.address.rpartition("@")[2]
        if not conversation.attributed and not transaction.recipients:
            refused = self._follow(conversation, transaction, domain)
            if refused is not None:
                return refused
        sandboxes = self.services.sandboxes
        territory = sandboxes.territory(transaction.workspace)
        operator = territory.operator_of_domain(domain)
        mailbox = territory.mailboxes.get(rcpt.address)
        served = operator is not None and operator.id == self.operator
        citizen = is_patient_domain(domain)
        subject = RecipientAtDoor(
            address=rcpt.address,
            served=served,
            listed=True,
            judged_here=served and not (citizen and self.patients is PatientMode.MES),
            state=mailbox.state if mailbox else None,
            count=len(transaction.recipients) + 1,
            max_count=sandboxes.policy(transaction.workspace).limits.recipients,
            form_is_sound=not citizen or self.patients is PatientMode.MES or has_matricule_form(rcpt.address),
        )
        return self.judge.rules(RECIPIENT_RULES, subject, transaction.workspace, transaction.bypassed)

    def _follow(self, conversation: Conversation, transaction: Transaction, domain: str) -> Refused | None:
        """A certificate of no workspace follows its first recipient's, whose whitelist then has to know it as well."""
        workspace = self.services.sandboxes.workspace_of_domain(domain)
        if workspace == transaction.workspace or transaction.mail is None:
            return None
        silent: list[Finding] = []
        judged = self.judge.certificate(conversation, workspace, transaction.mail.address.rpartition("@")[2], silent)
        if judged is None:
            transaction.workspace, transaction.bypassed = workspace, silent
        return judged

    def sender(self, conversation: Conversation, transaction: Transaction) -> tuple[Sender, str]:
        """The certificate, and the operator it belongs to as the whitelist says."""
        peer = conversation.certificate
        if peer is None:
            return Sender("anonymous"), self.operator
        territory = self.services.sandboxes.territory(transaction.workspace)
        domain = transaction.mail.address.rpartition("@")[2] if transaction.mail else ""
        operator = territory.operator_of_domain(domain) if domain else None
        name = conversation.certificate_name
        return Sender("certificate", name, peer.fingerprint, operator.id if operator else ""), self.operator

    async def log_in(self, conversation: Conversation, mechanism: str, address: str, secret: str) -> Refused | None:
        """Operators have no password: AUTH is not offered here, so this is never reached."""
        raise PermissionError(mechanism)


def attribute_by_certificate(conversation: Conversation, services: Services) -> None:
    """Note the workspace a certificate was issued for."""
    if conversation.certificate is not None:
        workspace = services.sandboxes.workspace_of_certificate(conversation.certificate.fingerprint)
        if workspace:
            conversation.workspace, conversation.attributed = workspace, True
