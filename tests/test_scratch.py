"""Temporary files lie under the installation and go with their process, killed or not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pcc_pipeline import scratch
from pcc_pipeline.settings import Settings

PROGRAM = """
import sys, tempfile
from pcc_pipeline.scratch import settle
from pcc_pipeline.settings import Settings
settle(Settings.from_environment())
folder = tempfile.mkdtemp()
open(folder + "/alfa.csv", "w").write("alfa")
print(folder, flush=True)
sys.stdin.readline()
"""


def _start(settings: Settings) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **settings.environment()},
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_goes_and_a_living_one_s_stays(settings: Settings) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    killed, lost = _start(settings)
    killed.kill()
    killed.wait()
    living, kept = _start(settings)
    assert not lost.exists(), "the next process cleared it"
    assert kept.is_relative_to(settings.home / "tmp") and (kept / "alfa.csv").exists()
    assert (settings.home / "tmp").stat().st_mode & 0o077 == 0
    assert scratch.clear(settings) == 0
    assert (kept / "alfa.csv").exists()
    living.communicate("end\n")
    assert list((settings.home / "tmp").iterdir()) == []


def test_without_an_installation_none_is_begun(tmp_path: Path) -> None:
    scratch.settle(Settings.at(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
