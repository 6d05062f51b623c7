"""Tells alembic how to run: on the connection and within the transaction that it is given."""

from alembic import context

from energycore.storage.sql.schema import VERSION_TABLE
from energycore.storage.sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
