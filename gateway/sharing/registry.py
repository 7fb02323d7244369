"""ITI-18, registry stored queries: FindDocuments and GetDocuments read, matched and answered.

Forms of parameters (IHE ITI TF-2 3.18.4.1.2.3.5): a single value is `'text'` or a number; a list is `('a','b')`, in one or
several `Value`; a code is `'code^^system'`; dates are UTC digits. The patient is one value, never a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from gateway.documents.model import Issue
from gateway.rules.model import Hit
from gateway.sharing.constants import QUERY, RIM
from gateway.soap.names import qname
from gateway.values import PlaceKind, Text, Where, Words

FIND_DOCUMENTS = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
GET_DOCUMENTS = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
NAMES = {FIND_DOCUMENTS: "FindDocuments", GET_DOCUMENTS: "GetDocuments"}

PATIENT = "$XDSDocumentEntryPatientId"
STATUS_PARAM = "$XDSDocumentEntryStatus"
ENTRY_UUID = "$XDSDocumentEntryEntryUUID"
UNIQUE_ID = "$XDSDocumentEntryUniqueId"
REQUIRED = {FIND_DOCUMENTS: (PATIENT, STATUS_PARAM), GET_DOCUMENTS: ()}

MAX_RESULTS = 500
PLACE = Where(PlaceKind.XPATH, "/Envelope/Body/AdhocQueryRequest")

# coded list parameters of FindDocuments -> the fact of an entry they filter on
CODED = {
    "$XDSDocumentEntryClassCode": "class_code",
    "$XDSDocumentEntryTypeCode": "type_code",
    "$XDSDocumentEntryPracticeSettingCode": "practice_setting",
    "$XDSDocumentEntryHealthcareFacilityTypeCode": "facility_type",
    "$XDSDocumentEntryFormatCode": "format_code",
    "$XDSDocumentEntryConfidentialityCode": "confidentiality",
    "$XDSDocumentEntryEventCodeList": "event_codes",
}
DATES = {
    "$XDSDocumentEntryCreationTime": "creation_time",
    "$XDSDocumentEntryServiceStartTime": "service_start",
    "$XDSDocumentEntryServiceStopTime": "service_stop",
}
AUTHOR = "$XDSDocumentEntryAuthorPerson"
_SINGLE = frozenset({PATIENT, *(f"{name}{end}" for name in DATES for end in ("From", "To"))})
_PASSED = frozenset({"$XDSDocumentEntryType", "$MetadataLevel", "$homeCommunityId"})
_KNOWN = {
    FIND_DOCUMENTS: _SINGLE | frozenset(CODED) | _PASSED | {STATUS_PARAM, AUTHOR},
    GET_DOCUMENTS: _PASSED | {ENTRY_UUID, UNIQUE_ID},
}
_LIST = re.compile(r"^\(\s*'(?:[^']|'')*'\s*(?:,\s*'(?:[^']|'')*'\s*)*\)$", re.DOTALL)
_QUOTED = re.compile(r"'((?:[^']|'')*)'", re.DOTALL)
_NUMBER = re.compile(r"^\d+$")
_UNQUOTED = Text("sans apostrophes", "without quotes")


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """One query. `params` gives, for each name, one tuple of alternatives per Slot (slots of one name are all required)."""

    query_id: str
    return_type: str
    params: Mapping[str, tuple[tuple[str, ...], ...]]
    issues: tuple[Issue, ...] = ()

    @property
    def name(self) -> str:
        """FindDocuments, GetDocuments, or the id itself."""
        return NAMES.get(self.query_id, self.query_id)

    @property
    def by_reference(self) -> bool:
        """TD3.1b: only references come back, so that one can replace or delete."""
        return self.query_id == GET_DOCUMENTS and self.return_type == "ObjectRef"

    def one(self, name: str) -> str:
        """The only value of a parameter, '' when absent."""
        found = self.params.get(name)
        return found[0][0] if found and found[0] else ""

    def any(self, name: str) -> tuple[str, ...]:
        """All values of a list parameter, of every Slot."""
        return tuple(value for slot in self.params.get(name, ()) for value in slot)


@dataclass(frozen=True, slots=True)
class RegisteredEntry:
    """One entry of the registry, as queries see it. `status` is Approved, Deprecated, Archived or Deleted."""

    entry_uuid: str
    logical_id: str
    unique_id: str
    status: str
    version: int
    masked: bool
    author_ids: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


def read_query(body: etree._Element) -> StoredQuery | None:
    """The query of a SOAP body; None when it is not an AdhocQueryRequest. Faults of form are its `issues`."""
    if body.tag != qname(QUERY, "AdhocQueryRequest"):
        return None
    option = body.find(qname(QUERY, "ResponseOption"))
    asked = body.find(qname(RIM, "AdhocQuery"))
    return_type = option.get("returnType", "ObjectRef") if option is not None else "ObjectRef"
    query_id = asked.get("id", "").lower() if asked is not None else ""
    issues: list[Issue] = []
    if return_type not in ("LeafClass", "ObjectRef"):
        issues.append(_issue("DMP-93", "ResponseOption/@returnType", return_type, "LeafClass, ObjectRef"))
    if query_id not in NAMES:
        issues.append(_issue("DMP-91", "AdhocQuery/@id", query_id[:80] or "∅", ", ".join(sorted(NAMES))))
        return StoredQuery(query_id, return_type, {}, tuple(issues))
    params = _params(asked, issues) if asked is not None else {}
    _judge(query_id, params, issues)
    return StoredQuery(query_id, return_type, params, tuple(issues))


def _params(asked: etree._Element, issues: list[Issue]) -> dict[str, tuple[tuple[str, ...], ...]]:
    params: dict[str, tuple[tuple[str, ...], ...]] = {}
    for slot in asked.iterchildren(qname(RIM, "Slot")):
        name = slot.get("name", "")
        written = [(v.text or "").strip() for v in slot.iterfind(f"{qname(RIM, 'ValueList')}/{qname(RIM, 'Value')}")]
        values: list[str] = []
        for text in written:
            values += _values(name, text, issues)
        if values:
            params[name] = (*params.get(name, ()), tuple(values))
    return params


def _values(name: str, text: str, issues: list[Issue]) -> list[str]:
    """The values one `Value` holds; a form that is not the parameter's is an issue, never a guess."""
    single = name in _SINGLE
    if _LIST.match(text):
        if single:
            issues.append(_issue("DMP-94", name, "('…')", "'…'"))
            return []
        return [v.replace("''", "'") for v in _QUOTED.findall(text)]
    if _NUMBER.match(text):
        return [text]
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        if not single and name not in _PASSED:
            issues.append(_issue("DMP-94", name, "'…'", "('…','…')"))
            return []
        return [quoted[1].replace("''", "'")]
    issues.append(_issue("DMP-94", name, _UNQUOTED if text else "∅", "'…'" if single else "('…','…')"))
    return []


