"""What an exchange held, opened once more from its stored octets: what they hold is a pure function of them."""

from __future__ import annotations

from adapters.api.known import ApiContext
from adapters.api.problems import Problem
from gateway.exchange.deposit_checking import cdas_of, views_of
from gateway.exchange.model import OpenedMessage, Payload
from gateway.exchange.opening import open_message
from gateway.ports import ExchangeRow
from gateway.sandbox.model import SignatureMode
from gateway.sharing.opening import Endpoint, OpenSettings, open_request
from gateway.soap.certificates import TrustStore
from gateway.values import Text

_GONE = Text(
    "les octets ont été purgés, ou ne correspondent plus à leur empreinte",
    "the octets were purged, or do not match their digest any more",
)
_DMP_KINDS = {"iti-41": Endpoint.REPOSITORY, "iti-18": Endpoint.REGISTRY, "td0.2": Endpoint.PATIENTS}


async def raw_of(known: ApiContext, row: ExchangeRow) -> bytes:
    """The octets of an exchange, or a 410 problem when they are gone or damaged."""
    data = await known.store.blob(row.workspace, row.sha256)
    if data is None:
        raise Problem(410, "bytes-gone", _GONE)
    return data


async def open_again(known: ApiContext, row: ExchangeRow) -> OpenedMessage:
    """Open the stored octets as the door did."""
    payload = Payload(row.size_bytes, row.sha256, await raw_of(known, row))
    limits = known.sandboxes.policy(row.workspace).limits
    kind = str(row.summary.get("kind", "mail"))
    if kind not in _DMP_KINDS:
        return await known.offload.open(open_message, payload, kind, None, limits)
    content_type = str(row.summary.get("attributes", {}).get("content_type", ""))
    settings = OpenSettings(limits, TrustStore(()), row.at, SignatureMode.OFF, lenient=True)
    return await known.offload.open(opened_request, payload, kind, content_type, settings)


def opened_request(body: bytes, kind: str, content_type: str, settings: OpenSettings) -> OpenedMessage:
    """A DMP request as an opened message: its lot, and who each of its containers says the patient is."""
    request = open_request(body, content_type, _DMP_KINDS[kind], settings)
    lot = request.lot
    claimed = request.told.view() if request.told is not None else None
    views = (*((claimed,) if claimed is not None else ()), *(views_of(lot) if lot is not None else ()))
    if lot is None:
        return OpenedMessage(kind=kind, views=views)
    documents = tuple(cda for _, cda in cdas_of(lot))
    return OpenedMessage(kind=kind, metadata=(lot.metadata,), documents=documents, views=views)
