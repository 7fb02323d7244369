"""Answers of INSi: RESULTAT, the Faults of the service, and those that teach.

A Fault has the shape public recordings show: code, subcode `siram_…`, and `siram:Erreur` with the INSi code. Codes that
begin with `passerelle_` are choices of this sandbox: no public source gives one for the case. Behind `siram:Erreur`, the
Detail tells the rule, the place, what was received and expected, and the cure, in both languages.
Source: recordings of the editor base; schema faultSOAP V01_01.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gateway.answers.soap import CONTENT_TYPE, RECEIVER, SENDER, SHOWN, SoapReply, finding_detail, reason_in
from gateway.insi.model import Answer, Code, Operation
from gateway.insi.names import SIRAM, TEACHING, TECHNICAL, action_of
from gateway.insi.wire import write_result
from gateway.rules.model import Finding
from gateway.soap.envelope import write_answer
from gateway.soap.names import SOAP, WSA_FAULT
from gateway.values import Text, words_json

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
FAULT_STATUS = 500
HTTP_STATUS = {"INSI-10": 413, "INSI-11": 415, "INSI-19": 408, "INSI-22": 415, "INSI-24": 404}


@dataclass(frozen=True, slots=True)
class FaultCode:
    """SOAP code, `siram` subcode, INSi code ('' = the technical code of the operation)."""

    soap: str
    siram: str
    insi: str


RIGHTS = FaultCode(SENDER, "siram_100", "desir_560")
SOFTWARE = FaultCode(SENDER, "siram_100", "desir_550")
MESSAGE = FaultCode(SENDER, "siram_100", "passerelle_message")
FORBIDDEN = FaultCode(SENDER, "siram_100", "passerelle_identite_interdite")
TECHNICAL_FAULT = FaultCode(RECEIVER, "siram_40", "")
BUSY = FaultCode(RECEIVER, "siram_40", "passerelle_stockage")

CODES: Mapping[str, FaultCode] = {
    **{f"INSI-{n:02}": RIGHTS for n in range(1, 8)},
    "INSI-17": SOFTWARE,
    "INS-185": FORBIDDEN,
    "INS-186": TECHNICAL_FAULT,  # the editor base answers so to what it cannot search
    "INS-187": TECHNICAL_FAULT,
    "INS-194": TECHNICAL_FAULT,
}

_BUSY_TEXT = Text(
    "Stockage momentanément indisponible, rien n'a été enregistré : rappelez plus tard, l'identité n'est pas jugée.",
    "Storage is unavailable for now, nothing was recorded: call again later, the identity was not judged.",
)


def code_of(finding: Finding) -> FaultCode:
    """The Fault of a refusal."""
    return CODES.get(finding.rule, MESSAGE)


def result_for(answer: Answer, operation: Operation, message_id: str, relates_to: str) -> SoapReply:
    """RESULTAT."""
    action = action_of(operation) + "Response"
    body = write_answer(action, message_id, relates_to, write_result(answer))
    return SoapReply(200, body, f'{CONTENT_TYPE}; action="{action}"', summary=f"CR {answer.code.value}")


def fault_for(
    findings: Sequence[Finding], operation: Operation | None, message_id: str, relates_to: str, exchange_id: str
) -> SoapReply:
    """The Fault of a refusal or of a technical failure; the first finding decides its code, all are in its Detail."""
    deciding = findings[0]
    code = code_of(deciding)
    insi = code.insi or TECHNICAL[operation or Operation.TRAITS]
    reasons = {lang: reason_in(deciding, lang) for lang in ("fr", "en")}
    detail = "".join(finding_detail(f, "p") for f in findings[:SHOWN])
    told = _erreur(insi, deciding.message.fr) + f"<p:exchange>{exchange_id}</p:exchange>{detail}"
    return SoapReply(
        status=HTTP_STATUS.get(deciding.rule, FAULT_STATUS),
        body=write_answer(WSA_FAULT, message_id, relates_to, _fault(code, reasons, told)),
        content_type=f'{CONTENT_TYPE}; action="{WSA_FAULT}"',
        subcode=insi,
        summary=f"Fault {insi} : {deciding.line()}",
    )


def unavailable(message_id: str, relates_to: str) -> SoapReply:
    """Nothing can be made durable now: 503 and a Receiver Fault."""
    reasons = {lang: _BUSY_TEXT.in_(lang) for lang in ("fr", "en")}
    fault = _fault(BUSY, reasons, _erreur(BUSY.insi, _BUSY_TEXT.fr))
    return SoapReply(503, write_answer(WSA_FAULT, message_id, relates_to, fault), subcode=BUSY.insi)


def _erreur(code: str, text: str) -> str:
    return f'<siram:Erreur severite="fatale" code={quoteattr(code)}>{escape(text)}</siram:Erreur>'


def _fault(code: FaultCode, reasons: Mapping[str, str], detail: str) -> bytes:
    texts = "".join(f'<soap:Text xml:lang="{lang}">{escape(text)}</soap:Text>' for lang, text in reasons.items())
    return (
        f'<soap:Fault xmlns:soap="{SOAP}"><soap:Code><soap:Value>soap:{code.soap}</soap:Value><soap:Subcode>'
        f"<soap:Value>soap:{code.siram}</soap:Value></soap:Subcode></soap:Code><soap:Reason>{texts}</soap:Reason>"
        f'<soap:Detail xmlns:siram="{SIRAM}" xmlns:p="{TEACHING}">{detail}</soap:Detail></soap:Fault>'
    ).encode()


# -------------------------------------------------------------------------------------------------------------------- lots


def json_reply(status: int, told: Mapping[str, Any], summary: str = "") -> SoapReply:
    """An answer about a lot."""
    return SoapReply(status, json.dumps(told, ensure_ascii=False).encode(), JSON_TYPE, summary=summary)


def problem_for(findings: Sequence[Finding], exchange_id: str) -> SoapReply:
    """A refusal about a lot, as an RFC 9457 problem with its findings."""
    deciding = findings[0]
    code = code_of(deciding)
    insi = code.insi or TECHNICAL[Operation.VERIFY]
    status = HTTP_STATUS.get(deciding.rule, 403 if code is RIGHTS else 503 if code is TECHNICAL_FAULT else 422)
    told = {
        "type": f"urn:passerelle:insi:{insi}",
        "title": deciding.title.fr,
        "status": status,
        "detail": reason_in(deciding, "fr"),
        "detail_en": reason_in(deciding, "en"),
        "code": insi,
        "exchange": exchange_id,
        "findings": [f.to_json() for f in findings[:SHOWN]],
    }
    body = json.dumps(told, ensure_ascii=False).encode()
    return SoapReply(status, body, PROBLEM_TYPE, insi, f"{status} {insi} : {deciding.line()}")


def problem_unavailable() -> SoapReply:
    """Nothing can be made durable now."""
    told = {
        "type": f"urn:passerelle:insi:{BUSY.insi}",
        "title": _BUSY_TEXT.fr,
        "status": 503,
        "detail_en": _BUSY_TEXT.en,
        "code": BUSY.insi,
    }
    return SoapReply(503, json.dumps(told, ensure_ascii=False).encode(), PROBLEM_TYPE, BUSY.insi)


def line_result(number: int, code: Code, label: str) -> Mapping[str, Any]:
    """One verified line of a lot."""
    return {"ligne": number, "cr": code.value, "libelle": label}


def line_refused(number: int, finding: Finding) -> Mapping[str, Any]:
    """One line of a lot that could not be verified."""
    return {
        "ligne": number,
        "regle": finding.rule,
        "ou": str(finding.where),
        "recu": words_json(finding.received),
        "attendu": words_json(finding.expected),
        "message": {"fr": finding.message.fr, "en": finding.message.en},
        "remede": {"fr": finding.cure.fr, "en": finding.cure.en},
    }
