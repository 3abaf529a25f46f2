"""`pcc night | levels | reopen | alerts | probe | erase | receipts`: the service itself, by hand.

What Dagster does by itself at night (assets/service.py) can be done here, too. The work is in `pcc_pipeline.service`.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pcc_pipeline.clock import today
from pcc_pipeline.commands.terminal import Ente, day, err, out, stop
from pcc_pipeline.settings import Settings


def night(
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day the levels are wanted up to (yesterday in Italy)"),
    ] = None,
) -> None:
    """Calculate and publish every ente's service levels, close finished months, catch up missed nights."""
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.service.nightly import nights

    good = True
    with err.status("Working the night") as status:
        done = nights(Installation.from_environment(), day(until), status.update)
    for result in done:
        out.print(
            f"{result.night}: {len(result.published)} enti published, closed {sum(map(len, result.closed.values()))} periods"
        )
        for ente, reason in result.failed.items():
            good = False
            err.print(f"[red]{ente}: {reason}", highlight=False)
    if not good:
        raise stop("Some enti keep their previous figures: mend what is said above and run `pcc night` again")


def levels(
    ente: Ente,
    out_file: Annotated[str, typer.Option("--out", help="The page, .html; - for standard output")] = "-",
) -> None:
    """Write an ente's page of service levels: tables and pictures in one HTML file."""
    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.reports.service_page import service_page

    page = service_page(engine(Settings.from_environment()), ente)
    if out_file == "-":
        sys.stdout.write(page)
    else:
        Path(out_file).write_text(page, encoding="utf-8")
        err.print(f"Levels of {ente} → {out_file}", highlight=False)


def reopen(
    ente: Ente,
    period: Annotated[str, typer.Option(help="A closed month, 2025-11, or quarter, 2025-Q4")],
    reason: Annotated[str, typer.Option(help="Why; it is kept")],
) -> None:
    """Open a closed month again: the next night calculates it anew and closes it."""
    from pcc_pipeline.service.closing import reopen as again
    from pcc_pipeline.store import Store

    if not again(Store(Settings.from_environment().store_url), ente, period, reason):
        raise stop(f"{period} is not closed for {ente}")
    err.print(f"{period} of {ente} is open again until the next night (pcc night)", highlight=False)


def alerts() -> None:
    """Look for tickets about to pass the limit and levels missed; raise what is new, send what is waiting."""
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.service.lookout import look

    count = look(Installation.from_environment())
    err.print(f"{count} new alerts")


def probe() -> None:
    """Measure database, web interface and portal, and deliver the measures as probes."""
    from pcc_pipeline.service.probe import keep, measure

    settings = Settings.from_environment()
    measures = measure(settings)
    for item in measures:
        words = f": {item.reason}" if item.reason else ""
        out.print(f"{item.service} {'UP' if item.up else 'DOWN'} {item.ms} ms{words}", highlight=False)
    target = keep(settings, measures)
    err.print(f"Delivered: {target}", highlight=False)


def erase(
    ente: Ente,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, although the register says it is not due")] = False,
) -> None:
    """Erase an ente everywhere, for ever, and print the signed receipt. Started again after a crash, it goes on."""
    from assets.killed import end_killed_runs
    from assets.run import opened
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.service.erasure import ErasureError, due_enti
    from pcc_pipeline.service.erasure import erase as erase_ente

    installation = Installation.from_environment()
    due = due_enti(installation, today())
    if ente not in due and not yes:
        err.print("[yellow]The register does not say that this ente's erasure is due (fifth working day after the PEC).")
        if not sys.stdin.isatty():
            raise stop("Nothing was erased: nobody is there to ask; --yes erases all the same")
        if typer.prompt("Its data cannot be brought back. Type its code to erase it") != ente:
            raise stop("Nothing was erased")
    with err.status("Erasing") as status:
        with opened(installation.settings) as instance:  # a killed run would stand in the way for ever
            end_killed_runs(instance, installation.engine)
        try:
            receipt = erase_ente(installation, ente, today(), lambda step: status.update(f"Erasing: {step}"))
        except ErasureError as error:
            raise stop(str(error)) from None
    out.print_json(json.dumps(receipt))


def receipts() -> None:
    """List the receipts of erasures, each with whether its signature holds."""
    from pcc_pipeline.enti.receipts import receipts as kept
    from pcc_pipeline.enti.receipts import verified
    from pcc_pipeline.store import Store

    for receipt in kept(Store(Settings.from_environment().store_url)):
        good = "signature good" if verified(receipt) else "[red]SIGNATURE WRONG[/red]"
        out.print(f"{receipt['receipt']} {receipt['erased_at']} {good}", highlight=False)


def add_to(app: typer.Typer) -> None:
    """Adds these commands to `pcc`."""
    for command in (night, levels, reopen, alerts, probe, erase, receipts):
        app.command()(command)
