"""A mail as it was opened: headers, parts, packages. Payloads stay in the raw bytes; only facts are kept."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.documents.model import CdaDocument, Issue, XdmPackage
from gateway.identity.model import IdentityView


@dataclass(frozen=True, slots=True)
class Header:
    """One header field: name as written, value decoded (RFC 2047), whether it was 8-bit or otherwise malformed."""

    name: str
    value: str
    raw_8bit: bool = False


@dataclass(frozen=True, slots=True)
class MailPart:
    """One leaf of the MIME tree. `path` is its number (`1`, `2.1`); `size_bytes` and `sha256` are those of the decoded octets."""

    path: str
    content_type: str
    filename: str
    disposition: str
    size_bytes: int
    sha256: str
    is_pdf: bool = False
    pdfa_part: str = ""
    text: str = ""  # text/plain and text/html only, first 64 KB
    charset: str = ""  # as declared, lower case; '' when undeclared
    transfer_encoding: str = ""  # as declared, lower case
    misspelt: tuple[str, ...] = ()  # names of MIME headers that are not quite right (Content-Transfert-Encoding)
    enclosing: str = ""  # content type of the multipart that holds it; '' for the only part
    quoted: bool = False  # inside a message quoted by a report (DSN, MDN): evidence, not content


@dataclass(frozen=True, slots=True)
class MailMessage:
    """An opened mail. Addresses are lower case; `message_id` is without angle brackets and '' when absent."""

    headers: tuple[Header, ...]
    message_id: str
    sender: str  # address of From:
    sender_name: str
    recipients: tuple[str, ...]  # addresses of To: and Cc:
    subject: str
    date: str
    parts: tuple[MailPart, ...]
    packages: tuple[XdmPackage, ...]
    loose_documents: tuple[CdaDocument, ...]  # CDA attached outside a package
    identity: IdentityView | None  # patient address and X-MSS-INS, when a patient appears in the envelope or headers
    size_bytes: int
    longest_line: int  # octets without the line end, when above 998; 0 when no line is
    issues: tuple[Issue, ...] = ()
    content_type: str = ""  # of the whole message, lower case, without parameters
    envelope_recipients: tuple[str, ...] = ()  # as given by the envelope, lower case
    lone_line_ends: int = 0  # CR or LF not part of a CRLF; 0 for a file saved with LF throughout
    nul_octets: int = 0
    about: str = ""  # Message-ID of the mail that a report or an automatic answer is about; '' for any other mail

    def header(self, name: str) -> str | None:
        """The first value of a header, by name without case; None when absent."""
        wanted = name.lower()
        return next((h.value for h in self.headers if h.name.lower() == wanted), None)

    def all_headers(self, name: str) -> tuple[str, ...]:
        """Every value of a repeated header."""
        wanted = name.lower()
        return tuple(h.value for h in self.headers if h.name.lower() == wanted)

    @property
    def documents(self) -> tuple[CdaDocument, ...]:
        """Every CDA of the mail, packaged first."""
        return tuple(d for p in self.packages for d in p.documents) + self.loose_documents
