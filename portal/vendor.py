"""Fetches the browser's libraries from the npm registry into static/vendor: `python -m portal.vendor`.

The files are kept in the repository, so that an installation needs no npm; run it again after changing a
version here. Only what the pages use is taken from each package. Needs `npm` on the PATH, nothing else.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"

_FONT = "fonts/Titillium_Web/titillium-web-v10-latin-ext_latin-{}.woff2"

#: Package at a version, and of it: path in the package, name here.
PACKAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "bootstrap-italia@2.18.3": (
        ("dist/css/bootstrap-italia.min.css", "bootstrap-italia/css/bootstrap-italia.min.css"),
        ("dist/svg/sprites.svg", "bootstrap-italia/svg/sprites.svg"),
        ("LICENSE", "bootstrap-italia/LICENSE"),
        *(
            (f"dist/{_FONT.format(style)}", f"bootstrap-italia/{_FONT.format(style)}")
            for style in ("300", "regular", "italic", "600", "700")
        ),
    ),
    "htmx.org@2.0.11": (("dist/htmx.min.js", "htmx/htmx.min.js"), ("LICENSE", "htmx/LICENSE")),
    "chart.js@4.6.1": (("dist/chart.umd.min.js", "chart.js/chart.umd.min.js"), ("LICENSE.md", "chart.js/LICENSE.md")),
}


def fetch(package: str, wanted: tuple[tuple[str, str], ...]) -> None:
    """Takes the wanted files out of a package. Raises CalledProcessError or KeyError when one is not there."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            for path, name in wanted:
                source = archive.extractfile(f"package/{path}")
                assert source is not None
                target = VENDOR / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    shutil.copyfileobj(source, file)


def main() -> None:
    """Fetches all packages anew."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    for package, wanted in PACKAGES.items():
        fetch(package, wanted)


if __name__ == "__main__":
    main()
