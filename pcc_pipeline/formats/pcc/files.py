"""A file for PCC, whichever model it is of: an operation's row, the whole file, where its rows begin.

Two families stand behind it: Modello 003 and 002 (`models`, `lines`) and today's models (`area`). Who
sends need not know which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pcc_pipeline.formats.pcc import area, models
from pcc_pipeline.formats.pcc.lines import line_of


def texts_of(operation: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of an operation's row, cell by cell; an operation is a row of the table `operations`."""
    model = operation["model"]
    return area.row_of(operation) if model in area.area_models() else models.texts(model, line_of(operation))


def write(model: str, user: str, rows: Sequence[Sequence[str]]) -> bytes:
    """A whole file, ready to be sent: `user` is the fiscal code of who transmits it, `rows` as `texts_of` gives them."""
    return area.write(model, user, rows) if model in area.area_models() else models.write(model, user, rows)


def first_line(model: str) -> int:
    """The line of a file's first row, from 1: after the header."""
    todays = area.area_models().get(model)
    return (len(todays.header) if todays else models.HEADER_LINES) + 1
