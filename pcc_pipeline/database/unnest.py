"""Many rows as one parameter a column, for statements over as many rows as there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY


def unnest(
    rows: Sequence[object], types: Mapping[str, type[sa.types.TypeEngine[Any]]], ordered: bool = False
) -> sa.TableValuedAlias:
    """Rows (mappings or objects) as a table `given` of the columns in `types`; `ordered` adds their `place`."""
    arrays = [
        sa.bindparam(
            None,
            [row[name] if isinstance(row, Mapping) else getattr(row, name) for row in rows],
            type_=ARRAY(kind),
        )
        for name, kind in types.items()
    ]
    columns = [sa.column(name, kind) for name, kind in types.items()]
    place = {"with_ordinality": "place"} if ordered else {}
    return sa.func.unnest(*arrays).table_valued(*columns, **place).render_derived(name="given")
