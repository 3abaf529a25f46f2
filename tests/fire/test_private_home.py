"""Everything under PCC_HOME is its owner's alone: other accounts of the machine neither list nor read it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pcc_pipeline.settings import Settings

#: Gives each order to the command line, as a shell of an account would that lets others read.
ORDERS = """
import json, os, sys
from pcc_pipeline.cli import app
for order in json.loads(sys.argv[1]):
    os.umask(0o022)
    try:
        app(order)
    except SystemExit:
        pass
"""
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_to_others(home: Path) -> list[str]:
    """What under `home` somebody else could read or enter; `home` itself may be passed through by root's server."""
    found = []
    for path in (home, *home.rglob("*")):
        mode = path.lstat().st_mode
        allowed = stat.S_IXGRP | stat.S_IXOTH if path == home and os.geteuid() == 0 else 0
        if not path.is_symlink() and not stat.S_ISSOCK(mode) and mode & OTHERS & ~allowed:
            found.append(f"{path.relative_to(home.parent)} {stat.filemode(mode)}")
    return found


@pytest.mark.slow
def test_what_a_run_writes_is_its_owner_s(server_home: Path) -> None:
    server_home.chmod(0o755)  # as an earlier version left it
    earlier = server_home / "store" / "landing"
    earlier.mkdir(parents=True)
    (server_home / "store").chmod(0o755)
    settings = Settings.at(server_home)
    environment = {**os.environ, **settings.environment()}
    rows = server_home.parent / f"{server_home.name}.csv"
    rows.write_text("piva_fornitore;numero;data_emissione\n12345678903;1;2025-01-01\n", encoding="utf-8")
    orders = (
        ["submit", str(rows), "--ente", "alfa", "--kind", "open_list"],
        ["user", "add", "a@b.it", "--role", "operator"],
        ["run", "--inbox", str(settings.inbox), "--reference-date", "2025-12-31"],
        ["report"],
    )
    try:
        subprocess.run(
            [sys.executable, "-c", ORDERS, json.dumps(orders)],
            env={**environment, "PCC_NEW_PASSWORD": "una lunga parola d'ordine"},
            capture_output=True,
        )
    finally:
        rows.unlink()
    inside = [path for path in server_home.rglob("*") if "postgres" not in path.parts]
    assert any(path.is_file() and "landing" in path.parts for path in inside), "nothing was landed"
    found = [name for name in open_to_others(server_home) if not name.startswith(f"{server_home.name}/store/landing ")]
    assert found == [] and stat.S_IMODE((server_home / "store").stat().st_mode) == 0o700


def test_workers_of_the_desk_write_so_too(server_home: Path) -> None:
    """A worker is started by uvicorn, not by the command line."""
    code = "import os; from portal.app import from_environment; from_environment(); print(oct(os.umask(0)))"
    given = {**os.environ, **Settings.at(server_home).environment()}
    found = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, umask=0o022)
    assert found.stdout.strip() == "0o77", found.stderr
