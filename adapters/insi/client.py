"""The gateway's own client of INSi: searches, verifies, and never takes a fault for a negative answer.

It speaks to any server that speaks the service; `url` is the address of the WSDL's port. A search tries the given names in
the order of `gateway.insi.plan`. A technical fault, a time-out or an unreadable answer ends it as `Unavailable`: nothing
was learnt about the identity. Answers come with their trace, octet for octet. Implements `gateway.ports.InsRegistry`.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from uuid import uuid4

import httpx

from adapters.insi.memory import Memory
from gateway.insi.asking import (
    ANSWER_BYTES,
    Envelope,
    ReadAnswer,
    Software,
    differing,
    read_answer,
    transliterated,
    write_call,
)
from gateway.insi.base import FORBIDDEN
from gateway.insi.lot import write_lot
from gateway.insi.model import (
    CardData,
    Code,
    Contradicted,
    Found,
    Ins,
    LocalIdentity,
    NotFound,
    Operation,
    Query,
    Refused,
    SearchResult,
    Several,
    Trace,
    Traits,
    Unavailable,
    Verification,
    Verified,
    VerifyResult,
)
from gateway.insi.names import action_of
from gateway.insi.plan import SearchPlan

CONTENT_TYPE = "application/soap+xml; charset=utf-8"
KEPT = (Found, NotFound, Several, Verified, Contradicted)  # what is known of an identity; failures are asked again

Answered = SearchResult | VerifyResult


@dataclass(frozen=True, slots=True)
class _Heard:
    """One answer with its trace."""

    answer: ReadAnswer
    trace: Trace


class InsiClient:
    """One software towards one INSi. `tls` holds its certificate; `assertion` makes a signed one for each call, or None.

    `timeout_s` bounds one call whole, not its silences. `remember_s` is how long an answer about an identity serves again
    without a call (0: never). `now` stamps calls.
    """

    def __init__(
        self,
        url: str,
        tls: ssl.SSLContext,
        software: Software,
        *,
        timeout_s: float = 10.0,
        remember_s: float = 300.0,
        remembered: int = 1000,
        assertion: Callable[[], bytes] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._software, self._timeout_s = url.rstrip("/"), software, timeout_s
        self._assertion, self._now = assertion, now
        self._memory: Memory[Answered] = Memory(remember_s, remembered, clock)
        self._http = httpx.AsyncClient(verify=tls, timeout=timeout_s, trust_env=False, follow_redirects=False)

    async def __aenter__(self) -> InsiClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back, forget the answers."""
        self._memory.forget()
        await self._http.aclose()

    async def search(self, person: LocalIdentity) -> SearchResult:
        """Search by traits. Traits are transliterated for the call; `differences` compares with what was entered."""
        admitted = admissible(person)
        if isinstance(admitted, Refused):
            return admitted
        digest = self._memory.digest(Operation.TRAITS.value, person)
        known = self._memory.get(digest)
        if known is not None and not isinstance(known, (Verified, Contradicted)):
            return known
        result = await self._searched(person, admitted)
        if isinstance(result, KEPT):
            self._memory.put(digest, result)
        return result

    async def _searched(self, person: LocalIdentity, admitted: LocalIdentity) -> SearchResult:
        plan, calls, heard = SearchPlan(admitted), 0, None
        while (traits := plan.next()) is not None:
            heard = await self._call(Operation.TRAITS, traits)
            calls += 1
            if heard.answer.code is None:
                return _failed(heard)
            plan.told(heard.answer.code)
        return _result(heard, plan.outcome, person, calls)

    async def search_card(self, card: CardData) -> SearchResult:
        """Search with what a carte Vitale told."""
        digest = self._memory.digest(Operation.CARD.value, card)
        known = self._memory.get(digest)
        if known is not None and not isinstance(known, (Verified, Contradicted)):
            return known
        heard = await self._call(Operation.CARD, card)
        result = _failed(heard) if heard.answer.code is None else _result(heard, heard.answer.code, None, 1)
        if isinstance(result, KEPT):
            self._memory.put(digest, result)
        return result

    async def verify(self, ins: Ins, person: LocalIdentity) -> VerifyResult:
        """Ask whether an INS and traits agree. Traits go as they are: a verification corrects nothing.

        Traits that INSi would not admit are refused here (INS-187), not mended: they are what must be verified.
        """
        admitted = admissible(person)
        if isinstance(admitted, Refused):
            return admitted
        if admitted != person:
            return Refused("INS-187", "family" if admitted.family != person.family else "given_names")
        asked = verification_of(ins, person)
        digest = self._memory.digest(Operation.VERIFY.value, asked)
        known = self._memory.get(digest)
        if isinstance(known, (Verified, Contradicted)):
            return known
        heard = await self._call(Operation.VERIFY, asked)
        if heard.answer.code is None:
            return _failed(heard)
        if heard.answer.code is Code.SEVERAL:
            return Unavailable("CR-02", "CR 02 does not answer a verification", heard.trace)
        result = Verified(heard.trace) if heard.answer.code is Code.FOUND else Contradicted(heard.trace)
        self._memory.put(digest, result)
        return result

    async def hand_in(self, lines: Sequence[Verification]) -> str:
        """Hand in a lot of verifications; returns the address of its results. Raises LotRefused."""
        headers = {"Content-Type": "application/json"}
        response = await self._http.post(f"{self._url}/lots", content=write_lot(tuple(lines)), headers=headers)
        if response.status_code != 202:
            raise LotRefused(response.status_code, response.text[:2000])
        return str(response.json()["lot"])

    async def results(self, lot: str) -> Sequence[dict[str, object]] | None:
        """The results of a lot, one a line; None while it is under way. Raises LotRefused."""
        response = await self._http.get(f"{self._url}/lots/{lot}")
        if response.status_code != 200:
            raise LotRefused(response.status_code, response.text[:2000])
        told = response.json()
        return list(told["resultats"]) if told["etat"] == "termine" else None

    async def _call(self, operation: Operation, query: Query) -> _Heard:
        """One call, one answer. Never raises for what the wire or the server does."""
        at = self._now()
        envelope = Envelope(f"uuid:{uuid4()}", str(uuid4()), at)
        assertion = self._assertion() if self._assertion is not None else b""
        body = write_call(operation, query, self._software, envelope, assertion)
        trace = Trace(operation.value, envelope.message_id, envelope.message_id, at.isoformat(), 0, b"")
        headers = {"Content-Type": f'{CONTENT_TYPE}; action="{action_of(operation)}"'}
        try:
            status, known_as, raw = await self._exchange(body, headers)
        except (TimeoutError, httpx.TimeoutException):
            return _Heard(ReadAnswer(fault="timeout", reason=f"no answer within {self._timeout_s:g} s"), trace)
        except httpx.HTTPError as error:
            return _Heard(ReadAnswer(fault="connection", reason=type(error).__name__), trace)
        heard = replace(trace, trace_id=known_as or trace.trace_id, status=status, raw=raw)
        if len(raw) > ANSWER_BYTES:
            return _Heard(ReadAnswer(fault="unreadable", reason=f"> {ANSWER_BYTES} octets"), heard)
        return _Heard(read_answer(status, raw, envelope.message_id), heard)

    async def _exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Status, name of the exchange at the gateway ('' elsewhere), octets of the answer."""
        raw = bytearray()
        async with (
            asyncio.timeout(self._timeout_s),
            self._http.stream("POST", self._url, content=body, headers=headers) as response,
        ):
            async for chunk in response.aiter_bytes():
                raw += chunk
                if len(raw) > ANSWER_BYTES:
                    break
            return response.status_code, response.headers.get("x-passerelle-exchange", ""), bytes(raw)


class LotRefused(Exception):
    """A lot, or its consultation, was refused. `answer` is the server's own words."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.answer = status, answer


