"""A DMP client: deposits, tests existence and searches over HTTPS with a client certificate.

Used by the story, by `passerelle` commands and by tests; it speaks to any server that speaks the DMP's transactions.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from uuid import uuid4

import httpx

from adapters.soap.routes import BASE
from gateway.documents.build_metadata import Lot
from gateway.sharing.answer_read import DmpAnswer, read_answer
from gateway.sharing.build import (
    RequestIds,
    build_find_documents,
    build_get_documents,
    build_iti41,
    build_td02,
)
from gateway.sharing.vihf import Vihf, patient_id
from gateway.soap.signing import Seal

SENDER_OID = "1.2.250.1.999.48.3"


def new_ids() -> RequestIds:
    """Fresh identifiers for one request; the signature's OID is a UUID under 2.25."""
    return RequestIds(str(uuid4()), str(uuid4()), f"2.25.{uuid4().int}")


class DmpClient:
    """One software towards one DMP. `seal` signs VIHF and lots; `tls` holds the authentication certificate.

    `url` is the server's root (`https://127.0.0.1:8443`). `now` is the clock that stamps requests.
    """

    def __init__(
        self,
        url: str,
        tls: ssl.SSLContext,
        seal: Seal,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ids: Callable[[], RequestIds] = new_ids,
        timeout_s: float = 30.0,
    ) -> None:
        self._seal, self._now, self._ids = seal, now, ids
        self._http = httpx.AsyncClient(base_url=url.rstrip("/") + BASE, verify=tls, timeout=timeout_s, trust_env=False)

    async def __aenter__(self) -> DmpClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def send(self, endpoint: str, content_type: str, body: bytes) -> DmpAnswer:
        """Post one ready request. Raises httpx.TransportError when no answer came."""
        response = await self._http.post(f"/{endpoint}", content=body, headers={"Content-Type": content_type})
        return read_answer(response.status_code, response.content)

    async def deposit(self, lot: Lot, vihf: Vihf, *, sign: bool = True) -> DmpAnswer:
        """TD2.1: deposit a lot."""
        return await self.send("repository", *build_iti41(lot, vihf, self._seal, self._ids(), sign=sign))

    async def exists(self, matricule: str, oid: str, vihf: Vihf) -> DmpAnswer:
        """TD0.2: does the patient have a DMP, and may the caller read it."""
        request = build_td02(matricule, oid, SENDER_OID, vihf, self._seal, self._ids(), self._now())
        return await self.send("patients", *request)

    async def find(self, matricule: str, oid: str, vihf: Vihf, *, statuses: Sequence[str] = ("Approved",)) -> DmpAnswer:
        """TD3.1a: the documents of a patient."""
        cx = patient_id(matricule, oid)
        return await self.send("registry", *build_find_documents(cx, vihf, self._seal, self._ids(), statuses=statuses))

    async def resolve(self, unique_ids: Sequence[str], vihf: Vihf, *, whole: bool = False) -> DmpAnswer:
        """TD3.1b: the entryUUID of documents known by their uniqueId (`whole` asks for the entries themselves)."""
        returned = "LeafClass" if whole else "ObjectRef"
        request = build_get_documents(vihf, self._seal, self._ids(), unique_ids=unique_ids, return_type=returned)
        return await self.send("registry", *request)
