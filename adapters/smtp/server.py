"""The SMTP commands of both doors: STARTTLS, AUTH, MAIL, RCPT, DATA. What may pass is the role's word.

Sources: RFC 5321, RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 3461 (DSN), RFC 2920 (PIPELINING), RFC 2034 (enhanced codes).
"""
# ruff: noqa: N802  # smtp_* are the names aiosmtpd dispatches on

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from adapters.smtp.auth import Credentials, begin
from adapters.smtp.body import Body
from adapters.smtp.door import Refused, Role, Services, SessionLimits
from adapters.smtp.grammar import MailCommand, parse_mail, parse_rcpt
from adapters.smtp.judge import Judge
from adapters.smtp.texts import Reply
from adapters.smtp.wire import Gone, SmtpWire, log
from gateway.answers.smtp import reply_for, unavailable
from gateway.exchange.model import DsnRequest, Envelope, Event, Payload, Submission
from gateway.messaging.envelope_rules import SESSION_RULES, SessionFact
from gateway.messaging.trust import shown_dn
from gateway.ports import AppendEvent, StoreUnavailable
from gateway.rules import Finding
from gateway.rules.masking import shown_address

_UNPRINTABLE = re.compile(rb"[^\x20-\x7e\t]")
_GO_ON = b"354 Envoyez le message, termine par CRLF.CRLF\r\n"  # 3yz replies carry no enhanced code (RFC 2034 §4)
Command = Callable[["MssSmtp", str], Coroutine[Any, Any, None]]


