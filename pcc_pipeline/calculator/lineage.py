"""Column lineage of all models, made once for the SQL at hand: working it out costs seconds, reading it nothing.

    python -m pcc_pipeline.calculator.lineage     makes dbt_like_sql/lineage.json, where it is missing or out of date

`setup.sh` does so, and a process that finds none makes it. The file is no part of the repository. It holds the fingerprint
of the SQL it was read from; for other SQL it is not used. How lineage is read from a query is in `models`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from functools import cache

from pcc_pipeline.calculator.models import SQL_ROOT, load_models

FILE = SQL_ROOT / "lineage.json"

Lineage = dict[str, list[tuple[str, str]]]

logger = logging.getLogger(__name__)


def fingerprint() -> str:
    """Of every model's SQL and columns."""
    models = load_models().values()
    text = "\n".join(f"{model.name}({','.join(model.table.column_names)})\n{model.sql}" for model in models)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def column_lineages() -> dict[str, Lineage]:
    """Lineage by model (see `Model.column_lineage`), from the file where it fits the SQL, else worked out and kept there."""
    present = fingerprint()
    try:
        kept = json.loads(FILE.read_text(encoding="utf-8"))
        if kept["fingerprint"] == present:
            return {
                model: {column: [(r, c) for r, c in origins] for column, origins in columns.items()}
                for model, columns in kept["models"].items()
            }
    except (OSError, ValueError, KeyError):
        pass  # none yet, or cut short
    made = {name: model.column_lineage() for name, model in load_models().items()}
    _keep({"fingerprint": present, "models": made})
    return made


def _keep(content: dict[str, object]) -> None:
    """Writes the file whole or not at all; a folder that may not be written to costs only time."""
    part = FILE.with_name(f".{FILE.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
        part.replace(FILE)
    except OSError as error:
        logger.debug("lineage not kept: %s", error)


if __name__ == "__main__":
    column_lineages()
