"""The table that art. 33 D.Lgs. 33/2013 has every ente publish: timeliness of payments, debt, creditor firms. CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from pcc_pipeline.reports.facts import Facts
from pcc_pipeline.spreadsheet import harmless

_TEXTS = ("ente", "denominazione", "fonte")


def art33(facts: Facts) -> dict[str, Any]:
    """The table's values, right view: amounts and days as decimal text, dates ISO; null where there is no figure."""
    day, year = facts.reference_date.isoformat(), facts.year

    def text(name: str, period: str) -> str | None:
        value = facts.value(name, period)
        return None if value is None else str(value)

    by_receipt = facts.by_receipt("ITP", year)
    creditors = facts.value("CREDITORS", day)
    return {
        "ente": facts.ente,
        "denominazione": facts.name,
        "anno": facts.reference_date.year,
        "data_riferimento": day,
        "indicatore_annuale_tempestivita_giorni": text("ITP", year),
        **{f"indicatore_trimestre_{q}_giorni": text("ITP", f"{year}-Q{q}") for q in (1, 2, 3, 4)},
        "di_cui_pagato_con_data_della_quietanza_euro": None if by_receipt is None else str(by_receipt),
        "ammontare_complessivo_debiti_euro": text("DEBT", day),
        "numero_imprese_creditrici": None if creditors is None else int(creditors),
        "fonte": "D.Lgs. 33/2013 art. 33; DPCM 22/9/2014 art. 9-10",
    }


def as_json(facts: Facts) -> str:
    """The table as JSON."""
    return json.dumps(art33(facts), ensure_ascii=False, indent=2) + "\n"


def as_csv(facts: Facts) -> str:
    """The table as CSV: one row."""
    text = io.StringIO()
    values = art33(facts)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows(
        [
            values.keys(),
            ["" if value is None else harmless(value) if name in _TEXTS else value for name, value in values.items()],
        ]
    )
    return text.getvalue()
