"""The commands over an ente's figures, gathered: the past, the trend, what is to come, the calendar, the reports."""

from __future__ import annotations

import typer

from pcc_pipeline.commands.calendar import calendar
from pcc_pipeline.commands.forecast import forecast
from pcc_pipeline.commands.past import asof, trend
from pcc_pipeline.commands.report import report


def add_figures(app: typer.Typer) -> None:
    """Adds them to the program."""
    for command in (asof, trend, forecast, calendar, report):
        app.command()(command)
