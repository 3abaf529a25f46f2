"""Column lineage of all models, kept beside the SQL: working it out costs seconds in every process, reading it nothing.

    python -m pcc_pipeline.calculator.lineage           writes dbt_like_sql/lineage.json
    python -m pcc_pipeline.calculator.lineage --check   fails if it is out of date

The file holds the fingerprint of the SQL it was read from; for other SQL it is not used. How lineage is read
from a query is in `models`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cache

from pcc_pipeline.calculator.models import SQL_ROOT, load_models

FILE = SQL_ROOT / "lineage.json"

Lineage = dict[str, list[tuple[str, str]]]


def fingerprint() -> str:
    """Of every model's SQL and columns."""
    models = load_models().values()
    text = "\n".join(f"{model.name}({','.join(model.table.column_names)})\n{model.sql}" for model in models)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def column_lineages() -> dict[str, Lineage]:
    """Lineage by model (see `Model.column_lineage`), from the file where it fits the SQL, else worked out."""
    if FILE.exists():
        kept = json.loads(FILE.read_text(encoding="utf-8"))
        if kept["fingerprint"] == fingerprint():
            return {
                model: {column: [(r, c) for r, c in origins] for column, origins in columns.items()}
                for model, columns in kept["models"].items()
            }
    return {name: model.column_lineage() for name, model in load_models().items()}


def main(arguments: list[str]) -> int:
    """The command described above; returns its exit status."""
    if "--check" in arguments:
        fresh = FILE.exists() and json.loads(FILE.read_text(encoding="utf-8"))["fingerprint"] == fingerprint()
        if not fresh:
            sys.stderr.write("dbt_like_sql/lineage.json is out of date: python -m pcc_pipeline.calculator.lineage\n")
        return 0 if fresh else 1
    models = {name: model.column_lineage() for name, model in load_models().items()}
    text = json.dumps({"fingerprint": fingerprint(), "models": models}, indent=1, sort_keys=True)
    FILE.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
