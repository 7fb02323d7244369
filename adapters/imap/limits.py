"""What one IMAP service allows its clients: counts, sizes in bytes, durations in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImapLimits:
    """Bounds that keep one client from harming the others. `append_bytes` is the workspace's mail limit, not here."""

    connections: int = 500
    connections_per_mailbox: int = 40
    handshake_s: float = 20.0
    login_s: float = 60.0  # silence allowed before authentication
    idle_s: float = 1_860.0  # silence allowed after it; RFC 3501 § 5.4 asks for 30 minutes at least
    stall_s: float = 60.0  # silence allowed in the middle of a literal, and a client that does not read
    still_here_s: float = 120.0  # during IDLE, one word to keep the path open
    line_bytes: int = 64 * 1024
    literal_bytes: int = 4 * 1024  # any literal but the message of APPEND
    literals: int = 200  # in one command
    failed_logins: int = 5  # in one connection
    keywords: int = 64  # on one message
    folders: int = 500
    opened_bytes: int = 48 * 1024 * 1024  # mails kept open for the next section, all clients together
