"""A copy of a mail without the INS: headers that say so, packages and documents copied without it, its texts masked.

Made of what the stored octets hold, by the standard library; the original stays as it was received. The subject is kept:
software finds packages by its form (ECO.2.1.3). The header `X-Passerelle-Copie`, the titles of the documents and the
keyword on the mail say that it is a copy.
"""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import Message

from gateway.documents.without_ins import MARK, NewId, Signed, Unreadable, cda_without_ins, package_without_ins
from gateway.messaging.compose import encoded
from gateway.rules.masking import mask_text
from gateway.sandbox.model import Limits

COPY_HEADER = "X-Passerelle-Copie"
_SEALED = frozenset({"multipart/signed", "multipart/encrypted"})
_SMIME = re.compile(r"application/(x-)?pkcs7-(mime|signature)|application/pgp-(encrypted|signature)")
_ZIP = b"PK\x03\x04"


def mail_without_ins(
    raw: bytes, *, new_id: NewId, message_id: str, original: str, at: datetime, limits: Limits = Limits()
) -> bytes:
    """The copy. `message_id` is its own, `original` the exchange it was made of. Raises Signed, Unreadable."""
    mail = message_from_bytes(raw, policy=policy.compat32)
    parts = list(mail.walk())
    for part in parts:
        if part.get_content_type() in _SEALED or _SMIME.fullmatch(part.get_content_type()):
            raise Signed
    done = 0
    for part in parts:
        if not part.is_multipart():
            done += _copied(part, new_id, at, limits)
    if not done:
        raise Unreadable("no document")
    for name in ("Message-ID", "X-MSS-INS", "DKIM-Signature", COPY_HEADER):
        had = name in mail
        del mail[name]
        if name == "X-MSS-INS" and had:
            mail[name] = "N"
    mail["Message-ID"] = f"<{message_id}>"
    mail[COPY_HEADER] = f"{MARK}; de={original}"
    return re.sub(rb"\r?\n", b"\r\n", mail.as_bytes(policy=policy.compat32))


def _copied(part: Message, new_id: NewId, at: datetime, limits: Limits) -> bool:
    """Whether the part was a document or a package, now copied without the INS."""
    octets = part.get_payload(decode=True)
    data = octets if isinstance(octets, bytes) else b""
    name = (part.get_filename() or "").casefold()
    if data.startswith(_ZIP) and (name == "ihe_xdm.zip" or b"IHE_XDM" in data[:4096]):
        _replaced(part, package_without_ins(data, new_id, at, limits))
        return True
    if b"ClinicalDocument" in data[:65536]:
        _replaced(part, cda_without_ins(data, new_id, limits).data)
        return True
    if part.get_content_maintype() == "text":
        text = _decoded(data, part.get_content_charset())
        masked = mask_text(text)
        if masked != text:
            _replaced(part, masked.encode())
            part.set_param("charset", "utf-8")
    return False


def _decoded(data: bytes, charset: str | None) -> str:
    """A text by the charset it declares; by Latin-1, which loses no octet, when it does not hold or is unknown."""
    try:
        return data.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return data.decode("latin-1")


def _replaced(part: Message, data: bytes) -> None:
    part.set_payload(encoded(data).decode("ascii"))
    del part["Content-Transfer-Encoding"]
    part["Content-Transfer-Encoding"] = "base64"
