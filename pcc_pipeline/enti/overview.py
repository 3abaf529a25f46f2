"""The provider's register of enti: what it says of one, and the published overview of all (`service_life`).

Only the provider's own deliveries and the names of what enti delivered are read here, never an ente's rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from pcc_pipeline.arrival.landing import PROVIDER, waiting
from pcc_pipeline.calculator import at_hand
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.database.schema import table
from pcc_pipeline.duck import parquet
from pcc_pipeline.enti.life import ERASED, LISTS, Life, life
from pcc_pipeline.enti.receipts import erased_receipt, receipts
from pcc_pipeline.installation import Installation
from pcc_pipeline.tables.feeds import ENTI
from pcc_pipeline.tables.service import SERVICE_LIFE


def register_rows(
    installation: Installation, ente: str | None = None, known_at: datetime | None = None
) -> dict[str, dict[str, Any]]:
    """The latest delivered row of the provider's register for each ente (or one), by tenant code, known by `known_at`."""
    deliveries = installation.register.deliveries(PROVIDER, known_at).select(["delivery", "kind", "sequence", "part", "rows"])
    files = [
        installation.store.uri(f"staging/{PROVIDER}/enti/{row['part']}.parquet")
        for row in deliveries.to_pylist()
        if row["kind"] == "enti" and row["part"] and row["rows"]
    ]
    if not files:
        return {}
    names = [name for name in ENTI.column_names if name not in ("ente", "delivery", "line")]
    with at_hand(installation.settings, installation.store) as connection:
        connection.register("deliveries", deliveries)
        rows = connection.execute(
            f"select {', '.join(names)} from {parquet(ENTI, files)} join deliveries using (delivery) "
            "where $ente is null or codice_ente = $ente "
            "qualify row_number() over (partition by codice_ente order by sequence desc, line desc) = 1",
            {"ente": ente},
        ).fetchall()
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def delivered_lists(installation: Installation) -> dict[str, set[str]]:
    """Kinds of prerequisite lists by ente: registered, or lying in the inbox (enti not active leave them there)."""
    t = table("deliveries")
    query = sa.select(t.c.ente, t.c.kind).where(t.c.kind.in_(LISTS), t.c.status != "refused").distinct()
    found: dict[str, set[str]] = {}
    with installation.engine.connect() as connection:
        for ente, kind in connection.execute(query):
            found.setdefault(ente, set()).add(kind)
    for ente, files in waiting(installation.settings.inbox).items():
        found.setdefault(ente, set()).update(path.parent.name for path, _, _ in files if path.parent.name in LISTS)
    return found


def lists_of(inbox: Path, connection: sa.Connection, ente: str) -> set[str]:
    """Kinds of prerequisite lists that one ente delivered, as `delivered_lists`; the connection sees its deliveries."""
    t = table("deliveries")
    query = sa.select(t.c.kind).where(t.c.ente == ente, t.c.kind.in_(LISTS), t.c.status != "refused").distinct()
    folder = inbox / ente
    lying = {kind for kind in LISTS if any(path.is_file() for path in (folder / kind).glob("[!.]*"))}
    return set(connection.execute(query).scalars()) | lying


def ente_life(
    installation: Installation, ente: str, on: date, known_at: datetime | None = None
) -> tuple[Mapping[str, Any] | None, Life | None]:
    """The register's row of an ente and its life on a day; (None, None) where the register does not know it.

    An ente that was erased is refused whatever a register delivered later says.
    """
    if (receipt := erased_receipt(installation.store, ente)) is not None:
        when, name = receipt["erased_at"][:10], receipt["receipt"]
        return None, Life(ERASED, f"erased on {when} (receipt {name}): nothing of it is processed")
    row = register_rows(installation, ente, known_at).get(ente)
    if row is None:
        return None, None
    lists = set() if row["attivato_il"] else delivered_lists(installation).get(ente, set())
    return row, life(row, on, lists)


def overview(installation: Installation, on: date) -> pa.Table:
    """The table `service_life`: every ente of the register, and the receipts of those erased."""
    lists = delivered_lists(installation)
    rows: list[dict[str, Any]] = []
    for code, row in sorted(register_rows(installation).items()):
        if erased_receipt(installation.store, code) is not None:
            continue
        found = life(row, on, lists.get(code, set()))
        rows.append(
            {
                "codice_ente": code, "denominazione": row["denominazione"], "state": found.state,
                "processed": found.refusal is None, "ordered_on": row["ordine_il"], "charged_on": row["presa_in_carico_il"],
                "active_from": row["attivato_il"], "pec_on": row["pec_disattivazione_il"], **found.due,
                "missing": list(found.missing), "next_deadline": found.next_deadline, "next_due_on": found.next_due_on,
                "at_risk": found.at_risk, "why": found.why or found.refusal,
            }
        )  # fmt: skip
    for receipt in receipts(installation.store):
        rows.append({"codice_ente": receipt["receipt"], "state": ERASED, "processed": False, "missing": [], "at_risk": False,
                     "why": f"dati cancellati il {receipt['erased_at'][:10]}"})  # fmt: skip
    full = [{"ente": PROVIDER, "seen_on": on, **row} for row in rows]
    return pa.Table.from_pylist(full, schema=SERVICE_LIFE.arrow_schema)


def publish_overview(installation: Installation, on: date) -> int:
    """Writes and publishes the overview as the provider's; returns its rows."""
    rows, store = overview(installation, on), installation.store
    name = f"models/{PROVIDER}/{SERVICE_LIFE.name}.parquet"
    with store.write(name) as target, store.fs.open(target, "wb") as file:
        pq.write_table(rows, file)
    done = publish(
        installation.engine,
        PROVIDER,
        {SERVICE_LIFE.name: store.uri(name)},
        Publication(on, on),
        installation.store.attach,
        installation.settings,
    )
    return done.rows
