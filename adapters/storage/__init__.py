"""The durable store: one schema on SQLite or PostgreSQL. `open_store` gives the `Store` of `gateway/ports/`.

How a commit becomes durable, in ten lines:

1. `SqlStore.commit` puts payloads over 256 KB in content-addressed files (`blobs.py`), then queues the batch.
2. One thread per process (`writer.py`) takes up to 256 queued batches and opens one transaction (`work.py`).
3. Batches that are one operation of the same kind go together to their handler (`operations/`), under a savepoint;
   if it fails, and for all other batches, each batch has its own savepoint: all of it, or none, and no neighbour is hurt.
4. Handlers write rows many at a time (`bulk.py`); exchanges, labels and events are kept for the end of the group,
5. where the `counter` row gives their sequence numbers and stays locked to the commit, so readers never miss one,
6. and where events are linked into the hash chain of this process and workspace (`journal.py`).
7. One COMMIT (one fsync) makes the group durable; only then do the waiting tasks get their results, once per loop.
8. Then subscribers are told (`changes.py`); other processes of a PostgreSQL database by NOTIFY (`listener.py`).
9. If the database cannot write, the group is undone, all its waiters get `StoreUnavailable`, the connection is replaced.
10. Readers (`readers/`) are threads with read-only connections; they close before the writer, which checkpoints last.
"""

from adapters.storage.store import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
