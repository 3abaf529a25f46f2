"""One page of a query's rows, and whether there is another: no count of all, which costs as much as all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

SIZE = 50


@dataclass(frozen=True)
class Page:
    """Rows as mappings, the page's number (from 1), whether another follows."""

    rows: Sequence[Mapping[Any, Any]]
    number: int
    more: bool


def contains(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """Whether a text column contains `text` as it stands, whatever the case of its letters.

    A scan, since row level security lets no index answer it first; without letters to fold it costs less than half.
    """
    alike = column.like if text.lower() == text.upper() else column.ilike
    return alike(containing(text), escape="\\")


def containing(text: str) -> str:
    """The pattern of LIKE for what contains `text` as it stands; a backslash escapes."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def paged(connection: sa.Connection, query: sa.Select[Any], order: Sequence[Any], number: int, size: int = SIZE) -> Page:
    """Page `number` of a query in a total order.

    By number, not by the last row seen: under row level security an index may not compare amounts, so that reading on
    from a row would walk the same way. What counts is an index in the order (`Paging` of the table's description).
    """
    wanted = query.order_by(*order).limit(size + 1).offset((max(number, 1) - 1) * size)
    rows = connection.execute(wanted).mappings().all()
    return Page(rows[:size], max(number, 1), len(rows) > size)
