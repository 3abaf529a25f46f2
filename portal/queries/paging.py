"""One page of a query's rows, and whether there is another: no count of all, which costs as much as all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

SIZE = 50


@dataclass(frozen=True)
class Page:
    """Rows as mappings, the page's number (from 1), whether another follows."""

    rows: Sequence[sa.RowMapping]
    number: int
    more: bool


def paged(
    connection: sa.Connection, query: sa.Select[Any], order: Sequence[Any], number: int, size: int = SIZE
) -> Page:
    """Page `number` of a query in a total order."""
    wanted = query.order_by(*order).limit(size + 1).offset((max(number, 1) - 1) * size)
    rows = connection.execute(wanted).mappings().all()
    return Page(rows[:size], max(number, 1), len(rows) > size)
