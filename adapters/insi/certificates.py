"""The software certificate with which a structure of the sandbox calls INSi: its CN is INSI-AUTO or INSI-MANU."""

from __future__ import annotations

import asyncio

from adapters.pki.authority import Authority
from adapters.pki.model import Issued, Profile, Subject
from adapters.provision import STATE
from adapters.sandboxes import LiveSandboxes
from gateway.directory.model import Structure
from gateway.sandbox.model import DEFAULT_WORKSPACE


def software_certificate(
    authority: Authority, structure: Structure, workspace: str = DEFAULT_WORKSPACE, *, manual: bool = False
) -> Issued:
    """The certificate, made at first need. `manual` is for calls a person starts (INSI-MANU)."""
    name = "INSI-MANU" if manual else "INSI-AUTO"
    subject = Subject(name, structure.name, structure.struct_id_nat, STATE)
    key = f"structure:{structure.key}:{name.lower()}"
    key = key if workspace == DEFAULT_WORKSPACE else f"{workspace}/{key}"
    return authority.ensure(Profile.AUTH_CLIENT, subject, key=key, workspace=workspace)


async def attributed_certificate(
    authority: Authority, sandboxes: LiveSandboxes, structure: Structure, workspace: str = DEFAULT_WORKSPACE
) -> Issued:
    """The certificate, known as the workspace's: doors find the workspace of a caller by its fingerprint."""
    issued = await asyncio.to_thread(software_certificate, authority, structure, workspace)
    if not sandboxes.workspace_of_certificate(issued.fingerprint):
        await sandboxes.put(workspace, [("certificate", issued.fingerprint, {"key": issued.key, "dn": issued.dn})])
    return issued
