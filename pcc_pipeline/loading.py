"""Importing large libraries without looking through them for garbage: nearly all that they make stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Nothing is looked for while this lasts, nor afterwards among what is there by then.

    Half a second of a start in every five goes into that, else.
    """
    if not gc.isenabled():  # within another
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
