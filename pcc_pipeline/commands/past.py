"""`pcc asof` and `pcc trend`: the past rebuilt, and the stock day by day. The work is in `pcc_pipeline.runs.asof`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pcc_pipeline.commands.terminal import Day, Ente, day, err, out, stop

if TYPE_CHECKING:
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.runs.asof import Past


def asof(
    table: Annotated[str, typer.Argument(help="stock, indicators, debt_positions, anomalies, …")],
    ente: Ente,
    reference_date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Day the figures are asked for")],
    known_at: Annotated[
        str,
        typer.Option(help="What was known then: 2026-01-31 (end of that day in Italy) or 2026-01-31T18:00:00+01:00"),
    ],
    observed_at: Day = None,
    out_file: Annotated[Path | None, typer.Option("--out", help=".csv, .parquet or .json; standard output unless told")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Texts in CSV exactly as they are, for programs")] = False,
) -> None:
    """Any table as it would have been asked then: "what did we know on 31 January?". Published figures stay untouched."""
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.runs import asof

    installation = Installation.from_environment()
    try:
        moment = _moment(known_at)
        with err.status(f"Rebuilding {table} as known at {moment.isoformat()}"):
            made = asof.rebuild(installation, ente, [table], reference_date.date(), moment, day(observed_at))
            if out_file:
                rows = asof.write(installation, made, table, out_file, raw=raw)
            else:
                _to_terminal(installation, made, table, raw)
                rows = -1
            installation.store.delete(made.folder)
    except ValueError as error:
        raise stop(str(error)) from None
    if out_file:
        err.print(f"{rows} rows of {table}, {made.deliveries} deliveries known → {out_file}", highlight=False)


def trend(
    ente: Ente,
    by: Annotated[str, typer.Option(help="month or day")] = "month",
    view: Annotated[str, typer.Option(help="pcc, right or projected")] = "right",
) -> None:
    """The stock month by month (or day by day of the last 400 days), with the facts known now."""
    import sqlalchemy as sa
    from rich.table import Table

    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.database.schema import table as described
    from pcc_pipeline.settings import Settings

    if by not in ("month", "day"):
        raise stop("--by is month or day")
    t = described("stock_trend")
    query = sa.select(t.c.day, t.c.amount).where(t.c.ente == ente, t.c.view == view).order_by(t.c.day)
    if by == "month":
        last = sa.select(sa.func.max(t.c.day)).where(t.c.ente == ente).scalar_subquery()
        query = query.where(sa.or_(t.c.month_end, t.c.day == last))
    with engine(Settings.from_environment()).connect() as connection:
        rows = connection.execute(query).all()
    if not rows:
        raise stop(f"Nothing has been published for ente {ente} in the view {view}")
    shown = Table("day", "stock €", "", title=f"Stock of {ente}, {view}")
    shown.columns[1].justify = "right"
    greatest = max(max(abs(row.amount) for row in rows), 1)
    for row in rows:
        shown.add_row(row.day.isoformat(), f"{row.amount:,.2f}", "█" * round(40 * max(row.amount, 0) / greatest))
    out.print(shown)


def _moment(text: str) -> datetime:
    """A moment with its zone; a day alone is its end in Italy. Raises ValueError for what is neither."""
    from pcc_pipeline.clock import ROME

    moment = datetime.fromisoformat(text)
    if len(text) == 10:
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return moment if moment.tzinfo else moment.replace(tzinfo=ROME)


def _to_terminal(installation: Installation, made: Past, table: str, raw: bool) -> None:
    """Writes CSV to standard output, through a file as all output."""
    import tempfile

    from pcc_pipeline.runs.asof import write

    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        file = Path(folder) / "table.csv"
        write(installation, made, table, file, raw=raw)
        sys.stdout.write(file.read_text(encoding="utf-8"))
