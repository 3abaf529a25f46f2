"""What a calculation is over: the ente, its parameters, the deliveries known, and what people decided.

Kept as files beside the models, so that every step of a run reads the same, and so does a view read later. Who takes them
from the register is not known here: see `pcc_pipeline.runs.inputs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from pcc_pipeline.store import Store
from pcc_pipeline.tables import DECIDED

#: What a model may ask of a delivery; `part` is the staging file its rows lie in, without the folder.
DELIVERIES_SCHEMA = pa.schema(
    [
        pa.field("delivery", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("received_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("file", pa.string()),
        pa.field("part", pa.string()),
        # Whose staging folder holds the part; null: the ente's own. Only what concerns every ente is the provider's.
        pa.field("owner", pa.string()),
        # Said to be whole (true) or an increment (false); null: nobody said. Open ends of the span are null.
        pa.field("whole", pa.bool_()),
        pa.field("span_from", pa.date32()),
        pa.field("span_to", pa.date32()),
        pa.field("confirmed", pa.bool_()),
        # Rows that could not be read.
        pa.field("refused", pa.int64()),
    ]
)

#: The file of the deliveries in the folder where inputs are kept; each relation of decisions has a file of its own name.
DELIVERIES = "deliveries.parquet"


@dataclass(frozen=True)
class Parameters:
    """What every figure depends on: the reference date D, the observation date O, the kind of ente, its patron's feast,
    whether and since when it is on SIOPE+, the day it published its debts (None: not declared), PCC's models for it (None:
    AREA_RGS)."""

    reference_date: date
    observed_at: date
    ente_tipo: str | None = None
    patron_saint: str | None = None
    siope_plus: bool | None = None
    siope_plus_dal: date | None = None
    pubblicato_il: date | None = None
    modelli_pcc: str | None = None

    def __post_init__(self) -> None:
        if self.observed_at < self.reference_date:
            raise ValueError(f"observed_at {self.observed_at} is before reference_date {self.reference_date}")


@dataclass(frozen=True)
class Calculation:
    """What one calculation is over. `deliveries` as DELIVERIES_SCHEMA has them; `decided` by relation (tables.DECIDED), one
    that is not there being empty; `folder` where in the store these two are kept (None: nowhere yet)."""

    ente: str
    parameters: Parameters
    deliveries: pa.Table
    decided: Mapping[str, pa.Table] = field(default_factory=dict)
    folder: str | None = None

    def __post_init__(self) -> None:
        if unknown := set(self.decided) - set(DECIDED):
            raise KeyError(f"No relation of decisions: {sorted(unknown)}")

    @property
    def rows(self) -> int | None:
        """How many rows were delivered; None where nobody counted them."""
        return None

    def kept(self, store: Store, folder: str) -> Self:
        """Writes the deliveries and the decisions under a folder of the store; returns the inputs that lie there."""
        write(store, f"{folder}/{DELIVERIES}", self.deliveries.select(DELIVERIES_SCHEMA.names).cast(DELIVERIES_SCHEMA))
        for relation, table in DECIDED.items():
            rows = self.decided.get(relation, table.arrow_schema.empty_table())
            write(store, f"{folder}/{relation}.parquet", rows.select(table.column_names).cast(table.arrow_schema))
        return replace(self, folder=folder)


def write(store: Store, name: str, rows: pa.Table) -> None:
    """Writes rows as a Parquet file of the store, whole or not at all."""
    with store.write(name) as target, store.fs.open(target, "wb") as file:
        pq.write_table(rows, file)
