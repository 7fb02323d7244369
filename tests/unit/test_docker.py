"""The container files cannot be built everywhere: what they name must at least exist in the code."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from adapters.settings import PortSettings, Settings

DOCKER = Path(__file__).resolve().parents[2] / "docker"
ROOT = DOCKER.parent
COMPOSE = ("compose.yaml", "compose.cluster.yaml")


def services(name: str) -> dict[str, dict[str, object]]:
    return yaml.safe_load((DOCKER / name).read_text())["services"]


def test_every_path_the_dockerfile_copies_exists():
    for line in (DOCKER / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


@pytest.mark.parametrize("name", COMPOSE)
def test_every_variable_given_to_the_gateway_is_a_setting(name: str):
    for service in services(name).values():
        for variable in service.get("environment", {}):
            if not variable.startswith("PASSERELLE_"):
                continue
            field, *nested = variable.removeprefix("PASSERELLE_").lower().split("__")
            assert field in Settings.model_fields, variable
            for part in nested:
                assert part in Settings.model_fields[field].annotation.model_fields, variable


@pytest.mark.parametrize("name", COMPOSE)
def test_published_ports_are_the_gateways_own(name: str):
    ports = PortSettings()
    known = {ports.submission, ports.imap, ports.imaps, ports.https, ports.http, *range(ports.smtp, ports.smtp + 15)}
    for service in services(name).values():
        for published in service.get("ports", ()):
            first, _, last = published.rpartition(":")[2].partition("-")
            assert set(range(int(first), int(last or first) + 1)) <= known, published


def test_the_image_does_not_run_as_root_and_asks_the_gateway_how_it_feels():
    text = (DOCKER / "Dockerfile").read_text()
    assert re.search(r"^USER passerelle$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "/health/ready" in text


def test_the_entry_command_runs_as_an_ordinary_user_in_a_clean_environment(tmp_path: Path):
    text = (DOCKER / "Dockerfile").read_text()
    entry = yaml.safe_load(re.search(r"^ENTRYPOINT (.+)$", text, re.MULTILINE).group(1))
    assert entry == ["passerelle"]
    command = [sys.executable, "-m", "adapters.cli.main", "--help"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    as_user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 and _readable_by_others() else {}
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False, **as_user)
    assert done.returncode == 0, shlex.join(command) + done.stderr
    assert "passerelle" in done.stdout


def _readable_by_others() -> bool:
    """Whether another user may run this interpreter at all (it may live in somebody's home)."""
    paths = (Path(sys.executable).resolve(), ROOT)
    return all(parent.stat().st_mode & 0o001 for path in paths for parent in (path, *path.parents))
