"""Alembic's entry: the connection is handed over by `adapters.storage.migrations.upgrade`, there is no alembic.ini."""

from alembic import context

from adapters.storage import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
