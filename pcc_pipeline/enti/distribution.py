"""Provider-wide tickets and ratings, split by ente: each ente gets its own rows as a delivery of its own.

From there on an ente's rows are its own like any other delivery (staged, superseded, quarantined, erased), and no
query of an ente ever sees another's. The provider's probes name no ente: they are read where they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from pcc_pipeline.database.register import Arrived, Register
from pcc_pipeline.database.schema import table
from pcc_pipeline.duck import connect, parquet
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import Store
from pcc_pipeline.tables.feeds import FEEDS

PROVIDER = "_provider"

#: Columns of the files written, by kind: moments in UTC with their offset.
_COLUMNS = {
    "tickets": ("id", "canale", "aperto_il", "primo_contatto_il", "chiuso_il", "oggetto"),
    "ratings": ("id_ticket", "giudizio", "il"),
}


@dataclass
class Distribution:
    """What one split gave: deliveries made by ente, and rows whose ente could not be told, by kind."""

    made: dict[str, int] = field(default_factory=dict)
    unresolved: dict[str, int] = field(default_factory=dict)


def mark(sequence: int) -> str:
    """How a delivery made from a provider-wide one names its origin (column `archive`): by its place in the order of
    arrival, which stays when the provider's file is written anew without an erased ente."""
    return f"{PROVIDER}/{sequence}"


def distribute(installation: Installation, left_out: Iterable[str] = ()) -> Distribution:
    """Splits what was not split yet; a second call finds nothing to do. Enti `left_out` get nothing for now."""
    result = Distribution()
    store, register = installation.store, installation.register
    given = [
        row
        for row in register.deliveries(PROVIDER).select(["delivery", "sequence", "kind", "part", "rows"]).to_pylist()
        if row["kind"] in _COLUMNS and row["part"] and row["rows"]
    ]
    if not given:
        return result
    done, skipped = _done(register), set(left_out)
    with connect(installation.settings) as connection:
        store.attach(connection)
        for kind in _COLUMNS:  # tickets first: ratings follow them
            mine = [row for row in given if row["kind"] == kind]
            if mine:
                _relation(connection, store, kind, mine)
            for row in mine:
                owners = connection.execute(
                    f"select whose, count(*) from whose_{kind} where delivery = ? group by all order by all",
                    [row["delivery"]],
                ).fetchall()
                for ente, rows in owners:
                    if ente is None:
                        result.unresolved[kind] = result.unresolved.get(kind, 0) + rows
                    elif ente not in skipped and (ente, str(row["sequence"])) not in done:
                        _deliver(connection, store, register, ente, kind, row)
                        result.made[ente] = result.made.get(ente, 0) + 1
    return result


def _done(register: Register) -> set[tuple[str, str]]:
    t = table("deliveries")
    query = sa.select(t.c.ente, t.c.archive).where(t.c.archive.startswith(f"{PROVIDER}/"))
    with register.engine.connect() as connection:
        return {(ente, archive.partition("/")[2]) for ente, archive in connection.execute(query)}


def _relation(connection: duckdb.DuckDBPyConnection, store: Store, kind: str, given: list[dict[str, Any]]) -> None:
    """`whose_<kind>`: the provider's rows, each with the ente it is about (null: cannot be told)."""
    files = [store.uri(f"staging/{PROVIDER}/{kind}/{row['part']}.parquet") for row in given]
    rows = f"select * from {parquet(FEEDS[kind], files)}"
    if kind == "tickets":
        query = f"select *, codice_ente as whose from ({rows})"
    else:
        known = connection.execute("select 1 from duckdb_views() where view_name = 'whose_tickets'").fetchone()
        # Two enti may number their tickets alike: then a judgement must name its ente.
        tickets = (
            "select id, if(count(distinct whose) = 1, any_value(whose), null) as whose from whose_tickets group by id"
            if known
            else "select null::varchar as id, null::varchar as whose where false"
        )
        query = (
            f"select given.*, coalesce(given.codice_ente, tickets.whose) as whose from ({rows}) as given "
            f"left join ({tickets}) as tickets on tickets.id = given.id_ticket"
        )
    connection.execute(f"create or replace view whose_{kind} as {query}")


def _deliver(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    register: Register,
    ente: str,
    kind: str,
    row: dict[str, Any],
) -> None:
    moments = {"aperto_il", "primo_contatto_il", "chiuso_il", "il"}
    columns = ", ".join(
        f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ') as {name}" if name in moments else name for name in _COLUMNS[kind]
    )
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        path = Path(folder) / f"{kind}.csv"
        target = str(path).replace("'", "''")
        connection.execute(
            f"copy (select {columns} from whose_{kind} where delivery = $delivery and whose = $ente order by line) "
            f"to '{target}' (format csv, header, delimiter ';')",
            {"delivery": row["delivery"], "ente": ente},
        )
        kept = store.put_file(ente, path)
    name = f"{kind}-{row['sequence']}.csv"
    register.add(ente, [Arrived(kind, kept.sha256, name, kept.size, archive=mark(row["sequence"]))])
