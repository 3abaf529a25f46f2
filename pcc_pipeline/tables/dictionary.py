"""The data dictionary: every table's description as Markdown, for docs/data-dictionary.md.

    python -m pcc_pipeline.tables.dictionary docs/data-dictionary.md           writes it
    python -m pcc_pipeline.tables.dictionary --check docs/data-dictionary.md   fails if it is out of date
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pcc_pipeline.tables import DECIDED, DELIVERY_NOTES, FEEDS, MODELS, Column, Table
from pcc_pipeline.tables.quarantine import QUARANTINE_SUMMARY, QUARANTINED
from pcc_pipeline.tables.register import REGISTER

CHAPTERS: tuple[tuple[str, tuple[Table, ...]], ...] = (
    ("What arrives", (*FEEDS.values(), QUARANTINED, QUARANTINE_SUMMARY, DELIVERY_NOTES)),
    ("What the models make", tuple(MODELS.values())),
    ("The register", tuple(REGISTER.values())),
    ("What the models see of decisions", tuple(DECIDED.values())),
)


#: A page of the documentation, as code names it from the repository's root.
_REFERENCE = re.compile(r"docs/([\w/-]+\.md(?:#[\w-]+)?)")


def dictionary() -> str:
    """The whole dictionary as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield "Generated from the table descriptions in `pcc_pipeline/tables`; do not edit it by hand."
    for title, tables in CHAPTERS:
        yield ""
        yield f"## {title}"
        for table in tables:
            yield ""
            yield f"### `{table.name}`"
            yield ""
            notes = [table.grain + "."]
            if table.key:
                notes.append(f"Key: {', '.join(f'`{name}`' for name in table.key)}.")
            if table.one_of:
                notes += [f"One of {', '.join(f'`{name}`' for name in group)} is required." for group in table.one_of]
            if table.published:
                notes.append("Published: `pcc export` writes it.")
            yield " ".join(notes)
            yield ""
            yield "| column | type | meaning | must be | source |"
            yield "|---|---|---|---|---|"
            for column in table.columns:
                yield _row(column.name, column)
                for member in column.fields:
                    yield _row(f"{column.name}[].{member.name}", member)


def _row(name: str, column: Column) -> str:
    demands = ["present"] if column.required else []
    if column.allowed:
        demands.append(" ".join(column.allowed) if len(column.allowed) <= 16 else f"one of {len(column.allowed)} codes")
    if column.pattern:
        demands.append(f"`{column.pattern}`".replace("|", "\\|"))
    if column.minimum is not None:
        demands.append(f"at least {column.minimum}")
    unit = f" [{column.unit}]" if column.unit else ""
    row = f"| `{name}` | {column.type} | {column.meaning}{unit} | {'; '.join(demands)} | {column.source} |"
    return _REFERENCE.sub(r"[\1](\1)", row)


def main(arguments: list[str] | None = None) -> int:
    """The command described above; returns its exit status."""
    parser = argparse.ArgumentParser(description="Write or check the data dictionary")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("path", type=Path)
    options = parser.parse_args(arguments)
    if not options.check:
        options.path.write_text(dictionary(), encoding="utf-8")
    elif not options.path.exists() or options.path.read_text(encoding="utf-8") != dictionary():
        sys.stderr.write(f"{options.path} is out of date: python -m pcc_pipeline.tables.dictionary {options.path}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
