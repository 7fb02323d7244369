"""The road of a verification lot: handed in by one call, read by another when it is ready.

A lot is verified at once and its results are durable before the door answers; they are shown after a delay, as a service
that works in the background would. The exchange of the lot is the lot: nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.answers.insi import json_reply, line_refused, line_result, problem_for, problem_unavailable
from gateway.answers.soap import SoapReply
from gateway.exchange.insi import HTTP_DOWN, Insi, InsiVerdict
from gateway.exchange.insi_checking import Judge, refused_decision, served_decision
from gateway.exchange.insi_record import InsiRequest, record_of
from gateway.insi.answering import agrees
from gateway.insi.base import NationalBase
from gateway.insi.case import Case
from gateway.insi.faults import InsiFaults, Outage
from gateway.insi.lot import Lot, open_lot
from gateway.insi.model import LABELS, Answer, Code, Operation, Verification
from gateway.insi.opening import OpenedCall
from gateway.insi.rules import REQUEST_RULES
from gateway.insi.rules_access import software_name_or_assertion
from gateway.ports import ExchangeRow, StoreUnavailable
from gateway.rules import Finding, Hit, RuleBook, RuleContext, Severity, load_catalogue
from gateway.rules.book import Overrides
from gateway.rules.verdict import Decision
from gateway.soap.certificates import Peer
from gateway.values import PlaceKind, Where, words_from_json, words_json

HERE_LINES = 100  # a longer lot is judged by a worker: it would hold the event loop
HERE_BYTES = 64 * 1024
TOLD_FINDINGS = 20

_NO_TIME = datetime.min.replace(tzinfo=UTC)  # rules of a line look at no clock
_LOTS = Where(PlaceKind.HTTP, "/lps/lots")

# What a stored line keeps: its CodeCR, or [rule, where, received (masked), expected] when it could not be verified.
LineVerdict = str | list[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one request about lots. `more` goes to the summary of its exchange."""

    reply: SoapReply
    decision: Decision
    case: Case
    more: Mapping[str, Any] = field(default_factory=dict)
    parent_id: str = ""


async def take_lot(insi: Insi, request: InsiRequest) -> InsiVerdict:
    """Judge a lot and make its results durable. Never raises for what a peer sent."""
    exchange_id = insi.ids.new()
    judge, case = insi.judge(request.submission), _case(insi, request)
    outcome = _stopped(insi, request, judge, case, exchange_id)
    if outcome is None:
        outcome = await _handed_in(insi, request, judge, case, exchange_id)
    verdict = await _kept(insi, request, outcome, exchange_id, "insi-lot")
    if not verdict.exchange_id or not outcome.more:
        return verdict
    return InsiVerdict(verdict.reply, exchange_id, verdict.delay_s, f"lots/{exchange_id}")


async def read_lot(insi: Insi, request: InsiRequest, lot_id: str) -> InsiVerdict:
    """The results of a lot, once ready; to the certificate that handed it in only."""
    exchange_id = insi.ids.new()
    judge, case = insi.judge(request.submission), _case(insi, request)
    outcome = _stopped(insi, request, judge, case, exchange_id)
    if outcome is None:
        try:
            row = await insi.store.exchange(request.submission.workspace, lot_id) if lot_id.isalnum() else None
        except StoreUnavailable:
            return InsiVerdict(problem_unavailable())
        outcome = _consulted(insi, request, judge, case, exchange_id, row)
    return await _kept(insi, request, outcome, exchange_id, "insi-lot-result")


def _case(insi: Insi, request: InsiRequest) -> Case:
    return insi.peer_case(request, OpenedCall(operation=Operation.VERIFY))


def _stopped(insi: Insi, request: InsiRequest, judge: Judge, case: Case, exchange_id: str) -> _Outcome | None:
    """A stranger, a body that broke on the wire, or an outage: in that order; None when the lot may be looked at."""
    issues = (request.broken,) if request.broken is not None else ()
    judged = judge.run(case, (Judge.peer, _software, lambda j, _: j.explained(issues, "lot")))
    if judged.refusing:
        decision = refused_decision(judged.findings, judge.policy)
        return _Outcome(problem_for(judged.refusing, exchange_id), decision, case)
    faults = insi.faults(request.submission.workspace)
    if faults.outage is Outage.NONE:
        return None
    case, found = insi.incident(judge, case, faults)
    reply = HTTP_DOWN if faults.outage is Outage.HTTP else problem_for(found, exchange_id)
    return _Outcome(reply, served_decision(found, judge.policy), case)


def _software(judge: Judge, case: Case) -> list[Finding]:
    """Lots are for software certificates: JSON has no place for an assertion."""
    return judge.book.judge((software_name_or_assertion,), case, judge.ctx, "tls")


async def _handed_in(insi: Insi, request: InsiRequest, judge: Judge, case: Case, exchange_id: str) -> _Outcome:
    data = request.submission.payload.data or b""
    here = len(data) <= HERE_BYTES
    lot = open_lot(data, request.content_type) if here else await insi.offload.run(open_lot, data, request.content_type)
    refusing = judge.refusing(judge.explained(lot.issues, "lot"))
    if refusing:
        return _Outcome(problem_for(refusing, exchange_id), refused_decision(refusing, judge.policy), case)
    workspace = request.submission.workspace
    verdicts = await _verified(insi, judge, workspace, lot)
    ready = insi.clock.now() + timedelta(seconds=insi.lot_ready_s + insi.faults(workspace).slow_s)
    told = {"lot": exchange_id, "etat": "en_cours", "lignes": len(verdicts), "disponible": ready.isoformat()}
    reply = json_reply(202, told, f"lot de {len(verdicts)} ligne(s) : en cours")
    decision = served_decision(_findings(judge, case, verdicts), judge.policy)
    return _Outcome(reply, decision, case, {"lot": {"ready_at": ready.isoformat(), "lines": verdicts}})


