"""Logs as JSON lines in the data directory, warnings on the terminal. Never a content, never an INS in clear."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

_MATRICULE = re.compile(r"(?<!\d)([1-478]\d{3})\d(?:\d{2}|2[ABab])\d{6}(\d{2})?(?!\d)")


def configure_logs(data: Path, level: int = logging.INFO) -> None:
    """Log to `data/passerelle.log` (rotated at 10 MB) and warnings to stderr."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        masked,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            masked,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    to_file = RotatingFileHandler(data / "passerelle.log", maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setLevel(logging.WARNING)
    root = logging.getLogger()
    root.handlers.clear()
    for handler in (to_file, to_terminal):
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(level)
    for noisy in ("asyncio", "uvicorn", "uvicorn.access", "httpx", "mail.log", "fontTools", "fpdf", "pymap"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def masked(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whatever looks like a matricule loses its middle."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _MATRICULE.sub(lambda m: f"{m[1]}·········{m[2] or ''}", value)
    return event
