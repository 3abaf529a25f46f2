"""`pcc report`: the reports of an ente, or the provider's. The work is in `pcc_pipeline.reports`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pcc_pipeline.commands.terminal import code, err, out, stop


def report(
    ente: Annotated[
        str | None, typer.Option("--ente", help="Tenant code; the provider's report unless told", callback=code)
    ] = None,
    out_folder: Annotated[Path | None, typer.Option("--out", help="Folder; <home>/reports/<ente>/<date> unless told")] = None,
) -> None:
    """Write the reports: workbook, page, PDF, and the table of art. 33 D.Lgs. 33/2013 as CSV and JSON."""
    from pcc_pipeline.enti.facts import ente_names
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.reports.facts import NothingPublished
    from pcc_pipeline.reports.write import write_ente, write_provider

    installation = Installation.from_environment()
    names = ente_names(installation)
    try:
        with err.status("Writing"):
            if ente:
                files = write_ente(installation, ente, names.get(ente), out_folder)
            else:
                files = write_provider(installation, names, out_folder)
    except NothingPublished as error:
        raise stop(str(error)) from None
    for file in files:
        out.print(str(file), highlight=False, soft_wrap=True)
