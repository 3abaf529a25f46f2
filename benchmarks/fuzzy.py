"""The proposals of match_proposals.sql against the generator's truth: precision, recall, time; Splink beside it if installed.

Splink (`pip install splink`) is given the same open documents, the same neighbours as candidates would be too kind to
it: it blocks by its own rules (creditor with amount, with date, with number), learns its weights by expectation
maximisation, and the best of its thresholds is reported.

    python benchmarks/fuzzy.py 100000 [--seed 7] [--hub 50000]

`--hub` measures one creditor with that many open documents a side, all of one amount: what must not grow quadratically.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pcc_pipeline.calculator import Calculation, Calculator, Parameters, model_order
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.calculator.session import Session
from pcc_pipeline.demo.parties import enti
from pcc_pipeline.demo.staging import write_staging
from pcc_pipeline.demo.synthesis import Size, synthesis
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

ENTE = "montefiore"
REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)
Pairs = set[tuple[str, str]]


def truth(documents: int, seed: int) -> Pairs:
    """The pairs that the generator made for a fuzzy eye alone."""
    size = Size(documents, seed, REFERENCE_DATE, OBSERVED_AT)
    with synthesis(enti(1, seed)[0], 0, size) as connection:
        query = "select id_documento, progressivo_registrazione from truth where case_name like 'fuzzy%'"
        return {(own, theirs) for own, theirs in connection.execute(query).fetchall()}


def told(name: str, found: Pairs, right: Pairs, seconds: float) -> None:
    """Prints precision, recall and time."""
    good = len(found & right)
    print(
        f"{name:28} {len(found):7,} proposed  precision {good / max(1, len(found)):.4f}"
        f"  recall {good / len(right):.4f}  {seconds:.2f} s"
    )


def open_documents(connection: duckdb.DuckDBPyConnection, session: Session) -> None:
    """Tables open_erp and open_pcc: what no tier took and no tier found contested."""
    for name in ("erp_documents", "pcc_documents", "pairs"):
        connection.execute(f"create or replace view {name} as select * from {session.source(name)}")
    for side, key in (("erp", "id_documento"), ("pcc", "progressivo_registrazione")):
        connection.execute(
            f"create or replace table open_{side} as select {key} as unique_id, creditor, sign, total, issue_date, due_date, "
            f"number_key from {side}_documents anti join pairs on pairs.{side}_row = row_id where creditor <> 'NON_INDICATO'"
        )


def splink(connection: duckdb.DuckDBPyConnection, right: Pairs) -> None:
    """Splink on the same documents: trains, predicts, and reports its best threshold by F1."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    frames = [
        connection.execute(
            f"select unique_id, creditor, sign, total::double as total, issue_date::varchar as issue_date, "
            f"due_date::varchar as due_date, number_key from open_{side}"
        ).df()
        for side in ("erp", "pcc")
    ]
    started = time.perf_counter()
    settings = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=[
            block_on("creditor", "sign", "total"),
            block_on("creditor", "sign", "issue_date"),
            block_on("creditor", "sign", "number_key"),
        ],
        comparisons=[
            cl.DamerauLevenshteinAtThresholds("number_key", [1, 2]),
            cl.AbsoluteDateDifferenceAtThresholds(
                "issue_date", input_is_string=True, metrics=["day", "day", "day"], thresholds=[5, 10, 40]
            ),
            cl.CustomComparison(
                output_column_name="total",
                comparison_levels=[
                    {"sql_condition": "total_l is null or total_r is null", "label_for_charts": "null", "is_null_level": True},
                    {"sql_condition": "total_l = total_r", "label_for_charts": "same"},
                    {"sql_condition": "abs(total_l - total_r) <= 1", "label_for_charts": "near"},
                    {"sql_condition": "ELSE", "label_for_charts": "else"},
                ],
            ),
            cl.ExactMatch("due_date"),
        ],
    )
    api = DuckDBAPI()
    linker: Any = Linker([api.register(frame) for frame in frames], settings, log_level="ERROR")
    # About one in six of the open documents has its fellow.
    linker.training.estimate_probability_two_random_records_match(
        [block_on("creditor", "sign", "total", "number_key"), block_on("creditor", "sign", "total")], recall=0.9
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for rule in (block_on("creditor", "sign", "total"), block_on("creditor", "sign", "issue_date")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=0.01)
    rows = linker.misc.query_sql(
        f"select unique_id_l, unique_id_r, match_weight as w from {predicted.physical_name} "
        "qualify rank() over (partition by unique_id_l order by match_weight desc) = 1 "
        "and rank() over (partition by unique_id_r order by match_weight desc) = 1"
    ).as_record_list()
    seconds = time.perf_counter() - started
    scored = []
    for row in rows:
        one, other, weight = row["unique_id_l"], row["unique_id_r"], float(row["w"])
        scored.append(((one, other) if one.startswith("D") else (other, one), weight))
    best: tuple[float, Pairs] = (-1.0, set())
    for threshold in sorted({round(weight, 1) for _, weight in scored}):
        found = {pair for pair, weight in scored if weight >= threshold}
        f1 = 2 * len(found & right) / (len(found) + len(right))
        best = max(best, (f1, found), key=lambda each: each[0])
    told("Splink, its best threshold", best[1], right, seconds)


def generated(documents: int, seed: int, work: Path) -> None:
    """Our proposals, and Splink's, on the generated ente."""
    settings = Settings.at(work / "home", threads=2)
    store = Store(str(work / "store"))
    write_staging(
        work / "store/staging" / ENTE, documents, seed, ente=ENTE, reference_date=REFERENCE_DATE, observed_at=OBSERVED_AT
    )
    rows = [
        {
            "delivery": "synthetic",
            "kind": folder.name,
            "sequence": number,
            "part": "synthetic",
            "received_at": datetime(2026, 1, 20, tzinfo=UTC),
        }
        for number, folder in enumerate(sorted((work / "store/staging" / ENTE).iterdir()), 1)
    ]
    right = truth(documents, seed)
    wanted = "match_proposals"
    before = model_order()[: model_order().index(wanted)]
    given = pa.Table.from_pylist(rows, schema=DELIVERIES_SCHEMA)
    with Calculator(settings, store).session(
        Calculation(ENTE, Parameters(REFERENCE_DATE, OBSERVED_AT, "COMUNE"), given)
    ) as session:
        started = time.perf_counter()
        for name in before:
            session.run(name)
        reconciled = time.perf_counter() - started
        done = session.run(wanted)
        connection = session.connection
        open_documents(connection, session)
        ((erp,),) = connection.execute("select count(*) from open_erp").fetchall()
        ((pcc,),) = connection.execute("select count(*) from open_pcc").fetchall()
        print(
            f"{documents:,} documents, seed {seed}: {erp:,} and {pcc:,} open, {len(right):,} true pairs; models before: {reconciled:.2f} s"
        )
        # Contested documents are proposed as well, but the truth does not say which of two copies is theirs.
        query = (
            f"select id_documento, progressivo_registrazione, score, rank from {session.source(wanted)} "
            "semi join open_erp on unique_id = id_documento semi join open_pcc on open_pcc.unique_id = progressivo_registrazione"
        )
        proposed = connection.execute(query).fetchall()
        told("scored SQL, all", {(a, b) for a, b, *_ in proposed}, right, done.seconds)
        for least in (65, 70, 75, 80, 90):
            first = {(a, b) for a, b, score, rank in proposed if rank == 1 and score >= least}
            told(f"scored SQL, first, >= {least}", first, right, done.seconds)
        if importlib.util.find_spec("splink"):
            splink(connection, right)


def hub(size: int, work: Path) -> None:
    """One creditor, `size` open documents a side, all of one amount, numbers apart."""
    settings = Settings.at(work / "home", threads=2)
    store = Store(str(work / "store"))
    given = pa.Table.from_pylist([], schema=DELIVERIES_SCHEMA)
    with Calculator(settings, store).session(
        Calculation(ENTE, Parameters(REFERENCE_DATE, OBSERVED_AT, "COMUNE"), given)
    ) as session:
        for name in model_order()[: model_order().index("match_proposals")]:
            session.run(name)
        for side, key, first in (("erp", "id_documento", 0), ("pcc", "progressivo_registrazione", 10_000_000)):
            columns = session.connection.execute(f"describe select * from {session.source(f'{side}_documents')}").fetchall()
            given_columns = {
                "ente": f"'{ENTE}'",
                "row_id": "range",
                key: f"'{side}' || range",
                "creditor": "'00000000001'",
                "sign": "1",
                "number_key": f"({first} + range * 7)::varchar",
                "numero": f"({first} + range * 7)::varchar",
                "total": "10.00",
                "issue_date": "date '2025-01-01' + (range * 7919 % 300)::integer",
                "stato": "'REGISTRATA'",
                "rejected": "false",
            }
            listed = ", ".join(f"cast({given_columns.get(c[0], 'null')} as {c[1]}) as {c[0]}" for c in columns)
            with store.write(f"models/{ENTE}/{side}_documents.parquet") as target:
                session.connection.execute(f"copy (select {listed} from range({size})) to '{target}' (format parquet)")
        done = session.run("match_proposals")
    print(f"one creditor, {size:,} open documents a side of one amount: {done.rows:,} proposals, {done.seconds:.2f} s")


def main() -> None:
    """The command described above."""
    parser = argparse.ArgumentParser(description="Proposed pairs against the generator's truth")
    parser.add_argument("documents", type=int)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--hub", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        generated(options.documents, options.seed, Path(folder))
    if options.hub:
        with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
            hub(options.hub, Path(folder))


if __name__ == "__main__":
    main()
