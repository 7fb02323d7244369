"""SOAP answers of the DMP: Faults that teach, and the WS-Addressing envelope around every answer.

The subcode of a refusal is a table, by rule then by family. `DMPInvalidCertificate` is public; the other DMP codes are
choices of this sandbox. Source: SOAP 1.2 part 1 section 5.4; GIE SESAM-Vitale sample Fault v02.05.00.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from gateway.rules.model import Family, Finding
from gateway.sharing.constants import DMP
from gateway.soap.envelope import write_answer
from gateway.soap.names import SOAP, WSA_FAULT
from gateway.values import Text

SENDER, RECEIVER = "Sender", "Receiver"
CONTENT_TYPE = "application/soap+xml; charset=UTF-8"
SHOWN = 10  # findings told in one Fault

SUBCODES = {
    "DMP-01": "DMPInvalidCertificate",
    "DMP-02": "DMPInvalidCertificate",
    "DMP-03": "DMPInvalidCertificate",
    "DMP-04": "DMPDocumentTooLarge",
    "DMP-11": "DMPInvalidRequest",
    "DMP-26": "DMPInvalidCertificate",
    "DMP-40": "DMPInvalidIdentity",
    "DMP-41": "DMPInvalidVIHF",
    "DMP-50": "DMPAccessDenied",
    "DMP-51": "DMPAuthorizationMissing",
    "DMP-52": "DMPAccessDenied",
    "DMP-61": "DMPAccessDenied",
    "INS-134": "DMPInvalidVIHF",
}
BY_FAMILY = {Family.TRUST: "DMPInvalidVIHF", Family.IDENTITY: "DMPInvalidIdentity"}  # every INS-xxx is an identity

# SOAP 1.2 binds Sender faults to 400; the DMP answers every Fault with 500, except where HTTP itself says more
HTTP_STATUS = {"DMP-04": 413, "DMP-05": 415, "DMP-11": 408}
FAULT_STATUS = 500


@dataclass(frozen=True, slots=True)
class SoapReply:
    """One HTTP answer. `subcode` is '' when it is no Fault; `summary` is one masked line for the journal."""

    status: int
    body: bytes
    content_type: str = CONTENT_TYPE
    subcode: str = ""
    summary: str = ""


def subcode_of(finding: Finding) -> str:
    """The Fault subcode of a refusal."""
    if finding.rule in SUBCODES:
        return SUBCODES[finding.rule]
    if finding.rule.startswith("INS-"):
        return "DMPInvalidIdentity"
    return BY_FAMILY.get(finding.family, "DMPInvalidRequest")


def fault_for(findings: Sequence[Finding], message_id: str, relates_to: str, exchange_id: str) -> SoapReply:
    """The Fault of a refusal; the first finding decides its subcode and its reason, all are in its Detail."""
    deciding = findings[0]
    subcode = subcode_of(deciding)
    detail = "".join(finding_detail(f, "dmp") for f in findings[:SHOWN])
    reason = {lang: reason_in(deciding, lang) for lang in ("fr", "en")}
    body = _fault(SENDER, subcode, reason["fr"], reason["en"], f"<dmp:exchange>{exchange_id}</dmp:exchange>{detail}")
    return SoapReply(
        status=HTTP_STATUS.get(deciding.rule, FAULT_STATUS),
        body=write_answer(WSA_FAULT, message_id, relates_to, body),
        content_type=f'{CONTENT_TYPE}; action="{WSA_FAULT}"',
        subcode=subcode,
        summary=f"Fault {subcode} : {deciding.line()}",
    )


def unavailable(message_id: str, relates_to: str) -> SoapReply:
    """Nothing can be made durable now: 503 and a Receiver Fault; the sender must try again."""
    fr = "Stockage momentanément indisponible, rien n'a été enregistré : réessayez plus tard."
    en = "Storage is unavailable for now, nothing was recorded: try again later."
    body = _fault(RECEIVER, "XDSRegistryBusy", fr, en, "")
    return SoapReply(503, write_answer(WSA_FAULT, message_id, relates_to, body), subcode="XDSRegistryBusy")


def _fault(code: str, subcode: str, fr: str, en: str, detail: str) -> bytes:
    held = f'<soap:Detail xmlns:dmp="{DMP}">{detail}</soap:Detail>' if detail else ""
    return (
        f'<soap:Fault xmlns:soap="{SOAP}"><soap:Code><soap:Value>soap:{code}</soap:Value><soap:Subcode>'
        f'<soap:Value xmlns:dmp="{DMP}">dmp:{subcode}</soap:Value></soap:Subcode></soap:Code><soap:Reason>'
        f'<soap:Text xml:lang="fr">{escape(fr)}</soap:Text><soap:Text xml:lang="en">{escape(en)}</soap:Text>'
        f"</soap:Reason>{held}</soap:Fault>"
    ).encode()


def reason_in(finding: Finding, lang: str) -> str:
    """Message, rule, place, received, expected, cure: what a reader needs without the console."""
    received, expected = ("reçu", "attendu") if lang == "fr" else ("received", "expected")
    colon = " :" if lang == "fr" else ":"
    pair = f"{received}{colon} {finding.received_in(lang)} ; {expected}{colon} {finding.expected_in(lang)}"
    told = f"[{finding.rule}, {finding.where} ; {pair}]"
    return f"{finding.message.in_(lang)} {told} {finding.cure.in_(lang)}"


def finding_detail(finding: Finding, prefix: str) -> str:
    """One finding in the Detail of a Fault, under a namespace prefix that the Detail declares."""
    texts = "".join(
        f'<{prefix}:{name} xml:lang="{lang}">{escape(text.in_(lang))}</{prefix}:{name}>'
        for name, text in (("message", finding.message), ("cure", finding.cure))
        for lang in ("fr", "en")
    )
    values = "".join(
        f"<{prefix}:value container={quoteattr(v.container)} path={quoteattr(v.path)}>{escape(v.value)}</{prefix}:value>"
        for v in finding.values
    )
    return (
        f"<{prefix}:finding rule={quoteattr(finding.rule)} severity={quoteattr(finding.severity.value)}"
        f" where={quoteattr(str(finding.where))} received={quoteattr(finding.received_in('fr'))}"
        f" expected={quoteattr(finding.expected_in('fr'))}{_in_english(finding)}>{texts}{values}"
        f"<{prefix}:source>{escape(finding.source)}</{prefix}:source></{prefix}:finding>"
    )


def _in_english(finding: Finding) -> str:
    """What was received and expected once more in English, when it is told in words."""
    worded = (("received_en", finding.received), ("expected_en", finding.expected))
    return "".join(f" {name}={quoteattr(words.en)}" for name, words in worded if isinstance(words, Text))
