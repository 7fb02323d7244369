"""The patient index of each structure, and the quarantine queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Records, their INS of today and of before, and the documents that wait for a human."""
    op.create_table(
        "identity",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("structure", sa.String(length=255), nullable=False),
        sa.Column("ipp", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("family", sa.String(length=255), server_default="", nullable=False),
        sa.Column("birth_date", sa.String(length=32), server_default="", nullable=False),
        sa.Column("sex", sa.String(length=8), server_default="", nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.UniqueConstraint("workspace_id", "structure", "ipp"),
    )
    op.create_index("identity_by_birth", "identity", ["workspace_id", "structure", "birth_date", "sex"], unique=False)
    op.create_index("identity_by_name", "identity", ["workspace_id", "structure", "family"], unique=False)
    op.create_table(
        "identity_ins",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("structure", sa.String(length=255), nullable=False),
        sa.Column("matricule", sa.String(length=255), nullable=False),
        sa.Column("oid", sa.String(length=255), nullable=False),
        sa.Column("identity_id", sa.String(length=64), nullable=False),
        sa.Column("active", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "structure", "matricule", "oid", "identity_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("identity_ins_of_record", "identity_ins", ["workspace_id", "identity_id"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("workspace_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), nullable=False),
        sa.Column("structure", sa.String(length=255), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("ack", sa.String(length=8), server_default="", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=255), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.UniqueConstraint("workspace_id", "exchange_id", "structure"),
    )
    op.create_index("quarantine_listed", "quarantine", ["workspace_id", "state", "at"], unique=False)
