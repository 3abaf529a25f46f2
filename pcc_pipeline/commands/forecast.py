"""`pcc forecast`: a day to come, with payments and operations asked about. The work is in `pcc_pipeline.runs.forecast`."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pcc_pipeline.commands.terminal import Ente, err, out, stop
from pcc_pipeline.spreadsheet import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pcc_pipeline.runs.forecast import DuePart, Outlook, Payment


def forecast(
    ente: Ente,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="31 December of this year unless told")] = None,
    pay: Annotated[
        Path | None, typer.Option(help="Payments to come (CSV, Excel): id_documento, data_pagamento, importo")
    ] = None,
    refuse: Annotated[list[str] | None, typer.Option(help="Identifier of an operation taken as not accepted")] = None,
    plan_out: Annotated[
        Path | None, typer.Option("--plan", help="Write the payments that avoid the duty from stock, as CSV")
    ] = None,
) -> None:
    """The stock of a day to come and what the FGDC costs: as things are, with payments, and what to pay to avoid it."""
    from pcc_pipeline.clock import today
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.runs import forecast

    installation = Installation.from_environment()
    store = installation.store
    day = until.date() if until else date(today().year, 12, 31)
    try:
        payments = read_payments(pay) if pay else []
        with err.status(f"Working out {day}"):
            base = forecast.scenario(installation, ente, day)
            _show(f"{ente} on {day}, nothing more paid", forecast.outlooks(installation, base))
            least = forecast.plan(installation, base)
            store.delete(base.folder)
        if payments or refuse:
            with err.status("Working out what was asked"):
                asked = forecast.scenario(installation, ente, day, payments, refuse or ())
            title = f"{ente} on {day}, {len(payments)} payments more, {len(refuse or ())} operations refused"
            _show(title, forecast.outlooks(installation, asked))
            store.delete(asked.folder)
    except ValueError as error:
        raise stop(str(error)) from None
    if not least.payments:
        out.print(f"The right stock is within {least.bound:,.2f} €: no payment is needed to avoid the duty from stock.")
    else:
        words = "avoids the duty from stock" if least.enough else "is all there is to pay, and not enough"
        out.print(
            f"Paying {len(least.payments)} invoices, oldest due first, {least.outlay:,.2f} € in all, {words} "
            f"(bound {least.bound:,.2f} €)."
        )
    if plan_out:
        _write(plan_out, least.payments)


def _write(target: Path, payments: Sequence[DuePart]) -> None:
    """Writes the payments of a plan as CSV."""
    texts, figures = ("id_documento", "numero", "creditor", "creditor_name"), ("due_date", "amount", "outlay", "stock_left")
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*texts, *figures])
        for due in payments:
            writer.writerow([harmless(getattr(due, name) or "") for name in texts] + [getattr(due, name) for name in figures])
    err.print(f"{len(payments)} payments → {target}", highlight=False)


def read_payments(file: Path) -> list[Payment]:
    """Payments to come from a table (CSV or Excel), written as delivered tables are. Raises NotForecast naming the line."""
    from pcc_pipeline.review.amounts import amount, day
    from pcc_pipeline.review.pairs import DecisionError
    from pcc_pipeline.review.sheets import UnreadableError, read
    from pcc_pipeline.runs.forecast import NotForecast, Payment

    found = []
    try:
        tables = read(file)
    except UnreadableError as error:
        raise NotForecast(str(error)) from None
    for line in (line for lines in tables.values() for line in lines):
        asked = "id_documento, data_pagamento (2026-12-20) and importo are needed"
        try:
            if not line.text("id_documento"):
                raise DecisionError("id_documento")
            paid_on, euro = day(line.value("data_pagamento"), "data_pagamento"), amount(line.value("importo"))
        except DecisionError as error:
            raise NotForecast(f"{file.name}, {line.place}: {asked} ({error})") from None
        found.append(Payment(line.text("id_documento"), paid_on, euro))
    return found


def _show(title: str, found: dict[str, Outlook]) -> None:
    from rich.table import Table

    from pcc_pipeline.italian import VIEWS

    shown = Table("view", "stock €", "delay, days", "FGDC %", "FGDC €", title=title)
    for column in shown.columns[1:]:
        column.justify = "right"
    for view in VIEWS:
        if outlook := found.get(view):
            amount = "budget not stated" if outlook.amount is None else f"{outlook.amount:,.2f}"
            shown.add_row(view, f"{outlook.stock:,.2f}", f"{outlook.delay:,.2f}", f"{outlook.rate:.2f}", amount)
    out.print(shown)
