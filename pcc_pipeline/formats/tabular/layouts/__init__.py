"""Layouts: how each release of an accounting system names and writes the standard tables, as YAML files.

`model` says what a file may hold, `load` finds and reads the files, `choose` takes the one of an ente or the one
that a file fits, `apply` turns a file's columns into the standard ones, `report` tells people about a file.
"""

from pcc_pipeline.formats.tabular.layouts.load import LayoutError, layouts, read_layout
from pcc_pipeline.formats.tabular.layouts.model import KindLayout, Layout, Recipe

__all__ = ["KindLayout", "Layout", "LayoutError", "Recipe", "layouts", "read_layout"]
