"""A worker process: reads pickled calls from its socket, answers each in turn, ends when the socket does.

`python -m adapters.worker FD`, started by `adapters.offload`; not a command for people.
"""

from __future__ import annotations

import gc
import pickle
import signal
import socket
import struct
import sys
from typing import Any

LENGTH = struct.Struct(">I")


def serve(wire: socket.socket) -> None:
    """Answer calls until the gateway is gone."""
    reader = wire.makefile("rb", buffering=256 * 1024)
    while True:
        head = reader.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        (size,) = LENGTH.unpack(head)
        call = reader.read(size)
        if len(call) < size:
            return
        frame = _answer(call)
        wire.sendall(LENGTH.pack(len(frame)) + frame)


def _answer(call: bytes) -> bytes:
    """(True, result) or (False, exception), pickled. What cannot travel is told as a RuntimeError."""
    try:
        function, args = pickle.loads(call)  # noqa: S301  # written by the gateway that started us
        outcome: tuple[bool, Any] = (True, function(*args))
    except Exception as error:
        outcome = (False, error)
    try:
        return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        told = RuntimeError(f"{type(outcome[1]).__name__} cannot leave the worker: {error}")
        return pickle.dumps((False, told), pickle.HIGHEST_PROTOCOL)


def main() -> None:
    """Run until the socket closes. Ctrl-C is for the gateway, which lets us go by itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(20_000, 20, 50)
    import gateway.exchange.judging  # the usual work, imported before the first call

    gateway.exchange.judging.ready()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as wire:
        serve(wire)


if __name__ == "__main__":
    main()
