"""Many enti calculated together: each one's tables are what they are when it is calculated alone, and its faults its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from damage import damaged
from oracle_inbox import perturbed
from samples import OBSERVED_AT, OWN, REFERENCE_DATE
from test_models_oracle import _feeds, _provider

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import (
    Calculation,
    Calculator,
    ModelResult,
    Parameters,
    load_models,
    model_order,
    prepared,
    run_each,
    source,
)
from pcc_pipeline.calculator.batch import run_together
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.calculator.small import run_in_memory
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.demo import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.rules import rule_rows
from pcc_pipeline.runs import together
from pcc_pipeline.runs.inputs import Inputs, begin, inputs
from pcc_pipeline.runs.pipeline import published_tables, read_provider
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import DECIDED, FEEDS, MODELS

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
    # One of which no row could be read has no file.
    told = {"delivery": "refused", "kind": "budgets", "sequence": len(deliveries) + 1, "file": "b.csv", "refused": 3}
    deliveries.append(told | {"received_at": datetime(2026, 1, 9, tzinfo=UTC)})
    table = pa.Table.from_pylist(deliveries, schema=DELIVERIES_SCHEMA)
    return Calculation(ente, Parameters(REFERENCE_DATE, OBSERVED_AT, **facts), table)


def _made(settings: Settings, store: Store, enti: Sequence[str], wanted: Collection[str] = MODELS) -> dict[str, Tables]:
    """Each ente's tables as they lie there: the columns' types, and the rows in some order of their own."""
    with prepared(settings, store) as connection:

        def table(ente: str, name: str) -> tuple[list[str], list[str]]:
            query = f"select * from {source(store, ente, name)}"
            types = [f"{row[0]} {row[1]}" for row in connection.execute(f"describe {query}").fetchall()]
            return types, sorted(map(repr, connection.execute(query).fetchall()))

        names = [name for name, model in load_models().items() if name in wanted and not model.is_step]
        return {ente: {name: table(ente, name) for name in names} for ente in enti}


def _from_file_to_file(settings: Settings, store: Store, given: Calculation) -> dict[str, ModelResult]:
    """Runs all of an ente's models as those of a large one are run."""
    with Calculator(settings, store).session(given) as session:
        return {name: session.run(name) for name in model_order()}


def _views(store: Store, enti: Sequence[str]) -> dict[str, bytes]:
    """What is kept of each view, by file."""
    kept = {}
    for name in (name for ente in enti for name in store.list(f"models/{ente}") if name.endswith(".sql")):
        with store.open(name) as file:
            kept[name] = file.read()
    return kept


def _damaged_enti(store: Store, folder: Path) -> Iterator[Calculation]:
    """Three enti of whose rows a third is wrong, of different kinds and facts."""
    for seed, facts in enumerate(
        (
            {"ente_tipo": "ASL", "patron_saint": "06-24", "modelli_pcc": "003"},
            {"ente_tipo": "MINISTERO", "siope_plus": True, "siope_plus_dal": date(2018, 1, 1)},
            {"siope_plus": False, "pubblicato_il": date(2026, 1, 10), "modelli_pcc": "AREA_RGS"},
        ),
        1,
    ):
        feeds = _feeds(_provider(folder / str(seed), seed, 50))
        wrong = damaged(feeds, seed, 0.3) if seed % 2 else perturbed(feeds, seed, 0.4)
        yield _staged(store, f"danneggiato{seed}", wrong, **facts)


def _decided(settings: Settings, store: Store, ente: str) -> dict[str, pa.Table]:
    """What people did with an ente's proposals: half of its operations sent, some refused, questions answered, pairs judged."""
    by = {"ente": ente, "decided_by": "rossi", "decided_at": datetime(2026, 1, 15, tzinfo=UTC)}
    with prepared(settings, store) as connection:

        def rows(model: str) -> list[dict[str, Any]]:
            return connection.sql(f"select * from {source(store, ente, model)} order by all").to_arrow_table().to_pylist()

        operations, questions, proposals = (rows(name) for name in ("operations", "questions", "match_proposals"))
    moment = datetime(2026, 1, 16, tzinfo=UTC)
    sent = [row | {"attempt": 1, "file": "f", "line": n, "sent_at": moment} for n, row in enumerate(operations[::2], 2)]
    refused = [
        by | {"operation_id": row["operation_id"], "state": "refused", "approvals": 0, "approvals_needed": 1}
        for row in operations[1::4]
    ]
    answers = [row["answer"] for row in rule_rows("answers")]
    answered = [
        by
        | {name: row[name] for name in ("code", "id_documento", "progressivo_registrazione")}
        | {"answer": answer, "decision": n}
        for n, (row, answer) in enumerate(zip(questions[::2], answers * len(questions), strict=False), 1)
    ]
    judged = [
        by | {name: row[name] for name in ("id_documento", "progressivo_registrazione")} | {"verdict": verdict, "decision": n}
        for n, (row, verdict) in enumerate(zip(proposals, ("pair", "split") * len(proposals), strict=False), 1)
    ]
    found = {
        "decided_sent_operations": sent,
        "decided_operation_decisions": refused,
        "decided_answers": answered,
        "decided_match_decisions": judged,
    }
    assert sent and refused and answered
    return {name: pa.Table.from_pylist(made, schema=DECIDED[name].arrow_schema) for name, made in found.items()}


def _published(installation: Installation, ente: str) -> dict[str, list[str]]:
    """What readers see of an ente, each table in some order of its own."""
    with installation.engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(sa.text(f"select * from pcc.{name} where ente = :ente"), {"ente": ente})))
            for name in published_tables()
        }


