"""How old the releases are that the lock file pins: `python -m tests.house.releases` prints the oldest."""

from __future__ import annotations

import sys
import tomllib
from datetime import datetime

from tests.house.code import ROOT


def releases() -> list[tuple[datetime, str]]:
    """Each pinned package that is not our own, with the moment its release was uploaded; oldest first."""
    found = []
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        uploaded = [datetime.fromisoformat(str(file["upload-time"])) for file in files if "upload-time" in file]
        if uploaded:
            found.append((min(uploaded), f"{package['name']} {package['version']}"))
    return sorted(found)


if __name__ == "__main__":
    for moment, name in releases()[:15]:
        sys.stdout.write(f"{moment:%Y-%m-%d}  {name}\n")
