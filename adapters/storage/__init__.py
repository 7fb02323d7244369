"""The durable store: one schema on SQLite or PostgreSQL. `open_store` gives the `Store` of `gateway/ports.py`."""

from adapters.storage.store import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