@pytest.mark.slow
def test_a_batch_gives_each_ente_what_it_gets_alone(
    installation: Installation, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings, store = installation.settings, installation.store
    inbox = tmp_path / "delivered"
    write_provider(inbox, enti=2, documents=160, seed=5, reference_date=REFERENCE_DATE)
    enti = sorted(path.name for path in inbox.iterdir() if not path.name.startswith("_"))
    read_provider(installation, inbox)
    for folder, name in (*((inbox, ente) for ente in enti), (OWN.inbox, OWN.ente)):
        land(installation, folder, name)
        stage(installation, name)
    batch: list[Calculation] = [inputs(installation, ente, REFERENCE_DATE, OBSERVED_AT) for ente in (*enti, OWN.ente)]
    batch += [*_damaged_enti(store, tmp_path), _staged(store, "vuoto", {})]
    for place in (len(enti), len(enti) + 1):  # the golden ente and a damaged one
        Calculator(settings, store).run_inputs(batch[place])
        batch[place] = replace(batch[place], decided=_decided(settings, store, batch[place].ente))
    names = [given.ente for given in batch]
    counts = {given.ente: _from_file_to_file(settings, store, given) for given in batch}
    alone, views = _made(settings, store, names), _views(store, names)
    for ente in names:
        store.delete(f"models/{ente}")
    kept = {given.ente: given.kept(store, f"models/{given.ente}/given") for given in batch}
    small = {ente: run_in_memory(settings, store, given, model_order(), f"models/{ente}") for ente, given in kept.items()}
    found = _made(settings, store, names)
    assert [(e, name) for e in names for name in alone[e] if found[e][name] != alone[e][name]] == []
    assert _views(store, names) == views
    assert [(e, name) for e in names for name, done in small[e].items() if done.rows != counts[e][name].rows] == []
    for ente in names:
        store.delete(f"models/{ente}")
    together_counts = run_together(settings, store, batch, MODELS)
    found = _made(settings, store, names)
    assert [(e, name) for e in names for name in alone[e] if found[e][name] != alone[e][name]] == []
    rows = {ente: {name: done.rows for name, done in results.items()} for ente, results in counts.items()}
    assert {e: {name: done.rows for name, done in results.items()} for e, results in together_counts.items()} == rows
    # Published together as well, each ente has what it has when it is published alone.
    registered = [given for given in batch[: len(enti)] if isinstance(given, Inputs)]
    for given in registered:
        assert not isinstance(together.publish_each(installation, [given], None)[given.ente], Exception)
    before = {ente: _published(installation, ente) for ente in enti}
    assert not [done for done in together.publish_each(installation, registered, None).values() if isinstance(done, Exception)]
    assert {ente: _published(installation, ente) for ente in enti} == before
    assert not [record.message for record in caplog.records if "in halves" in record.message]
    empty = {name for name in alone[OWN.ente] if not any(alone[ente][name][1] for ente in names)}
    assert empty <= {"sent_outcomes", "credit_notes_closed"}, "a table without rows shows nothing"


@pytest.mark.slow
def test_a_fault_puts_only_its_ente_aside(tmp_path: Path) -> None:
    settings = Settings.at(tmp_path / "home", threads=2)
    store = Store(settings.store_url)
    row = {
        "id_documento": "A", "numero": "1", "data_emissione": date(2025, 5, 1), "data_scadenza": date(2025, 6, 1),
        "piva_fornitore": "01234567897", "importo_totale": Decimal(100), "stato": "LIQUIDATA",
    }  # fmt: skip
    batch = [_staged(store, ente, {"erp_invoices": [row]}) for ente in ("uno", "rotto", "due")]
    store.write_bytes("staging/rotto/erp_invoices/erp_invoices1.parquet", b"cut short")
    wanted = models.needed("stock")
    found = run_each(settings, store, batch, wanted)
    assert {ente for ente, done in found.items() if isinstance(done, Exception)} == {"rotto"}
    together_made = _made(settings, store, ("uno", "due"), wanted)
    run_each(settings, store, batch[:1], wanted)
    assert together_made["uno"] == _made(settings, store, ("uno",), wanted)["uno"]


def test_a_batch_is_of_small_enti_of_equal_dates_whose_layers_are_of_one_making(installation: Installation) -> None:
    def given(ente: str, rows: int = 0, day: date = OBSERVED_AT) -> Inputs:
        registered = pa.table({"rows": pa.array([rows, None], pa.int64())})
        return replace(begin(installation, ente, "run", REFERENCE_DATE, day), registered=registered)

    small = Installation(replace(installation.settings, batch_rows=10_000))
    enti = [given("a"), given("b"), given("large", 10_000), given("c", 8_000), given("d", 1), given("e", day=date(2026, 2, 1))]

    def names(layer: str, inputs: list[Inputs]) -> list[list[str]]:
        return [[one.ente for one in batch] for batch in together.batches(small, together.layers_read(layer), inputs)]

    assert names("staging", enti) == [["large"], ["a", "b"], ["c"], ["d"], ["e"]]
    assert names("reconciliation", enti[:2]) == [["a"], ["b"]], "nothing says of what their staging was made"
    for one in enti[:2]:
        Gate(small.store, one.ente).saw("staging", one.seen, one.decisions_seen, one.folder)
    assert names("reconciliation", enti[:2]) == [["a", "b"]]
    again = begin(small, "b", "another run", REFERENCE_DATE, OBSERVED_AT)
    assert names("reconciliation", [enti[0], again]) == [["b"], ["a"]], "its staging is of other inputs"
