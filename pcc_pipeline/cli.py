"""From what an ente and PCC deliver to the right stock, its remedies, and the service around them.

Only arguments and words for people live here; the work is done elsewhere. Figures go to standard output,
everything else to standard error.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table as RichTable

from pcc_pipeline.clock import today
from pcc_pipeline.commands import layouts, model, models, quarantine, users
from pcc_pipeline.commands import service as service_commands
from pcc_pipeline.commands.bonifica import bonifica
from pcc_pipeline.commands.connect import connect
from pcc_pipeline.commands.figures import add_figures
from pcc_pipeline.commands.report import report
from pcc_pipeline.commands.restage import restage
from pcc_pipeline.commands.review import app as review
from pcc_pipeline.commands.serve import daemon, desk, inbox, serve, webserver, worker
from pcc_pipeline.commands.terminal import Ente, code, day, err, out
from pcc_pipeline.commands.terminal import stop as _stop
from pcc_pipeline.loading import loading
from pcc_pipeline.settings import Settings

if TYPE_CHECKING:
    from pcc_pipeline.installation import Installation

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help=__doc__.split("\n")[0],
)
app.command()(connect)
app.command()(serve)
app.command()(webserver)
app.command()(daemon)
app.command()(worker)
app.command()(inbox)
app.command()(desk)
app.command()(report)
app.command()(bonifica)
app.command()(restage)
app.add_typer(users.app, name="user")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(review, name="review")
app.add_typer(layouts.app, name="layout")
service_commands.add_to(app)


@app.callback()
def _begin() -> None:
    from pcc_pipeline.installation import private

    with suppress(ValueError):  # a wrong setting: the command says so
        private(Settings.from_environment().home)


def _quiet() -> None:
    """Dagster's and others' chatter off: a terminal shows what went wrong, the run's log has the rest."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")


@app.command()
def demo(
    enti: Annotated[int, typer.Option(min=1, help="How many enti")] = 5,
    documents: Annotated[int, typer.Option(min=1, help="Documents of each ente")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same provider")] = 7,
) -> None:
    """Make a synthetic provider, reconcile all its enti and print each one's stocks."""
    from pcc_pipeline.demo import write_provider
    from pcc_pipeline.demo.erp import FILE, read_erp
    from pcc_pipeline.demo.provider import connected
    from pcc_pipeline.installation import Installation

    installation = Installation.from_environment()
    settings = installation.settings
    inbox = settings.home / "demo" / "inbox"
    reference_date, observed_at = date(2025, 12, 31), date(2026, 1, 20)
    if inbox.exists():
        shutil.rmtree(inbox)
    with err.status(f"Writing the inbox of {enti} enti with {documents} documents each"):
        truth = write_provider(
            inbox,
            enti=enti,
            documents=documents,
            seed=seed,
            reference_date=reference_date,
            observed_at=observed_at,
            erp_database=settings.home / FILE,
        )
    err.print(f"The synthetic provider's inbox is in {inbox}")
    if remote := connected(truth.enti):
        with err.status(f"Reading the accounting system of {remote.code} by remote connection"):
            report = read_erp(installation, inbox, remote.code)
        told = ", ".join(f"{kind.rows} rows of {kind.kind}" for kind in report.kinds) or report.reason
        err.print(f"{remote.code} from {report.source}: {told}", highlight=False)
    _run(installation, inbox, reference_date, observed_at, None)
    err.print("Look at it in the browser with: [bold]pcc serve[/bold]")


@app.command()
def run(
    inbox: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder <ente>/<kind>/<file>; left as it is")],
    reference_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the stock is asked for (today)")
    ] = None,
    observed_at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day up to which facts are seen (today)")
    ] = None,
    ente: Annotated[list[str] | None, typer.Option(help="Only this ente; may be repeated", callback=code)] = None,
) -> None:
    """Land, read, reconcile, check and publish what lies in an inbox; exit 0 only if blocking checks pass."""
    from pcc_pipeline.installation import Installation

    _run(Installation.from_environment(), inbox.resolve(), day(reference_date), day(observed_at), ente)


@app.command()
def submit(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    ente: Ente,
    kind: Annotated[str, typer.Option(help="Kind of delivery: erp_invoices, pcc_invoices, …")],
    whole: Annotated[
        str | None, typer.Option(metavar="FROM..TO", help="The files have all there is in that span; an end may be missing")
    ] = None,
) -> None:
    """Deliver files to the inbox, as the portal does; the sensor takes them from there."""
    from pcc_pipeline.arrival.delivery import DeliveryError, deliver
    from pcc_pipeline.arrival.spans import NOTHING, parse_span

    settings = Settings.from_environment()
    for file in files:
        try:
            target = deliver(settings.inbox, ente, kind, file, NOTHING if whole is None else parse_span(whole))
        except (DeliveryError, ValueError) as error:
            raise _stop(str(error)) from None
        err.print(f"{file.name} → {target}", highlight=False)


