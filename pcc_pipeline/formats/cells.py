"""What no cell and no text of a file means: characters without width. Dropped here, from whatever format."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

#: Soft hyphen, zero width space to joiner, marks of direction, word joiner and its like, byte order mark. Programs put
#: them at edges (files joined, texts copied from pages) and inside; people do not see them, comparisons do.
WITHOUT_WIDTH = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
_WITHOUT_WIDTH = re.compile(WITHOUT_WIDTH)


def bare(text: str) -> str:
    """The text without them."""
    return text if text.isascii() else _WITHOUT_WIDTH.sub("", text)


def bare_column(texts: pa.Array) -> pa.Array:
    """The texts without them."""
    plain = pc.all(pc.string_is_ascii(texts)).as_py() is not False  # null: there is none
    if plain or not pc.any(pc.match_substring_regex(texts, WITHOUT_WIDTH)).as_py():
        return texts
    return pc.replace_substring_regex(texts, WITHOUT_WIDTH, "")
