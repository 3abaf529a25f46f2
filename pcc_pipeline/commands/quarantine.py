"""`pcc quarantine list | release | save`: what was refused, read again, the kept bytes (`arrival.quarantine`)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from pcc_pipeline.commands.terminal import code, err, out, stop

app = typer.Typer(no_args_is_help=True, help="What was refused and why; reading it anew after a layout or a rule changed.")

Ente = Annotated[str, typer.Option("--ente", help="Tenant code of the ente; _provider for what has no ente", callback=code)]
Delivery = Annotated[list[str] | None, typer.Option("--delivery", help="Only this delivery; may be repeated")]


@app.command("list")
def list_(
    ente: Ente,
    kind: Annotated[str | None, typer.Option(help="Only this kind of delivery")] = None,
    delivery: Annotated[str | None, typer.Option(help="Only this delivery, or those that begin so")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many reasons")] = 100,
) -> None:
    """Show what stands in an ente's quarantine, repeats folded; `pcc export quarantine` gives every line."""
    from rich.table import Table

    from pcc_pipeline.arrival.quarantine import summary
    from pcc_pipeline.installation import Installation

    rows = summary(Installation.from_environment(), ente, kind=kind, delivery=delivery, limit=limit + 1).to_pylist()
    if not rows:
        out.print(f"Nothing of {ente} stands in quarantine")
        return
    shown = Table("delivery", "kind", "file", "line", "field", "value", "reason", "times")
    for row in rows[:limit]:
        cells = [row["delivery"], row["kind"], row["file"], row["first_line"], row["field"], row["examples"], row["reason"]]
        shown.add_row(*("" if cell is None else str(cell) for cell in cells), str(row["times"]))
    out.print(shown)
    if len(rows) > limit:
        err.print(f"More than {limit} reasons: --limit, --kind or --delivery show the others")


@app.command()
def release(ente: Ente, delivery: Delivery = None) -> None:
    """Read quarantined deliveries anew from the kept bytes: good rows come in, settled defects go."""
    from pcc_pipeline.arrival.quarantine import release as read_anew
    from pcc_pipeline.enti.facts import ente_facts
    from pcc_pipeline.installation import Installation

    installation = Installation.from_environment()
    with err.status(f"Reading the quarantined deliveries of {ente} anew"):
        try:
            done = read_anew(installation, ente, ente_facts(installation, ente).layout, delivery)
        except KeyError as error:
            raise stop(str(error.args[0])) from None
    out.print(
        f"{done.deliveries} deliveries read anew: rows {done.rows_before} → {done.rows_after}, "
        f"defects {done.defects_before} → {done.defects_after}",
        highlight=False,
    )
    if done.deliveries:
        for file, reason in done.report.refused.items():
            out.print(f"  {file}: {reason}", highlight=False)
        err.print("Published figures follow with the next run: the sensor starts one, or pcc run.")


@app.command()
def save(
    ente: Ente,
    delivery: Annotated[str, typer.Argument(help="Identifier of the delivery, as `list` shows it")],
    out_file: Annotated[Path, typer.Option("--out", help="Where to write its bytes")],
) -> None:
    """Write a delivery's bytes, as they were delivered, to a file."""
    from pcc_pipeline.installation import Installation

    installation = Installation.from_environment()
    store = installation.store
    found = [row for row in installation.register.deliveries(ente).to_pylist() if row["delivery"] == delivery]
    if not found:
        raise stop(f"{ente} has no delivery {delivery}")
    try:
        with store.open(store.landing(ente, found[0]["sha256"])) as source, out_file.open("wb") as target:
            shutil.copyfileobj(source, target)
    except FileNotFoundError:
        raise stop(f"{found[0]['file']} was too large to be kept: {found[0]['reason']}") from None
    err.print(f"{found[0]['file']} → {out_file}", highlight=False)
