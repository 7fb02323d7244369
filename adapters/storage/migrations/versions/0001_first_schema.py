"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every table of the store, and the one row of the counter."""
    op.create_table(
        "actor",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "key"),
    )
    op.create_table(
        "blob",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "sha256"),
    )
    op.create_table(
        "chain",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("links", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "name"),
    )
    op.create_table(
        "counter",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("exchange_seq", sa.BigInteger(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "dedup",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", "sha256"),
        sqlite_with_rowid=False,
    )
    op.create_index("dedup_of_workspace", "dedup", ["workspace_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=255), nullable=False),
        sa.Column("order_key", sa.String(length=255), server_default="", nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("unfinished", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("wake", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String(length=255), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        postgresql_with={"fillfactor": 70},
        sqlite_autoincrement=True,
    )
    op.create_index("delivery_by_exchange", "delivery", ["exchange_id"], unique=False)
    op.create_index(
        "delivery_in_order",
        "delivery",
        ["destination", "order_key", "seq"],
        unique=False,
        sqlite_where=sa.text("unfinished = 1 AND order_key <> ''"),
        postgresql_where=sa.text("unfinished = 1 AND order_key <> ''"),
    )
    op.create_index("delivery_listed", "delivery", ["workspace_id", "state", "seq"], unique=False)
    op.create_index(
        "delivery_waiting",
        "delivery",
        ["wake"],
        unique=False,
        sqlite_where=sa.text("unfinished = 1"),
        postgresql_where=sa.text("unfinished = 1"),
    )
    op.create_table(
        "dmp",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("matricule", sa.String(length=255), nullable=False),
        sa.Column("oid", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("authorisations", sa.Text(), nullable=False),
        sa.Column("treating_doctors", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "matricule", "oid"),
    )
    op.create_table(
        "entry",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("entry_uuid", sa.String(length=255), nullable=False),
        sa.Column("logical_id", sa.String(length=255), nullable=False),
        sa.Column("unique_id", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("set_uuid", sa.String(length=255), nullable=False),
        sa.Column("matricule", sa.String(length=255), nullable=False),
        sa.Column("oid", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=255), nullable=False),
        sa.Column("masked", sa.SmallInteger(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("type_code", sa.String(length=255), server_default="", nullable=False),
        sa.Column("service_start", sa.String(length=255), server_default="", nullable=False),
        sa.Column("author_ids", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "entry_uuid"),
        sa.UniqueConstraint("workspace_id", "unique_id", "version"),
    )
    op.create_index("entry_by_document", "entry", ["workspace_id", "document_sha256"], unique=False)
    op.create_index("entry_of_patient", "entry", ["workspace_id", "matricule", "oid"], unique=False)
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("data_digest", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("link", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(
        "event_by_exchange",
        "event",
        ["exchange_id", "seq"],
        unique=False,
        sqlite_where=sa.text("exchange_id <> ''"),
        postgresql_where=sa.text("exchange_id <> ''"),
    )
    op.create_index("event_listed", "event", ["workspace_id", "seq"], unique=False)
    op.create_table(
        "exchange",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("correlation_id", sa.String(length=255), server_default="", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("door", sa.String(length=64), server_default="", nullable=False),
        sa.Column("outcome", sa.String(length=64), server_default="", nullable=False),
        sa.Column("message_id", sa.String(length=255), server_default="", nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("exchange_by_door", "exchange", ["workspace_id", "door", "seq"], unique=False)
    op.create_index(
        "exchange_by_message",
        "exchange",
        ["workspace_id", "message_id", "seq"],
        unique=False,
        sqlite_where=sa.text("message_id <> ''"),
        postgresql_where=sa.text("message_id <> ''"),
    )
    op.create_index("exchange_by_outcome", "exchange", ["workspace_id", "outcome", "seq"], unique=False)
    op.create_index(
        "exchange_by_story",
        "exchange",
        ["workspace_id", "correlation_id", "seq"],
        unique=False,
        sqlite_where=sa.text("correlation_id <> ''"),
        postgresql_where=sa.text("correlation_id <> ''"),
    )
    op.create_index("exchange_listed", "exchange", ["workspace_id", "seq"], unique=False)
    op.create_table(
        "exchange_label",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "value", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "folder",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid_next", sa.BigInteger(), nullable=False),
        sa.Column("subscribed", sa.SmallInteger(), nullable=False),
        sa.Column("special_use", sa.String(length=32), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "address", "name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lot",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("set_unique_id", sa.String(length=255), nullable=False),
        sa.Column("set_uuid", sa.String(length=255), nullable=False),
        sa.Column("matricule", sa.String(length=255), nullable=False),
        sa.Column("oid", sa.String(length=255), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "set_unique_id"),
    )
    op.create_table(
        "mail",
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("seen", sa.SmallInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("folder_id", "uid"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("reset_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO counter (id, exchange_seq, event_seq) VALUES (1, 0, 0)")
