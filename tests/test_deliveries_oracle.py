"""Random deliveries of payments: the rows that stand, and those that are gone or asked, are the oracle's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import models
import pytest
from oracle_deliveries import Row, stands

from pcc_pipeline.arrival.spans import told

COLUMNS = ("id_documento", "numero_mandato", "data_mandato", "data_pagamento", "importo", "cf_beneficiario", "storno")


def _payment(chance: Random) -> Row:
    day = date(2025, chance.randint(1, 3), chance.randint(1, 3))
    return {
        "id_documento": f"D{chance.randint(1, 60)}",
        "numero_mandato": chance.choice(("1", "2", "01", "3")),
        "data_mandato": chance.choice((None, day, date(2024, 12, 30))),
        "data_pagamento": day,
        "importo": Decimal(chance.randint(1, 2)),
        "cf_beneficiario": chance.choice((None, "10000000001", "10000000002")),
        "storno": chance.random() < 0.1,
    }


def _changed(row: Row, chance: Random) -> Row:
    """The row delivered again: mostly as it was, else with something else in it."""
    if chance.random() < 0.6:
        return dict(row)
    name = chance.choice(COLUMNS[1:6])
    return {**row, name: _payment(chance)[name]}


def _files(chance: Random) -> list[tuple[str, list[Row]]]:
    files: list[tuple[str, list[Row]]] = []
    for place in range(5):
        before = [row for _, rows in files for row in rows]
        again = [_changed(row, chance) for row in chance.sample(before, min(len(before), chance.choice((0, 30, 80))))]
        mark = chance.choice(("", "", ".increment", ".whole.2025-02-01..2025-02-28", ".whole..."))
        files.append(
            (f"{place}{mark}.csv", again + [_payment(chance) for _ in range(chance.choice((0, 5, 40)) if place else 80)])
        )
    return files


def _counted(rows: Sequence[Any]) -> Counter[Any]:
    return Counter(tuple(row[name] for name in COLUMNS) for row in rows)


@pytest.mark.parametrize("seed", range(6))
def test_what_stands_is_what_the_oracle_says(tmp_path: Path, seed: int) -> None:
    files = _files(Random(seed))
    said = {}
    for place, (name, _) in enumerate(files, 1):
        what = told("erp_payments", name)[1]
        said[place] = {
            "whole": what.whole, "span_from": what.span_from, "span_to": what.span_to,
            "received_at": datetime(2026, 1, 2, tzinfo=UTC),
        }  # fmt: skip
    found = models.reconcile(tmp_path, [("erp_payments", rows) for _, rows in files], said=said)
    wanted = stands("erp_payments", files)
    assert Counter(found.rows("stg_erp_payments", *COLUMNS)) == _counted(wanted.rows)
    for state, rows in (("GONE", wanted.gone), ("ASKED", wanted.asked)):
        lost = Counter(found.rows("gone_rows", "id_documento", "order_number", "day", "amount", where=f"state = '{state}'"))
        assert lost == Counter(
            (row["id_documento"], row["numero_mandato"], row["data_pagamento"], row["importo"]) for row in rows
        ), state
