"""Writes a synthetic provider's inbox and tells the truth about it.

Each ente gets every kind of file, in its own way of writing. The truth (which document carries which
case) is never inside the inbox: `Truth.write` puts it where the caller says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv

from pcc_pipeline.demo import answers, deliveries, messages, orders
from pcc_pipeline.demo.budgets import write_budgets
from pcc_pipeline.demo.dialects import DIALECTS, Dialect, write_table
from pcc_pipeline.demo.erp import PRODUCT, write_erp
from pcc_pipeline.demo.erp_files import write_as_product
from pcc_pipeline.demo.outcomes import write_outcomes
from pcc_pipeline.demo.parties import Ente
from pcc_pipeline.demo.parties import enti as make_enti
from pcc_pipeline.demo.sdi import write_sdi
from pcc_pipeline.demo.service import write_service
from pcc_pipeline.demo.synthesis import KINDS, Size, synthesis
from pcc_pipeline.tables.feeds import FEEDS

#: Beyond this an Excel sheet would not hold the movements: the ente writes CSV instead.
_EXCEL_DOCUMENTS = 100_000

#: Rows no reader should accept, by kind; written by the ente whose files also use Italian numbers.
_BAD_ROWS: Mapping[str, tuple[str, ...]] = {
    "erp_invoices": (
        "GUASTO01;TD01;;00000000000;Ditta Guasta;1;31/02/2025;;;;;100,00;;;N;;;;;CO;;;LIQUIDATA;;;;;S",
        "GUASTO02;TD01;;00000000000;Ditta Guasta;2;15/03/2025;;;;;cento euro;;;N;;;;;CO;;;LIQUIDATA;;;;;S",
        "GUASTO03;TD99;;;Ditta Guasta;;15/03/2025;;;;;100,00;;;N;;;;;CO;;;IGNOTO;;;;;S",
    ),
    "erp_payments": ("GUASTO01;77;15/03/2025;;-5,00;;N",),
    "pcc_invoices": (
        "999999999999;7999999999;UF0002;;;IT00000000000;DITTA GUASTA;TD01;9;15/03/2025;15/03/2025;;100,00;"
        ";;NO;SMARRITO;;0,00;0,00;0,00;0,00;0,00;",
    ),
}


@dataclass(frozen=True)
class Truth:
    """What was injected where. Rows are computed from the seed when asked for, not kept.

    `cases` counts documents by ente and case; `bad_rows` counts rows to be quarantined, by ente.
    """

    size: Size
    enti: tuple[Ente, ...]
    cases: Mapping[str, Mapping[str, int]]
    bad_rows: Mapping[str, int]
    sdi_files: Mapping[str, int]

    def documents(self, ente: str) -> pa.Table:
        """One row per document of that ente: id_documento, progressivo_registrazione, second_progressivo,
        case_name, tier (the one meant to find it) and codes (the anomalies it is made for)."""
        number = [made.code for made in self.enti].index(ente)
        with synthesis(self.enti[number], number, self.size) as connection:
            return connection.sql(
                "select ente, id_documento, progressivo_registrazione, second_progressivo, case_name, tier, "
                "array_to_string(codes, ' ') as codes from truth order by coalesce(id_documento, ''), 3"
            ).to_arrow_table()

    def write(self, directory: Path) -> None:
        """Write `<directory>/<ente>.csv` for each ente; `directory` must lie outside the inbox."""
        directory.mkdir(parents=True, exist_ok=True)
        for ente in self.enti:
            pyarrow.csv.write_csv(self.documents(ente.code), directory / f"{ente.code}.csv")


def write_provider(
    inbox: Path,
    *,
    enti: int = 5,
    documents: int = 2000,
    seed: int = 7,
    reference_date: date = date(2025, 12, 31),
    observed_at: date | None = None,
    sdi_share: float = 0.1,
    bad_rows: bool = True,
    erp_database: Path | None = None,
) -> Truth:
    """Write the inbox of a provider with `enti` enti of `documents` documents each.

    `observed_at` (default: twenty days after `reference_date`) is the last day anything is known.
    `sdi_share` of the documents that went through SDI also come as FatturaPA XML. With `bad_rows`, the
    second ente (the first, if alone) also delivers rows that must end in quarantine. With `erp_database`, the
    enti of one accounting system are read by remote connection: the first one's data go there, not to the inbox
    (see `erp`). Returns the truth.
    """
    size = Size(documents, seed, reference_date, observed_at or reference_date + timedelta(days=20))
    made = tuple(make_enti(enti, seed))
    careless = made[min(1, enti - 1)].code if bad_rows else None
    cases: dict[str, dict[str, int]] = {}
    sdi_files: dict[str, int] = {}
    for number, ente in enumerate(made):
        dialect = DIALECTS[ente.dialect]
        if dialect.excel and documents > _EXCEL_DOCUMENTS:
            dialect = Dialect()
        remote = connected(made) == ente if erp_database else False
        with synthesis(ente, number, size) as connection:
            orders.set_apart(connection, number)
            answered = number % 5 == answers.PLACE
            if answered:
                answers.set_apart(connection)
            if remote and erp_database:
                write_erp(connection, erp_database)
            for kind in KINDS:
                if remote and kind in ("erp_invoices", "erp_payments"):
                    continue
                folder = inbox / ente.code / kind
                folder.mkdir(parents=True, exist_ok=True)
                if kind == "pcc_invoices" and answered:
                    answers.write_answers(connection, folder)
                    continue
                # the first writes the standard columns, as an ente does whose product has no layout of its own
                product = ente.gestionale if number else ""
                _write(connection, product, kind, folder, dialect, careless=ente.code == careless)
                for ending in deliveries.states(connection, kind):
                    _write(connection, product, kind, folder / ending, dialect)
                    for path in (folder / ending).iterdir():
                        path.rename(folder / f"{path.stem}_{ending}{path.suffix}")
                    (folder / ending).rmdir()
            write_outcomes(connection, inbox / ente.code / "pcc_outcomes", ente)
            write_budgets(inbox / ente.code / "budgets", number, documents, reference_date)
            sdi_files[ente.code] = write_sdi(connection, inbox / ente.code / "sdi_invoices", ente, sdi_share)
            messages.write_messages(connection, inbox / ente.code / "sdi_messages", ente, sdi_share)
            orders.write_orders(connection, inbox / ente.code / "erp_opi", ente, reference_date)
            counted = connection.execute("select case_name, count(*) from truth group by all order by all").fetchall()
            cases[ente.code] = dict(counted)
    write_service(inbox, made, seed, reference_date, size.observed_at)
    bad = {careless: sum(map(len, _BAD_ROWS.values()))} if careless else {}
    return Truth(size, made, cases, bad, sdi_files)


def _write(
    connection: duckdb.DuckDBPyConnection, product: str, kind: str, folder: Path, dialect: Dialect, *, careless: bool = False
) -> None:
    """Write what the view of a kind has as the product does, else in the standard columns; `careless` adds bad rows."""
    folder.mkdir(parents=True, exist_ok=True)
    if not write_as_product(connection, product, kind, folder, excel=dialect.excel, careless=careless):
        extra = _BAD_ROWS.get(kind, ()) if careless else ()
        write_table(connection, FEEDS[kind], folder / f"{kind}.{dialect.extension}", dialect, extra=extra)


def connected(made: Sequence[Ente]) -> Ente | None:
    """The ente whose accounting system the demo reads by remote connection; None among the first few."""
    return next((ente for ente in made if ente.gestionale == PRODUCT), None)
