"""Talking to the gateway that works in a data directory: commands never open its live files, they ask its API."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from adapters.cli.lang import chosen_lang
from gateway.values import Lang, Text


class NotRunning(LookupError):
    """No gateway works in this data directory."""


class Running:
    """The API of a running gateway, found by its run.json."""

    def __init__(self, data: Path) -> None:
        try:
            self.record: Mapping[str, Any] = json.loads((data / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise NotRunning(str(data)) from error
        headers = {"Authorization": f"Bearer {self.record['token']}", "Accept-Language": chosen_lang().value}
        self._client = httpx.Client(base_url=self.record["api"], headers=headers, timeout=60)

    def get(self, path: str, **params: Any) -> Any:
        """GET as JSON. Raises httpx.HTTPError."""
        return self._told(self._client.get(path, params=params))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST as JSON. Raises httpx.HTTPError."""
        return self._told(self._client.post(path, json=body))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """PUT as JSON. Raises httpx.HTTPError."""
        return self._told(self._client.put(path, json=body))

    def whitelist(self) -> bytes:
        """The signed list this gateway publishes. Raises httpx.HTTPError."""
        root = str(self.record["api"]).removesuffix("/api/v1")
        return self._client.get(f"{root}/listeblanchemssante.xml").raise_for_status().content

    @staticmethod
    def _told(answer: httpx.Response) -> Any:
        answer.raise_for_status()
        return answer.json() if answer.content else None


def problem_of(error: httpx.HTTPStatusError) -> Mapping[str, Any]:
    """The problem (RFC 9457) that the gateway answered; empty when it answered something else."""
    try:
        body = error.response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def explain(error: Exception, data: Path, lang: Lang) -> int:
    """Say in one line why a running gateway could not be asked; exit code 3, or 1 when it refused."""
    if isinstance(error, httpx.HTTPStatusError):
        print(problem_of(error).get("detail") or str(error), file=sys.stderr)
        return 1
    said = Text(
        f"Aucune passerelle ne répond dans {data} : lancez d'abord « passerelle up --data {data} ».",
        f'No gateway answers in {data}: first run "passerelle up --data {data}".',
    )
    print(said.in_(lang), file=sys.stderr)
    return 3
