"""The rooms of the house: the core knows no Dagster, none imports from above, no name stands for two things."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter

from tests.house.code import ROOT, modules

#: Importing these costs seconds; whoever needs one imports it where it is used.
HEAVY = ("great_expectations", "reportlab", "fastapi", "uvicorn", "xlsxwriter")

_IMPORT_ALL = """
import importlib, pathlib, sys
for file in sorted(pathlib.Path("pcc_pipeline").rglob("*.py")):
    if "versions" in file.parts or file.name in ("env.py", "__main__.py"):
        continue
    importlib.import_module(file.with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"))
print("\\n".join(sorted({name.split(".")[0] for name in sys.modules})))
"""


def _fresh(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


def test_the_core_imports_no_dagster() -> None:
    assert not {name for name in _fresh(_IMPORT_ALL) if name.startswith(("dagster", "assets", "sensors"))}


def test_the_definitions_import_nothing_heavy() -> None:
    loaded = _fresh("import sys, assets.definitions\nprint('\\n'.join(sorted({name.split('.')[0] for name in sys.modules})))")
    assert not set(HEAVY) & set(loaded)


def test_no_room_imports_from_above() -> None:
    done = subprocess.run(["lint-imports"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_no_module_is_imported_under_the_name_of_another() -> None:
    dotted = {module.path.removesuffix(".py").replace("/", ".") for module in modules()}
    names = {name.rsplit(".", 1)[-1] for name in dotted}
    wrong = [
        f"{module.path}: {alias.name} as {alias.asname}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("pcc_pipeline", "assets", "portal")
        for alias in node.names
        # A page may call its own queries so: that is their room's name.
        if alias.asname in names - {(node.module or "").rsplit(".", 1)[-1]}
        and alias.asname != alias.name
        and f"{node.module}.{alias.name}" in dotted
    ]
    assert not wrong


def test_no_two_classes_bear_one_name() -> None:
    names = Counter(
        node.name
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert not {name for name, times in names.items() if times > 1}
