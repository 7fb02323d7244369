"""The road of a call of INSi: open, look up, judge, ask the national base, commit. Only then does the door answer.

Every call becomes an exchange with its findings, refused, faulted or served. Rules are judged with their severity on
emission: the service stands at the sender's end of the duty, as the DMP does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.answers.insi import fault_for, result_for, unavailable
from gateway.answers.soap import SoapReply
from gateway.directory.model import Territory
from gateway.exchange.deposit_record import dashed
from gateway.exchange.insi_checking import CALL_STAGES, INCIDENT, Judge, refused_decision, served_decision
from gateway.exchange.insi_record import InsiRequest, kind_of, record_of
from gateway.exchange.intake import book_for, context_of
from gateway.exchange.model import Event, Submission
from gateway.insi.answering import ask
from gateway.insi.base import NationalBase, national_base
from gateway.insi.case import Case
from gateway.insi.faults import InsiFaults, Outage
from gateway.insi.model import Operation
from gateway.insi.names import TECHNICAL
from gateway.insi.opening import OpenedCall, open_call
from gateway.ports import AppendEvent, Clock, Ids, Offload, Sandboxes, Store, StoreUnavailable
from gateway.rules import Finding, Hit, RuleBook
from gateway.rules.verdict import Decision
from gateway.sandbox.model import DEFAULT_WORKSPACE, Policy
from gateway.soap.certificates import TrustStore, holder_of, judge_chain, peer_of
from gateway.values import PlaceKind, Where

CALL_BYTES = 1024 * 1024  # a call takes a few kilobytes, a long assertion included
OFFLOAD_BYTES = 128 * 1024  # above, canonicalising an assertion would hold the event loop
NO_FAULT = InsiFaults()

_SERVICE = Where(PlaceKind.HTTP, "INSi")


@dataclass(frozen=True, slots=True)
class InsiVerdict:
    """The answer to send, the exchange it belongs to ('' when nothing was recorded), what to wait before, in seconds.

    `location` is the address of a lot, below the service's own.
    """

    reply: SoapReply
    exchange_id: str = ""
    delay_s: float = 0.0
    location: str = ""


@dataclass(slots=True)
class _Bases:
    """The national base of each workspace, kept while its territory, environment and incidents are the same."""

    held: dict[str, tuple[Territory, str, InsiFaults, NationalBase]] = field(default_factory=dict)

    def of(self, workspace: str, territory: Territory, environment: str, faults: InsiFaults) -> NationalBase:
        found = self.held.get(workspace)
        if found is not None and found[0] is territory and found[1:3] == (environment, faults):
            return found[3]
        base = national_base(territory, environment, faults.changes)
        self.held[workspace] = (territory, environment, faults, base)
        return base


class Insi:
    """The INSi of every workspace. Keeps their switched-on incidents and nothing else: the store does."""

    def __init__(
        self,
        store: Store,
        sandboxes: Sandboxes,
        clock: Clock,
        ids: Ids,
        offload: Offload,
        book: RuleBook,
        trust: TrustStore | Callable[[], TrustStore],
        *,
        lot_ready_s: float = 2.0,
    ) -> None:
        """`trust` is a TrustStore, or a function that returns the current one (revocations change while we run).

        `lot_ready_s`: after which a verification lot may be consulted.
        """
        self.lot_ready_s = lot_ready_s
        self.store = store
        self.clock = clock
        self.ids = ids
        self.offload = offload
        self._sandboxes = sandboxes
        self._book = book
        self._trust = trust
        self._faults: dict[str, InsiFaults] = {}
        self._bases = _Bases()

    def workspace_of(self, fingerprint: str) -> tuple[str, bool]:
        """The workspace of a client certificate (SHA-256, hex), and whether it is known; the default one otherwise."""
        workspace = self._sandboxes.workspace_of_certificate(fingerprint) if fingerprint else ""
        return workspace or DEFAULT_WORKSPACE, bool(workspace)

    def faults(self, workspace: str) -> InsiFaults:
        """The incidents switched on."""
        return self._faults.get(workspace, NO_FAULT)

    async def set_faults(self, workspace: str, faults: InsiFaults) -> None:
        """Switch incidents on or off (`InsiFaults()`), journalled first. Raises StoreUnavailable: nothing changed then."""
        data = {"service": "insi", **faults.to_json()}
        await self.store.commit(AppendEvent(Event("fault", self.clock.now(), workspace, data=data)))
        self._faults[workspace] = faults

    def forget(self, workspace: str) -> None:
        """End the incidents of a workspace that was reset; the reset itself is journalled."""
        self._faults.pop(workspace, None)

    def base(self, workspace: str) -> NationalBase:
        """The national base as this workspace sees it now."""
        environment = self._sandboxes.policy(workspace).ins_environment
        return self._bases.of(workspace, self._sandboxes.territory(workspace), environment, self.faults(workspace))

    def policy(self, workspace: str) -> Policy:
        """The policy in force."""
        return self._sandboxes.policy(workspace)

    def judge(self, submission: Submission) -> Judge:
        """The rules as this call's workspace wants them."""
        policy = self.policy(submission.workspace)
        return Judge(book_for(self._book, policy), context_of(submission, policy, self.clock), policy)

    def peer_case(self, request: InsiRequest, call: OpenedCall) -> Case:
        """A call with who stands at the door."""
        trust, now = self.trust(), self.clock.now()
        return Case(call, peer_of(request.peer_der, trust, now), now)

    def trust(self) -> TrustStore:
        """Whom the service believes now."""
        return self._trust if isinstance(self._trust, TrustStore) else self._trust()

    async def take(self, request: InsiRequest) -> InsiVerdict:
        """Judge and answer one SOAP call, and make its fate durable. Never raises for what a peer sent."""
        workspace = request.submission.workspace
        judge, faults = self.judge(request.submission), self.faults(workspace)
        answer_id = f"urn:uuid:{dashed(self.ids.new())}"
        case, refusing, told = await self._judged(request, judge, faults)
        exchange_id = self.ids.new()
        operation = case.call.operation
        if refusing:
            decision = refused_decision(told, judge.policy)
            reply = fault_for(refusing, operation, answer_id, case.call.message_id, exchange_id)
        elif faults.outage is not Outage.NONE:
            case, found = self.incident(judge, case, faults)
            decision = served_decision(found, judge.policy)
            down = faults.outage is Outage.HTTP
            reply = HTTP_DOWN if down else fault_for(found, operation, answer_id, case.call.message_id, exchange_id)
        else:
            case, reply, decision = self._served(workspace, judge, case, told, answer_id, exchange_id)
        record = record_of(request, case, decision, reply, exchange_id, kind_of(operation))
        try:
            await self.store.commit(record)
        except StoreUnavailable:
            return InsiVerdict(unavailable(answer_id, case.call.message_id), delay_s=faults.slow_s)
        return InsiVerdict(reply, exchange_id, faults.slow_s)

    async def _judged(
        self, request: InsiRequest, judge: Judge, faults: InsiFaults
    ) -> tuple[Case, tuple[Finding, ...], tuple[Finding, ...]]:
        """The case, the findings that refuse it, and all of them. During an outage only the peer is judged."""
        strange = judge.run(self.peer_case(request, OpenedCall()), (Judge.peer,))
        if strange.refusing:
            return self.peer_case(request, OpenedCall()), strange.refusing, strange.findings  # costs no parsing
        call = await self._open(request)
        case = self._case(request, call)
        if faults.outage is not Outage.NONE:
            return case, (), strange.findings
        judged = judge.run(case, CALL_STAGES)
        return case, judged.refusing, strange.findings + judged.findings

    async def _open(self, request: InsiRequest) -> OpenedCall:
        if request.broken is not None:
            return OpenedCall((request.broken,))
        data = request.submission.payload.data or b""
        limits = replace(self.policy(request.submission.workspace).limits, xml_bytes=CALL_BYTES)
        if len(data) <= OFFLOAD_BYTES:
            return open_call(data, request.content_type, limits)
        return await self.offload.run(open_call, data, request.content_type, limits)

    def _case(self, request: InsiRequest, call: OpenedCall) -> Case:
        case = self.peer_case(request, call)
        traits = case.traits
        if traits is not None:
            case = replace(case, marked=self.base(request.submission.workspace).mark_of(traits))
        if not call.seal.certificates:
            return case
        signer = call.seal.certificates[0]
        holder = holder_of(signer)
        chain = judge_chain(signer, call.seal.certificates[1:], self.trust(), case.now)
        return replace(case, signer_chain=chain, signer_may_sign=holder is not None and holder.may_sign)

    def _served(
        self,
        workspace: str,
        judge: Judge,
        case: Case,
        told: tuple[Finding, ...],
        answer_id: str,
        exchange_id: str,
    ) -> tuple[Case, SoapReply, Decision]:
        operation, query = case.call.operation, case.call.query
        if operation is None or query is None:
            raise ValueError("only a call that was judged good is served")
        said = ask(self.base(workspace), operation, query)
        case = replace(case, answer=said.answer, technical=said.technical)
        fresh = judge.answer(case)
        decision = served_decision((*told, *fresh), judge.policy)
        if said.answer is not None:
            return case, result_for(said.answer, operation, answer_id, case.call.message_id), decision
        return case, fault_for(fresh or told, operation, answer_id, case.call.message_id, exchange_id), decision

    def incident(self, judge: Judge, case: Case, faults: InsiFaults) -> tuple[Case, list[Finding]]:
        """The call during an outage, and the findings that tell it: the technical fault, and that it is played."""
        case = replace(case, technical=TECHNICAL[case.call.operation or Operation.TRAITS])
        played = judge.book.found(INCIDENT, Hit(_SERVICE, faults.outage.value, "∅"), judge.ctx, "insi")
        return case, [*judge.answer(case), *([played] if played is not None else [])]


HTTP_DOWN = SoapReply(503, b"", "text/plain; charset=utf-8", "http-503", "HTTP 503 (panne simulée)")
