"""One ente, one page: the state before and after the operations, as HTML and as Excel.

`facts` reads the published tables, `waterfall` draws the difference, `page` and `workbook` write. Nothing is computed here that
a model does not say; answers to the questions are read by `pcc_pipeline.decisions`.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from pcc_pipeline.bonifica.facts import Report, report_of
from pcc_pipeline.bonifica.page import html
from pcc_pipeline.bonifica.workbook import write_workbook

__all__ = ["Report", "html", "report_of", "write_report", "write_workbook"]


class NotReportedError(ValueError):
    """A report that cannot be made; its text says why."""


def write_report(engine: sa.Engine, ente: str, out: Path) -> Report:
    """Writes an ente's report to `out` (.html or .xlsx), whole or not at all; returns what it says.

    Raises NotReportedError before the ente's first publication and for another kind of file.
    """
    if out.suffix.lower() not in (".html", ".xlsx"):
        raise NotReportedError(f"{out.name} must end in .html or .xlsx")
    found = report_of(engine, ente)
    if found is None:
        raise NotReportedError(f"Nothing has been published for ente {ente}")
    temporary = out.with_name(f".{uuid4().hex}.part")
    try:
        if out.suffix.lower() == ".html":
            temporary.write_text(html(found), encoding="utf-8")
        else:
            with temporary.open("wb") as file:
                write_workbook(found, file)
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    return found
