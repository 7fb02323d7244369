"""The courier of relayed mail: from the sending operator to the one that serves the recipients' domain.

The domain is looked up in the sandbox's own zone, never in the DNS, and only hosts of the allow-list are connected to. Nothing is
sent before the server's certificate was found listed for that domain (digest §1.5, outgoing checks 1 to 4).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.smtp.door import Services
from adapters.smtp.judge import Judge, refused
from adapters.smtp.link import Answer, Link, LinkFailed, LinkTimes, Route, failure_text
from adapters.smtp.pool import LinkKey, PoolLimits, SmtpPool
from gateway.answers.smtp import SmtpReply
from gateway.messaging.trust import PeerCertificate, findings_of, judge_handshake, judge_server, reply_of
from gateway.ports import Delivered, Delivery, RecipientOutcome
from gateway.values import Door, Text

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Zone = Callable[[str], Route | None]
_TRUST_HOLDS_S = 5.0
# alerts by which a peer refuses the certificate we showed (RFC 8446 §6.2)
_ABOUT_OUR_CERTIFICATE = frozenset(
    {
        "bad_certificate",
        "unsupported_certificate",
        "certificate_revoked",
        "certificate_expired",
        "certificate_unknown",
        "unknown_ca",
        "access_denied",
        "certificate_required",
    }
)


@dataclass(frozen=True, slots=True)
class Errand:
    """One relay: the payload of its delivery, read."""

    workspace: str
    domain: str
    operator: str
    mail_from: str
    recipients: tuple[str, ...]
    ret: str = ""
    envid: str = ""
    dsn: Mapping[str, Mapping[str, Any]] | None = None

    @classmethod
    def of(cls, delivery: Delivery) -> Errand:
        """From the outbox. Raises KeyError when a field is missing."""
        payload = delivery.payload
        return cls(
            workspace=delivery.workspace,
            domain=str(payload["domain"]),
            operator=str(payload["operator"]),
            mail_from=str(payload["mail_from"]),
            recipients=tuple(payload["recipients"]),
            ret=str(payload.get("ret") or ""),
            envid=str(payload.get("envid") or ""),
            dsn=payload.get("dsn") or {},
        )

    def mail_words(self, link: Link, size: int, *, eight_bit: bool) -> list[str]:
        """The words of MAIL; parameters only where the server offers them."""
        words = ["MAIL", f"FROM:<{self.mail_from}>"]
        if link.offers("size"):
            words.append(f"SIZE={size}")
        if eight_bit and link.offers("8bitmime"):
            words.append("BODY=8BITMIME")
        if link.offers("dsn"):
            words += [f"RET={self.ret}"] if self.ret else []
            words += [f"ENVID={self.envid}"] if self.envid else []
        return words

    def rcpt_words(self, link: Link, address: str) -> list[str]:
        """The words of RCPT."""
        words = ["RCPT", f"TO:<{address}>"]
        wanted = (self.dsn or {}).get(address)
        if wanted and link.offers("dsn"):
            words += [f"NOTIFY={','.join(wanted['notify'])}"] if wanted.get("notify") else []
            words += [f"ORCPT={wanted['orcpt']}"] if wanted.get("orcpt") else []
        return words


class RelayCourier:
    """Implements `gateway.ports.Courier` for deliveries of kind `relay`.

    `zone` maps a domain to where it is served; `allow` are the hosts that may be connected to; `hostname_of` gives the name an
    operator says in EHLO. Holds nothing between attempts: the outbox keeps in the delivery who is left to reach.
    """

    def __init__(
        self,
        services: Services,
        zone: Zone,
        hostname_of: Callable[[str], str],
        *,
        allow: Collection[str] = LOOPBACK,
        times: LinkTimes = LinkTimes(),
        limits: PoolLimits = PoolLimits(),
    ) -> None:
        self._services = services
        self._judge = Judge(services, Door.SUBMISSION)
        self._zone = zone
        self._hostname_of = hostname_of
        self._allow = frozenset(allow)
        self._times = times
        self.pool = SmtpPool(self._dial, services.trust.client_context, limits)

    async def _dial(self, key: LinkKey, context: ssl.SSLContext) -> Link:
        return await Link.dial(key.route, context, self._hostname_of(key.operator), self._times)

    async def deliver(self, delivery: Delivery, raw: bytes) -> Delivered:
        """Hand one mail over. Never raises for what the other side does or for a payload that makes no sense."""
        try:
            errand = Errand.of(delivery)
        except KeyError as error:
            return Delivered(False, permanent=True, answer=f"delivery without {error}", reason="payload")
        route = self._zone(errand.domain)
        if route is None:
            answer = SmtpReply(550, "5.1.2", f"{errand.domain} : domaine absent de la zone, personne ne le sert")
            return Delivered(False, permanent=True, answer=failure_text(answer), reason="zone")
        if route.host not in self._allow:
            answer = SmtpReply(
                550, "5.7.1", f"{route.host} : hors de la liste des hôtes autorisés, aucune connexion faite"
            )
            return Delivered(False, permanent=True, answer=failure_text(answer), reason="allow-list")
        try:
            key = LinkKey(route, errand.operator, self._services.trust.certificate_of(errand.operator))
        except LookupError as error:
            return Delivered(False, permanent=True, answer=str(error), reason="certificate")
        return await self._sent(key, errand, raw)

    async def _sent(self, key: LinkKey, errand: Errand, raw: bytes) -> Delivered:
        fresh = False
        while True:
            try:
                link, reused = await self.pool.lend(key, fresh=fresh)
            except LinkFailed as failed:
                return self._not_reached(failed, key.route, errand)
            usable = False
            try:
                untrusted = self._server_refused(link, key.route, errand)
                if untrusted is not None:
                    return untrusted
                result = await self._transaction(link, errand, raw)
                usable = True
                return result
            except LinkFailed as failed:
                if not reused or failed.reason != "lost":
                    return Delivered(False, permanent=False, answer=failed.answer, reason=failed.reason)
                fresh = True  # a kept connection had died: once more on a new one
            except ValueError as error:  # control characters or accents where SMTP wants plain ASCII
                return Delivered(False, permanent=True, answer=f"envelope not fit for SMTP: {error}", reason="envelope")
            finally:
                self.pool.give_back(key, link, usable=usable)

    # ------------------------------------------------------------------------------------------------------------- trust

    def _server_refused(self, link: Link, route: Route, errand: Errand) -> Delivered | None:
        """The server's certificate against the whitelist, for the domain of this mail. Judged again every few seconds."""
        moment = asyncio.get_running_loop().time()
        judged = link.judged.get((errand.workspace, errand.domain))
        if judged is not None and moment - judged < _TRUST_HOLDS_S:
            return None
        refusal = self._verdict(self._services.trust.peer_of(link.tls), route, errand, starttls=True)
        if refusal is None:
            link.judged[errand.workspace, errand.domain] = moment
        return refusal

    def _verdict(
        self, peer: PeerCertificate | None, route: Route, errand: Errand, *, starttls: bool
    ) -> Delivered | None:
        standing = self._services.trust.standing(peer) if peer else None
        issues = judge_server(
            peer,
            host=route.sni,
            domain=errand.domain,
            domain_dns=self._services.sandboxes.territory(errand.workspace).dns_of_domain(errand.domain),
            now=self._judge.now(),
            trusted_chain=standing is not None and standing.trusted_chain,
            revoked=standing is not None and standing.revoked,
            crl_available=standing is None or standing.crl_available,
            starttls=starttls,
        )
        book, ctx = self._judge.book(errand.workspace), self._judge.context(errand.workspace)
        found = refused(findings_of(issues, book, ctx), self._services.lang)
        return _untrusted(found.findings[0].rule, found.reply.text) if found else None

    def _not_reached(self, failed: LinkFailed, route: Route, errand: Errand) -> Delivered:
        """A connection that could not be made: why, as far as the handshake was seen."""
        if failed.reason == "starttls" and failed.permanent:
            judged = self._verdict(None, route, errand, starttls=False)
            return judged or Delivered(False, permanent=True, answer=failed.answer, reason="starttls")
        failure = self._services.trust.failure_of(failed.tls) if failed.tls is not None else None
        if failure is not None:
            standing = self._services.trust.standing(failure.peer) if failure.peer else None
            issues = judge_handshake(failure, now=self._judge.now(), standing=standing)
            book, ctx = self._judge.book(errand.workspace), self._judge.context(errand.workspace)
            found = refused(findings_of(issues, book, ctx), self._services.lang)
            if found is not None:
                # the same certificate would be refused again: no retry will mend it
                hopeless = not failure.by_us and failure.alert in _ABOUT_OUR_CERTIFICATE
                return _untrusted(found.findings[0].rule, found.reply.text, hopeless=hopeless)
        # without an alert a cut during TLS may be the network's doing: tried again by the outbox, later
        return Delivered(False, permanent=failed.permanent, answer=failed.answer, reason=failed.reason)

    # ------------------------------------------------------------------------------------------------------- transaction

    async def _transaction(self, link: Link, errand: Errand, raw: bytes) -> Delivered:
        limit = link.size_limit
        if limit and len(raw) > limit:
            said = Text(
                f"Message de {len(raw)} octets, le destinataire en accepte {limit}",
                f"Message of {len(raw)} octets, the recipient accepts {limit}",
            )
            answer = SmtpReply(552, "5.3.4", said.in_(self._services.lang))
            return Delivered(False, permanent=True, answer=failure_text(answer), reason="size")
        mail = await link.command(*errand.mail_words(link, len(raw), eight_bit=not raw.isascii()))
        if not mail.ok:
            return _whole(mail, errand.recipients, "mail")
        outcomes: dict[str, RecipientOutcome] = {}
        taken: list[str] = []
        for address in errand.recipients:
            answer_to = await link.command(*errand.rcpt_words(link, address))
            outcomes[address] = RecipientOutcome(address, answer_to.ok, answer_to.permanent, str(answer_to))
            if answer_to.ok:
                taken.append(address)
        if taken:
            final = await link.data(raw)
            for address in taken:
                outcomes[address] = RecipientOutcome(address, final.ok, final.permanent, str(final))
        summed = _summed([outcomes[a] for a in errand.recipients], "data" if taken else "rcpt")
        return replace(summed, notifies=link.offers("dsn"))


