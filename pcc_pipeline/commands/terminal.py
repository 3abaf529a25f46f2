"""What every command shares: the two consoles, common options, how a command ends with a message.

Figures go to standard output, everything else to standard error.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from pcc_pipeline.codes import NoEnteCode, ente_code

#: Wide enough for its tables where the output is no terminal.
out = Console(width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True)


Given = TypeVar("Given", str, "list[str] | None", "str | None")


def code(given: Given) -> Given:
    """What was given as `--ente`, one or several, where each is a tenant's code (or the provider's); ends the command else."""
    for text in [given] if isinstance(given, str) else given or ():
        try:
            ente_code(text, provider=True)
        except NoEnteCode as error:
            raise typer.BadParameter(str(error)) from None
    return given


Ente = Annotated[str, typer.Option("--ente", help="Tenant code of the ente", callback=code)]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def day(moment: datetime | None) -> date | None:
    """The date of an option; None where it was not given."""
    return moment.date() if moment else None


def stop(message: str) -> typer.Exit:
    """What to raise to end a command with exit code 1 and a message."""
    err.print(f"[red]{message}", highlight=False)
    return typer.Exit(1)
