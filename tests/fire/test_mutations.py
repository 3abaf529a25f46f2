"""Damaged files of every format give rows or quarantine; and those that once did not stay cases."""

from __future__ import annotations

from pathlib import Path

import mutations

from pcc_pipeline.formats import parse as in_process

#: How many are tried here; `benchmarks/mutations.py` tries more.
TRIED = 300
#: Seeds that once gave an error.
ONCE = ()


def test_good_files_of_every_format_are_read(tmp_path: Path) -> None:
    for kind, name, data in mutations.samples():
        rows, _ = mutations.outcome(mutations.Case(-1, kind, name, data), tmp_path, in_process)
        assert rows or name.endswith(".p7m") or "missing" in name or kind == "pcc_outcomes" or len(data) == 20_000, name


def test_every_damaged_file_has_an_outcome(tmp_path: Path) -> None:
    wrong: dict[int, str] = {}
    for seed in (*ONCE, *range(TRIED)):
        made = mutations.case(seed)
        try:
            mutations.outcome(made, tmp_path)
        except Exception as error:
            wrong[seed] = f"{made.kind} {made.name}: {error!r}"[:300]
    assert not wrong
