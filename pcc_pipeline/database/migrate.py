"""Brings a database to this program's schema, and writes the next step of the schema's history.

After a change to a table description:

    python -m pcc_pipeline.database.migrate "what changed"

starts a throw-away PostgreSQL, brings it to the last migration and writes what is missing as the next one.
`--first` rewrites the whole history as one first migration: only before the first release.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import SCHEMA

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"
VERSIONS = FOLDER / "versions"


def head() -> str | None:
    """The newest migration's number ("0001"); None before the first."""
    return max((path.name[:4] for path in VERSIONS.glob("[0-9][0-9][0-9][0-9]_*.py")), default=None)


def current(connection: sa.Connection) -> str | None:
    """The migration that a database stands at; None for an empty one."""
    name = f"{SCHEMA}.alembic_version"
    if connection.execute(sa.text("SELECT to_regclass(:name)"), {"name": name}).scalar() is None:
        return None
    version: str | None = connection.execute(sa.text(f"SELECT version_num FROM {name}")).scalar()
    return version


def upgrade(engine: sa.Engine) -> None:
    """Brings the database to `head`; several processes may ask at once. Costs one query when it is there.

    Raises RuntimeError when the database is at a migration that this program does not know.
    """
    newest = head()
    with engine.connect() as connection:
        present = current(connection)
    if present == newest:
        return
    if present is not None and (newest is None or present > newest):
        known = f"this program knows up to {newest}: update it"
        raise RuntimeError(f"The database is at migration {present}, {known}")
    from alembic import command

    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('pcc migrate', 0))"))
        if current(connection) != newest:
            connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            command.upgrade(_config(connection), "head")


def differences(engine: sa.Engine) -> list[Any]:
    """What the table descriptions say and the database does not, as Alembic operations; empty: they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from pcc_pipeline.database.schema import metadata

    with engine.connect() as connection:
        options = {"include_schemas": True, "include_name": ours, "version_table_schema": SCHEMA}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata()))


def ours(name: str | None, kind: str, parents: object) -> bool:
    """Whether Alembic is to look at an object: schemas other than ours are left alone."""
    return kind != "schema" or name == SCHEMA


def revision(engine: sa.Engine, message: str) -> Path | None:
    """Writes the next migration from what `differences` finds; None when nothing differs."""
    from alembic import command

    upgrade(engine)
    if not differences(engine):
        return None
    number = f"{int(head() or 0) + 1:04d}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        command.revision(_config(connection), message=message, autogenerate=True, rev_id=number)
    return next(VERSIONS.glob(f"{number}_*.py"))


def _config(connection: sa.Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def main(arguments: list[str] | None = None) -> None:
    """The command described above."""
    parser = argparse.ArgumentParser(description="Write the next migration from the table descriptions")
    parser.add_argument("message", help="what changed, in a few words")
    parser.add_argument("--first", action="store_true", help="forget all migrations, write one first")
    options = parser.parse_args(arguments)

    from pcc_pipeline.database import embedded

    if options.first:
        for path in VERSIONS.glob("[0-9]*.py"):
            path.unlink()
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        home = Path(folder)
        url = sa.make_url(embedded.url(home)).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        try:
            written = revision(engine, options.message)
        finally:
            engine.dispose()
            embedded.release(home)
    parser.exit(message=f"{written}\n" if written else "The last migration already says all\n")


if __name__ == "__main__":
    main()