@app.command()
def confirm(
    delivery: Annotated[str, typer.Argument(help="The whole delivery, as the check names it")],
    ente: Ente,
    who: Annotated[str, typer.Option(help="Who confirms")],
) -> None:
    """Confirm that what a whole delivery does not have any more is gone, however much: publication goes on."""
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.review.pairs import DecisionError, person

    try:
        new = Installation.from_environment().register.confirm(ente, delivery, person(who))
    except (KeyError, DecisionError) as error:
        raise _stop(str(error.args[0])) from None
    err.print(f"{delivery}: {'confirmed' if new else 'was confirmed already'}", highlight=False)


@app.command()
def export(
    table: Annotated[str, typer.Argument(help="matches, anomalies, stock, debt_positions, …")],
    ente: Ente,
    out_file: Annotated[str, typer.Option("--out", help=".csv, .xlsx or .parquet; - for standard output")] = "-",
    raw: Annotated[
        bool, typer.Option("--raw", help="Texts exactly as they are, for programs: a spreadsheet may take some for formulas")
    ] = False,
) -> None:
    """Write an ente's rows of a published table to a file.

    In CSV a text that a spreadsheet would take for a formula bears an apostrophe, unless --raw.
    """
    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.database.export import NotExported
    from pcc_pipeline.database.export import export as write

    try:
        rows = write(engine(Settings.from_environment()), table, ente, out_file, raw=raw)
    except NotExported as error:
        raise _stop(str(error)) from None
    if out_file != "-":
        err.print(f"{rows} rows of {table} → {out_file}", highlight=False)


add_figures(app)


@app.command()
def stop() -> None:
    """Stop the embedded PostgreSQL, whoever uses it."""
    from pcc_pipeline.database import embedded

    settings = Settings.from_environment()
    stopped = embedded.stop(settings.home) if settings.home.exists() else False
    err.print("The embedded PostgreSQL is stopped" if stopped else "No embedded PostgreSQL was running")


def _run(
    installation: Installation,
    inbox: Path,
    reference_date: date | None,
    observed_at: date | None,
    only: list[str] | None,
) -> None:
    _quiet()
    started = time.perf_counter()
    with err.status("Starting") as status:
        with loading():
            from assets.run import run_headless
            from pcc_pipeline.arrival.landing import PROVIDER, waiting
            from pcc_pipeline.enti.overview import publish_overview, register_rows
            from pcc_pipeline.runs import pipeline

        enti = sorted(name for name in waiting(inbox) if name != PROVIDER)
        if only:
            if missing := sorted(set(only) - set(enti) - set(installation.register.enti())):
                raise _stop(
                    f"Nothing was ever delivered for {', '.join(missing)}; the inbox holds {', '.join(enti) or 'no ente'}"
                )
            enti = sorted(set(only))
        status.update("Reading the provider's register of enti")
        provider = pipeline.read_provider(installation, inbox)
        for note in provider.notes:
            err.print(f"[yellow]{note}", highlight=False)
        if not only:
            enti = sorted({*enti, *provider.enti})
        if not enti:
            raise _stop(f"No delivery in {inbox}: files lie at <ente>/<kind>/<name>")
        for name in sorted(set(enti) - set(register_rows(installation))):
            err.print(f"[yellow]{name} is not in the provider's register of enti: processed all the same")
        status.update(f"Reconciling {', '.join(enti)}")
        good = run_headless(installation, enti, reference_date, observed_at, inbox=inbox)
        publish_overview(installation, today())  # lists delivered now are no longer missing
    _show(installation, enti)
    err.print(f"{time.perf_counter() - started:.1f} s", highlight=False)
    if not good:
        raise _stop(
            "Something failed: the enti it concerns keep their previous published state (details above and in `pcc serve`)"
        )


app.add_typer(model.app, name="model")
app.add_typer(models.app, name="models")
app.command("check-model")(model.check_model)


def _show(installation: Installation, enti: list[str]) -> None:
    from pcc_pipeline.database.summary import summary

    stocks = RichTable(
        "ente",
        *(f"{name} €" for name in ("PCC's stock", "right stock", "difference", "explained")),
        "quarantined",
    )
    reasons = RichTable("ente", "anomaly", "documents", "difference explained €")
    for table in (stocks, reasons):
        for column in table.columns:
            column.no_wrap = True
    for column in (*stocks.columns[1:], *reasons.columns[2:]):
        column.justify = "right"
    for ente in enti:
        found = summary(installation.engine, ente)
        if found is None:
            stocks.add_row(ente, *["never published"] * 4, "")
            continue
        amounts = (found.pcc, found.right, found.difference, found.explained)
        stocks.title = f"Stock at {found.published.reference_date}, observed {found.published.observed_at}"
        stocks.add_row(ente, *(f"{amount:,.2f}" for amount in amounts), str(found.quarantined))
        telling = [part for part in found.explained_by if part.amount]
        for part in telling:
            reasons.add_row(ente if part is telling[0] else "", part.code, str(part.documents), f"{part.amount:,.2f}")
        silent = [part for part in found.explained_by if not part.amount]
        if silent:
            reasons.add_row(
                "" if telling else ente,
                f"{len(silent)} others, no effect on the stock",
                str(sum(p.documents for p in silent)),
                "0.00",
            )
        reasons.add_section()
    out.print(reasons)
    out.print(stocks)
