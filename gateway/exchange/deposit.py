"""The road of a DMP request: open, look up, judge, commit. Only then does the door answer.

Every request that brought bytes becomes an exchange, queries too, with its findings. The DMP stands at the sender's end of
the duty (it refuses to the sender), so rules are judged with their severity on emission, as at the submission door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.answers.registry import query_failure, response_for
from gateway.answers.soap import CONTENT_TYPE, SoapReply, fault_for, unavailable
from gateway.directory.model import Structure, Territory
from gateway.exchange.deposit_checking import Judgement, Native, carriers_of, door_decision, judge_request
from gateway.exchange.deposit_record import DmpRequest, dashed, record_of
from gateway.exchange.intake import book_for, context_of
from gateway.exchange.sender_index import held_by, sent_of
from gateway.identity.base_rules import Sent
from gateway.ports import (
    Clock,
    Conflict,
    DmpRow,
    EntryRow,
    Ids,
    Offload,
    Sandboxes,
    Store,
    StoreUnavailable,
)
from gateway.rules import Finding, Hit, RuleBook
from gateway.sandbox.model import DEFAULT_WORKSPACE, Policy
from gateway.sharing.case import Case, KnownEntry
from gateway.sharing.constants import ANSWER_ACTION, ENDPOINT_ACTION, MODE_AIR
from gateway.sharing.lot import Lot
from gateway.sharing.opening import OpenedRequest, OpenSettings, open_request
from gateway.sharing.registry import ENTRY_UUID, GET_DOCUMENTS, MAX_RESULTS, UNIQUE_ID, RegisteredEntry, matching
from gateway.sharing.registry_answer import bare, write_query_answer
from gateway.sharing.rights import NONE
from gateway.sharing.td02 import Existence, answer_td02
from gateway.soap.certificates import Peer, TrustStore, peer_of
from gateway.soap.envelope import write_answer
from gateway.values import PlaceKind, Where

OFFLOAD_BYTES = 256 * 1024  # above, canonicalising and reading would hold the event loop over 20 ms
_REMEMBERED = timedelta(minutes=2)  # how long the ids of AIR assertions are kept: they live 30 s


@dataclass(frozen=True, slots=True)
class DmpVerdict:
    """The answer to send, and the exchange it belongs to ('' when nothing could be recorded)."""

    reply: SoapReply
    exchange_id: str = ""


class Deposit:
    """The DMP of every workspace. Keeps nothing but the ids of recent AIR assertions, which may serve only once."""

    def __init__(
        self,
        store: Store,
        sandboxes: Sandboxes,
        clock: Clock,
        ids: Ids,
        offload: Offload,
        book: RuleBook,
        trust: TrustStore | Callable[[], TrustStore],
    ) -> None:
        """`trust` is a TrustStore, or a function that returns the current one (revocations change while we run)."""
        self._store = store
        self._sandboxes = sandboxes
        self._clock = clock
        self._ids = ids
        self._offload = offload
        self._book = book
        self._trust = trust
        self._seen: dict[str, datetime] = {}

    def workspace_of(self, fingerprint: str) -> tuple[str, bool]:
        """The workspace of a client certificate (SHA-256, hex), and whether it is known; the default one otherwise."""
        workspace = self._sandboxes.workspace_of_certificate(fingerprint) if fingerprint else ""
        return workspace or DEFAULT_WORKSPACE, bool(workspace)

    def limits_of(self, workspace: str) -> int:
        """The largest body a workspace takes, in octets."""
        return self._sandboxes.policy(workspace).limits.xml_bytes

    async def take(self, request: DmpRequest) -> DmpVerdict:
        """Judge one request and make its fate durable. Never raises for what a peer sent."""
        submission = request.submission
        policy = self._sandboxes.policy(submission.workspace)
        now = self._clock.now()
        trust = self._trust if isinstance(self._trust, TrustStore) else self._trust()
        peer = peer_of(request.peer_der, trust, now)
        opened = await self._open(request, peer, policy, trust, now)
        answer_id = f"urn:uuid:{dashed(self._ids.new())}"
        try:
            case = await self._case(opened, peer, policy, submission.workspace, now)
            return await self._decide(request, case, policy, answer_id)
        except StoreUnavailable:
            return DmpVerdict(unavailable(answer_id, opened.message_id))

    async def _open(
        self, request: DmpRequest, peer: Peer, policy: Policy, trust: TrustStore, now: datetime
    ) -> OpenedRequest:
        if request.broken is not None:
            return OpenedRequest(request.endpoint, (request.broken,))
        if not peer.presented or peer.fault:
            return OpenedRequest(request.endpoint)  # a stranger costs no parsing
        settings = OpenSettings(policy.limits, trust, now, policy.dmp_signature, lenient=policy.profile != "strict")
        payload = request.submission.payload
        data = payload.data or b""
        if len(data) <= OFFLOAD_BYTES:
            return open_request(data, request.content_type, request.endpoint, settings)
        return await self._offload.run(open_request, data, request.content_type, request.endpoint, settings)

    async def _case(self, opened: OpenedRequest, peer: Peer, policy: Policy, workspace: str, now: datetime) -> Case:
        territory = self._sandboxes.territory(workspace)
        vihf = opened.vihf
        case = Case(opened, peer, now, policy.limits, policy.dmp_signature)
        if vihf is None:
            return case
        structure = next((s for s in territory.structures.values() if s.struct_id_nat == vihf.structure_id), None)
        siege = territory.structures.get(structure.siege) if structure is not None and structure.siege else None
        professional = next((p for p in territory.professionals.values() if p.ps_id_nat == vihf.name_id), None)
        replayed = vihf.mode == MODE_AIR and self._replayed(f"{workspace}|{vihf.assertion_id}", now)
        dmp = await self._dmp(workspace, vihf.patient)
        by_unique_id, by_uuid = await self._known(workspace, opened.lot)
        return replace(
            case,
            structure=structure,
            siege=siege,
            professional=professional,
            state=dmp.state if dmp is not None else "absent",
            authorisation=dmp.authorisations.get(vihf.name_id, NONE) if dmp is not None else NONE,
            treating=dmp is not None and vihf.name_id in dmp.treating_doctors,
            replayed=replayed,
            by_unique_id=by_unique_id,
            by_uuid=by_uuid,
            sent=await self._sent(workspace, structure, opened.lot, territory),
        )

    async def _sent(
        self, workspace: str, structure: Structure | None, lot: Lot | None, territory: Territory
    ) -> tuple[Sent, ...]:
        """What the depositor sends of the patients its own index holds."""
        if lot is None or structure is None:
            return ()
        carriers = carriers_of(lot)
        records = await held_by(self._store, workspace, structure.key, carriers, territory)
        return tuple(sent_of(carriers, records, structure.key, territory))

    async def _dmp(self, workspace: str, patient: tuple[str, str] | None) -> DmpRow | None:
        """The patient's DMP: as stored, else as the territory says the patient has one."""
        if patient is None:
            return None
        stored = await self._store.dmp(workspace, *patient)
        if stored is not None:
            return stored
        held = self._sandboxes.territory(workspace).patients.values()
        found = next((p for p in held if (p.matricule, p.oid) == patient), None)
        if found is None or found.dmp_state == "absent":
            return None
        return DmpRow(found.matricule, found.oid, found.dmp_state, {}, ())

    async def _known(
        self, workspace: str, lot: Lot | None
    ) -> tuple[Mapping[str, KnownEntry], Mapping[str, KnownEntry]]:
        """What the registry already holds of the lot's documents and of what it replaces."""
        by_unique_id: dict[str, KnownEntry] = {}
        by_uuid: dict[str, KnownEntry] = {}
        for document in lot.documents if lot is not None else ():
            row = await self._store.entry_by_unique_id(workspace, document.unique_id) if document.unique_id else None
            if row is not None:
                by_unique_id[document.unique_id] = _known(row)
        for _, target in lot.replaced if lot is not None else ():
            row = await self._store.entry_by_uuid(workspace, bare(target))
            if row is not None:
                by_uuid[bare(target)] = _known(row)
        return by_unique_id, by_uuid

    async def _decide(self, request: DmpRequest, case: Case, policy: Policy, answer_id: str) -> DmpVerdict:
        ctx = context_of(request.submission, policy, self._clock)
        book, workspace = book_for(self._book, policy), request.submission.workspace
        judgement = judge_request(case, book, ctx, policy)
        found: tuple[RegisteredEntry, ...] = ()
        if not judgement.refusing and case.request.query is not None:
            found = await self._found(case, workspace)
            if len(found) > MAX_RESULTS:
                place = Where(PlaceKind.XPATH, "/Envelope/Body/AdhocQueryRequest")
                hit = Hit(place, str(len(found)), f"≤ {MAX_RESULTS}")
                judgement = _refused_also(judgement, book.found("DMP-96", hit, ctx, "query"), policy)
        exchange_id = self._ids.new()
        reply = self._reply(case, judgement, found, answer_id, exchange_id, workspace)
        try:
            record = record_of(request, case, judgement, reply, exchange_id, self._ids)
            await self._store.commit(record)
        except Conflict as conflict:
            # another request registered the same document between our look-up and our commit
            hit = Hit(Where(PlaceKind.XPATH, "/Envelope/Body"), conflict.key, "uniqueId")
            judgement = _refused_also(judgement, book.found("DMP-67", hit, ctx, "metadata"), policy)
            reply = self._reply(case, judgement, found, answer_id, exchange_id, workspace)
            await self._store.commit(record_of(request, case, judgement, reply, exchange_id, self._ids))
        return DmpVerdict(reply, exchange_id)

    async def _found(self, case: Case, workspace: str) -> tuple[RegisteredEntry, ...]:
        """The entries a query finds, those its caller may see. The lot's own signatures are never listed."""
        query, vihf = case.request.query, case.request.vihf
        if query is None or vihf is None or vihf.patient is None:
            return ()
        rows = await self._store.entries(workspace, *vihf.patient)
        entries = tuple(_registered(row) for row in rows if not row.metadata.get("signature"))
        if query.query_id == GET_DOCUMENTS:
            wanted, uuids = set(query.any(UNIQUE_ID)), {bare(v) for v in query.any(ENTRY_UUID)}
            entries = tuple(e for e in entries if e.unique_id in wanted or bare(e.entry_uuid) in uuids)
            if query.by_reference:
                return entries
        else:
            entries = matching(query, entries)
        visible = {vihf.name_id, vihf.structure_id} if vihf.mode != MODE_AIR else {vihf.name_id}
        return tuple(e for e in entries if not e.masked or case.treating or visible & set(e.author_ids))

    def _reply(
        self,
        case: Case,
        judgement: Judgement,
        found: tuple[RegisteredEntry, ...],
        answer_id: str,
        exchange_id: str,
        workspace: str,
    ) -> SoapReply:
        opened = case.request
        if judgement.refusing and judgement.native is Native.FAULT:
            return fault_for(judgement.refusing, answer_id, opened.message_id, exchange_id)
        action = ANSWER_ACTION[ENDPOINT_ACTION[opened.endpoint.value]]
        body, summary = self._body(case, judgement, found, workspace)
        envelope = write_answer(action, answer_id, opened.message_id, body)
        return SoapReply(200, envelope, f'{CONTENT_TYPE}; action="{action}"', summary=summary)

    def _body(
        self, case: Case, judgement: Judgement, found: tuple[RegisteredEntry, ...], workspace: str
    ) -> tuple[bytes, str]:
        opened, refused = case.request, bool(judgement.refusing)
        told = "Failure : " + judgement.refusing[0].line() if refused else "Success"
        if opened.query is not None:
            if refused:
                return query_failure(judgement.refusing), told
            return write_query_answer(found, opened.query.return_type), f"Success : {len(found)} document(s)"
        if opened.td02 is not None:
            existence = self._existence(case, workspace)
            body = answer_td02(opened.td02, existence, dashed(self._ids.new()), case.now)
            return body, f"DMP {existence.state}, AUTORISATION {existence.authorisation}"
        findings = judgement.refusing if refused else judgement.decision.findings
        return response_for(findings, refused=refused), told

    def _existence(self, case: Case, workspace: str) -> Existence:
        """What TD0.2 says; the traits the DMP holds are those of the territory's patient."""
        vihf = case.request.vihf
        held = self._sandboxes.territory(workspace).patients.values()
        found = next((p for p in held if vihf is not None and (p.matricule, p.oid) == vihf.patient), None)
        existence = Existence(case.state, case.authorisation, case.treating)
        if found is None:
            return existence
        birth_date = found.birth_date.replace("-", "")
        return replace(existence, family=found.family, given=found.given, sex=found.sex, birth_date=birth_date)

    def _replayed(self, key: str, now: datetime) -> bool:
        """Remember an AIR assertion; True when it was already seen."""
        self._seen = {k: at for k, at in self._seen.items() if now - at < _REMEMBERED}
        seen = key in self._seen
        self._seen.setdefault(key, now)
        return seen


def _refused_also(judgement: Judgement, finding: Finding | None, policy: Policy) -> Judgement:
    """The same judgement with one more refusal, found late."""
    if finding is None:
        return judgement
    decision = door_decision((*judgement.decision.findings, finding), policy)
    return Judgement(decision, (finding,), Native.RESPONSE)


def _known(row: EntryRow) -> KnownEntry:
    return KnownEntry(
        entry_uuid=bare(row.entry_uuid),
        unique_id=row.unique_id,
        status=row.status,
        sha256=row.document_sha256,
        author_ids=row.author_ids,
        patient_id=str(row.metadata.get("patient_id", "")),
    )


def _registered(row: EntryRow) -> RegisteredEntry:
    return RegisteredEntry(
        entry_uuid=row.entry_uuid,
        logical_id=row.logical_id,
        unique_id=row.unique_id,
        status=row.status,
        version=row.version,
        masked=row.masked,
        author_ids=row.author_ids,
        facts=row.metadata,
    )
