"""`pcc calendar`: what is due when. The work is in `pcc_pipeline.service.deadlines`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from pcc_pipeline.commands.terminal import code, out, stop


def calendar(
    ente: Annotated[str | None, typer.Option("--ente", help="Tenant code; all enti unless told", callback=code)] = None,
    days: Annotated[int, typer.Option(help="Days ahead", min=0)] = 120,
    back: Annotated[int, typer.Option(help="Days back", min=0)] = 30,
) -> None:
    """What is due when: stock, indicators, FGDC and the portal's own deadlines, and what is still to be done."""
    from rich.table import Table

    from pcc_pipeline.clock import today
    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.service.deadlines import deadlines
    from pcc_pipeline.settings import Settings

    now = today()
    found = deadlines(engine(Settings.from_environment()), now - timedelta(days=back), now + timedelta(days=days), ente)
    if not found:
        raise stop("No deadline in these days: has the ente been published for a date near them?")
    shown = Table("due", "ente", "what", "source", "state")
    for item in found:
        left = item.days_left(now)
        if item.met_on is not None:
            state = f"[green]done {item.met_on}"
        elif left < 0:
            state = f"[red]{-left} days late" if item.tracked and item.owed else "past"
        else:
            state = f"in {left} days"
        if item.documents is not None:
            state += f", {item.documents} documents"
        shown.add_row(item.due_on.isoformat(), item.ente, item.words, item.source, state)
    out.print(shown)
