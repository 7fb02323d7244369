"""Of one structure's records, one at most holds an INS."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Where two records hold the same INS, all but one are found by it as by a former one: a human solves it."""
    op.execute(
        "UPDATE identity_ins SET active = 0 WHERE active = 1 AND EXISTS (SELECT 1 FROM identity_ins AS other "
        "WHERE other.workspace_id = identity_ins.workspace_id AND other.structure = identity_ins.structure "
        "AND other.matricule = identity_ins.matricule AND other.oid = identity_ins.oid "
        "AND other.active = 1 AND other.identity_id < identity_ins.identity_id)"
    )
    op.create_index(
        "identity_ins_held",
        "identity_ins",
        ["workspace_id", "structure", "matricule", "oid"],
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active = 1"),
    )
