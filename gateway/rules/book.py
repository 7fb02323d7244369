"""The rule book: runs rules over a subject and turns their hits into findings.

Rules mask the identities they compare. What else a hit quotes (a header, a file name, an address, an id of somebody's own
making) may hold a matricule too: the book masks it, so that no finding does, whatever is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.rules.catalogue import Catalogue
from gateway.rules.masking import mask_text
from gateway.rules.model import Action, ComparedValue, Finding, Hit, Rule, RuleCard, RuleContext, S, Severity
from gateway.values import Direction, PlaceKind, Text, Where, Words


@dataclass(frozen=True, slots=True)
class Override:
    """A workspace's change to one rule. `severity=None` silences it; the reason is journalled (INS-204)."""

    severity: Severity | None
    reason: str


Overrides = Mapping[str, Override]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """A catalogue, ready to judge. Holds no state: the same book serves every workspace."""

    catalogue: Catalogue
    overrides: Overrides = field(default_factory=dict)

    def with_overrides(self, overrides: Overrides) -> RuleBook:
        """The same catalogue under a workspace's changes."""
        return RuleBook(self.catalogue, overrides)

    def judge(self, rules: Iterable[Rule[S]], subject: S, ctx: RuleContext, container: str) -> list[Finding]:
        """Run `rules` over one subject. A rule that fails to run is itself a finding (INS-205), never an exception."""
        findings: list[Finding] = []
        for rule in rules:
            try:
                for hit in rule.check(subject, ctx):
                    finding = self.found(rule.id, hit, ctx, container)
                    if finding is not None:
                        findings.append(finding)
            except Exception as error:
                broken = Hit(
                    where=Where(PlaceKind.FILE, container),
                    received=type(error).__name__,
                    expected=rule.id,
                )
                finding = self.found("INS-205", broken, ctx, container)
                if finding is not None:
                    findings.append(finding)
        return findings

    def found(self, rule_id: str, hit: Hit, ctx: RuleContext, container: str) -> Finding | None:
        """Join a hit with its card. None when the workspace silenced the rule."""
        card = self.catalogue[rule_id]
        severity = hit.severity or card.severity(ctx.direction)
        action = _action(card, severity, ctx.direction, lowered=hit.severity is not None)
        override = self.overrides.get(rule_id)
        if override is not None:
            if override.severity is None:
                return None
            severity = override.severity
            action = _action(card, severity, ctx.direction, lowered=True)
        hit = _shown(hit)
        params: dict[str, Words] = {"found": hit.received, "expected": hit.expected, **hit.params}
        return Finding(
            rule=card.id,
            family=card.family,
            severity=severity,
            action=action,
            container=mask_text(hit.container or container),
            where=hit.where,
            received=hit.received,
            expected=hit.expected,
            values=hit.values,
            title=card.title,
            message=card.message.filled(params),
            cure=card.cure.filled(params),
            source=card.source,
            requirement=card.requirement,
            hl7_error=card.hl7_error,
        )


def _shown(hit: Hit) -> Hit:
    """The same hit without a matricule in anything it quotes."""
    return replace(
        hit,
        where=replace(hit.where, path=mask_text(hit.where.path)),
        received=_masked(hit.received),
        expected=_masked(hit.expected),
        values=tuple(ComparedValue(mask_text(v.container), mask_text(v.path), mask_text(v.value)) for v in hit.values),
        params={name: _masked(value) for name, value in hit.params.items()},
    )


def _masked(words: Words) -> Words:
    return mask_text(words) if isinstance(words, str) else Text(mask_text(words.fr), mask_text(words.en))


def _action(card: RuleCard, severity: Severity, direction: Direction, *, lowered: bool) -> Action:
    """The card's action, unless the severity was changed: then the action that goes with the new severity."""
    if not lowered or severity is card.severity(direction):
        return card.action(direction)
    if severity is not Severity.BLOCKING:
        return Action.ALERT if severity is Severity.WARNING else Action.LOG
    return Action.REJECT if direction is Direction.EMISSION else Action.QUARANTINE
