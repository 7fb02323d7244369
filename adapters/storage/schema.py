"""The tables, once for both engines.

Instants are microseconds since 1970 UTC, JSON is text, digests of the journal are 32 octets, `workspace_id` leads every
index a workspace reads by. `exchange.seq` and `event.seq` come from `counter`, whose row is locked from the end of a
group to its commit: sequence numbers become visible in their order, whatever the number of processes.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite only gives row numbers to a column spelt INTEGER.
Serial = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, length: int = 255, *, default: str | None = "") -> Column[str]:
    return Column(name, String(length), nullable=False, server_default=default)


def _integer(name: str, *, default: str | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=default)


counter = Table(
    "counter",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    _integer("exchange_seq"),
    _integer("event_seq"),
)

workspace = Table(
    "workspace",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("record", Text, nullable=False),
    _integer("reset_seq", default="0"),
)

actor = Table(
    "actor",
    metadata,
    _text("workspace_id", default=None),
    _text("kind", 64, default=None),
    _text("key", default=None),
    Column("record", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "kind", "key"),
)

blob = Table(
    "blob",
    metadata,
    _text("workspace_id", default=None),
    _text("sha256", 64, default=None),
    _integer("size_bytes"),
    Column("data", LargeBinary),  # NULL: the octets are in a file
    PrimaryKeyConstraint("workspace_id", "sha256"),
)

exchange = Table(
    "exchange",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=False),
    _text("id", 64, default=None),
    _text("workspace_id", default=None),
    _integer("at"),
    _text("parent_id", 64),
    _text("correlation_id"),
    _integer("size_bytes"),
    _text("sha256", 64, default=None),
    _text("door", 64),
    _text("outcome", 64),
    _text("message_id"),
    Column("summary", Text, nullable=False),
    Column("findings", Text, nullable=False),
    UniqueConstraint("id"),
    Index("exchange_listed", "workspace_id", "seq"),
    Index("exchange_by_door", "workspace_id", "door", "seq"),
    Index("exchange_by_outcome", "workspace_id", "outcome", "seq"),
    Index(
        "exchange_by_message",
        "workspace_id",
        "message_id",
        "seq",
        sqlite_where=text("message_id <> ''"),
        postgresql_where=text("message_id <> ''"),
    ),
    Index(
        "exchange_by_story",
        "workspace_id",
        "correlation_id",
        "seq",
        sqlite_where=text("correlation_id <> ''"),
        postgresql_where=text("correlation_id <> ''"),
    ),
)

exchange_label = Table(  # participants and rules of an exchange, to look it up by
    "exchange_label",
    metadata,
    _text("workspace_id", default=None),
    _text("kind", 16, default=None),
    _text("value", default=None),
    _integer("seq"),
    PrimaryKeyConstraint("workspace_id", "kind", "value", "seq"),
    sqlite_with_rowid=False,
)

event = Table(
    "event",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=False),
    _text("workspace_id", default=None),
    _text("exchange_id", 64),
    _text("kind", 64, default=None),
    _integer("at"),
    Column("data", Text),  # NULL: purged
    Column("data_digest", LargeBinary, nullable=False),
    _text("chain", 64, default=None),
    _integer("link"),
    Column("digest", LargeBinary, nullable=False),
    Index("event_listed", "workspace_id", "seq"),
    Index(
        "event_by_exchange",
        "exchange_id",
        "seq",
        sqlite_where=text("exchange_id <> ''"),
        postgresql_where=text("exchange_id <> ''"),
    ),
)

chain = Table(
    "chain",
    metadata,
    _text("workspace_id", default=None),
    _text("name", 64, default=None),
    _integer("opened_at"),
    _integer("links"),
    Column("head", LargeBinary, nullable=False),
    Column("closed_at", BigInteger),
    Column("signature", LargeBinary),
    PrimaryKeyConstraint("workspace_id", "name"),
)

dedup = Table(  # `key` is the digest of workspace, purpose and dedup key
    "dedup",
    metadata,
    Column("key", LargeBinary(32), nullable=False),
    _text("sha256", 64, default=None),
    _text("workspace_id", default=None),
    _text("exchange_id", 64),
    PrimaryKeyConstraint("key", "sha256"),
    Index("dedup_of_workspace", "workspace_id"),
    sqlite_with_rowid=False,
)

folder = Table(
    "folder",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    _text("workspace_id", default=None),
    _text("address", default=None),
    _text("name", default=None),
    _integer("uid_validity"),
    _integer("uid_next"),
    Column("subscribed", SmallInteger, nullable=False),
    _text("special_use", 32),
    UniqueConstraint("workspace_id", "address", "name"),
    sqlite_autoincrement=True,
)

mail = Table(
    "mail",
    metadata,
    _integer("folder_id"),
    _integer("uid"),
    _integer("received_at"),
    Column("flags", Text, nullable=False),
    Column("seen", SmallInteger, nullable=False),
    _integer("size_bytes"),
    _text("sha256", 64, default=None),
    _text("exchange_id", 64),
    PrimaryKeyConstraint("folder_id", "uid"),
    sqlite_with_rowid=False,
)

delivery = Table(
    "delivery",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    _text("workspace_id", default=None),
    _text("kind", 64, default=None),
    _text("destination", default=None),
    _text("order_key"),
    Column("payload", Text, nullable=False),
    _text("exchange_id", 64),
    _text("state", 16, default=None),
    Column("unfinished", SmallInteger, nullable=False),  # 1 while ready or leased
    _integer("attempt"),
    _integer("due"),
    _integer("wake"),  # when it may be taken: `due` while ready, the end of the lease while leased
    _text("worker"),
    _integer("created_at"),
    Column("last_answer", Text, nullable=False),
    Index("delivery_waiting", "wake", sqlite_where=text("unfinished = 1"), postgresql_where=text("unfinished = 1")),
    Index(
        "delivery_in_order",
        "destination",
        "order_key",
        "seq",
        sqlite_where=text("unfinished = 1 AND order_key <> ''"),
        postgresql_where=text("unfinished = 1 AND order_key <> ''"),
    ),
    Index("delivery_listed", "workspace_id", "state", "seq"),
    Index("delivery_by_exchange", "exchange_id"),
    sqlite_autoincrement=True,
    postgresql_with={"fillfactor": 70},
)

dmp = Table(
    "dmp",
    metadata,
    _text("workspace_id", default=None),
    _text("matricule", default=None),
    _text("oid", default=None),
    _text("state", 32, default=None),
    Column("authorisations", Text, nullable=False),
    Column("treating_doctors", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "matricule", "oid"),
)

lot = Table(
    "lot",
    metadata,
    _text("workspace_id", default=None),
    _text("set_unique_id", default=None),
    _text("set_uuid", default=None),
    _text("matricule", default=None),
    _text("oid", default=None),
    _integer("at"),
    _text("exchange_id", 64),
    Column("metadata", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "set_unique_id"),
)

entry = Table(
    "entry",
    metadata,
    _text("workspace_id", default=None),
    _text("entry_uuid", default=None),
    _text("logical_id", default=None),
    _text("unique_id", default=None),
    Column("version", Integer, nullable=False),
    _text("set_uuid", default=None),
    _text("matricule", default=None),
    _text("oid", default=None),
    _text("status", default=None),
    Column("masked", SmallInteger, nullable=False),
    _integer("registered_at"),
    _text("type_code"),
    _text("service_start"),
    Column("author_ids", Text, nullable=False),
    _text("document_sha256", 64, default=None),
    _integer("size_bytes"),
    Column("metadata", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "entry_uuid"),
    UniqueConstraint("workspace_id", "unique_id", "version"),
    Index("entry_of_patient", "workspace_id", "matricule", "oid"),
    Index("entry_by_document", "workspace_id", "document_sha256"),
)

identity = Table(  # one record of one structure's patient index
    "identity",
    metadata,
    _text("workspace_id", default=None),
    _text("id", 64, default=None),
    _text("structure", default=None),
    _text("ipp", default=None),
    Column("version", Integer, nullable=False),
    _text("status", 16, default=None),
    _text("family"),  # folded, to search by
    _text("birth_date", 32),
    _text("sex", 8),
    Column("record", Text, nullable=False),
    _integer("created_at"),
    _integer("updated_at"),
    PrimaryKeyConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "structure", "ipp"),
    Index("identity_by_birth", "workspace_id", "structure", "birth_date", "sex"),
    Index("identity_by_name", "workspace_id", "structure", "family"),
)

ACTIVE, FORMER, RECEIVED = 1, 0, -1  # what an INS is to a record: its own, one it had, one a message told

identity_ins = Table(  # the INS of a record: matricule and OID in one key
    "identity_ins",
    metadata,
    _text("workspace_id", default=None),
    _text("structure", default=None),
    _text("matricule", default=None),
    _text("oid", default=None),
    _text("identity_id", 64, default=None),
    Column("active", SmallInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "structure", "matricule", "oid", "identity_id"),
    Index("identity_ins_of_record", "workspace_id", "identity_id"),
    Index(
        "identity_ins_held",  # of one structure's records, one at most holds an INS
        "workspace_id",
        "structure",
        "matricule",
        "oid",
        unique=True,
        sqlite_where=text("active = 1"),
        postgresql_where=text("active = 1"),
    ),
    sqlite_with_rowid=False,
)

quarantine = Table(  # documents whose integration waits for a human, one line for each recipient structure
    "quarantine",
    metadata,
    _text("workspace_id", default=None),
    _text("id", 64, default=None),
    _text("exchange_id", 64, default=None),
    _text("structure", default=None),
    Column("line", Integer, nullable=False),  # of the decision table; 0: the containers of the message disagree
    _text("ack", 8),
    _text("state", 16, default=None),
    Column("record", Text, nullable=False),
    _integer("at"),
    _text("decided_by"),
    Column("decided_at", BigInteger),
    PrimaryKeyConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "exchange_id", "structure"),
    Index("quarantine_listed", "workspace_id", "state", "at"),
)
