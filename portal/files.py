"""A table of a page as a file, where it is no published table: what the page shows, and no query of its own.

Published tables are exported by `pcc_pipeline.database.export`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from fastapi import Response

from pcc_pipeline.spreadsheet import harmless


def table_file(name: str, suffix: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    """The columns of some rows as `name`.csv or .xlsx: ISO dates, moments in UTC, amounts with two decimals and a point."""
    body, kind = (_csv, "text/csv; charset=utf-8") if suffix == "csv" else (_xlsx, _EXCEL)
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{suffix}"'}
    return Response(body(columns, rows), media_type=kind, headers=disposition)


_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_safe(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode()


def _xlsx(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    options = {"strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(out, options)
    sheet, money = book.add_worksheet(), book.add_format({"num_format": "0.00"})
    sheet.write_row(0, 0, columns)
    for number, row in enumerate(rows, 1):
        for place, column in enumerate(columns):
            value = row[column]
            if isinstance(value, Decimal):
                sheet.write_number(number, place, float(value), money)  # Excel knows no other number
            elif value is not None:
                sheet.write(number, place, value if isinstance(value, bool | int) else str(_plain(value)))
    book.close()
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _safe(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else _plain(value)