async def _verified(insi: Insi, judge: Judge, workspace: str, lot: Lot) -> list[LineVerdict]:
    base = insi.base(workspace)
    asked = {v.ins.matricule.number for v in lot.lines}
    people = {number: base.by_matricule[number] for number in asked if number in base.by_matricule}
    held = replace(base, people={}, by_traits={}, by_matricule=people)  # what a worker needs of it, no more
    overrides = dict(judge.book.overrides)
    if len(lot.lines) <= HERE_LINES:
        return judge_lines(lot.lines, held, judge.ctx, overrides)
    return await insi.offload.run(judge_lines, lot.lines, held, judge.ctx, overrides)


def judge_lines(
    lines: Sequence[Verification], base: NationalBase, ctx: RuleContext, overrides: Overrides
) -> list[LineVerdict]:
    """The verdict of each line: CodeCR, or the rule that stops it. Pure and picklable, for a worker process."""
    book = RuleBook(load_catalogue(), overrides)
    return [_judged(line, number, base, book, ctx) for number, line in enumerate(lines, start=1)]


def _judged(line: Verification, number: int, base: NationalBase, book: RuleBook, ctx: RuleContext) -> LineVerdict:
    call = OpenedCall(operation=Operation.VERIFY, query=line)
    case = Case(call, Peer(presented=True), _NO_TIME, marked=base.mark_of(line.traits))
    found = book.judge(REQUEST_RULES, case, ctx, f"ligne:{number}")
    stopping = next((f for f in found if f.severity is Severity.BLOCKING), None)
    if stopping is not None:
        return [stopping.rule, stopping.where.path, words_json(stopping.received), words_json(stopping.expected)]
    return (Code.FOUND if agrees(base.by_matricule, line) else Code.NONE).value


def _findings(judge: Judge, case: Case, verdicts: Sequence[LineVerdict]) -> list[Finding]:
    """The lines that could not be verified, the first ones, and one finding for all that do not agree."""
    found: list[Finding] = []
    for number, verdict in enumerate(verdicts, start=1):
        if isinstance(verdict, list) and len(found) < TOLD_FINDINGS:
            finding = _told(judge, number, verdict)
            found += [finding] if finding is not None else []
    unknown = sum(verdict == Code.NONE.value for verdict in verdicts)
    if unknown:
        case = Case(case.call, case.peer, case.now, answer=Answer(Code.NONE))
        found += judge.answer(case)
    return found


def _told(judge: Judge, number: int, verdict: Sequence[Any]) -> Finding | None:
    rule, path, received, expected = verdict
    hit = Hit(Where(PlaceKind.XPATH, path), words_from_json(received), words_from_json(expected))
    return judge.book.found(rule, hit, judge.ctx, f"ligne:{number}")


def _consulted(
    insi: Insi, request: InsiRequest, judge: Judge, case: Case, exchange_id: str, row: ExchangeRow | None
) -> _Outcome:
    lot = row.summary.get("lot") if row is not None else None
    mine = row is not None and row.summary.get("fingerprint") == request.submission.sender.fingerprint
    if row is None or lot is None or not mine:
        finding = judge.book.found("INSI-24", Hit(_LOTS, "?", "Location"), judge.ctx, "lot")
        found = (finding,) if finding is not None else ()
        return _Outcome(problem_for(found, exchange_id), refused_decision(found, judge.policy), case)
    told = {"lot": row.id, "etat": "en_cours", "lignes": len(lot["lines"]), "disponible": lot["ready_at"]}
    if insi.clock.now() >= datetime.fromisoformat(lot["ready_at"]):
        told |= {"etat": "termine", "resultats": [_line(judge, n, v) for n, v in enumerate(lot["lines"], start=1)]}
    reply = json_reply(200, told, f"lot {told['etat']}")
    return _Outcome(reply, served_decision((), judge.policy), case, parent_id=row.id)


def _line(judge: Judge, number: int, verdict: LineVerdict) -> Mapping[str, Any]:
    if isinstance(verdict, str):
        code = Code(verdict)
        return line_result(number, code, LABELS[code])
    finding = _told(judge, number, verdict)
    return line_refused(number, finding) if finding is not None else {"ligne": number, "regle": verdict[0]}


async def _kept(insi: Insi, request: InsiRequest, outcome: _Outcome, exchange_id: str, kind: str) -> InsiVerdict:
    faults: InsiFaults = insi.faults(request.submission.workspace)
    record = record_of(
        request, outcome.case, outcome.decision, outcome.reply, exchange_id, kind, outcome.more, outcome.parent_id
    )
    try:
        await insi.store.commit(record)
    except StoreUnavailable:
        return InsiVerdict(problem_unavailable(), delay_s=faults.slow_s)
    return InsiVerdict(outcome.reply, exchange_id, faults.slow_s)
