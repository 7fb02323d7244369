"""The order in which the DMP judges a request, stage by stage; the first stage that refuses gives the answer.

| stage     | looks at                                                    | refuses by                       |
|-----------|-------------------------------------------------------------|----------------------------------|
| peer      | TLS client certificate                                      | Fault                            |
| envelope  | MIME parts, XML, SOAP, action                               | Fault                            |
| seal      | the VIHF's signature and signer                             | Fault                            |
| claims    | the VIHF's attributes                                       | Fault                            |
| patient   | form of resource-id, INS rules on the VIHF                  | Fault DMPInvalidIdentity         |
| rights    | body, rights matrix, authorisation, author of the lot       | Fault                            |
| target    | resource-id against the patient of the request              | Fault DMPInvalidVIHF             |
| content   | metadata, documents, identities, registry; or query;        | RegistryResponse, query response |
|           | the INS sent against the depositor's own patient index      |                                  |

Trust, abuse and sharing findings refuse whatever the policy: a registry cannot take what it cannot register. Identity and
document findings refuse unless the workspace only observes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.documents.model import CdaDocument, DocumentEntry, Issue
from gateway.documents.rules import DOCUMENT_RULES, METADATA_CDA_RULES, METADATA_RULES
from gateway.exchange.decision import decide
from gateway.exchange.sender_index import judged_sent
from gateway.identity.base_rules import Carrier, carriers_in
from gateway.identity.model import IdentityView
from gateway.identity.rules import CROSS_RULES, VIEW_RULES
from gateway.identity.rules_package import one_patient_id
from gateway.rules import Action, Family, Finding, RuleBook, RuleContext, Severity
from gateway.rules.verdict import Decision
from gateway.sandbox.model import Policy, Vigilance
from gateway.sharing.case import Case
from gateway.sharing.lot import Lot, is_signature
from gateway.sharing.rules_access import (
    CLAIM_RULES,
    PEER_RULES,
    RESOURCE_RULES,
    RIGHTS_RULES,
    SEAL_RULES,
    TARGET_RULES,
)
from gateway.sharing.rules_lot import AUTHOR_RULES, LOT_RULES, REGISTRY_RULES
from gateway.values import Door

_ALWAYS = frozenset({Family.TRUST, Family.ABUSE, Family.ENVELOPE, Family.SHARING})
_BODY_ISSUES = frozenset({"DMP-90"})
_TARGET = "INS-134"

# In a package the document decides and these only warn; a registry that files by metadata refuses them (IHE ITI TF-3
# 4.2.4.1, XDSRepositoryMetadataError). Only under the strict profile, and only where the workspace did not choose.
RAISED = frozenset(
    {"XDM-09", "MET-01", "MET-02", "MET-03", "MET-04", "MET-06", "MET-09", "MET-12", "MET-13", "MET-14"}
    | {f"DOC-META-{n:02}" for n in range(2, 9)}
)


class Native(StrEnum):
    """By what a refusal is told."""

    FAULT = "fault"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The decision over all findings, and the findings of the stage that refused (empty when none did)."""

    decision: Decision
    refusing: tuple[Finding, ...]
    native: Native


def judge_request(case: Case, book: RuleBook, ctx: RuleContext, policy: Policy) -> Judgement:
    """Run the stages in their order. Pure: everything it needs is in the case."""
    judge = _Judge(case, book, ctx, policy)
    told: list[Finding] = []
    for stage in _STAGES:
        fresh = judge.run(stage)
        told += fresh
        decision = door_decision(fresh, policy)
        if decision.refused:
            whole = door_decision(told, policy)
            return Judgement(whole, _worst_first(decision), _native(stage))
    return Judgement(door_decision(told, policy), (), Native.RESPONSE)


def door_decision(findings: Sequence[Finding], policy: Policy) -> Decision:
    """The decision of this door: as the policy says, but what no registry can take is refused even under observation."""
    decision = decide(findings, Door.DMP, policy)
    if policy.vigilance is not Vigilance.OBSERVE:
        return decision
    hard = [f for f in findings if f.family in _ALWAYS]
    refused = decide(hard, Door.DMP, replace(policy, vigilance=Vigilance.REFUSE))
    return Decision(refused.outcome, refused.integration, decision.findings) if refused.refused else decision


def _worst_first(decision: Decision) -> tuple[Finding, ...]:
    blocking = tuple(f for f in decision.findings if f.severity is Severity.BLOCKING)
    return blocking or decision.findings


def _native(stage: str) -> Native:
    return Native.RESPONSE if stage == "content" else Native.FAULT


