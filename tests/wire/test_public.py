"""What is read without a token, and what is not once the gateway listens beyond this machine."""

from __future__ import annotations

from pathlib import Path

import httpx

from adapters.testing.running import start_gateway


def test_beyond_loopback_metrics_ask_for_the_token_and_trust_material_does_not(tmp_path: Path):
    with start_gateway(tmp_path, {"PASSERELLE_BIND": "0.0.0.0"}) as gateway:
        root = f"http://127.0.0.1:{gateway.port('http')}"
        assert httpx.get(f"{root}/metrics").status_code == 401
        assert httpx.get(f"{root}/metrics", headers=gateway.headers).status_code == 200
        assert httpx.get(f"{root}/api/v1/exchanges").status_code == 401
        for path in ("/health/ready", "/listeblanchemssante.xml", "/igc/TEST-ACI-EL-ORG.crl"):
            assert httpx.get(f"{root}{path}").status_code == 200
