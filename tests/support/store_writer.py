"""A process that writes exchanges until it is killed, and says which ones were acknowledged.

`python -m tests.support.store_writer URL DATA_DIR ROUND`: prints `ready`, then one acknowledged exchange id per line,
written after `commit` returned. Whoever reads the lines holds the ledger.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from adapters.storage import open_store
from gateway.exchange.model import Event, Payload
from gateway.ports import NewDelivery, NewMail, RecordExchange

TASKS = 20
LARGE_EVERY = 40


def message(exchange_id: str, number: int) -> RecordExchange:
    """One exchange whose octets name it; now and then one that goes to a file."""
    size = 300_000 if number % LARGE_EVERY == 0 else 3_000
    data = (f"{exchange_id}\r\n".encode() * (size // 20))[:size]
    body = Payload(len(data), sha256(data).hexdigest(), data)
    now = datetime.now(UTC)
    return RecordExchange(
        "demo",
        exchange_id,
        now,
        body,
        {"door": "smtp-reception", "message_id": exchange_id},
        (),
        events=(Event("received", now, "demo", exchange_id), Event("decided", now, "demo", exchange_id)),
        mails=(NewMail("demo", "a@b", "INBOX", body.sha256, len(data), now, dedup_key=exchange_id),),
        deliveries=(NewDelivery("demo", "relay", "op2", {"id": exchange_id}, now),),
    )


async def write(url: str, data_dir: Path, number_of_round: str) -> None:
    """Write for ever."""
    store = await open_store(url, data_dir)
    os.write(1, b"ready\n")

    async def task(rank: int) -> None:
        number = 0
        while True:
            exchange_id = f"{number_of_round}-{rank}-{number}"
            await store.commit(message(exchange_id, number * TASKS + rank))
            os.write(1, f"{exchange_id}\n".encode())
            number += 1

    await asyncio.gather(*(task(rank) for rank in range(TASKS)))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