def _judge(query_id: str, params: Mapping[str, tuple[tuple[str, ...], ...]], issues: list[Issue]) -> None:
    told_wrong = {issue.hit.where.path.rpartition("'")[0].rpartition("'")[2] for issue in issues}
    absent = [name for name in REQUIRED[query_id] if name not in params and name not in told_wrong]
    issues.extend(_issue("DMP-92", name, "∅", name) for name in absent)
    if query_id == GET_DOCUMENTS:
        given = [name for name in (ENTRY_UUID, UNIQUE_ID) if name in params]
        if not given and not {ENTRY_UUID, UNIQUE_ID} & told_wrong:
            issues.append(_issue("DMP-92", UNIQUE_ID, "∅", f"{ENTRY_UUID} | {UNIQUE_ID}"))
        elif len(given) == 2:
            issues.append(_issue("DMP-93", UNIQUE_ID, " + ".join(given), f"{ENTRY_UUID} | {UNIQUE_ID}"))
    for name, slots in params.items():
        if name in _SINGLE and (len(slots) > 1 or len(slots[0]) > 1):
            issues.append(_issue("DMP-93", name, _counted(sum(map(len, slots))), _counted(1)))
        if name not in _KNOWN[query_id]:
            issues.append(_issue("DMP-95", name, name[:60], ", ".join(sorted(_KNOWN[query_id]))[:300]))


def _counted(count: int) -> Text:
    plural = "s" if count > 1 else ""
    return Text(f"{count} valeur{plural}", f"{count} value{plural}")


def _issue(rule_id: str, name: str, received: Words, expected: Words) -> Issue:
    path = f"{PLACE.path}/AdhocQuery/Slot[@name='{name}']" if name.startswith("$") else f"{PLACE.path}/{name}"
    return Issue(rule_id, Hit(Where(PlaceKind.XPATH, path), received, expected, params={"param": name}))


def matching(query: StoredQuery, entries: Iterable[RegisteredEntry]) -> tuple[RegisteredEntry, ...]:
    """The entries a FindDocuments asks for, in the order of the registry."""
    statuses = {value.rpartition(":")[2] for value in query.any(STATUS_PARAM)}
    return tuple(e for e in entries if e.status in statuses and _codes_match(query, e) and _rest_matches(query, e))


def _codes_match(query: StoredQuery, entry: RegisteredEntry) -> bool:
    for name, fact in CODED.items():
        held = entry.facts.get(fact, "")
        told = set(held) if isinstance(held, list) else {held}
        told |= {code.partition("^^")[0] for code in told}
        if any(not told & set(slot) for slot in query.params.get(name, ())):
            return False
    return True


def _rest_matches(query: StoredQuery, entry: RegisteredEntry) -> bool:
    for name, fact in DATES.items():
        held = str(entry.facts.get(fact, ""))
        low, high = query.one(f"{name}From"), query.one(f"{name}To")
        # From is included, To is not; a date is compared at 14 digits (TF-2 3.18.4.1.2.3.2.1)
        if low and not held.ljust(14, "0") >= low.ljust(14, "0"):
            return False
        if high and not (held and held.ljust(14, "0") < high.ljust(14, "0")):
            return False
    authors = query.any(AUTHOR)
    if not authors:
        return True
    wanted = [_like(pattern) for pattern in authors]
    return any(p.match(author) for p in wanted for author in map(str, entry.facts.get("authors", ())))


def _like(pattern: str) -> re.Pattern[str]:
    """An SQL LIKE pattern (% and _), matched from the start: the XCN of an entry may go on after it."""
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern[:200].replace("%%", "%"))
    return re.compile("".join(parts), re.IGNORECASE)
