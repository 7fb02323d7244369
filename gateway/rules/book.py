"""The rule book: runs rules over a subject and turns their hits into findings.

Rules mask the identities they compare. What else a hit quotes (a header, a file name, an address, an id of somebody's own
making) may hold a matricule too: the book masks it, so that no finding does, whatever is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.rules.catalogue import Catalogue
from gateway.rules.masking import mask_text
from gateway.rules.model import Action, ComparedValue, Finding, Hit, Rule, RuleCard, RuleContext, S, Severity
from gateway.values import Direction, PlaceKind, Text, Where, Words


@dataclass(frozen=True, slots=True)
class Override:
    """A change to one rule. `severity=None` silences it.

    With `by`, who asked for it, it is a workspace's own: where it silences or lowers a rule that a message breaks, the message
    is told so (INS-204). A profile's changes have nobody's name: they are how that partner is judged, not a derogation.
    """

    severity: Severity | None
    reason: str
    by: str = ""
    at: datetime | None = None

    def bypasses(self, usual: Severity) -> bool:
        """Whether a rule of that severity is bypassed by derogation."""
        return bool(self.by) and (self.severity is None or self.severity.rank < usual.rank)


Overrides = Mapping[str, Override]
BYPASSED = "INS-204"  # says that a rule was bypassed; nothing bypasses it


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
            before = len(findings)
            try:
                for hit in rule.check(subject, ctx):
                    findings += self.findings(rule.id, hit, ctx, container, told=findings[before:])
            except Exception as error:
                broken = Hit(
                    where=Where(PlaceKind.FILE, container),
                    received=type(error).__name__,
                    expected=rule.id,
                )
                findings += self.findings("INS-205", broken, ctx, container)
        return findings

    def findings(
        self, rule_id: str, hit: Hit, ctx: RuleContext, container: str, told: Sequence[Finding] = ()
    ) -> list[Finding]:
        """The finding of a hit, if the workspace lets it be heard, and INS-204 if it was silenced or lowered by derogation.

        `told` are the findings of the same rule on the same subject: one derogation is told once among them.
        """
        finding = self.found(rule_id, hit, ctx, container)
        found = [finding] if finding is not None else []
        override = self.overrides.get(rule_id)
        usual = hit.severity or self.catalogue[rule_id].severity(ctx.direction)
        if override is None or rule_id == BYPASSED or not override.bypasses(usual):
            return found
        if not any(f.rule == BYPASSED for f in told):
            bypassed = self.found(BYPASSED, _derogation(rule_id, usual, override, hit), ctx, container)
            found += [bypassed] if bypassed is not None else []
        return found

    def found(self, rule_id: str, hit: Hit, ctx: RuleContext, container: str) -> Finding | None:
        """Join a hit with its card. None when the workspace silenced the rule."""
        card = self.catalogue[rule_id]
        severity = hit.severity or card.severity(ctx.direction)
        action = _action(card, severity, ctx.direction, lowered=hit.severity is not None)
        override = self.overrides.get(rule_id) if rule_id != BYPASSED else None
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


def _derogation(rule_id: str, usual: Severity, override: Override, hit: Hit) -> Hit:
    """What INS-204 shows: the rule, its severity before and after, who asked for it, when and why."""
    now = Text("ignorée", "silenced") if override.severity is None else _SEVERITIES[override.severity]
    before = _SEVERITIES[usual]
    asked = f"{override.by[:_SHOWN]} {override.at:%Y-%m-%d %H:%M} UTC" if override.at else override.by[:_SHOWN]
    return Hit(
        where=hit.where,
        received=Text(f"{rule_id} : {now.fr}", f"{rule_id}: {now.en}"),
        expected=Text(f"{rule_id} : {before.fr}", f"{rule_id}: {before.en}"),
        values=(ComparedValue("policy", asked, override.reason[:_SHOWN]),),
        params={"id": rule_id},
        container=hit.container,
    )


_SHOWN = 200
_SEVERITIES = {
    Severity.BLOCKING: Text("bloquante", "blocking"),
    Severity.WARNING: Text("avertissement", "warning"),
    Severity.INFO: Text("information", "information"),
}


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
