"""The few figures of a calculation that are told beside it, read where the models lie."""

from __future__ import annotations

from decimal import Decimal

import pyarrow.parquet as pq

from pcc_pipeline.store import Store


def stock_by_view(store: Store, ente: str) -> dict[str, Decimal]:
    """An ente's stock as calculated last, by view (pcc, right, projected), in euro."""
    with store.open(f"models/{ente}/stock.parquet") as file:
        rows = pq.read_table(file, columns=["view", "amount"]).to_pylist()
    return {row["view"]: row["amount"] for row in sorted(rows, key=lambda row: str(row["view"]))}
