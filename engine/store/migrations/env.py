"""Alembic's entry: runs on the connection, inside the transaction, that engine/store/migrate.py opened."""

from alembic import context

from engine.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
