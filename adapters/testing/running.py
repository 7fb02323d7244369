"""A gateway started in its own process: where its doors are, and how to ask it what it saw."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import imaplib
    import smtplib
    from contextlib import AbstractContextManager

    from adapters.testing.clients import Reply

PORTS = ("SMTP", "SUBMISSION", "IMAP", "IMAPS", "HTTPS", "HTTP")
FREE_PORTS = {f"PASSERELLE_PORTS__{name}": "0" for name in PORTS}


class GatewayDidNotStart(RuntimeError):
    """The process ended, or was not ready in time; the message holds the end of its output."""


@dataclass(slots=True)
class RunningGateway:
    """A live gateway. `run` is its run.json: pid, token, ports by door (`smtp:<operator>`, `submission`, `http`, …)."""

    process: subprocess.Popen[bytes]
    data: Path
    run: Mapping[str, Any]

    def port(self, door: str) -> int:
        """The port of one door."""
        return int(self.run["ports"][door])

    @property
    def url(self) -> str:
        """The base of the control API."""
        return f"http://127.0.0.1:{self.port('http')}/api/v1"

    @property
    def headers(self) -> dict[str, str]:
        """What every API call must send."""
        return {"Authorization": f"Bearer {self.run['token']}"}

    def get(self, path: str, **params: Any) -> Any:
        """GET one API resource as JSON; raises httpx.HTTPStatusError on a refusal."""
        import httpx

        answer = httpx.get(f"{self.url}{path}", params=params, headers=self.headers, timeout=150)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST one API resource; the answer as JSON, None when it is empty."""
        import httpx

        answer = httpx.post(f"{self.url}{path}", json=body, headers=self.headers, timeout=150)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def wait_for(self, **wanted: Any) -> Any:
        """The first exchange that matches (`door`, `participant`, `rule`, `message_id`, `until`, `timeout_s`, …)."""
        return self.post("/wait", wanted)

    def reset(self, *, actors: bool = False) -> None:
        """Empty the workspace; with `actors`, also forget those that were added."""
        self.post("/reset", {"actors": actors})

    @property
    def ca_file(self) -> Path:
        """The certificates of the sandbox's TEST authority (PEM): what a client of any door must believe."""
        return self.data / "pki" / "bundle.pem"

    def password(self, address: str) -> str:
        """The application password of a shipped mailbox. Raises KeyError for one that has none."""
        from gateway.directory.territory import demo_passwords

        return demo_passwords()[address]

    def smtp(self, sender: str, password: str = "") -> AbstractContextManager[smtplib.SMTP]:
        """An authenticated session at the submission door."""
        from adapters.testing.clients import smtp_session, tls_context

        login = (sender, password or self.password(sender))
        return smtp_session(self.port("submission"), tls_context(self.ca_file), login)

    def submit(self, raw: bytes, sender: str, *recipients: str, password: str = "") -> Reply:
        """Send one mail as its sender's software would; what the server answered."""
        from adapters.testing.clients import send

        with self.smtp(sender, password) as client:
            return send(client, raw, sender, recipients)

    def imap(self, address: str, password: str = "") -> AbstractContextManager[imaplib.IMAP4]:
        """A session in the inbox of a mailbox."""
        from adapters.testing.clients import imap_session, tls_context

        return imap_session(self.port("imap"), tls_context(self.ca_file), (address, password or self.password(address)))

    def kill(self) -> None:
        """kill -9: what was acknowledged must survive."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ctrl-C, then wait; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextlib.contextmanager
def start_gateway(
    data: Path, settings: Mapping[str, str] | None = None, timeout_s: float = 60
) -> Iterator[RunningGateway]:
    """Start a gateway on free ports in `data`, stop it at the end. `settings` are `PASSERELLE_…` variables."""
    running = launch(data, settings, timeout_s)
    try:
        yield running
    finally:
        running.stop()


def launch(data: Path, settings: Mapping[str, str] | None = None, timeout_s: float = 60) -> RunningGateway:
    """Start and wait until ready. Raises GatewayDidNotStart."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    run_file = data / "run.json"
    run_file.unlink(missing_ok=True)
    log_file = data / "gateway.log"
    log_file.touch(mode=0o600)
    log = log_file.open("ab")
    environment = {**os.environ, **FREE_PORTS, **(settings or {})}
    command = [sys.executable, "-m", "adapters.cli.main", "up", "--data", str(data)]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    log.close()
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if run_file.exists() and (run := _ready(run_file, process.pid)) is not None:
            return RunningGateway(process, data, run)
        time.sleep(0.02)
    process.kill()
    process.wait()
    tail = (data / "gateway.log").read_text(encoding="utf-8", errors="replace")[-3000:]
    raise GatewayDidNotStart(tail)


def _ready(run_file: Path, pid: int) -> Mapping[str, Any] | None:
    """run.json is written, whole, once every door listens."""
    try:
        run: Mapping[str, Any] = json.loads(run_file.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return run if run.get("pid") == pid else None
