"""Opens a DuckDB connection whose views are one ente's synthetic feeds (documents.sql, feeds.sql).

Nothing is written here: see `provider` for inboxes and `staging` for Parquet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib import resources

import duckdb
import pyarrow as pa

from pcc_pipeline.demo.cases import dealt
from pcc_pipeline.demo.parties import Ente, Party, parties, provisional_code
from pcc_pipeline.demo.situations import CASES, changes, twins
from pcc_pipeline.duck import connect

#: The kinds whose rows come from SQL views of the same name; FatturaPA files are written from `documents`.
KINDS = ("erp_invoices", "erp_payments", "pcc_invoices", "pcc_operations", "open_list", "special_cases")


@dataclass(frozen=True)
class Size:
    """How many documents, from which seed, seen on which days (reference and observation).

    The first document's number is `first`: enti whose numbers differ share no document, lot, order or supplier.
    """

    documents: int
    seed: int
    reference_date: date
    observed_at: date
    first: int = 0


@contextmanager
def synthesis(ente: Ente, number: int, size: Size, *, memory_limit: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the views `documents`, `truth` and one per kind of KINDS.

    `number` is the ente's place among the provider's: it keeps two enti of one seed apart.
    `memory_limit` is the installation's unless told.
    """
    pool = max(8, min(4000, size.documents // 15))
    successors = parties(11, size.seed, first=1_000_000 + number * 10)
    # The first four suppliers are those of special cases (documents.sql): a pool of their own.
    suppliers = parties(4, size.seed, first=2_000_000 + number * 10) + parties(pool, size.seed, first=size.first)
    variables: dict[str, object] = {
        "seed": size.seed * 7919 + number * 104729,
        "first": size.first,
        "documents": size.documents,
        "pool": pool,
        "cases": len(CASES),
        "term": 60 if ente.tipo == "SANITARIO" else 30,
        "reference_date": size.reference_date,
        "observed_at": size.observed_at,
        "ente": ente.code,
        "cf": ente.cf,
        "office": ente.office,
        "plain_types": ente.dialect == "italian",
        "assignee": successors[0].piva,
        "stranger": successors[5].piva,
        "merged_into": successors[2].piva,
        "merged_again": successors[3].piva,
        "group_vat": successors[6].piva,
        "group_head": successors[8].piva,
        "group_member": successors[9].piva,
        "sole_trader": successors[10].piva,
    }
    connection = connect(keep_order=True, memory_limit=memory_limit)
    try:
        for name, value in variables.items():
            connection.execute(f"set variable {name} = $1", [value])
        _load(connection, "dealt", dealt(CASES))
        _load(connection, "suppliers", [{"supplier": n, **_row(party)} for n, party in enumerate(suppliers)])
        _load(connection, "successions", _successions(suppliers, successors))
        for script in ("documents.sql", "feeds.sql"):
            text = resources.files(__package__).joinpath(script).read_text(encoding="utf-8")
            connection.execute(text.replace("{changes}", changes()).replace("{twins}", twins()))
        yield connection
    finally:
        connection.close()


def _row(party: Party) -> dict[str, object]:
    return {
        "name": party.name,
        "piva": party.piva,
        "cf": party.cf,
        "professional": party.professional,
        "provisional": provisional_code(party.piva),
    }


def _load(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, object]]) -> None:
    connection.register("rows_to_load", pa.Table.from_pylist(rows))
    connection.execute(f"create temp table {table} as select * from rows_to_load")
    connection.unregister("rows_to_load")


def _successions(suppliers: list[Party], successors: list[Party]) -> list[dict[str, object]]:
    """Who follows whom: an assignment, an inheritance, a chain of two (a third not yet in force), a loop."""
    assigned, deceased, merged, looped = suppliers[:4]
    bank, heir, first, second, third, partner = successors[:6]
    steps = (
        ("CESSIONE", assigned, bank, 1300),
        ("SUCCESSIONE", deceased, heir, 200),
        ("OPERAZIONE_SOCIETARIA", merged, first, 900),
        ("OPERAZIONE_SOCIETARIA", first, second, 30),
        ("OPERAZIONE_SOCIETARIA", second, third, -10),
        ("OPERAZIONE_SOCIETARIA", looped, partner, 100),
        ("OPERAZIONE_SOCIETARIA", partner, looped, 50),
    )
    return [
        {
            "line": n,
            "caso": caso,
            "from_piva": old.piva,
            "to_piva": new.piva,
            "to_name": new.name,
            "days_before": days,
        }
        for n, (caso, old, new, days) in enumerate(steps, start=2)
    ]
