"""`pcc report`: the reports of an ente, or the provider's. The work is in `pcc_pipeline.reports`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pcc_pipeline.commands.terminal import err, out, stop


def report(
    ente: Annotated[str | None, typer.Option("--ente", help="Tenant code; the provider's report unless told")] = None,
    out_folder: Annotated[Path | None, typer.Option("--out", help="Folder; <home>/reports/<ente>/<date> unless told")] = None,
) -> None:
    """Write the reports: workbook, page, PDF, and the table of art. 33 D.Lgs. 33/2013 as CSV and JSON."""
    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.database.register import Register
    from pcc_pipeline.enti.facts import ente_names
    from pcc_pipeline.reports.facts import NothingPublished
    from pcc_pipeline.reports.write import write_ente, write_provider
    from pcc_pipeline.settings import Settings
    from pcc_pipeline.store import Store

    settings = Settings.from_environment()
    connected = engine(settings)
    names = ente_names(settings, Store(settings.store_url), Register(connected))
    try:
        with err.status("Writing"):
            if ente:
                files = write_ente(settings, connected, ente, names.get(ente), out_folder)
            else:
                files = write_provider(settings, connected, names, out_folder)
    except NothingPublished as error:
        raise stop(str(error)) from None
    for file in files:
        out.print(str(file), highlight=False, soft_wrap=True)
