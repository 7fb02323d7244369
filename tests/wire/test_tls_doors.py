"""A small server with our contexts, called over real sockets by Python's ssl and by openssl."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.pki.asyncio_tls import send_alerts
from adapters.pki.authority import Authority
from adapters.pki.contexts import Contexts, client_context, peer_of, server_context, shrink_tls_buffers, tls_object
from adapters.pki.doctor import explain_certificate, explain_handshake
from adapters.pki.handshakes import ALERTS, Handshakes, certificates_in
from adapters.pki.model import Fault, Issued, Profile, Subject
from gateway.messaging.trust import HandshakeFailure, PeerCertificate
from gateway.sandbox.model import TlsMode
from tests.support.authority import OPERATOR, SERVER, operator_certificate, server_certificate, shared_authority
from tests.support.reference import need_tool

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@dataclass
class Door:
    """What the server saw: one peer for each completed handshake, one failure for each refused one."""

    port: int = 0
    peers: list[PeerCertificate | None] = field(default_factory=list)
    failures: list[HandshakeFailure] = field(default_factory=list)
    context: ssl.SSLContext | None = None


@contextmanager
def door(make: ssl.SSLContext, saw: Door) -> Iterator[Door]:
    """A server in its own thread that answers its peer's DN, one line, then closes."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = peer_of(writer)
        saw.peers.append(peer)
        writer.write((peer.dn if peer else "personne").encode() + b"\n")
        await writer.drain()
        writer.close()

    async def start() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=make)
        saw.port = server.sockets[0].getsockname()[1]
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(lambda _loop, _context: None)
        loop.run_until_complete(start())
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield saw
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@pytest.fixture(autouse=True)
def _alerts() -> None:
    send_alerts()


def watched(mode: TlsMode = TlsMode.APPLICATION, authority: Authority | None = None) -> tuple[ssl.SSLContext, Door]:
    saw = Door()
    home = authority or shared_authority()
    shown = home.find("server") or server_certificate()
    context = server_context(home, shown, mode=mode, handshakes=Handshakes(saw.failures.append))
    return context, saw


def caller(
    issued: Issued | None, version: ssl.TLSVersion | None = None, authority: Authority | None = None
) -> ssl.SSLContext:
    """A client that trusts our root and shows a certificate, without using the product's client context."""
    home = authority or shared_authority()
    context = ssl.create_default_context(cafile=str(home.bundle_path))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if issued is not None:
        context.load_cert_chain(home.chain_path(issued), home.key_path(issued))
    return context


def call(port: int, context: ssl.SSLContext, name: str = "localhost") -> str:
    import socket

    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=name) as tls,
    ):
        return tls.recv(4096).decode().strip()


def refused(port: int, context: ssl.SSLContext) -> str:
    """What the client learns of a refused handshake: TLS 1.2 while it connects, TLS 1.3 at its first read."""
    with pytest.raises((ssl.SSLError, ConnectionError)) as raised:
        call(port, context)
    return str(raised.value)


def reasons(saw: Door, authority: Authority | None = None) -> list[str]:
    """The rules that explain the only failed handshake the door saw."""
    (failure,) = saw.failures
    return [f.rule for f in explain_handshake(authority or shared_authority(), failure, now=datetime.now(UTC))]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_good_certificate_is_read_with_its_chain(version: ssl.TLSVersion) -> None:
    context, saw = watched()
    issued = operator_certificate()
    with door(context, saw):
        assert call(saw.port, caller(issued, version)) == issued.dn
    (peer,) = saw.peers
    assert peer is not None
    assert peer.fingerprint == issued.fingerprint
    assert peer.chain == (shared_authority().org_der,)
    assert saw.failures == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_without_certificate_comes_in_to_be_told_why_it_may_not_speak(version: ssl.TLSVersion) -> None:
    context, saw = watched()
    with door(context, saw):
        assert call(saw.port, caller(None, version)) == "personne"
    assert saw.peers == [None]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (Fault.EXPIRED, "GW-TLS-02"),
        (Fault.NOT_YET_VALID, "GW-TLS-03"),
        (Fault.REVOKED, "GW-TLS-04"),
        (Fault.OTHER_CA, "GW-TLS-05"),
        (Fault.LOOKALIKE, "GW-TLS-18"),
    ],
)
def test_in_application_mode_a_bad_certificate_passes_the_handshake_and_is_judged_in_words(
    version: ssl.TLSVersion, fault: Fault, rule: str
) -> None:
    issued = operator_certificate(fault)
    context, saw = watched()
    with door(context, saw):
        assert call(saw.port, caller(issued, version)) == issued.dn
    (peer,) = saw.peers
    assert peer is not None
    findings = explain_certificate(shared_authority(), peer.der, now=datetime.now(UTC))
    assert [f.rule for f in findings] == [rule]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("fault", "alert", "rule"),
    [
        (Fault.EXPIRED, "certificate_expired", "GW-TLS-02"),
        (Fault.REVOKED, "certificate_revoked", "GW-TLS-04"),
        (Fault.OTHER_CA, "unknown_ca", "GW-TLS-05"),
        (Fault.LOOKALIKE, "unknown_ca", "GW-TLS-18"),
    ],
)
def test_in_production_mode_it_meets_an_alert_and_the_reason_is_known_all_the_same(
    version: ssl.TLSVersion, fault: Fault, alert: str, rule: str
) -> None:
    issued = operator_certificate(fault)
    context, saw = watched(TlsMode.PRODUCTION)
    with door(context, saw):
        told = refused(saw.port, caller(issued, version))
    assert alert.replace("_", " ").replace("unknown ca", "unknown ca") in told.replace("_", " ").lower()
    assert saw.peers == []
    (failure,) = saw.failures
    assert (failure.alert, failure.by_us, failure.server_side) == (alert, True, True)
    assert failure.peer is not None
    assert failure.peer.fingerprint == issued.fingerprint
    assert reasons(saw) == [rule]


