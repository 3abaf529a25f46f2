"""`pcc connect`: an ente's accounting system read once, by hand. How is in `pcc_pipeline.connector`."""

from __future__ import annotations

from typing import Annotated

import typer

from pcc_pipeline.commands.terminal import code, err, out, stop


def connect(
    ente: Annotated[
        list[str] | None, typer.Option("--ente", help="Only this ente; may be repeated; all by default", callback=code)
    ] = None,
) -> None:
    """Read accounting systems by remote connection; what came is delivered, and the sensor takes it from there."""
    from pcc_pipeline.connector.connect import connect as read
    from pcc_pipeline.connector.sources import SourceError, load_sources, sources_file
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.tables.connector import FAILED, REFUSED

    installation = Installation.from_environment()
    settings = installation.settings
    try:
        sources = load_sources(settings)
    except SourceError as error:
        raise stop(str(error)) from None
    if missing := sorted(set(ente or ()) - set(sources)):
        raise stop(f"No connection to {', '.join(missing)} in {sources_file(settings)}")
    if not sources:
        raise stop(f"No connections: {sources_file(settings)} is not there (docs/connector.md)")
    good = True
    for name in ente or sorted(sources):
        with err.status(f"Reading the accounting system of {name}"):
            report = read(installation, sources[name])
        good = good and report.outcome not in (REFUSED, FAILED)
        why = f": {report.reason}" if report.reason else ""
        out.print(f"{name} {report.source}: {report.outcome}{why}", highlight=False)
        for kind in report.kinds:
            told = f"delivery {kind.delivery}" if kind.delivery else "nothing new"
            out.print(
                f"  {kind.kind}: {kind.rows} rows read, {kind.unseen} new or changed, {kind.gone} replaced or gone, "
                f"watermark {kind.watermark}: {told}",
                highlight=False,
            )
    if not good:
        raise typer.Exit(1)
