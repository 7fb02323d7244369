"""A throw-away PostgreSQL for tests: its own cluster, on a socket folder and a loopback port, gone at the end.

The server refuses to run as root, so under root its commands go through `runuser -u postgres`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

from tests.support.reference import need_tool

INSTALL = "apt-get install postgresql"
USER = "passerelle"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server. `folder` holds its data; `port` is on 127.0.0.1."""

    folder: Path
    port: int
    pg_ctl: str
    durable: bool = False

    def url(self, database: str = "postgres") -> str:
        """The `storage.url` of a database of this server."""
        return f"postgresql://{USER}:unused@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Create an empty database; returns its `storage.url`."""
        import psycopg

        name = f"t_{uuid4().hex[:12]}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database made by `new_database`, and whoever is still connected to it."""
        import psycopg

        name = url.rpartition("/")[2]
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-k {self.folder} -p {self.port} -c listen_addresses=127.0.0.1 -c max_connections=60"
        options += "" if self.durable else " -c fsync=off"
        self._ctl("start", "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop; `immediate` is a crash."""
        self._ctl("stop", "-w", "-m", mode)

    def _ctl(self, *arguments: str) -> None:
        run_as_server([self.pg_ctl, "-D", str(self.folder / "data"), *arguments])


def run_as_server(command: list[str]) -> None:
    """Run a server command as a user it accepts; raises with its output when it fails."""
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout}")


@contextlib.contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A server for the time of a `with`; skips the test when PostgreSQL is not on the machine.

    Unless `durable`, it does not wait for the disk: enough for tests, whose machine does not lose power.
    """
    initdb = need_tool("initdb", INSTALL)
    pg_ctl = need_tool("pg_ctl", INSTALL)
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    try:
        run_as_server([initdb, "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        running = Cluster(folder, port, pg_ctl, durable)
        running.start()
        try:
            yield running
        finally:
            running.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def shared_cluster() -> Cluster:
    """One server for the whole test run, stopped when it ends."""
    stack = contextlib.ExitStack()
    running = stack.enter_context(cluster())
    atexit.register(stack.close)
    return running
