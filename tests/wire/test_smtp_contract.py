"""What the SMTP adapter leans on in aiosmtpd, aiosmtplib and asyncio without their promising it. If one of these tests fails
after an upgrade, read `adapters/smtp/wire.py`, `tls.py` and `link.py` before anything else."""

from __future__ import annotations

import asyncio
import inspect
from asyncio import sslproto

import aiosmtpd
import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session
from aiosmtplib.protocol import FlowControlMixin, SMTPProtocol

from adapters.smtp.door import Conversation, Transaction
from adapters.smtp.server import _COMMANDS, MssSmtp
from adapters.smtp.tls import SmallSslProtocol


def test_the_versions_are_those_the_adapter_was_written_for() -> None:
    assert aiosmtpd.__version__.startswith("1.4.")
    assert aiosmtplib.__version__.startswith("5.")


def test_the_server_is_an_aiosmtpd_server_and_overrides_every_command_it_has() -> None:
    assert issubclass(MssSmtp, SMTP)
    assert issubclass(Conversation, Session)
    assert issubclass(Transaction, Envelope)
    commands = {name.removeprefix("smtp_") for name in dir(SMTP) if name.startswith("smtp_")}
    assert commands <= set(_COMMANDS)
    assert all(getattr(MssSmtp, f"smtp_{name}") is not getattr(SMTP, f"smtp_{name}") for name in commands)


def test_the_hooks_that_are_overridden_still_exist_upstream() -> None:
    for name in ("_handle_client", "_create_session", "_create_envelope", "_set_rset_state", "_timeout_cb", "push"):
        assert name in vars(SMTP), name
    for name in ("connection_made", "connection_lost", "eof_received"):
        assert name in vars(MssSmtp.__mro__[1]), name


async def test_a_connection_lives_without_the_constructors_of_its_ancestors() -> None:
    """`__del__` of aiosmtpd and asyncio must bear the absence of `_closed`."""
    assert 'getattr(self, "_closed", None)' in inspect.getsource(SMTP.__del__)
    assert set(inspect.signature(asyncio.StreamReaderProtocol.data_received).parameters) == {"self", "data"}


def test_the_tls_layer_takes_the_arguments_and_has_the_attributes_used() -> None:
    arguments = inspect.signature(sslproto.SSLProtocol.__init__).parameters
    assert {
        "server_side",
        "server_hostname",
        "call_connection_made",
        "ssl_handshake_timeout",
        "ssl_shutdown_timeout",
    } <= set(arguments)
    source = inspect.getsource(sslproto.SSLProtocol)
    for name in ("self._app_transport", "self._sslobj", "self.max_size"):
        assert name in source, name
    assert (
        SmallSslProtocol.max_size == 32 * 1024 < sslproto.SSLProtocol.max_size
        or sslproto.SSLProtocol.max_size == 32 * 1024
    )


def test_the_client_library_has_the_private_names_used_to_send_data() -> None:
    source = inspect.getsource(SMTPProtocol)
    for name in ("_command_lock", "_response_pending", "_response_waiter", "_buffer", "_over_ssl"):
        assert f"self.{name}" in source, name
    assert "_drain_helper" in vars(FlowControlMixin)
    assert "_reset_server_state" in vars(aiosmtplib.SMTP)
