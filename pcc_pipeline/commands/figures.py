"""The commands over an ente's figures, gathered: the past, the trend, the calendar."""

from __future__ import annotations

import typer

from pcc_pipeline.commands.calendar import calendar
from pcc_pipeline.commands.past import asof, trend


def add_figures(app: typer.Typer) -> None:
    """Adds them to the program."""
    for command in (asof, trend, calendar):
        app.command()(command)
