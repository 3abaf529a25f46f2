"""CSV into staging against `pyarrow.csv` merely reading the same bytes, in the same run.

Writes an `erp_invoices` file of 29 columns, reads it with both, several times, and prints rows a second and
their ratio (the aim is a fifth or more, every check included). Usage: `python benchmarks/tabular.py [rows]`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as pa_csv

from pcc_pipeline.arrival.reading import parse
from pcc_pipeline.formats.source import Source
from pcc_pipeline.formats.tabular.parse import parse_tabular
from pcc_pipeline.tables.feeds import FEEDS, QUARANTINE

TIMES = 3
DATE = {"iso": "%Y-%m-%d", "italian": "%d/%m/%Y"}
AMOUNT = {"iso": "printf('%.2f', {0} / 100)", "italian": "translate(printf('%,.2f', {0} / 100), ',.', '.,')"}
ROWS = """
COPY (
    WITH documents AS (
        SELECT n, 1000 + hash(n) % 1000000 AS cents, DATE '2023-01-01' + (hash(n, 1) % 1000)::INTEGER AS issued
        FROM range({rows}) AS numbers (n)
    )
    SELECT
        printf('D%07d', n) AS id_documento, 'TD01' AS tipo_documento, NULL AS cf_fornitore,
        lpad((hash(n % 5000) % 100000000000)::VARCHAR, 11, '0') AS piva_fornitore,
        printf('Fornitore %05d S.r.l.', n % 5000) AS denominazione_fornitore, (n % 2000)::VARCHAR AS numero,
        strftime(issued, '{date}') AS data_emissione, strftime(issued + 2, '{date}') AS data_ricezione,
        n AS protocollo, 7000000000 + n AS lotto_sdi, 100000000 + n AS id_pcc,
        {total} AS importo_totale, {net} AS imponibile, {vat} AS iva, 'S' AS split_payment,
        strftime(issued + 32, '{date}') AS data_scadenza, 'UFABC1' AS codice_ufficio,
        printf('Z%09d', n % 900) AS cig, NULL AS cup, if(n % 5 = 0, 'CA', 'CO') AS natura_spesa,
        (n % 300)::VARCHAR AS capitolo, (n % 7000)::VARCHAR AS impegno,
        if(n % 50 = 0, 'SOSPESA', 'LIQUIDATA') AS stato, if(n % 50 = 0, 'CONTESTATO', NULL) AS causale,
        if(n % 50 = 0, strftime(issued + 9, '{date}'), NULL) AS data_sospensione,
        if(n % 50 = 0, {net}, NULL) AS importo_sospeso, NULL AS importo_non_liquidabile, 'S' AS commerciale,
        'x' AS note_interne
    FROM documents
) TO '{path}' (HEADER, DELIMITER ';')
"""


class Staging:
    """A sink that writes the rows to Parquet, as staging does."""

    def __init__(self, path: Path) -> None:
        self.rows_file = pq.ParquetWriter(path, FEEDS["erp_invoices"].arrow_schema)
        self.defects_file = pq.ParquetWriter(path.with_suffix(".bad"), QUARANTINE.arrow_schema)

    def rows(self, batch: pa.RecordBatch) -> None:
        self.rows_file.write_batch(batch)

    def defects(self, batch: pa.RecordBatch) -> None:
        self.defects_file.write_batch(batch)

    def notes(self, batch: pa.RecordBatch) -> None:
        """Notes are few: not written."""

    def close(self) -> None:
        self.rows_file.close()
        self.defects_file.close()


def write(path: Path, rows: int, style: str) -> None:
    """Writes the CSV file, `iso` or `italian`."""
    amount = AMOUNT[style].format
    parts = {
        "total": amount("cents"),
        "net": amount("(cents * 100 // 122)"),
        "vat": amount("(cents - cents * 100 // 122)"),
    }
    duckdb.sql(ROWS.format(rows=rows, path=path, date=DATE[style], **parts))


def best(work: Callable[[], object]) -> float:
    """The least seconds of some runs."""
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def stage(path: Path, rows: int, *, apart: bool = False) -> None:
    """CSV into staging Parquet, every check included; all rows must pass. `apart` reads in another process, as runs do."""
    sink, source = Staging(path.with_suffix(".parquet")), Source("alfa", "erp_invoices", "d", path.name, path)
    counts = parse("erp_invoices", [source], sink)["d"] if apart else parse_tabular(source, sink)
    sink.close()
    if counts.rows != rows:
        raise SystemExit(f"{counts} of {rows} rows")


def main(rows: int) -> None:
    """Prints both speeds and their ratio for each style."""
    with tempfile.TemporaryDirectory() as folder:
        for style in DATE:
            path = Path(folder) / f"{style}.csv"
            write(path, rows, style)
            floor = best(partial(pa_csv.read_csv, path, parse_options=pa_csv.ParseOptions(delimiter=";")))
            ours = best(partial(stage, path, rows))
            apart = best(partial(stage, path, rows, apart=True))
            size = path.stat().st_size / 1e6
            print(
                f"{style}: {rows:,} rows, {size:,.0f} MB: pyarrow.csv {rows / floor:,.0f} rows/s, "
                f"into staging {rows / ours:,.0f} rows/s, ratio {floor / ours:.2f} (aim 0.20); "
                f"in a process apart {rows / apart:,.0f} rows/s, {apart / ours:.2f} of the time"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
