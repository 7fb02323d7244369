"""Ready clients of a running gateway: an SMTP session that may send, an IMAP session that may read.

Plain standard library underneath, so that a test of somebody's own software can compare with what a bare client sees.
"""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said last: the code and its text, lines joined by newlines."""

    code: int
    text: str


def tls_context(ca_file: Path, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """Believes the sandbox's TEST authority; shows `certificate` (chain and key, PEM) when there is one."""
    context = ssl.create_default_context(cafile=str(ca_file))
    if certificate is not None:
        context.load_cert_chain(*map(str, certificate))
    return context


@contextlib.contextmanager
def smtp_session(port: int, tls: ssl.SSLContext, login: tuple[str, str] | None = None) -> Iterator[smtplib.SMTP]:
    """A session under STARTTLS, authenticated when `login` (address, password) is given."""
    with smtplib.SMTP(HOST, port, "localhost", timeout=TIMEOUT_S) as client:
        client.starttls(context=tls)
        client.ehlo()
        if login is not None:
            client.login(*login)
        yield client


def send(client: smtplib.SMTP, raw: bytes, sender: str, recipients: Sequence[str]) -> Reply:
    """MAIL, RCPT, DATA; the answer that decided: the first refusal, or the one to the data."""
    code, text = client.mail(sender, [f"SIZE={len(raw)}"])
    for recipient in recipients if code < 300 else ():
        code, text = client.rcpt(recipient)
        if code >= 300:
            break
    if code < 300:
        try:
            code, text = client.data(raw)
        except smtplib.SMTPDataError as refused:
            code, error = refused.smtp_code, refused.smtp_error
            text = error if isinstance(error, bytes) else error.encode()
    else:
        client.rset()
    return Reply(code, text.decode("utf-8", "replace"))


@contextlib.contextmanager
def imap_session(port: int, tls: ssl.SSLContext, login: tuple[str, str]) -> Iterator[imaplib.IMAP4]:
    """A session under STARTTLS, the inbox selected."""
    client = imaplib.IMAP4(HOST, port, timeout=TIMEOUT_S)
    try:
        client.starttls(tls)
        client.login(*login)
        client.select("INBOX")
        yield client
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            client.logout()
