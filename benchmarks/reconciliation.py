"""The whole reconciliation, from staging Parquet to stocks, against a minimal chain over the same files in the same run.

The minimal chain normalises both sides, joins them fully once and stores two aggregates: less would reconcile
nothing. With `--pandas` (up to about a million documents) the same minimal job in pandas too.

    python benchmarks/reconciliation.py 1000000 [--pandas] [--memory 4GiB]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pcc_pipeline.calculator import Calculation, Calculator, Parameters
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.demo.staging import write_staging
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

ENTE = "montefiore"
REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)


@dataclass(frozen=True)
class Counted(Calculation):
    """What is calculated, with the rows delivered counted."""

    counted: int = 0

    @property
    def rows(self) -> int:
        """How many rows were delivered."""
        return self.counted


CHAIN = {
    "chain_erp": """
        select id_documento, regexp_replace(upper(coalesce(piva_fornitore, cf_fornitore)), '[^A-Z0-9]', '', 'g') as creditor,
               ltrim(regexp_replace(upper(numero), '[^A-Z0-9]', '', 'g'), '0') as number, data_emissione, data_scadenza,
               importo_totale - if(split_payment, iva, 0) as amount
        from read_parquet('{erp}')""",
    "chain_pcc": """
        select progressivo_registrazione, regexp_replace(upper(coalesce(id_fiscale_iva, cf_fornitore)), '[^A-Z0-9]|^IT', '', 'g') as creditor,
               ltrim(regexp_replace(upper(numero_documento), '[^A-Z0-9]', '', 'g'), '0') as number, data_emissione, data_scadenza,
               importo_totale - if(split_payment, totale_imposta, 0) as amount, coalesce(importo_pagato, 0) as paid
        from read_parquet('{pcc}')""",
    "chain_joined": """
        select e.id_documento, p.progressivo_registrazione, coalesce(e.creditor, p.creditor) as creditor,
               coalesce(e.data_scadenza, p.data_scadenza) as due_date, e.amount as erp_amount, p.amount - p.paid as pcc_amount
        from read_parquet('{chain_erp}') e full join read_parquet('{chain_pcc}') p
            on e.creditor = p.creditor and e.number = p.number and e.data_emissione = p.data_emissione""",
    "chain_by_creditor": "select creditor, sum(erp_amount), sum(pcc_amount), count(*) from read_parquet('{chain_joined}') group by all",
    "chain_by_due_date": "select due_date, sum(erp_amount), sum(pcc_amount), count(*) from read_parquet('{chain_joined}') group by all",
}


def minimal_chain(staging: Path, work: Path, memory: str, threads: int) -> float:
    """Seconds of the minimal chain."""
    files = {"erp": staging / "erp_invoices/synthetic.parquet", "pcc": staging / "pcc_invoices/synthetic.parquet"}
    files |= {name: work / f"{name}.parquet" for name in CHAIN}
    started = time.perf_counter()
    for name, sql in CHAIN.items():
        with duckdb.connect(
            config={
                "memory_limit": memory,
                "threads": threads,
                "temp_directory": str(work / "spill"),
                "preserve_insertion_order": False,
            }
        ) as connection:
            connection.execute(f"copy ({sql.format(**files)}) to '{files[name]}' (format parquet, compression snappy)")
    return time.perf_counter() - started


def ours(staging: Path, work: Path, memory: str, threads: int) -> tuple[float, dict[str, float]]:
    """Seconds of all models, whole and by model."""
    settings = Settings.at(work / "home", memory_limit=memory, threads=threads)
    store = Store(settings.store_url)
    received = datetime(2026, 1, 20, tzinfo=UTC)
    deliveries, rows = [], 0
    for sequence, folder in enumerate(sorted(staging.iterdir()), 1):
        name = f"staging/{ENTE}/{folder.name}/synthetic.parquet"
        Path(store.uri(name)).parent.mkdir(parents=True, exist_ok=True)
        Path(store.uri(name)).symlink_to(folder / "synthetic.parquet")
        rows += pq.read_metadata(folder / "synthetic.parquet").num_rows
        (delivery,) = duckdb.execute(f"select delivery from read_parquet('{store.uri(name)}') limit 1").fetchone() or (None,)
        deliveries.append(
            {
                "delivery": delivery,
                "kind": folder.name,
                "sequence": sequence,
                "received_at": received,
                "file": folder.name,
                "part": "synthetic",
            }
        )
    table = pa.Table.from_pylist(deliveries, schema=DELIVERIES_SCHEMA)
    inputs = Counted(ENTE, Parameters(REFERENCE_DATE, OBSERVED_AT, "COMUNE"), table, counted=rows)
    started = time.perf_counter()
    results = Calculator(settings, store).run_inputs(inputs)
    seconds = time.perf_counter() - started
    for row in duckdb.execute(
        f"select view, amount, documents from read_parquet('{store.uri(f'models/{ENTE}/stock.parquet')}')"
    ).fetchall():
        print("  stock", *row)
    return seconds, {name: result.seconds for name, result in results.items()}


def in_pandas(staging: Path) -> float:
    """Seconds of the minimal job in pandas: normalise, full join, two aggregates."""
    import pandas as pd

    started = time.perf_counter()
    erp = pd.read_parquet(
        staging / "erp_invoices/synthetic.parquet",
        columns=[
            "id_documento",
            "piva_fornitore",
            "numero",
            "data_emissione",
            "data_scadenza",
            "importo_totale",
            "iva",
            "split_payment",
        ],
    )
    pcc = pd.read_parquet(
        staging / "pcc_invoices/synthetic.parquet",
        columns=[
            "progressivo_registrazione",
            "id_fiscale_iva",
            "numero_documento",
            "data_emissione",
            "data_scadenza",
            "importo_totale",
            "totale_imposta",
            "split_payment",
            "importo_pagato",
        ],
    )
    erp["creditor"] = erp["piva_fornitore"].str.upper().str.replace("[^A-Z0-9]", "", regex=True)
    pcc["creditor"] = pcc["id_fiscale_iva"].str.upper().str.replace("[^A-Z0-9]|^IT", "", regex=True)
    erp["number"] = erp["numero"].str.upper().str.replace("[^A-Z0-9]", "", regex=True).str.lstrip("0")
    pcc["number"] = pcc["numero_documento"].str.upper().str.replace("[^A-Z0-9]", "", regex=True).str.lstrip("0")
    # Amounts stay Decimal, as the data are.
    erp["amount"] = erp["importo_totale"] - erp["iva"].where(erp["split_payment"].fillna(False).astype(bool), 0)
    pcc["amount"] = pcc["importo_totale"] - pcc["totale_imposta"].where(pcc["split_payment"].fillna(False).astype(bool), 0)
    joined = erp.merge(pcc, how="outer", on=["creditor", "number", "data_emissione"], suffixes=("_erp", "_pcc"))
    joined.groupby("creditor")[["amount_erp", "amount_pcc"]].agg("sum")
    joined.groupby("data_scadenza_erp")[["amount_erp", "amount_pcc"]].agg("sum")
    return time.perf_counter() - started


def main() -> None:
    """Prints seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=int, nargs="+")
    parser.add_argument("--memory", default="4GiB")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--pandas", action="store_true")
    parser.add_argument("--models", action="store_true", help="seconds by model too")
    parser.add_argument("--work", type=Path, help="folder for the files (kept), else a temporary one")
    options = parser.parse_args()
    for documents in options.documents:
        root = Path(tempfile.mkdtemp(prefix="pcc-bench-", dir=options.work))
        try:
            staging = root / "staging"
            write_staging(staging, documents, 7)
            floor = minimal_chain(staging, root, options.memory, options.threads)
            seconds, by_model = ours(staging, root, options.memory, options.threads)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(
                f"{documents:>11,} documents: minimal chain {floor:.1f} s, reconciliation {seconds:.1f} s, "
                f"ratio {seconds / floor:.2f}, peak memory {peak:.1f} GiB (limit {options.memory})"
            )
            if options.models:
                for name, took in sorted(by_model.items(), key=lambda item: -item[1]):
                    print(f"    {name:<22}{took:8.2f} s")
            if options.pandas:
                pandas = in_pandas(staging)
                print(
                    f"{documents:>11,} documents: the minimal job in pandas {pandas:.1f} s, {pandas / seconds:.1f} times the reconciliation"
                )
        finally:
            shutil.rmtree(root)


if __name__ == "__main__":
    main()
