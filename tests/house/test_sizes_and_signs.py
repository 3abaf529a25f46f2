"""Files, functions and SQL stay short; every module and public definition has its sign. Known debts may only shrink."""

from __future__ import annotations

import pytest

from tests.house import debts


@pytest.mark.parametrize("rule", ["files", "functions", "sql", "unsigned", "undocumented"])
def test_debts_only_shrink(rule: str) -> None:
    known, found = debts.known().get(rule, {}), debts.found()[rule]
    new = {name: size for name, size in found.items() if size > known.get(name, 0)}
    assert not new, f"longer than allowed, or without docstring: {new}"
    assert not set(known) - set(found), "paid: take these out of debts.toml"