def forbidden(person: LocalIdentity) -> Refused | None:
    """INS-185: a doubtful or fictive identity is never sent to INSi."""
    marked = sorted(FORBIDDEN & set(person.attributes))
    return Refused("INS-185", ", ".join(marked)) if marked else None


def admissible(person: LocalIdentity) -> LocalIdentity | Refused:
    """The person's traits as INSi admits them, or why the call would be refused: then it is not made."""
    refused = forbidden(person)
    if refused is not None:
        return refused
    missing = [n for n in ("family", "given_names", "sex", "birth_date") if not getattr(person, n)]
    if missing:
        return Refused("INS-186", ", ".join(missing))
    family = transliterated(person.family, given=False)
    given = [transliterated(g, given=True) for g in person.given_names]
    names = tuple(g for g in given if g is not None)
    if family is None or len(names) != len(given):
        return Refused("INS-187", "family" if family is None else "given_names")
    if person.sex not in ("M", "F"):
        return Refused("INS-187", "sex")
    return replace(person, family=family, given_names=names)


def verification_of(ins: Ins, person: LocalIdentity) -> Verification:
    """An INS and the traits of a local identity, as they are."""
    listed = " ".join(person.given_names)
    traits = Traits(person.family, (listed,), person.sex, person.birth_date, person.birth_place, listed)
    return Verification(ins, traits)


def _failed(heard: _Heard) -> Unavailable | Refused:
    answer = heard.answer
    if answer.sender:
        return Refused(answer.fault, answer.reason, heard.trace)
    return Unavailable(answer.fault, answer.reason, heard.trace)


def _result(heard: _Heard | None, outcome: Code | None, person: LocalIdentity | None, calls: int) -> SearchResult:
    if heard is None:
        return Refused("INS-186", "given_names")
    told = heard.answer.individual
    if outcome is Code.FOUND and told is not None:
        return Found(told, heard.trace, differing(person, told) if person is not None else (), calls)
    if outcome is Code.FOUND:
        return Unavailable("unreadable", "CR 00 without INDIVIDU", heard.trace)
    if outcome is Code.SEVERAL:
        return Several(heard.trace, calls)
    return NotFound(heard.trace, calls)