def _untrusted(rule_id: str, text: str, *, hopeless: bool = False) -> Delivered:
    code, enhanced = (554, "5.7.5") if hopeless else reply_of(rule_id, outgoing=True)
    answer = failure_text(SmtpReply(code, enhanced, text))
    return Delivered(False, permanent=code >= 500, answer=answer, reason=rule_id)


def _whole(answer: Answer, recipients: Sequence[str], reason: str) -> Delivered:
    """One answer that holds for every recipient."""
    return _summed([RecipientOutcome(a, False, answer.permanent, str(answer)) for a in recipients], reason)


def _summed(outcomes: Sequence[RecipientOutcome], reason: str) -> Delivered:
    """Several recipients in one word: done when nobody is left to try again and somebody was reached."""
    waiting = [o for o in outcomes if not o.accepted and not o.permanent]
    lost = [o for o in outcomes if not o.accepted and o.permanent]
    reached = [o for o in outcomes if o.accepted]
    shown = waiting or lost or reached
    answer = " | ".join(dict.fromkeys(o.answer for o in shown))
    if waiting:
        return Delivered(False, permanent=False, answer=answer, reason=reason, recipients=tuple(outcomes))
    if not reached:
        return Delivered(False, permanent=True, answer=answer, reason=reason, recipients=tuple(outcomes))
    return Delivered(True, permanent=False, answer=answer, reason="partial" if lost else "", recipients=tuple(outcomes))
