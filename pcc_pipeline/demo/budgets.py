"""The budgets that the synthetic enti state: two years each, the next one larger. Amounts follow the documents' number."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from pcc_pipeline.demo.dialects import write_rows


def write_budgets(folder: Path, number: int, documents: int, reference_date: date) -> None:
    """Writes `budgets.csv` for the ente of that number; `folder` is made."""
    folder.mkdir(parents=True, exist_ok=True)
    base = Decimal(documents) * (4_000 + 500 * number)
    rows = [
        (year, f"{base + base * step / 20:.2f}", f"{base / 10:.2f}", "")
        for step, year in enumerate((reference_date.year, reference_date.year + 1))
    ]
    write_rows(folder / "budgets.csv", ["anno", "stanziamento", "vincolato", "stock_precedente"], rows)