class MssSmtp(SmtpWire):
    """One connection at one door."""

    def __init__(self, role: Role, judge: Judge, limits: SessionLimits, hostname: str, members: set[SmtpWire]) -> None:
        super().__init__(limits, members)
        self.role = role
        self.judge = judge
        self.services: Services = judge.services
        self.lang = self.services.lang
        self.hostname = hostname
        self._errors = 0
        self._refusals = 0

    # ------------------------------------------------------------------------------------------------------ command loop

    async def _handle_client(self) -> None:
        """Greet, then obey until one of the two leaves."""
        self.say_raw(f"220 {self.hostname} ESMTP passerelle\r\n".encode("ascii"))
        try:
            while True:
                line = self._next_line()
                if line is None:
                    await self._more()
                    continue
                await self._obey(line)
                self._allow(self.limits.command_s)
                if self.leaving and not self.busy:
                    self.say(Reply.SHUTTING_DOWN)
                    break
                await self.breathe()
        except Gone:
            pass
        except asyncio.CancelledError:
            self._cut = True
            raise
        except Exception:
            log.exception("smtp session failed", peer=self.session.peer_text, door=self.role.door.value)
            self.say(Reply.INTERNAL)
        finally:
            self._end()

    async def _obey(self, line: bytes | Reply) -> None:
        if isinstance(line, Reply):
            self._fault(line)
            return
        if _UNPRINTABLE.search(line):
            self._fault(Reply.NOT_ASCII)
            return
        verb, _, rest = line.decode("ascii").partition(" ")
        command = _COMMANDS.get(verb.upper())
        if command is None:
            self._fault(Reply.UNKNOWN)
        else:
            await command(self, rest.strip())

    def _fault(self, reply: Reply) -> None:
        """A command that cannot be obeyed; too many of them end the session."""
        self._errors += 1
        self.say(reply)
        if self._errors >= self.limits.errors:
            self.say(Reply.TOO_MANY_ERRORS)
            raise Gone

    async def _refuse(self, stage: str, refused: Refused, **more: object) -> None:
        """Say no by a rule, and write it down before the client can read it."""
        self.say(refused.reply)
        await self._journal(stage, refused.findings, answer=f"{refused.reply.code} {refused.reply.enhanced}", **more)

    async def _journal(self, stage: str, findings: tuple[Finding, ...], **more: object) -> None:
        self._refusals += 1
        if self._refusals > self.limits.refusals_journalled:
            return
        mail = self.envelope.mail
        data: dict[str, object] = {
            "door": self.role.door.value,
            "operator": self.role.certificate_key,
            "stage": stage,
            "peer": self.session.peer_text,
            "rules": [f.rule for f in findings],
            "findings": [f.to_json() for f in findings],
            "mail_from": shown_address(mail.address) if mail else None,
            "certificate": self.session.certificate_name or None,
            **more,
        }
        workspace = self.envelope.workspace if mail else self.session.workspace
        event = Event(
            "refused", self.services.clock.now(), workspace, "", {k: v for k, v in data.items() if v is not None}
        )
        try:
            await self.services.journal.commit(AppendEvent(event))
        except StoreUnavailable:
            log.warning("refusal not journalled", peer=self.session.peer_text, stage=stage)

    async def _fact(self, kind: str, received: str, expected: str, stage: str) -> Refused | None:
        fact = SessionFact(kind, received, expected, stage)
        return self.judge.rules(SESSION_RULES, fact, self.envelope.workspace)

    def _set_rset_state(self) -> None:
        self.envelope = self._create_envelope()
        self.busy = False

    # ---------------------------------------------------------------------------------------------------- session begins

    async def smtp_HELO(self, arg: str) -> None:
        """The old greeting: no extension, hence no way to TLS."""
        if not arg:
            self._fault(Reply.ARGUMENT)
            return
        self._set_rset_state()
        self.session.host_name = arg[:255]
        self.say_raw(f"250 {self.hostname}\r\n".encode("ascii"))

    async def smtp_EHLO(self, arg: str) -> None:
        """Extensions; those that only make sense encrypted come after TLS (digest §2)."""
        if not arg:
            self._fault(Reply.ARGUMENT)
            return
        self._set_rset_state()
        session = self.session
        session.host_name, session.extended_smtp = arg[:255], True
        limit = self.services.sandboxes.policy(session.workspace).limits.mail_bytes
        offered = [self.hostname, f"SIZE {limit}", "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"]
        offered += ["DSN"] if session.secured else ["STARTTLS"]
        offered += self.role.extensions(session)
        lines = [f"250-{word}\r\n" for word in offered]
        lines[-1] = f"250 {offered[-1]}\r\n"
        self.say_raw("".join(lines).encode("ascii"))

    async def smtp_STARTTLS(self, arg: str) -> None:
        """Upgrade. Octets already received behind the command are an injection: refused, never obeyed (RFC 3207 §6)."""
        if arg:
            self._fault(Reply.ARGUMENT)
        elif self.session.secured:
            self._fault(Reply.TLS_ALREADY)
        elif behind := self._unread():
            refused = await self._fact("injection", str(len(behind)), "0", "STARTTLS")
            if refused is not None:
                await self._refuse("STARTTLS", refused)
            else:
                self.say(Reply.INJECTION)
            raise Gone
        else:
            await self._upgrade()

    async def _upgrade(self) -> None:
        try:
            context = self.services.trust.server_context(self.role.certificate_key)
        except (LookupError, OSError) as error:
            log.error("no TLS context", door=self.role.certificate_key, error=repr(error))
            self.say(Reply.TLS_UNAVAILABLE)
            return
        self.say(Reply.READY_FOR_TLS)
        self._allow(math.inf)  # the TLS layer has its own time
        try:
            await self.start_tls(context)
        except OSError as error:
            await self._handshake_failed(error)
            raise Gone from None
        tls = self.transport.get_extra_info("ssl_object") if self.transport else None
        self.session.certificate = self.services.trust.peer_of(tls)
        self.session.tls = {"tls": tls.version() or "", "cipher": (tls.cipher() or ("",))[0]} if tls else {}
        if self.session.certificate is not None:
            self.session.certificate_name = shown_dn(self.session.certificate.dn)
        self.role.secured(self.session)
        self.envelope.workspace = self.session.workspace

    async def _handshake_failed(self, error: OSError) -> None:
        tls = getattr(self._layer, "_sslobj", None)
        findings = self.judge.handshake(tls, self.session.workspace)
        reason = getattr(error, "reason", None) or type(error).__name__
        await self._journal("TLS", findings, reason=str(reason))

    async def smtp_AUTH(self, arg: str) -> None:
        """AUTH mechanism [initial response]."""
        session = self.session
        if not any(word.startswith("AUTH") for word in self.role.extensions(session)):
            self._fault(Reply.AUTH_UNAVAILABLE)
        elif session.host_name is None:
            self._fault(Reply.EHLO_FIRST)
        elif session.account is not None:
            self._fault(Reply.AUTH_TWICE)
        elif self.envelope.mail is not None:
            self._fault(Reply.AUTH_IN_TRANSACTION)
        else:
            mechanism, _, initial = arg.partition(" ")
            claimed = await self._talk(mechanism, initial.strip().encode("ascii") if initial else None)
            if isinstance(claimed, Reply):
                self._fault(claimed)
            else:
                await self._log_in(claimed)

    async def _talk(self, mechanism: str, initial: bytes | None) -> Credentials | Reply:
        talk = begin(mechanism, initial)
        if talk is None:
            return Reply.AUTH_MECHANISM
        try:
            challenge = next(talk)
            while True:
                self.say_raw(b"334 " + challenge + b"\r\n")
                response = await self.read_response()
                if isinstance(response, Reply):
                    return response
                challenge = talk.send(response)
        except StopIteration as end:
            claimed: Credentials | Reply = end.value
            return claimed

    async def _log_in(self, claimed: Credentials) -> None:
        self._allow(math.inf)
        refused = await self.role.log_in(self.session, claimed.mechanism, claimed.address, claimed.secret)
        if refused is None:
            self.say(Reply.AUTHENTICATED)
            return
        self.session.failed_logins += 1
        await self._refuse("AUTH", refused, mechanism=claimed.mechanism, account=shown_address(claimed.address))
        if self.session.failed_logins >= self.limits.failed_logins:
            self.say(Reply.TOO_MANY_ERRORS)
            raise Gone

    # ------------------------------------------------------------------------------------------------------- transaction

    async def smtp_MAIL(self, arg: str) -> None:
        """MAIL FROM, judged by the role."""
        session = self.session
        if not session.secured:
            refused = self.judge.in_clear(session.workspace)
            if refused is not None:
                await self._refuse("MAIL", refused)
                return
        if session.host_name is None:
            self._fault(Reply.EHLO_FIRST)
            return
        if self.envelope.mail is not None:
            self._fault(Reply.NESTED_MAIL)
            return
        mail = parse_mail(arg)
        if isinstance(mail, Reply):
            self._fault(mail)
            return
        refused = self.role.judge_sender(session, self.envelope, mail)
        if refused is not None:
            await self._refuse("MAIL", refused, mail_from=shown_address(mail.address))
            self._set_rset_state()
            return
        self.envelope.mail = mail
        self.busy = True
        self.say(Reply.SENDER_OK)

    async def smtp_RCPT(self, arg: str) -> None:
        """RCPT TO, judged by the role one by one: a refused recipient never blocks the others."""
        if self.envelope.mail is None:
            self._fault(Reply.MAIL_FIRST)
            return
        rcpt = parse_rcpt(arg)
        if isinstance(rcpt, Reply):
            self._fault(rcpt)
            return
        if rcpt.address not in self.envelope.recipients:
            refused = self.role.judge_recipient(self.session, self.envelope, rcpt)
            if refused is not None:
                await self._refuse("RCPT", refused, recipient=shown_address(rcpt.address))
                return
        self.envelope.recipients[rcpt.address] = DsnRequest(rcpt.notify, rcpt.orcpt)
        self.say(Reply.RECIPIENT_OK)

    async def smtp_DATA(self, arg: str) -> None:
        """Receive the message, hand it to the road, answer what the road decided."""
        if arg:
            self._fault(Reply.ARGUMENT)
            return
        if not self.envelope.recipients:
            self._fault(Reply.MAIL_FIRST if self.envelope.mail is None else Reply.RCPT_FIRST)
            return
        limit = self.services.sandboxes.policy(self.envelope.workspace).limits.mail_bytes
        body = Body(limit, self.services.spool)
        try:
            self.say_raw(_GO_ON)
            payload = await self._received(body, limit)
            if payload is not None:
                self._allow(math.inf)
                await self._take(payload)
        finally:
            body.discard()
        self._set_rset_state()

    async def _received(self, body: Body, limit: int) -> Payload | None:
        """The whole message; None when it was refused here. Raises Gone when it was cut short."""
        try:
            kept = await self.read_message(body)
        except Gone:
            if body.too_large:
                await self._not_taken("too-large", body, f"≤ {limit}")
            else:
                await self._not_taken("interrupted", body, "CRLF.CRLF")
            raise
        if body.too_large and await self._not_taken("too-large", body, f"≤ {limit}"):
            return None
        if kept:
            try:
                return body.payload()
            except OSError as error:
                log.warning("spool failed", error=str(error))
        self.say(Reply.DATA_STORAGE)
        return None

    async def _not_taken(self, kind: str, body: Body, expected: str) -> bool:
        """Refuse a message by what its octets did on the wire; it becomes an exchange with its first octets as evidence."""
        refused = await self._fact(kind, str(body.size_bytes), expected, "DATA")
        if refused is None:
            return False
        self._refusals += 1
        if body.size_bytes and self._refusals <= self.limits.refusals_journalled:
            submission = self._submission(body.evidence(), announced=str(body.size_bytes))
            try:
                await self.services.road.refuse(submission, refused.findings, refused.reply)
            except StoreUnavailable:
                log.warning("refusal not journalled", peer=self.session.peer_text, stage="DATA")
        self.say(refused.reply)
        return True

    async def _take(self, payload: Payload) -> None:
        try:
            verdict = await self.services.road.take(self._submission(payload))
        except StoreUnavailable:
            self.say(unavailable(self.lang))
            raise Gone from None
        self.say(reply_for(verdict.decision, verdict.exchange_id, self.lang))

    def _submission(self, payload: Payload, **more: str) -> Submission:
        session, transaction = self.session, self.envelope
        mail = transaction.mail or MailCommand("")
        sender, operator = self.role.sender(session, transaction)
        attributes = {**session.tls, "helo": session.host_name or "", **more}
        if mail.declared_bytes:
            attributes["declared_size"] = str(mail.declared_bytes)
        if session.mechanism:
            attributes["auth"] = session.mechanism
        if not session.attributed:
            attributes["attributed"] = "no"
        return Submission(
            workspace=transaction.workspace,
            door=self.role.door,
            operator=operator,
            sender=sender,
            payload=payload,
            received_at=self.services.clock.now(),
            peer=session.peer_text,
            envelope=Envelope(
                mail.address, tuple(transaction.recipients), mail.ret, mail.envid, dict(transaction.recipients)
            ),
            attributes=attributes,
            bypassed=(*session.bypassed, *transaction.bypassed),
        )

    # ------------------------------------------------------------------------------------------------------------- others

    async def smtp_RSET(self, arg: str) -> None:
        """Forget the transaction."""
        self._set_rset_state()
        self.say(Reply.OK)

    async def smtp_NOOP(self, arg: str) -> None:
        """Nothing, politely."""
        self.say(Reply.OK)

    async def smtp_QUIT(self, arg: str) -> None:
        """Goodbye."""
        self.say(Reply.BYE)
        raise Gone

    async def smtp_HELP(self, arg: str) -> None:
        """The commands."""
        self.say(Reply.HELP)

    async def smtp_VRFY(self, arg: str) -> None:
        """Nobody learns here who exists."""
        self.say(Reply.VRFY)

    async def smtp_EXPN(self, arg: str) -> None:
        """There are no lists."""
        self._fault(Reply.NOT_IMPLEMENTED)


_COMMANDS: Mapping[str, Command] = {
    name.removeprefix("smtp_"): getattr(MssSmtp, name) for name in dir(MssSmtp) if name.startswith("smtp_")
}
