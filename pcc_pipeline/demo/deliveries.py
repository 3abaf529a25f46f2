"""Later deliveries of an accounting system: an increment with corrected order numbers, wholes that some rows are gone from.

The first delivery is the views `erp_invoices` and `erp_payments` as they are; `states` changes these views for each later one.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from pcc_pipeline.demo.situations import SITUATIONS

#: The deliveries after the first by kind: what the file's name says, which rows it has.
_LATER: dict[str, tuple[tuple[str, str], ...]] = {
    "erp_invoices": (("2.whole...", "later is distinct from 'gone'"),),
    "erp_payments": (("2.increment", "later = 'renumbered'"), ("3.whole...", "later is distinct from 'payment_gone'")),
}


def states(connection: duckdb.DuckDBPyConnection, kind: str) -> Iterator[str]:
    """Before each later delivery of a kind: its name's ending, the view of that kind being what it has."""
    if kind not in _LATER:
        return
    twists = ", ".join(f"('{made.case.twist}', '{made.later}')" for made in SITUATIONS if made.later)
    number = "if(later = 'renumbered', '7' || numero_mandato, numero_mandato) as numero_mandato"
    columns = f"* exclude (later) replace ({number})" if kind == "erp_payments" else "* exclude (later)"
    connection.execute(
        f"""
        create or replace temp table later_rows as
        select {columns}, later from (
            select rows.*, situations.later from {kind} as rows left join documents using (id_documento)
            left join (values {twists}) as situations (twist, later) on situations.twist = documents.twist
        )
        """
    )
    for ending, where in _LATER[kind]:
        connection.execute(f"create or replace temp view {kind} as select * exclude (later) from later_rows where {where}")
        if connection.execute(f"select count(*) from {kind}").fetchone() != (0,):
            yield ending
