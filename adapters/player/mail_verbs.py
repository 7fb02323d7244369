"""The mail steps: submit, relay as a foreign operator, watch the hop, read by IMAP. Stock clients of the standard library."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.pki.contexts import client_context
from adapters.player.result import Checks, Seen
from adapters.player.world import Composed, World
from gateway.directory.model import MailboxKind
from gateway.messaging.opening import open_mail
from gateway.sandbox.model import Limits
from gateway.scenarios.model import Step

TIMEOUT_S = 30.0
HOST = "127.0.0.1"


def submit(world: World, step: Step) -> Seen:
    """A client software submits a document to its operator."""
    args = step.args
    record = world.record(
        args["document"],
        world.patient(args["patient"]),
        world.structure(args.get("structure") or world.mailbox(args["from"]).holder),
        world.professional(args["author"]),
    )
    twin = world.patient(args["twin"]) if args.get("twin") else None
    mail = world.mail(args["from"], args["to"], record, twin)
    world.mails[step.id] = mail
    world.drafts[step.id] = (record, twin)
    code, text = _submitted(world, mail)
    exchange = _exchange(world, step.id, mail, "smtp-submission")
    return _judged(step, code, text, exchange)


def _submitted(world: World, mail: Composed) -> tuple[int, str]:
    mailbox = world.mailbox(mail.sender)
    by_certificate = mailbox.kind is MailboxKind.APP
    issued = world.certificates.mailbox(mailbox, world.territory) if by_certificate else None
    tls = client_context(world.authority, issued)
    with smtplib.SMTP(HOST, world.gateway.port("submission"), "localhost", timeout=TIMEOUT_S) as client:
        client.starttls(context=tls)
        client.ehlo()
        if issued is None:
            client.login(mail.sender, world.passwords[mail.sender])
        return _sent(client, mail)


def _sent(client: smtplib.SMTP, mail: Composed) -> tuple[int, str]:
    """The code and text that decided: of MAIL, of the first RCPT refused, or of DATA."""
    code, text = client.mail(mail.sender, [f"SIZE={len(mail.raw)}"])
    for recipient in mail.recipients if code < 300 else ():
        code, text = client.rcpt(recipient)
        if code >= 300:
            break
    if code < 300:
        with contextlib.suppress(smtplib.SMTPDataError):
            code, text = client.data(mail.raw)
    return code, text.decode("ascii", "replace")


def foreign(world: World, step: Step) -> Seen:
    """The same document, sent by an operator of elsewhere straight to the recipient's operator."""
    record, twin = world.drafts[step.args["message"]]
    operator = world.territory.operators[step.args["operator"]]
    sender = next(m for m in world.territory.mailboxes.values() if m.operator == operator.id)
    to = step.args.get("to") or world.mails[step.args["message"]].recipients[0]
    mail = world.mail(sender.address, to, record, twin)
    world.mails[step.id] = mail
    recipient_operator = world.mailbox(to).operator
    tls = client_context(world.authority, world.certificates.operator(operator))
    with smtplib.SMTP(HOST, world.gateway.port(f"smtp:{recipient_operator}"), "localhost", timeout=TIMEOUT_S) as client:
        client.starttls(context=tls)
        client.ehlo()
        code, text = _sent(client, mail)
    exchange = _exchange(world, step.id, mail, "smtp-reception")
    seen = _judged(step, code, text, exchange)
    if "keyword" in step.expect:
        with _inbox(world, to) as client:
            found = _fetched(client, mail.message_id)
            flags = found.flags if found else ()
        seen.checks.contains("keyword", step.expect["keyword"], flags)
    return seen


def relayed(world: World, step: Step) -> Seen:
    """The mail arrives at the recipient's operator, by its own hop."""
    mail = world.mails[step.args["message"]]
    hop = world.gateway.wait_for(door="smtp-reception", message_id=mail.message_id, until="delivered", timeout_s=60)
    checks = Checks()
    summary = hop["summary"]
    if "outcome" in step.expect:
        checks.one_of("outcome", (step.expect["outcome"], "accept_with_alerts"), summary["outcome"])
    if step.expect.get("peer_tls"):
        checks.truth("peer certificate", bool(summary.get("fingerprint")))
    if "parent" in step.expect:
        story = world.gateway.get(f"/exchanges/{hop['id']}/story")
        hops = [h["id"] for h in story["hops"]]
        checks.contains("earlier hop", world.exchanges[step.expect["parent"]], hops[: hops.index(hop["id"])])
    said = f"{summary['sender']} · {summary['attributes'].get('tls', '')}"
    return Seen(said, checks, {"exchange": hop["id"], "outcome": summary["outcome"], "sender": summary["sender"]})


