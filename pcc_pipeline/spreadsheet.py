"""Texts that a spreadsheet would take for formulas: what begins so is shown with an apostrophe in files for people.

Suppliers choose their own names, and what they write must not run on the machine of whoever opens a table. Files for
programs (`--raw`, the API, Parquet) keep the texts as they are.
"""

from __future__ import annotations

from typing import Any

#: What a spreadsheet takes for a formula at the beginning of a text (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

#: The same as a regular expression of PostgreSQL and DuckDB.
PATTERN = "^[=+@\\t\\r\\n＝＋－＠-]"


def harmless(value: Any) -> Any:
    """The value; a text that would be a formula with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
