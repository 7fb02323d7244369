"""What pymap is told about this server: its capabilities, its words, no host name look-up, no threads of its own."""

from __future__ import annotations

import ssl
from argparse import Namespace
from collections.abc import Mapping, Sequence

from proxyprotocol.noop import ProxyProtocolNoop
from pymap.concurrent import Subsystem
from pymap.config import BackendCapability, IMAPConfig
from pymap.parsing.commands import Commands
from pysasl import SASLAuth
from pysasl.hashing import BuiltinHash
from pysasl.mechanism.external import ExternalMechanism
from pysasl.mechanism.login import LoginMechanism
from pysasl.mechanism.plain import PlainMechanism

from adapters.imap.commands import SafeCommands
from adapters.imap.limits import ImapLimits

PASSWORDS = SASLAuth([PlainMechanism(b"PLAIN"), LoginMechanism(b"LOGIN")])
PASSWORDS_OR_CERTIFICATE = SASLAuth(
    [PlainMechanism(b"PLAIN"), LoginMechanism(b"LOGIN"), ExternalMechanism(b"EXTERNAL")]
)
NOTHING_IN_CLEAR = SASLAuth([])


class ImapConfig(IMAPConfig):
    """The configuration of one service."""

    def __init__(self, context: ssl.SSLContext, limits: ImapLimits) -> None:
        super().__init__(
            Namespace(),
            host=None,
            port=0,
            ssl_context=context,
            tls_enabled=True,
            reject_dnsbl=False,
            hash_context=BuiltinHash(),
            cpu_subsystem=Subsystem.for_asyncio(),
            proxy_protocol=ProxyProtocolNoop(),
            max_append_len=limits.literal_bytes,  # until a login tells the workspace's own limit
        )
        self.limits = limits

    @property
    def commands(self) -> Commands:
        return SafeCommands()

    @property
    def greeting(self) -> bytes:
        return b"passerelle MSSante, bac a sable / sandbox."

    @property
    def initial_capability(self) -> Sequence[bytes]:
        return [*super().initial_capability, b"SASL-IR"]

    @property
    def login_capability(self) -> Sequence[bytes]:
        return [b"BINARY", b"UIDPLUS", b"MOVE", b"CHILDREN", *self.backend_capability]

    @property
    def backend_capability(self) -> BackendCapability:
        # no OBJECTID: a renamed folder would keep its identifier, which the store does not give
        return BackendCapability(
            idle=True, object_id=False, multi_append=True, custom=[b"SPECIAL-USE", b"NAMESPACE", b"UNSELECT"]
        )

    @property
    def id_response(self) -> Mapping[bytes, bytes]:
        return {b"name": b"passerelle", b"vendor": b"passerelle"}
