"""Layout files found and read. A file that is not as it must be says what is wrong, and where."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from pcc_pipeline.formats.tabular.layouts.model import Layout

FOLDER = Path(__file__).parent
STANDARD = "standard"


class LayoutError(ValueError):
    """A layout file that cannot be used; the text names the place and what is wrong there."""


def parse_layout(text: str, name: str) -> Layout:
    """The layout that a YAML text describes. Raises LayoutError."""
    try:
        # every scalar stays the text it is: YAML would make NO false and 0012 ten
        found = yaml.load(text, yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise LayoutError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise LayoutError(f"{name}: a layout begins with product, versions and kinds")
    try:
        return Layout.model_validate({**found, "name": name})
    except ValidationError as error:
        raise LayoutError(f"{name}: " + "; ".join(_told(problem) for problem in error.errors())) from None


def _told(problem: object) -> str:
    assert isinstance(problem, dict)
    place = ".".join(str(part) for part in problem["loc"])
    told = str(problem["msg"]).removeprefix("Value error, ")
    return f"{place}: {told}" if place else told


def read_layout(path: Path) -> Layout:
    """The layout of a file, named after it. Raises LayoutError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(f"{path.name} cannot be read ({type(error).__name__})") from None
    return parse_layout(text, path.stem)


@cache
def layouts() -> dict[str, Layout]:
    """The layouts by name, `standard` first: those shipped, and the installation's own in the folder that PCC_LAYOUTS
    names (`layouts` in its home unless told). There a file that is wrong is left out, and one named as a shipped one
    takes its place."""
    found = {path.stem: read_layout(path) for path in sorted(FOLDER.glob("*.yaml"))}
    for path in sorted(_own().glob("*.yaml")):
        try:
            found[path.stem] = read_layout(path)
        except LayoutError as error:
            logging.getLogger(__name__).warning("layout left out: %s", error)
    return {STANDARD: found[STANDARD], **found}


def _own() -> Path:
    named = os.environ.get("PCC_LAYOUTS")
    return (Path(named) if named else Path(os.environ.get("PCC_HOME") or "~/.pcc") / "layouts").expanduser()


def standard() -> Layout:
    """The layout of the standard columns themselves."""
    return layouts()[STANDARD]