def read(world: World, step: Step) -> Seen:
    """The recipient reads the mail with an IMAP client."""
    mail = world.mails[step.args["message"]]
    checks = Checks()
    with _inbox(world, step.args["mailbox"]) as client:
        found = _fetched(client, mail.message_id)
    checks.truth("mail found", found is not None)
    if found is None:
        return Seen("—", checks, {})
    opened = open_mail(found.raw, None, Limits())
    codes = [d.code.code for d in opened.documents if d.code]
    expect = step.expect
    if expect.get("identical"):
        checks.truth("identical bytes", found.raw == mail.raw)
    if "subject" in expect:
        checks.truth("subject", opened.subject.startswith(expect["subject"]))
    for code in expect.get("documents", ()):
        checks.contains("documents", code, codes)
    if "keyword" in expect:
        checks.contains("keyword", expect["keyword"], found.flags)
    said = f"{len(found.raw)} octets · {', '.join(codes)}"
    return Seen(said, checks, {"size_bytes": len(found.raw), "documents": codes, "flags": list(found.flags)})


@dataclass(frozen=True, slots=True)
class _Fetched:
    raw: bytes
    flags: tuple[str, ...]


@contextlib.contextmanager
def _inbox(world: World, address: str) -> Any:
    tls: ssl.SSLContext = client_context(world.authority, None)
    client = imaplib.IMAP4(HOST, world.gateway.port("imap"), timeout=TIMEOUT_S)
    try:
        client.starttls(tls)
        token = f"\0{address}\0{world.passwords[address]}".encode()
        client.authenticate("PLAIN", lambda _: token)
        client.select("INBOX")
        yield client
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            client.logout()


def _fetched(client: imaplib.IMAP4, message_id: str) -> _Fetched | None:
    _, (uids,) = client.uid("SEARCH", "HEADER", "Message-ID", f"<{message_id}>")
    if not uids:
        return None
    uid = uids.split()[-1].decode()
    _, flags = client.uid("FETCH", uid, "(FLAGS)")
    _, parts = client.uid("FETCH", uid, "(BODY[])")
    shown = imaplib.ParseFlags(flags[0])
    return _Fetched(parts[0][1], tuple(flag.decode() for flag in shown))


def _exchange(world: World, step: str, mail: Composed, door: str) -> Mapping[str, Any]:
    listed = world.gateway.get("/exchanges", door=door, message_id=mail.message_id)["exchanges"]
    if not listed:
        return {}
    world.exchanges[step] = listed[0]["id"]
    found: Mapping[str, Any] = world.gateway.get(f"/exchanges/{listed[0]['id']}")
    return found


def _judged(step: Step, code: int, text: str, exchange: Mapping[str, Any]) -> Seen:
    checks = Checks()
    expect = step.expect
    findings = exchange.get("findings", [])
    rules = list(dict.fromkeys(f["rule"] for f in findings))
    summary = exchange.get("summary", {})
    if "code" in expect:
        checks.equal("code", expect["code"], code)
    for rule in expect.get("rules", ()):
        checks.contains("rules", rule, rules)
    for rule in expect.get("absent_rules", ()):
        checks.truth(f"{rule} absent", rule not in rules)
    if expect.get("values"):
        checks.truth("values side by side", any(len(f["values"]) > 1 for f in findings if f["severity"] == "blocking"))
    for name in ("outcome", "integration"):
        if name in expect:
            checks.equal(name, expect[name], summary.get(name))
    shown = [f for f in findings if f["rule"] in expect.get("rules", ())]
    return Seen(
        f"{code} {text}", checks, {"code": code, "rules": rules, "exchange": exchange.get("id", "")}, tuple(shown)
    )
