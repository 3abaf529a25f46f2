"""The two commands of the README are those that CI runs; every test runs on a bare clone."""

from __future__ import annotations

import re

from tests.house.code import ROOT


def test_readme_and_ci_run_the_same_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```\n(\./demo\.sh.*?)```", readme, re.DOTALL)
    assert block is not None
    commands = [line.split("#")[0].strip() for line in block.group(1).splitlines() if line.strip()]
    assert commands == ["./demo.sh", "./test.sh"]
    assert "./test.sh" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    for command in commands:
        assert ". ./setup.sh" in (ROOT / command).read_text(encoding="utf-8")


def test_no_test_needs_what_is_not_in_the_repository() -> None:
    """Files beside the project are further samples only: `samples` looks for them, nothing else."""
    wrong = [
        file.name
        for file in sorted((ROOT / "tests").rglob("*.py"))
        if file.name not in ("samples.py", "test_commands.py") and re.search(r'/ "shared"', file.read_text(encoding="utf-8"))
    ]
    assert not wrong


def test_only_tests_of_programs_from_elsewhere_may_be_skipped() -> None:
    """The run itself refuses other reasons (conftest); here, no test says it may be skipped for lack of a file."""
    wrong = [
        file.name
        for file in sorted((ROOT / "tests").rglob("test_*.py"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"(skipif\(|pytest\.skip\(|importorskip\()", line)
        and "hromium" not in line
        and "no Redis or nginx" not in line
        and file.name != "test_commands.py"
    ]
    assert not wrong
