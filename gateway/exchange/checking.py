"""Check: every rule that applies to what was opened, in one pass. Pure and fast; runs in the event loop."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.documents.model import CdaDocument, Issue, XdmPackage, XdsMetadata
from gateway.documents.rules import DOCUMENT_RULES, METADATA_CDA_RULES, METADATA_RULES, PACKAGE_RULES, pairs_of
from gateway.exchange.model import OpenedMessage
from gateway.identity.reading import by_person
from gateway.identity.rules import CROSS_RULES, RULES_FOR
from gateway.messaging.header_rules import MAIL_RULES
from gateway.partners.rights import RULES as RIGHTS_RULES
from gateway.partners.rights import Routing
from gateway.rules import Finding, RuleBook, RuleContext


@dataclass(frozen=True, slots=True)
class Checker:
    """The rule book applied to opened messages."""

    book: RuleBook

    def check(self, opened: OpenedMessage, ctx: RuleContext, routing: Routing | None = None) -> list[Finding]:
        """All findings of one message, unsorted."""
        judge = self.book.judge
        findings = self._explained(opened.issues, ctx, opened.kind)
        for view in opened.views:
            findings += judge(RULES_FOR[view.kind], view, ctx, view.label)
        if len(opened.views) > 1:
            for together in by_person(opened.views):
                findings += judge(CROSS_RULES, together, ctx, opened.kind)
        for package in opened.packages:
            findings += self._package(package, ctx)
        for document in opened.documents:
            findings += self._document(document, ctx)
        for metadata in opened.metadata:
            findings += self._metadata(metadata, ctx)
        if opened.mail is not None:
            findings += self._explained(opened.mail.issues, ctx, "mail")
            for document in opened.mail.loose_documents:
                if document not in opened.documents:
                    findings += self._document(document, ctx)
            findings += judge(MAIL_RULES, opened.mail, ctx, "mail")
        if routing is not None and routing.addressees:
            findings += judge(RIGHTS_RULES, routing, ctx, "mail")
        return findings

    def _package(self, package: XdmPackage, ctx: RuleContext) -> list[Finding]:
        findings = self._explained(package.issues, ctx, package.label)
        findings += self.book.judge(PACKAGE_RULES, package, ctx, package.label)
        for document in package.documents:
            findings += self._document(document, ctx)
        for metadata in package.metadata:
            findings += self._metadata(metadata, ctx)
        for pair in pairs_of(package):
            findings += self.book.judge(METADATA_CDA_RULES, pair, ctx, pair[0].label)
        return findings

    def _document(self, document: CdaDocument, ctx: RuleContext) -> list[Finding]:
        findings = self._explained(document.issues, ctx, document.label)
        return findings + self.book.judge(DOCUMENT_RULES, document, ctx, document.label)

    def _metadata(self, metadata: XdsMetadata, ctx: RuleContext) -> list[Finding]:
        findings = self._explained(metadata.issues, ctx, metadata.label)
        return findings + self.book.judge(METADATA_RULES, metadata, ctx, metadata.label)

    def _explained(self, issues: tuple[Issue, ...], ctx: RuleContext, container: str) -> list[Finding]:
        return [f for issue in issues for f in self.book.findings(issue.rule_id, issue.hit, ctx, container)]
