"""Alembic's entry: runs migrations on the connection that `pcc_pipeline.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from pcc_pipeline.database.migrate import ours
from pcc_pipeline.database.schema import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata(),
    include_schemas=True,
    include_name=ours,
    version_table_schema=SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
