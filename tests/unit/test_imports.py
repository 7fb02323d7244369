"""Which modules a command imports: start-up stays quick because the heavy stacks wait for their first use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.reference import ROOT

_WATCH = """
import atexit, json, sys
atexit.register(lambda: open({out!r}, "w").write(json.dumps(sorted(sys.modules))))
from adapters.cli.main import run
sys.argv = ["passerelle", *{words!r}]
run()
"""

_GATEWAY = """
import asyncio, json, os, sys
from pathlib import Path
from adapters.app import Gateway
from adapters.settings import load_settings

async def once():
    gateway = Gateway(load_settings(None, data=Path({data!r})))
    await gateway.start()
    await gateway.stop()

asyncio.run(once())
open({out!r}, "w").write(json.dumps(sorted(sys.modules)))
"""

PORTS = {f"PASSERELLE_PORTS__{name}": "0" for name in ("SMTP", "SUBMISSION", "IMAP", "IMAPS", "HTTPS", "HTTP")}


def _imported(code: str, out: Path) -> set[str]:
    import os

    environment = {**os.environ, **PORTS, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert out.exists(), done.stdout + done.stderr
    return set(json.loads(out.read_text(encoding="utf-8")))


def _roots(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_the_help_imports_none_of_the_heavy_stacks(tmp_path: Path) -> None:
    out = tmp_path / "modules"
    modules = _imported(_WATCH.format(out=str(out), words=["--help"]), out)
    heavy = {"lxml", "cryptography", "fastapi", "starlette", "sqlalchemy", "pydantic", "yaml", "uvicorn", "aiosmtpd"}
    assert not heavy & _roots(modules)
    assert {m for m in modules if m.startswith("gateway.")} <= {"gateway.values"}


def test_a_gateway_on_a_current_schema_imports_what_it_serves_and_no_more(tmp_path: Path) -> None:
    """The first start creates the schema; the second finds it current."""
    data = tmp_path / "data"
    first, second = tmp_path / "first", tmp_path / "second"
    _imported(_GATEWAY.format(data=str(data), out=str(first)), first)
    modules = _imported(_GATEWAY.format(data=str(data), out=str(second)), second)
    waiting = {
        "fhir",
        "hl7apy",
        "fpdf",
        "alembic",
        "saxonche",
        "zeep",
        "segno",
        "ppf",
        "fhirpathpy",
        "psycopg",
        "httpx",
    }
    assert not waiting & _roots(modules)
    assert {"fastapi", "lxml", "sqlalchemy"} <= _roots(modules)


def test_checking_a_file_imports_no_server(tmp_path: Path) -> None:
    out, package = tmp_path / "modules", tmp_path / "vide.zip"
    package.write_bytes(b"PK\x05\x06" + bytes(18))
    modules = _imported(_WATCH.format(out=str(out), words=["check", str(package)]), out)
    assert not {"fastapi", "starlette", "uvicorn", "sqlalchemy", "pymap", "aiosmtpd", "fhir", "hl7apy"} & _roots(
        modules
    )


def test_doors_open_before_the_console_and_the_api_are_imported() -> None:
    code = "import sys, adapters.app; print(*sorted({'fastapi', 'jinja2', 'adapters.console.routes'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