def test_in_production_mode_a_good_certificate_passes() -> None:
    context, saw = watched(TlsMode.PRODUCTION)
    with door(context, saw):
        assert call(saw.port, caller(operator_certificate())) == operator_certificate().dn


@pytest.mark.parametrize("version", VERSIONS)
def test_an_authority_nobody_here_knows_meets_an_alert_in_both_modes(tmp_path: Path, version: ssl.TLSVersion) -> None:
    stranger = Authority.open(tmp_path)
    issued = stranger.issue(Profile.SERVER, OPERATOR, key="a")
    client = caller(issued, version, stranger)
    client.load_verify_locations(cadata=shared_authority().bundle_pem().decode())
    context, saw = watched()
    with door(context, saw):
        refused(saw.port, client)
    (failure,) = saw.failures
    assert failure.alert in ("unknown_ca", "decrypt_error", "bad_certificate")
    assert reasons(saw) == ["GW-TLS-18"], "its issuer bears the name of our authority, and is not it"


def test_a_certificate_made_for_mail_is_refused_in_the_handshake_and_explained() -> None:
    context, saw = watched()
    with door(context, saw):
        refused(saw.port, caller(operator_certificate(Fault.WRONG_EKU)))
    assert reasons(saw) == ["GW-TLS-09"]


def test_a_client_that_does_not_know_our_root_is_heard_saying_so() -> None:
    context, saw = watched()
    with door(context, saw), pytest.raises(ssl.SSLCertVerificationError):
        call(saw.port, ssl.create_default_context())
    (failure,) = saw.failures
    assert (failure.alert, failure.by_us) == ("unknown_ca", False)
    assert reasons(saw) == ["GW-TLS-20"]


def test_octets_that_are_no_tls_do_not_disturb_the_door() -> None:
    import socket

    context, saw = watched()
    with door(context, saw):
        with socket.create_connection(("127.0.0.1", saw.port), timeout=10) as raw:
            raw.sendall(b"EHLO nulle.part\r\n")
            raw.recv(1024)
        assert call(saw.port, caller(None)) == "personne"


# --------------------------------------------------------------------------------------------------------------- openssl


def s_client(port: int, *arguments: str) -> str:
    tool = need_tool("openssl", "apt-get install openssl")
    command = [tool, "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", *arguments]
    done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=30)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def shown(issued: Issued) -> tuple[str, ...]:
    authority = shared_authority()
    return ("-cert", str(authority.chain_path(issued)), "-key", str(authority.key_path(issued)))


def test_openssl_verifies_our_chain_and_is_asked_for_a_certificate() -> None:
    context, saw = watched()
    issued = operator_certificate()
    with door(context, saw):
        bundle = str(shared_authority().bundle_path)
        said = s_client(saw.port, "-CAfile", bundle, "-verify_hostname", "localhost", "-ign_eof", *shown(issued))
    assert "Verify return code: 0 (ok)" in said
    assert issued.dn in said


@pytest.mark.parametrize("flags", [("-tls1_2",), ("-tls1_3",)])
def test_openssl_meets_the_alert_of_a_revoked_certificate(flags: tuple[str, ...]) -> None:
    context, saw = watched(TlsMode.PRODUCTION)
    with door(context, saw):
        said = s_client(saw.port, "-ign_eof", *flags, *shown(operator_certificate(Fault.REVOKED)))
    assert "alert certificate revoked" in said
    assert reasons(saw) == ["GW-TLS-04"]


