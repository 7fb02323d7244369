"""MAIL and RCPT as values: the path and its parameters, or the reply that says what is wrong.

Sources: RFC 5321 §4.1.1.2-3 and §4.5.3, RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 3461 §4 (RET, ENVID, NOTIFY, ORCPT),
RFC 4954 §5 (AUTH).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.smtp.texts import Reply

# source routes are read and ignored (RFC 5321 §4.1.1.3); a quoted local part may hold spaces
_PATH = r'\s*<(?:@[^<>:\s]*:)?(?P<address>(?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(?:\s+(?P<params>.*))?\s*'
_MAIL = re.compile("FROM:" + _PATH, re.IGNORECASE)
_RCPT = re.compile("TO:" + _PATH, re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?=.{1,255}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_LOCAL = re.compile(r'[^\s@<>()\[\]\\,;:"]+|"(?:[^"\\]|\\.)*"')
_PARAM = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?P<value>[\x21-\x3c\x3e-\x7e]+))?")
_XTEXT = re.compile(r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})+")
_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})

MAX_LOCAL, MAX_PATH, MAX_ENVID, MAX_ORCPT = 64, 254, 100, 500

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MailCommand:
    """MAIL FROM. `address` is lower case, '' for the null sender. `declared_bytes` is SIZE=, 0 when absent."""

    address: str
    declared_bytes: int = 0
    ret: str = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class RcptCommand:
    """RCPT TO. `address` is lower case; `notify` and `orcpt` are RFC 3461, as written."""

    address: str
    notify: tuple[str, ...] = ()
    orcpt: str = ""


def parse_mail(arg: str) -> MailCommand | Reply:
    """The argument of MAIL; a `Reply` when it cannot be read."""
    found = _MAIL.fullmatch(arg)
    if found is None:
        return Reply.MAIL_SYNTAX
    address = found["address"]
    if address and (fault := address_fault(address)) is not None:
        return Reply.SENDER_ADDRESS if fault is Reply.RECIPIENT_ADDRESS else fault
    if found["params"] is None:
        return MailCommand(address.lower())
    params = _params(found["params"])
    if params is None:
        return Reply.PARAMETER_SYNTAX
    size = ret = envid = ""
    for name, value in params.items():
        match name:
            case "SIZE":
                size = value
            case "BODY":
                if value.upper() not in ("7BIT", "8BITMIME"):
                    return Reply.BODY
            case "RET":
                ret = value.upper()
            case "ENVID":
                envid = value
            case "AUTH":
                pass  # an identity that the submitter vouches for: ours comes from the session alone
            case "SMTPUTF8":
                return Reply.SMTPUTF8
            case _:
                return Reply.PARAMETER
    if ("SIZE" in params and not (size.isdigit() and len(size) <= 20)) or (
        "RET" in params and ret not in ("FULL", "HDRS")
    ):
        return Reply.PARAMETER_VALUE
    if "ENVID" in params and (len(envid) > MAX_ENVID or not _XTEXT.fullmatch(envid)):
        return Reply.PARAMETER_VALUE
    return MailCommand(address.lower(), int(size or 0), ret, envid)


def parse_rcpt(arg: str) -> RcptCommand | Reply:
    """The argument of RCPT; a `Reply` when it cannot be read."""
    found = _RCPT.fullmatch(arg)
    if found is None:
        return Reply.RCPT_SYNTAX
    address = found["address"]
    if (fault := address_fault(address)) is not None:
        return fault
    if found["params"] is None:
        return RcptCommand(address.lower())
    params = _params(found["params"])
    if params is None:
        return Reply.PARAMETER_SYNTAX
    if params.keys() - {"NOTIFY", "ORCPT"}:
        return Reply.PARAMETER
    notify = tuple(params["NOTIFY"].upper().split(",")) if "NOTIFY" in params else ()
    if notify and notify != ("NEVER",) and (not set(notify) <= _NOTIFY or len(set(notify)) != len(notify)):
        return Reply.PARAMETER_VALUE
    orcpt = params.get("ORCPT", "")
    if "ORCPT" in params:
        kind, semicolon, value = orcpt.partition(";")
        if not kind or not semicolon or len(orcpt) > MAX_ORCPT or not _XTEXT.fullmatch(value):
            return Reply.PARAMETER_VALUE
    return RcptCommand(address.lower(), notify, orcpt)


def address_fault(address: str) -> Reply | None:
    """Why an address cannot be one; None when its form is sound. Quoted local parts are allowed by the standard."""
    local, at, domain = address.rpartition("@")
    if not at or not _DOMAIN.fullmatch(domain) or not _LOCAL.fullmatch(local):
        return Reply.RECIPIENT_ADDRESS
    if len(local) > MAX_LOCAL or len(address) > MAX_PATH:
        return Reply.ADDRESS_LENGTH
    return None


def _params(text: str) -> Mapping[str, str] | None:
    """`NAME[=value]` parameters by upper-case name; None when one is not well formed or comes twice."""
    if not text:
        return _NONE
    params: dict[str, str] = {}
    for word in text.split():
        found = _PARAM.fullmatch(word)
        if found is None or found["name"].upper() in params:
            return None
        params[found["name"].upper()] = found["value"] or ""
    return params
