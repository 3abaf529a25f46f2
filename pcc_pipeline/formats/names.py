"""Names of columns: which a file may bring, and when two writings are the same."""

from __future__ import annotations

import unicodedata

from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.lineage import LINEAGE

_LINEAGE = frozenset(column.name for column in LINEAGE)


def plain(name: str) -> str:
    """The name without case, accents, spaces and punctuation: `Data Emissione` and `data_emissione` agree."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters.casefold() if letter.isalnum())


def described(table: Table) -> list[str]:
    """Names of the table's columns that a file may bring: all but the lineage and what no cell can hold (records)."""
    return [c.name for c in table.columns if c.name not in _LINEAGE and c.type != "records"]