def test_old_versions_of_tls_are_refused_and_named() -> None:
    context, saw = watched()
    with door(context, saw):
        said = s_client(saw.port, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "alert protocol version" in said
    assert reasons(saw) == ["GW-TLS-21"]


def test_a_client_with_old_ciphers_only_is_refused_and_told_which_to_use() -> None:
    context, saw = watched()
    with door(context, saw):
        s_client(saw.port, "-tls1_2", "-cipher", "AES128-SHA:AES256-SHA")
    assert reasons(saw) == ["GW-TLS-22"]


@pytest.mark.parametrize("cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"])
def test_the_ciphers_of_the_trust_space_are_served(cipher: str) -> None:
    context, saw = watched()
    with door(context, saw):
        said = s_client(saw.port, "-tls1_2", "-cipher", cipher)
    assert f"Cipher    : {cipher}" in said


def test_a_resumed_session_still_shows_the_certificate_it_was_opened_with(tmp_path: Path) -> None:
    """TLS 1.2 resumes without a new proof: the judge must see the same certificate, and a revocation must end it."""
    context, saw = watched()
    issued, ticket = operator_certificate(), str(tmp_path / "session")
    with door(context, saw):
        s_client(saw.port, "-tls1_2", "-sess_out", ticket, *shown(issued))
        assert "Reused, TLSv1.2" in s_client(saw.port, "-tls1_2", "-sess_in", ticket)
    assert [peer.fingerprint for peer in saw.peers if peer] == [issued.fingerprint] * 2
    fresh, saw = watched()
    with door(fresh, saw):
        assert "New, TLSv1.2" in s_client(saw.port, "-tls1_2", "-sess_in", ticket)


# -------------------------------------------------------------------------------------------------------------- contexts


