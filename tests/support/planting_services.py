"""Matricules planted at the HTTPS doors of a live gateway: the DMP, and INSi."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from adapters.clients.dmp import SENDER_OID, new_ids
from adapters.insi.client import CONTENT_TYPE as INSI_TYPE
from adapters.insi.routes import BASE as INSI_BASE
from adapters.pki.contexts import client_context
from adapters.pki.model import Profile
from adapters.soap.routes import BASE as DMP_BASE
from gateway.insi.asking import Envelope, Software, write_call
from gateway.insi.model import Operation, Traits
from gateway.sharing.build import build_get_documents, build_iti41, build_td02, deposit_lot, vihf_of
from tests.support.planting import planted_in
from tests.support.planting_mail import Out

EHPAD, PERSON = "ehpad-les-tilleuls", "delmas-suzanne"
Post = tuple[str, str, bytes]  # path below the base, content type, body


def dmp(made: Out, m: str) -> None:
    """Deposits and queries: each field of the VIHF and of the document, signed as planted; then each place of an envelope."""
    world = made.world
    structure, person = world.structure(EHPAD), world.patient(PERSON)
    author = next(p for p in world.territory.professionals.values() if EHPAD in p.structures)
    seal = world.authority.signer(world.certificates.structure(structure, Profile.SIGN))
    vihf = vihf_of(structure, author, person.matricule, person.oid, datetime.now(UTC))
    record = world.record("dlu", person, structure, author)

    def lot(**changes: Any) -> Any:
        return deposit_lot(replace(record, **changes), f"2.25.{uuid4().int}", record.at)

    claims = [replace(vihf, **{name: f"x{m}"}) for name in _texts(vihf)]
    claims.append(replace(vihf, resource_id=vihf.resource_id.replace(person.matricule, m)))
    posts: list[Post] = [("/repository", *build_iti41(lot(), claim, seal, new_ids())) for claim in claims]
    names = [name for name in _texts(record) if name != "confidentiality"]  # a code of a table
    posts += [("/repository", *build_iti41(lot(**{n: f"1.2.250.{m}"}), vihf, seal, new_ids())) for n in names]
    content_type, good = build_iti41(lot(), vihf, seal, new_ids())
    posts.append(("/repository", content_type.replace("boundary=", f'x="{m}"; boundary='), good))
    posts += [("/repository", m, good), ("/registry", "application/soap+xml", f"<a b='{m}'>{m}".encode())]
    posts.append(("/patients", *build_td02(m, person.oid, SENDER_OID, vihf, seal, new_ids(), datetime.now(UTC))))
    for wanted in (f"1.2.{m}", "1.2.3"):
        asked = build_get_documents(vihf, seal, new_ids(), unique_ids=[wanted], return_type="ObjectRef")
        posts.append(("/registry", *asked))
    posts += [("/registry", asked[0], changed) for _, changed in planted_in(asked[1], f"x{m}")]
    shown = world.certificates.structure(structure, Profile.AUTH_CLIENT)
    asyncio.run(_post(made, DMP_BASE, client_context(world.authority, shown), posts))


def _texts(value: Any) -> list[str]:
    return [f.name for f in fields(value) if isinstance(getattr(value, f.name), str)]


def insi(made: Out, m: str) -> None:
    """Calls of INSi: each place of the envelope."""
    world = made.world
    call = write_call(
        Operation.TRAITS,
        Traits("DELMAS", ("SUZANNE",), "F", "1939-03-08"),
        Software(f"x{m}", f"x{m}", f"x{m}", f"x{m}", f"x{m}"),
        Envelope(f"urn:uuid:{m}", m, datetime.now(UTC)),
    )
    posts: list[Post] = [("", INSI_TYPE, call), ("", m, call), (f"/{m}", INSI_TYPE, call)]
    posts += [("", INSI_TYPE, f"<a b='{m}'>".encode())]
    posts += [("", INSI_TYPE, changed) for _, changed in planted_in(call, f"x{m}")]
    shown = world.certificates.structure(world.structure(EHPAD), Profile.AUTH_CLIENT)
    asyncio.run(_post(made, INSI_BASE, client_context(world.authority, shown), posts))


async def _post(made: Out, base: str, tls: ssl.SSLContext, posts: list[Post]) -> None:
    url = f"https://localhost:{made.gateway.port('https')}{base}"
    async with httpx.AsyncClient(verify=tls, timeout=60, trust_env=False) as http:
        for path, content_type, body in posts:
            headers = {"Content-Type": content_type, "SOAPAction": content_type, "User-Agent": content_type}
            answer = await http.post(f"{url}{path}", content=body, headers=headers)
            made.keep("soap", f"{answer.headers} {answer.text}")
