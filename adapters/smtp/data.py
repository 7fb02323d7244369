"""The DATA of SMTP as bytes in, bytes out: no socket, no file, no clock.

Theory of operation. The octets of a message end at CRLF.CRLF and nowhere else: a bare LF or CR around the dot is content
(RFC 5321 §2.3.8 and §4.1.1.4; reading them as an end is what makes SMTP smuggling possible). A line that begins with a dot was
sent with one more dot (§4.5.2). Both facts concern the sequence CRLF + dot, so the reader keeps back, from one chunk to the
next, only the longest tail that may still become the terminator: at most four octets. The first line of a message follows
no CRLF of its own, so the reader starts as if one had just been read, and takes it away from what it gives out first.
"""

from __future__ import annotations

TERMINATOR = b"\r\n.\r\n"
_TAILS = tuple(TERMINATOR[:n] for n in range(len(TERMINATOR) - 1, 0, -1))  # longest first


class DataReader:
    """Feed it what arrives; it gives back message octets, dots removed, until `done`. Then `rest` is the next command."""

    __slots__ = ("_held", "_virtual", "done", "rest")

    def __init__(self) -> None:
        self._held = b"\r\n"
        self._virtual = 2  # octets of the imaginary CRLF that were not taken away yet
        self.done = False
        self.rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """The octets that are certain after this chunk; may be empty. Never called again once `done`."""
        data = self._held + chunk
        end = data.find(TERMINATOR)
        if end >= 0:
            self.done = True
            self.rest = data[end + len(TERMINATOR) :]
            self._held = b""
            certain = data[: end + 2]
        else:
            self._held = next((tail for tail in _TAILS if data.endswith(tail)), b"")
            certain = data[: len(data) - len(self._held)]
        if not certain:
            return b""
        certain = certain.replace(b"\r\n.", b"\r\n")
        if self._virtual:
            certain = certain[self._virtual :]
            self._virtual = 0
        return certain
