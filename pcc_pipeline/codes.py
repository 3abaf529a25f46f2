"""The code of an ente: the one place that says which text may become a folder, an option of a connection, a partition."""

from __future__ import annotations

import re

ENTE = re.compile(r"[a-z0-9_]{2,32}")

#: What stands in the place of an ente where the provider itself is concerned: its folder of the inbox, its rows.
PROVIDER = "_provider"


class NoEnteCode(ValueError):
    """A text that is no ente's code; it says what one looks like, `italian` to whoever is at the desk."""

    italian = "Il codice dell'ente non è valido"


def ente_code(text: str, *, provider: bool = False) -> str:
    """The text, where it is the code of an ente (or, with `provider`, the provider's own). Raises NoEnteCode.

    Whoever makes a path, a connection or a name of the server out of a code asks here first.
    """
    if text == PROVIDER and provider:
        return text
    if text == PROVIDER or not ENTE.fullmatch(text):
        raise NoEnteCode(f"{text[:40]!r} is no tenant code: 2 to 32 of a-z, 0-9 and _")
    return text
