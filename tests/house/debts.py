"""Known debts of the house: what is longer than it should be, or without a sign. The list may only shrink.

`debts.toml` names each with its size; a test fails for a new one, one that grew, and one that is paid but still listed.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from tests.house.code import ROOT, functions, modules, public_definitions, sql_files

FILE = Path(__file__).parent / "debts.toml"

#: The most lines that a file, a function and a SQL model or macro file may have.
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_SQL = 400, 70, 150


def found() -> dict[str, dict[str, int]]:
    """What breaks the house's rules now, by rule: name and size."""
    return {
        "files": {m.path: m.lines for m in modules() if m.lines > LONGEST_FILE},
        "functions": {name: lines for m in modules() for name, lines in functions(m) if lines > LONGEST_FUNCTION},
        "sql": {
            file.relative_to(ROOT).as_posix(): lines
            for file in sql_files()
            if (lines := file.read_text(encoding="utf-8").count("\n")) > LONGEST_SQL
        },
        "unsigned": {m.path: 1 for m in modules() if not ast.get_docstring(m.tree) and m.text.strip()},
        "undocumented": {name: 1 for m in modules() for name, node in public_definitions(m) if not ast.get_docstring(node)},
    }


def known() -> dict[str, dict[str, int]]:
    """The debts that are known, as `debts.toml` lists them."""
    return {rule: dict(items) for rule, items in tomllib.loads(FILE.read_text(encoding="utf-8")).items()}


def write() -> None:
    """Writes what is found as what is known."""
    lines = ["# Known debts: see debts.py. `python -m tests.house` writes this file; it may only get shorter."]
    for rule, items in found().items():
        lines += ["", f"[{rule}]", *(f'"{name}" = {size}' for name, size in sorted(items.items()))]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