class _Judge:
    """One request under judgement."""

    def __init__(self, case: Case, book: RuleBook, ctx: RuleContext, policy: Policy) -> None:
        self._case = case
        self._book = book
        self._ctx = ctx
        self._policy = policy
        self._cross: list[Finding] | None = None

    def run(self, stage: str) -> list[Finding]:
        """The findings of one stage."""
        return _STAGES[stage](self)

    def peer(self) -> list[Finding]:
        return self._book.judge(PEER_RULES, self._case, self._ctx, "tls")

    def envelope(self) -> list[Finding]:
        issues = [i for i in self._case.request.issues if i.rule_id not in _BODY_ISSUES]
        return self._explained(issues, "soap")

    def seal(self) -> list[Finding]:
        return self._book.judge(SEAL_RULES, self._case, self._ctx, "vihf")

    def claims(self) -> list[Finding]:
        return self._book.judge(CLAIM_RULES, self._case, self._ctx, "vihf")

    def patient(self) -> list[Finding]:
        vihf = self._case.request.vihf
        found = self._book.judge(RESOURCE_RULES, self._case, self._ctx, "vihf")
        view = vihf.view() if vihf is not None else None
        if view is not None and not found:
            found += self._book.judge(VIEW_RULES, view, self._ctx, view.label)
        return found

    def rights(self) -> list[Finding]:
        request = self._case.request
        found = self._explained([i for i in request.issues if i.rule_id in _BODY_ISSUES], "soap")
        if found:
            return found
        found = self._book.judge(RIGHTS_RULES, self._case, self._ctx, "vihf")
        if request.lot is not None:
            found += self._book.judge(AUTHOR_RULES, self._case, self._ctx, "metadata")
        return found

    def target(self) -> list[Finding]:
        found = self._book.judge(TARGET_RULES, self._case, self._ctx, "soap")
        return found + [f for f in self._crossed() if f.rule == _TARGET]

    def content(self) -> list[Finding]:
        request = self._case.request
        if request.query is not None:
            return self._explained(request.query.issues, "query")
        if request.lot is None:
            return []
        lot = request.lot
        found = self._book.judge(LOT_RULES, self._case, self._ctx, "metadata")
        found += self._book.judge(REGISTRY_RULES, self._case, self._ctx, "metadata")
        found += self._explained(lot.metadata.issues, "metadata")
        found += self._book.judge(METADATA_RULES, lot.metadata, self._ctx, lot.metadata.label)
        for view in views_of(lot):
            found += self._book.judge(VIEW_RULES, view, self._ctx, view.label)
        found += [f for f in self._crossed() if f.rule != _TARGET]
        for entry, cda in cdas_of(lot):
            found += self._document(entry, cda)
        for sent in self._case.sent:
            found += judged_sent(sent, self._book, self._ctx, "lot")
        return [self._raised(f) for f in found]

    def _document(self, entry: DocumentEntry, cda: CdaDocument) -> list[Finding]:
        if cda.issues:
            return self._explained(cda.issues, cda.label)
        found = self._book.judge(DOCUMENT_RULES, cda, self._ctx, cda.label)
        return found + self._book.judge(METADATA_CDA_RULES, (entry, cda), self._ctx, entry.label)

    def _crossed(self) -> list[Finding]:
        """Identities compared across VIHF, lot and documents, once for the two stages that read them."""
        if self._cross is None:
            lot, vihf = self._case.request.lot, self._case.request.vihf
            claimed = vihf.view() if vihf is not None else None
            views = (*((claimed,) if claimed is not None else ()), *(views_of(lot) if lot is not None else ()))
            several = len(views) > 1
            self._cross = self._book.judge(CROSS_RULES, views, self._ctx, "lot") if several else []
            if lot is not None:
                self._cross += self._book.judge((one_patient_id,), signature_views(lot), self._ctx, "lot")
        return self._cross

    def _explained(self, issues: Iterable[Issue], container: str) -> list[Finding]:
        return [f for i in issues for f in self._book.findings(i.rule_id, i.hit, self._ctx, container)]

    def _raised(self, finding: Finding) -> Finding:
        """A registry refuses what a package only warns of."""
        chosen = finding.rule in self._policy.overrides or self._ctx.profile != "strict"
        if chosen or finding.rule not in RAISED or finding.severity is not Severity.WARNING:
            return finding
        return replace(finding, severity=Severity.BLOCKING, action=Action.REJECT)


_STAGES: dict[str, Callable[[_Judge], list[Finding]]] = {
    "peer": _Judge.peer,
    "envelope": _Judge.envelope,
    "seal": _Judge.seal,
    "claims": _Judge.claims,
    "patient": _Judge.patient,
    "rights": _Judge.rights,
    "target": _Judge.target,
    "content": _Judge.content,
}


def views_of(lot: Lot) -> tuple[IdentityView, ...]:
    """Who the patient is, as the set, each clinical entry and each document tell it."""
    told = [lot.metadata.submission_set.identity] if lot.metadata.submission_set else []
    told += [entry.identity for entry in lot.metadata.entries if not is_signature(entry)]
    told += [cda.identity for _, cda in cdas_of(lot)]
    return tuple(view for view in told if view is not None)


def carriers_of(lot: Lot) -> tuple[Carrier, ...]:
    """Where the set, its entries and its documents carry an INS."""
    return carriers_in(views_of(lot))


def signature_views(lot: Lot) -> tuple[IdentityView, ...]:
    """The set and its signature: the signature has a patientId and, by design, no traits to compare."""
    told = [lot.metadata.submission_set.identity] if lot.metadata.submission_set else []
    told += [entry.identity for entry in lot.metadata.entries if is_signature(entry)]
    return tuple(view for view in told if view is not None)


def cdas_of(lot: Lot) -> tuple[tuple[DocumentEntry, CdaDocument], ...]:
    """Each clinical document that is a CDA, with its entry."""
    return tuple((d.entry, d.cda) for d in lot.clinical if d.cda is not None)
