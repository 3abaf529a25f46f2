"""`pcc bonifica`: one ente, one page: the state before and after the operations. What it says is in `pcc_pipeline.reports`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pcc_pipeline.commands.terminal import Ente, err, stop


def bonifica(ente: Ente, file: Annotated[Path, typer.Option("--out", help="The file to write, .html or .xlsx")]) -> None:
    """The state of an ente before and after the operations: stocks, differences, work by priority, questions."""
    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.reports.write import write_bonifica
    from pcc_pipeline.settings import Settings

    try:
        found = write_bonifica(engine(Settings.from_environment()), ente, file)
    except ValueError as error:
        raise stop(str(error)) from None
    err.print(f"{file}: {found.documents} documents to work on, {found.questions} questions", highlight=False)
