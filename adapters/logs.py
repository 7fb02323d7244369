"""Logs as JSON lines in the data directory, warnings on the terminal. Never a content, never an INS in clear."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import MutableMapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from gateway.rules.masking import mask_json, mask_text


def configure_logs(data: Path, level: int = logging.INFO) -> None:
    """Log to `data/passerelle.log` (rotated at 10 MB) and warnings to stderr."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    written: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        masked_fields,
        structlog.processors.JSONRenderer(ensure_ascii=False),
        masked_line,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=written)
    to_file = PrivateFileHandler(data / "passerelle.log", maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setLevel(logging.WARNING)
    root = logging.getLogger()
    root.handlers.clear()
    for handler in (to_file, to_terminal):
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)
    threading.excepthook = _thread_failed
    for noisy in ("asyncio", "uvicorn", "uvicorn.access", "httpx", "mail.log", "fontTools", "fpdf", "pymap"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def masked_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Every text of an event, nested ones and the traceback included, before JSON escapes anything in it."""
    masked: MutableMapping[str, Any] = mask_json(event)
    return masked


def masked_line(_: Any, __: str, line: str) -> str:
    """The line as it will be written: objects show there what their `repr` says."""
    return mask_text(line)


class PrivateFileHandler(RotatingFileHandler):
    """A rotated log that only its owner reads."""

    def _open(self) -> TextIOWrapper:
        descriptor = private_file(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding, errors=self.errors)


def private_file(path: str, flags: int) -> int:
    """Open, or create readable by its owner only; a file that others could read is closed to them."""
    descriptor = os.open(path, flags, 0o600)
    if os.fstat(descriptor).st_mode & 0o077:
        os.fchmod(descriptor, 0o600)
    return descriptor


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    """A thread that dies says so in the log, masked, instead of writing its traceback as it is."""
    if failure.exc_type is SystemExit or failure.exc_value is None:
        return
    told = (failure.exc_type, failure.exc_value, failure.exc_traceback)
    logging.getLogger("passerelle").error("thread failed", exc_info=told)
