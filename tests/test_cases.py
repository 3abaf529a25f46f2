"""The small enti of `tests/cases`: one kind of trouble each, with what is right. Alone: `python -m tests.cases tests/cases`."""

from __future__ import annotations

from pathlib import Path

import pytest

from pcc_pipeline.installation import Installation
from tests.cases.runner import cases, run_case

FOLDERS = list(cases(Path(__file__).parent / "cases"))


@pytest.mark.parametrize("part", range(4))
def test_each_case_is_right(installation: Installation, part: int) -> None:
    wrong = {folder.name: found for folder in FOLDERS[part::4] if (found := run_case(installation, folder).wrong)}
    assert not wrong
