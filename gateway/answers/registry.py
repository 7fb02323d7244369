"""Answers of the XDS registry and repository: RegistryResponse and AdhocQueryResponse, with errors that explain.

The errorCode of each rule is a table (IHE ITI TF-3, table 4.2.4.1-2). A repository that finds the defect itself says
XDSRepositoryMetadataError. Success may carry warnings (TF-3 4.2.4.2). Values that identify a person are masked already.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from gateway.rules.model import Family, Finding, Severity
from gateway.sharing.constants import QUERY, RESPONSE, RIM, RS, SEVERITY

ERRORS = {
    "DMP-13": "XDSMissingDocument",
    "DMP-14": "XDSMissingDocument",
    "DMP-62": "XDSMissingDocument",
    "DMP-63": "XDSMissingDocumentMetadata",
    "DMP-66": "XDSRepositoryDuplicateUniqueIdInMessage",
    "DMP-67": "XDSDuplicateUniqueIdInRegistry",
    "DMP-68": "XDSNonIdenticalHash",
    "DMP-69": "XDSUnknownPatientId",
    "DMP-70": "DMPDocumentTooLarge",
    "DMP-71": "XDSRegistryMetadataError",
    "DMP-72": "XDSRegistryDeprecatedDocumentError",
    "DMP-73": "DMPAccessDenied",
    "DMP-74": "XDSPatientIdDoesNotMatch",
    "DMP-80": "XDSRegistryMetadataError",
    "DMP-82": "DMPInvalidDocumentSignature",
    "DMP-83": "DMPInvalidDocumentSignature",
    "DMP-91": "XDSUnknownStoredQuery",
    "DMP-92": "XDSStoredQueryMissingParam",
    "DMP-93": "XDSStoredQueryParamNumber",
    "DMP-94": "XDSStoredQueryParamNumber",
    "DMP-95": "XDSRegistryError",
    "DMP-96": "XDSTooManyResults",
    "INS-131": "XDSPatientIdDoesNotMatch",
    "INS-137": "InvalidDocumentContent",
    "CDA-01": "InvalidDocumentContent",
    "XDM-07": "InvalidDocumentContent",
}
DEFAULT = "XDSRepositoryMetadataError"
BY_FAMILY = {Family.ABUSE: "InvalidDocumentContent", Family.DOCUMENT: "InvalidDocumentContent"}
# rules of the document family that compare metadata with the document: the metadata is what a registry refuses
_ABOUT_METADATA = ("DOC-META", "MET-", "XDM-09")


def error_code(finding: Finding) -> str:
    """The RegistryError code of a finding."""
    if finding.rule in ERRORS:
        return ERRORS[finding.rule]
    if finding.rule.startswith(_ABOUT_METADATA):
        return DEFAULT
    return BY_FAMILY.get(finding.family, DEFAULT)


def context_of(finding: Finding) -> str:
    """The codeContext: rule, message, values, cure, in French then in English."""
    shown = " ; ".join(f"{v.container} {v.value}" for v in finding.values)
    told = f"{finding.rule} : {finding.message.fr} [{_seen(finding)}]"
    if shown:
        told += f" [{shown}]"
    return f"{told} {finding.cure.fr} | {finding.message.en}{_seen_in_english(finding)} {finding.cure.en}"


def _seen(finding: Finding) -> str:
    return f"reçu : {finding.received_in('fr')} ; attendu : {finding.expected_in('fr')}"


def _seen_in_english(finding: Finding) -> str:
    """What is told in words is told in both languages; a value is the same in both, and stands in the French half."""
    if isinstance(finding.received, str) and isinstance(finding.expected, str):
        return ""
    return f" [received: {finding.received_in('en')}; expected: {finding.expected_in('en')}]"


def response_for(findings: Sequence[Finding], *, refused: bool) -> bytes:
    """The RegistryResponse of a deposit: Failure with every error, or Success with warnings if there are any."""
    told = [f for f in findings if f.severity is Severity.BLOCKING or (not refused and f.severity is Severity.WARNING)]
    return _response("rs:RegistryResponse", f' xmlns:rs="{RS}"', told, refused, "")


def query_failure(findings: Sequence[Finding]) -> bytes:
    """The AdhocQueryResponse of a query that cannot be answered: its errors, then an empty list (rim:3.0 wants one)."""
    told = [f for f in findings if f.severity is Severity.BLOCKING]
    names = f' xmlns:query="{QUERY}" xmlns:rs="{RS}"'
    return _response("query:AdhocQueryResponse", names, told, True, f'<RegistryObjectList xmlns="{RIM}"/>')


def _response(name: str, namespaces: str, findings: Sequence[Finding], refused: bool, rest: str) -> bytes:
    status = "Failure" if refused else "Success"
    errors = "".join(_error(f, refused) for f in findings)
    if errors:
        highest = "Error" if refused else "Warning"
        errors = f'<rs:RegistryErrorList highestSeverity="{SEVERITY}{highest}">{errors}</rs:RegistryErrorList>'
    if not errors and not rest:
        return f'<{name}{namespaces} status="{RESPONSE}{status}"/>'.encode()
    return f'<{name}{namespaces} status="{RESPONSE}{status}">{errors}{rest}</{name}>'.encode()


def _error(finding: Finding, refused: bool) -> str:
    severity = "Error" if refused else "Warning"
    return (
        f"<rs:RegistryError errorCode={quoteattr(error_code(finding))} codeContext={quoteattr(context_of(finding))}"
        f' severity="{SEVERITY}{severity}" location={quoteattr(f"{finding.container} {finding.where}")}/>'
    )