def test_a_revocation_makes_a_new_context_and_the_next_connection_is_refused(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    server = authority.issue(Profile.SERVER, SERVER, key="server")
    client = authority.issue(Profile.SERVER, OPERATOR, key="client")
    saw = Door()
    contexts = Contexts(authority, mode=TlsMode.PRODUCTION, handshakes=Handshakes(saw.failures.append))
    before = contexts.server(server)
    assert contexts.server(server) is before
    with door(before, saw):
        assert call(saw.port, caller(client, authority=authority)) == client.dn
    authority.revoke(client)
    after = contexts.server(server)
    assert after is not before
    with door(after, saw):
        refused(saw.port, caller(client, authority=authority))
    assert reasons(saw, authority) == ["GW-TLS-04"]


def test_several_hosts_share_a_port_and_each_shows_its_own_certificate() -> None:
    authority = shared_authority()
    other_subject = Subject("mx.operateur-c.example", "OPERATEUR C", "1999999992", "Paris (75)")
    other = authority.ensure(Profile.SERVER, other_subject, key="server:c")
    saw = Door()
    contexts = Contexts(authority, handshakes=Handshakes(saw.failures.append))
    context = contexts.server(server_certificate(), sni={"MX.operateur-c.example": other})
    with door(context, saw):
        for name, expected in (
            ("mx.operateur-b.example", "mx.operateur-b.example"),
            ("mx.operateur-c.example", "mx.operateur-c.example"),
            ("localhost", "mx.operateur-b.example"),
        ):
            issued = operator_certificate(Fault.EXPIRED)
            assert call(saw.port, caller(issued), name) == issued.dn
            said = s_client(saw.port, "-servername", name)
            assert f"CN = {expected}" in said


def test_our_client_context_reaches_our_server_context_and_each_reads_the_other() -> None:
    authority = shared_authority()
    context, saw = watched()
    with door(context, saw):
        import socket

        client = client_context(authority, operator_certificate())
        with socket.create_connection(("127.0.0.1", saw.port), timeout=10) as raw:
            tls = client.wrap_socket(raw, server_hostname="mx.operateur-b.example")
            server = peer_of(tls)
            assert tls.recv(100).decode().strip() == operator_certificate().dn
            tls.close()
    assert server is not None
    assert server.dn == server_certificate().dn


@pytest.mark.parametrize(
    ("mode", "fault", "refused"),
    [
        (TlsMode.APPLICATION, Fault.EXPIRED, False),
        (TlsMode.PRODUCTION, Fault.EXPIRED, True),
        (TlsMode.PRODUCTION, Fault.REVOKED, True),
        (TlsMode.PRODUCTION, Fault.NONE, False),
    ],
)
def test_our_client_judges_a_server_in_words_or_by_alert(mode: TlsMode, fault: Fault, refused: bool) -> None:
    authority, saw, seen = shared_authority(), Door(), Handshakes()
    context = server_context(authority, operator_certificate(fault))
    client = client_context(authority, None, mode=mode, handshakes=seen)
    with door(context, saw):
        if refused:
            with pytest.raises(ssl.SSLCertVerificationError):
                call(saw.port, client)
        else:
            assert call(saw.port, client) == "personne"


async def test_starttls_and_implicit_tls_look_alike() -> None:
    """The upgrade as aiosmtpd and asyncio do it: `peer_of` is asked of the transport in both cases."""
    issued = operator_certificate()
    context = server_context(shared_authority(), server_certificate())
    seen: list[PeerCertificate | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(peer_of(writer.transport))
        await reader.readline()
        writer.write(b"220 go\n")
        await writer.drain()
        await writer.start_tls(context)
        seen.append(peer_of(writer.transport))
        seen.append(peer_of({"ssl_object": tls_object(writer)}))
        writer.write(b"done\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"STARTTLS\n")
    assert await reader.readline() == b"220 go\n"
    await writer.start_tls(caller(issued), server_hostname="localhost")
    assert await reader.readline() == b"done\n"
    writer.close()
    server.close()
    assert seen[0] is None
    assert [peer.fingerprint for peer in seen[1:] if peer] == [issued.fingerprint] * 2
    assert peer_of(None) is None


# -------------------------------------------------------------------------------------------------------------- contract


def test_the_private_callback_of_the_ssl_module_is_where_we_expect_it() -> None:
    """Contract with CPython: if this fails after an upgrade, `Handshakes.watch` is what must follow."""
    raw = ssl.SSLContext.__mro__[1].__dict__["_msg_callback"]
    assert hasattr(raw, "__set__")
    context, saw = watched(TlsMode.PRODUCTION)
    with door(context, saw):
        refused(saw.port, caller(operator_certificate(Fault.EXPIRED)))
    (failure,) = saw.failures
    assert failure.peer is not None
    assert failure.peer.chain == (shared_authority().org_der,)


def test_the_failure_of_one_connection_is_found_by_its_tls_object() -> None:
    """What a STARTTLS door does: it holds the SSLObject of the connection that failed."""
    authority, seen = shared_authority(), Handshakes()
    server = server_context(authority, server_certificate(), mode=TlsMode.PRODUCTION, handshakes=seen)
    client = caller(operator_certificate(Fault.EXPIRED), ssl.TLSVersion.TLSv1_2)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname="localhost")

    def exchange() -> None:
        for side in (theirs, ours) * 20:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()

    with pytest.raises(ssl.SSLError):
        exchange()
    failure = seen.of(ours)
    assert failure is not None
    assert failure.alert == "certificate_expired"
    assert failure.peer is not None
    assert seen.chain_of(ours)[0] == failure.peer.der
    assert seen.of(theirs) is None
    assert seen.of("autre chose") is None


def test_an_observer_that_fails_does_not_disturb_the_handshakes_of_others() -> None:
    def broken(_: HandshakeFailure) -> None:
        raise RuntimeError

    context = server_context(
        shared_authority(), server_certificate(), mode=TlsMode.PRODUCTION, handshakes=Handshakes(broken)
    )
    saw = Door()
    with door(context, saw):
        refused(saw.port, caller(operator_certificate(Fault.EXPIRED)))
        assert call(saw.port, caller(operator_certificate())) == operator_certificate().dn


@pytest.mark.parametrize("tls13", [True, False])
def test_a_certificate_message_cut_anywhere_gives_only_whole_certificates(tls13: bool) -> None:
    der = b"\x30" * 300
    entry = len(der).to_bytes(3) + der + (b"\0\0" if tls13 else b"")
    body = (b"\0" if tls13 else b"") + (2 * len(entry)).to_bytes(3) + entry * 2
    message = b"\x0b" + len(body).to_bytes(3) + body
    assert certificates_in(message, tls13=tls13) == (der, der)
    for cut in range(len(message)):
        found = certificates_in(message[:cut], tls13=tls13)
        assert set(found) <= {der}
    assert certificates_in(b"", tls13=tls13) == ()


def test_alert_names_are_those_python_knows() -> None:
    for code, name in ALERTS.items():
        known = getattr(ssl, f"ALERT_DESCRIPTION_{name.upper()}", None)
        assert known is None or known == code


def test_the_alert_of_a_refusal_leaves_once_only_however_often_it_is_asked_for() -> None:
    from asyncio.sslproto import SSLProtocol

    send_alerts()
    corrected = SSLProtocol._on_handshake_complete
    send_alerts()
    assert SSLProtocol._on_handshake_complete is corrected


def test_tls_buffers_of_asyncio_can_be_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio.sslproto

    monkeypatch.setattr(asyncio.sslproto.SSLProtocol, "max_size", asyncio.sslproto.SSLProtocol.max_size)
    shrink_tls_buffers(32 * 1024)
    assert asyncio.sslproto.SSLProtocol.max_size == 32 * 1024
    context, saw = watched()
    with door(context, saw):
        assert call(saw.port, caller(operator_certificate())) == operator_certificate().dn
