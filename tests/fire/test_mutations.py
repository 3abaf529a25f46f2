"""Damaged files of every format give rows or quarantine; and those that once did not stay cases."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random

import mutations
import pytest

from pcc_pipeline.formats import parse as in_process

#: How many are tried here, and in the whole run.
TRIED, WHOLE = 300, 100_000
#: Seeds that once gave an error.
ONCE = ()


def test_good_files_of_every_format_are_read(tmp_path: Path) -> None:
    for kind, name, data in mutations.samples():
        rows, _ = mutations.outcome(mutations.Case(-1, kind, name, data), tmp_path, in_process)
        assert rows or name.endswith(".p7m") or "missing" in name or kind == "pcc_outcomes" or len(data) == 20_000, name


def test_every_damaged_file_has_an_outcome(tmp_path: Path) -> None:
    assert not _wrong((*ONCE, *range(TRIED)), tmp_path)


@pytest.mark.whole
def test_a_hundred_thousand_of_them(tmp_path: Path) -> None:
    first = Random().randrange(1 << 40)
    assert not _wrong(range(first, first + WHOLE), tmp_path)


def _wrong(seeds: Iterable[int], folder: Path) -> dict[int, str]:
    """The seeds that gave an error, each with what it was."""
    wrong: dict[int, str] = {}
    for seed in seeds:
        made = mutations.case(seed)
        try:
            mutations.outcome(made, folder)
        except Exception as error:
            wrong[seed] = f"{made.kind} {made.name}: {error!r}"[:300]
    return wrong
