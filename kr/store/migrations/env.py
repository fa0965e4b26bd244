"""How Alembic runs the migrations: over the connection that `kr.store.migrating` hands it."""

from alembic import context

from kr.store.schema import Base

connection = context.config.attributes["connection"]
# SQLite alters a table by making it anew.
context.configure(
    connection=connection, target_metadata=Base.metadata, render_as_batch=connection.dialect.name == "sqlite"
)
context.run_migrations()
