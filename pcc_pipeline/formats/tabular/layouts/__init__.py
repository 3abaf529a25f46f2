"""Layouts: how each release of an accounting system names and writes the standard tables, as YAML files.

`model` says what a file may hold, `load` finds and reads the files, `apply` turns a file's columns into the standard
ones. No delivered file is opened here: which layout one fits is `tabular.choose`'s matter.
"""

from pcc_pipeline.formats.tabular.layouts.load import LayoutError, layouts, read_layout
from pcc_pipeline.formats.tabular.layouts.model import KindLayout, Layout, Recipe

__all__ = ["KindLayout", "Layout", "LayoutError", "Recipe", "layouts", "read_layout"]
