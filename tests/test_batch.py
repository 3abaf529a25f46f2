"""Many enti calculated together: each one's tables are what they are when it is calculated alone, and its faults its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from damage import damaged
from oracle_inbox import perturbed
from samples import OBSERVED_AT, OWN, REFERENCE_DATE
from test_models_oracle import _feeds, _provider

from pcc_pipeline.arrival.landing import PROVIDER, land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import Calculation, Calculator, Parameters, load_models, prepared, run_each, source
from pcc_pipeline.calculator.batch import run_together
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.demo import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs import together
from pcc_pipeline.runs.inputs import begin, inputs
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import FEEDS, MODELS
from pcc_pipeline.tables.describe import MODEL_LAYERS

Tables = dict[str, tuple[list[str], list[str]]]


def _staged(store: Store, ente: str, feeds: Mapping[str, Sequence[Mapping[str, Any]]], **facts: Any) -> Calculation:
    """An ente whose rows are delivered kind by kind, each in two files that overlap."""
    deliveries = []
    for kind, rows in feeds.items():
        for place, part in enumerate((rows[: len(rows) // 2], rows[len(rows) // 3 :]), 1):
            name = f"{kind}{place}"
            full = [{**row, "ente": ente, "delivery": name, "line": line} for line, row in enumerate(part, 2)]
            schema = pa.schema([field.with_nullable(True) for field in FEEDS[kind].arrow_schema])
            with store.write(f"staging/{ente}/{kind}/{name}.parquet") as target:
                pq.write_table(pa.Table.from_pylist(full, schema=schema), target)
            received = datetime(2026, 1, place, tzinfo=UTC)
            told = {"delivery": name, "kind": kind, "sequence": len(deliveries) + 1, "file": f"{kind}.csv", "part": name}
            deliveries.append(told | {"received_at": received})
    table = pa.Table.from_pylist(deliveries, schema=DELIVERIES_SCHEMA)
    return Calculation(ente, Parameters(REFERENCE_DATE, OBSERVED_AT, **facts), table)


def _made(settings: Settings, store: Store, enti: Sequence[str]) -> dict[str, Tables]:
    """Each ente's tables as they lie there: the columns' types, and the rows in some order of their own."""
    with prepared(settings, store) as connection:

        def table(ente: str, name: str) -> tuple[list[str], list[str]]:
            query = f"select * from {source(store, ente, name)}"
            types = [f"{row[0]} {row[1]}" for row in connection.execute(f"describe {query}").fetchall()]
            return types, sorted(map(repr, connection.execute(query).fetchall()))

        return {ente: {name: table(ente, name) for name in MODELS} for ente in enti}


def _damaged_enti(store: Store, folder: Path) -> Iterator[Calculation]:
    """Four enti of whose rows a third is wrong, of different kinds and facts."""
    for seed, facts in enumerate(
        (
            {"ente_tipo": "ASL", "patron_saint": "06-24", "modelli_pcc": "003"},
            {"ente_tipo": "MINISTERO", "siope_plus": True, "siope_plus_dal": date(2018, 1, 1)},
            {"siope_plus": False, "pubblicato_il": date(2026, 1, 10), "modelli_pcc": "AREA_RGS"},
            {"ente_tipo": "COMUNE", "pubblicato_il": date(2025, 1, 31)},
        ),
        1,
    ):
        feeds = _feeds(_provider(folder / str(seed), seed, 60))
        wrong = damaged(feeds, seed, 0.3) if seed % 2 else perturbed(feeds, seed, 0.4)
        yield _staged(store, f"danneggiato{seed}", wrong, **facts)


def test_a_batch_gives_each_ente_what_it_gets_alone(installation: Installation, tmp_path: Path) -> None:
    settings, store = installation.settings, installation.store
    inbox = tmp_path / "delivered"
    write_provider(inbox, enti=3, documents=60, seed=5, reference_date=REFERENCE_DATE)
    enti = sorted(path.name for path in inbox.iterdir() if not path.name.startswith("_"))
    for folder, names in ((inbox, (PROVIDER, *enti)), (OWN.inbox, (OWN.ente,))):
        for name in names:
            land(installation, folder, name)
            stage(installation, name)
    batch = [inputs(installation, ente, REFERENCE_DATE, OBSERVED_AT) for ente in (*enti, OWN.ente)]
    batch += [*_damaged_enti(store, tmp_path), _staged(store, "vuoto", {})]
    names = [given.ente for given in batch]
    counts = {given.ente: Calculator(settings, store).run_inputs(given) for given in batch}
    alone = _made(settings, store, names)
    for ente in names:
        store.delete(f"models/{ente}")
    together_counts = run_together(settings, store, batch, MODELS)
    found = _made(settings, store, names)
    assert [(e, name) for e in names for name in MODELS if found[e][name] != alone[e][name]] == []
    rows = {ente: {name: done.rows for name, done in results.items()} for ente, results in counts.items()}
    assert {e: {name: done.rows for name, done in results.items()} for e, results in together_counts.items()} == rows
    assert sum(bool(alone[OWN.ente][name][1]) for name in MODELS) > len(MODELS) * 2 / 3, "the golden ente fills most tables"
